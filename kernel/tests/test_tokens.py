"""Tokens: what is forged, confused, stale or taken away opens nothing (promises P23, P24)."""

from __future__ import annotations

import base64
import datetime as dt
import json
import time
import uuid
from typing import Any, NamedTuple

import jwt
import pytest
import sqlalchemy as sa
from jwt.types import Options

from kernel.auth.models import Membership, Role, SignIn, User
from kernel.auth.secrets.tokens import Claims, make_access_token
from kernel.testing.box import PASSWORD, Box
from kernel.work import Work

LOCATIONS = "/api/v1/locations"


class Token(NamedTuple):
    """A token that must not open anything."""

    name: str
    text: str


def tokens(box: Box) -> list[Token]:
    person = box.people["mama-njeri", "owner"]
    assert person.id
    assert person.session_id
    now, secret = int(box.clock().timestamp()), box.deployment.secret
    good = {
        "iss": "duka", "aud": "duka-api", "typ": "access", "sub": str(person.id), "sid": str(person.session_id),
        "biz": str(box.shop.id), "iat": now, "exp": now + 900, "jti": "x",
    }  # fmt: skip

    def signed(
        key: str = secret, algorithm: str = "HS256", headers: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        said = {name: value for name, value in (good | claims).items() if value is not ...}
        return jwt.encode(said, key, algorithm=algorithm, headers=headers)

    whole = signed()
    head, body, seal = whole.split(".")
    flipped = ("A" if seal[0] != "A" else "B") + seal[1:]
    return [
        Token("none", signed("", "none")),
        Token("NONE", relabelled(whole, alg="NONE")),
        Token("nOnE without a signature", relabelled(whole, alg="nOnE").rpartition(".")[0] + "."),
        Token("RS256 by name", relabelled(whole, alg="RS256")),
        Token("no algorithm", relabelled(whole, alg=...)),
        Token("HS384", signed(algorithm="HS384")),
        Token("HS512", signed(algorithm="HS512")),
        Token("no signature", f"{head}.{body}."),
        Token("two parts", f"{head}.{body}"),
        Token("flipped signature", f"{head}.{body}.{flipped}"),
        Token("last letters flipped", whole[:-2] + ("A" if whole[-2] != "A" else "B") + whole[-1]),
        Token("the body of another", f"{head}.{signed(sub=str(uuid.uuid4())).split('.')[1]}.{seal}"),
        Token("another key", signed("another secret that is long enough!!")),
        Token("an empty key", signed(" ")),
        Token("kid with another key", signed("x" * 32, headers={"kid": "../../dev/null"})),
        Token("kid as SQL", signed("x" * 32, headers={"kid": "' UNION SELECT 'x' --"})),
        Token("jku", signed("x" * 32, headers={"jku": "http://127.0.0.1:1/jwks.json"})),
        Token("x5u", signed("x" * 32, headers={"x5u": "http://127.0.0.1:1/cert.pem"})),
        Token("a key in the header", signed("x" * 32, headers={"jwk": {"kty": "oct", "k": "eHh4eHh4eHh4eHh4eHh4eA"}})),
        Token("something critical", signed(headers={"crit": ["b64"], "b64": False})),
        Token("refresh as access", signed(typ="refresh")),
        Token("no type", signed(typ=...)),
        Token("expired", signed(exp=now)),
        Token("exp as text", signed(exp=str(now + 900))),
        Token("exp as a fraction", signed(exp=now + 900.5)),
        Token("exp true", signed(exp=True)),
        Token("no exp", signed(exp=...)),
        Token("issued tomorrow", signed(iat=now + 86400, exp=now + 90000)),
        Token("audience as list", signed(aud=["duka-api"])),
        Token("another audience", signed(aud="other")),
        Token("no audience", signed(aud=...)),
        Token("another issuer", signed(iss="evil")),
        Token("no issuer", signed(iss=...)),
        Token("issued as text", signed(iat=str(now))),
        Token("no jti", signed(jti=...)),
        Token("a user that is none", signed(sub=str(uuid.uuid4()))),
        Token("user as number", signed(sub=7)),
        Token("user as SQL", signed(sub="' OR 1=1 --")),
        Token("a sign-in of another", signed(sid=str(box.people["mama-njeri", "cashier"].session_id))),
        Token("a business of others", signed(biz=str(box.other.id))),
        Token("no such business", signed(biz=str(uuid.uuid4()))),
        Token("business as list", signed(biz=[str(box.shop.id)])),
        Token("business as number", signed(biz=7)),
        Token("garbage", "garbage"),
        Token("dots", "..."),
        Token("empty parts", ".."),
        Token("refresh token", "r_abcdefghijklmnopqrstuvwxyz"),
    ]


def relabelled(token: str, **said: Any) -> str:
    """The token under another head; `...` takes a field away."""
    head, body, seal = token.split(".")
    plain = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))) | said
    kept = {name: value for name, value in plain.items() if value is not ...}
    fresh = base64.urlsafe_b64encode(json.dumps(kept).encode()).decode().rstrip("=")
    return f"{fresh}.{body}.{seal}"


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_no_forged_or_stale_token_opens_anything(box: Box) -> None:
    wrong = []
    for token in tokens(box):
        for path in (LOCATIONS, "/api/v1/auth/me", "/api/v1/nothing"):
            answer = await box.client(None).get(path, headers={"Authorization": f"Bearer {token.text}"})
            if answer.status_code != 401 or answer.json()["code"] != "unauthenticated":
                wrong.append(f"{token.name} on {path}: {answer.status_code}")
            if answer.headers.get("www-authenticate") != "Bearer":
                wrong.append(f"{token.name}: 401 without WWW-Authenticate")
    assert not wrong, wrong


@pytest.mark.parametrize("scheme", ["", "Basic ", "bearer", "Token "])
async def test_a_good_token_under_another_scheme_opens_nothing(box: Box, scheme: str) -> None:
    token = box.client("owner").token
    answer = await box.client(None).get(LOCATIONS, headers={"Authorization": f"{scheme}{token}"})
    assert answer.status_code == 401


async def test_a_token_lives_to_its_last_second(box: Box) -> None:
    person = box.people["mama-njeri", "owner"]
    assert person.id
    assert person.session_id
    claims = Claims(person.id, person.session_id, box.shop.id)
    token = make_access_token(claims, box.deployment.secret, box.clock(), dt.timedelta(minutes=15))
    headers = {"Authorization": f"Bearer {token}"}
    box.clock.pass_by(seconds=899)
    assert (await box.client(None).get(LOCATIONS, headers=headers)).status_code == 200
    box.clock.pass_by(seconds=1)
    assert (await box.client(None).get(LOCATIONS, headers=headers)).status_code == 401


@pytest.mark.parametrize("size", [8192, 65_536, 2_000_000])
async def test_a_token_too_long_is_refused_before_it_is_looked_at(box: Box, size: int) -> None:
    person = box.people["mama-njeri", "owner"]
    now = int(box.clock().timestamp())
    said = {"iss": "duka", "aud": "duka-api", "typ": "access", "sub": str(person.id), "sid": str(person.session_id)}
    more = {"biz": str(box.shop.id), "iat": now, "exp": now + 900, "jti": "x", "padding": "x" * size}
    long = jwt.encode(said | more, box.deployment.secret, algorithm="HS256")
    begun = time.process_time()
    answer = await box.client(None).get(LOCATIONS, headers={"Authorization": f"Bearer {long}"})
    assert (answer.status_code, answer.json()["code"]) == (431, "headers-too-large")
    assert time.process_time() - begun < 0.3


async def test_a_password_changed_a_second_ago_ends_what_was_signed_in_before(box: Box) -> None:
    manager = box.client("manager")
    other = await box.client(None).post(
        "/api/v1/auth/login", {"username": "manager@mama-njeri.example", "password": PASSWORD}
    )
    said = {"old_password": PASSWORD, "new_password": "quite another password"}
    headers = {"Authorization": f"Bearer {other.json()['access_token']}"}
    assert (await box.client(None).post("/api/v1/auth/password", said, headers=headers)).status_code == 204
    box.clock.pass_by(seconds=1)
    answer = await manager.get("/api/v1/users")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_a_role_taken_away_a_second_ago_is_gone(box: Box) -> None:
    manager, owner = box.client("manager"), box.client("owner")
    assert (await manager.get("/api/v1/users")).status_code == 200
    roles = (await owner.get("/api/v1/roles")).json()["items"]
    cashier = next(role["id"] for role in roles if role["code"] == "cashier")
    path = f"/api/v1/users/{box.people['mama-njeri', 'manager'].id}"
    assert (await owner.patch(path, {"role_id": cashier}, version=1)).status_code == 200
    box.clock.pass_by(seconds=1)
    assert (await manager.get("/api/v1/users")).status_code == 403


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_the_broken_twin_that_takes_any_algorithm_lets_a_token_in(box: Box) -> None:
    """What the library would do if the algorithms were not named: the table above has an edge."""
    forged = next(token.text for token in tokens(box) if token.name == "HS384")
    unchecked: Options = {"verify_exp": False, "verify_iat": False}
    said = jwt.decode(
        forged, box.deployment.secret, algorithms=["HS256", "HS384"], audience="duka-api", options=unchecked
    )
    assert said["typ"] == "access"


ENDINGS: dict[str, sa.Update] = {
    "the account is switched off": sa.update(User).values(is_active=False).where(User.id == sa.bindparam("person")),
    "the sign-in is revoked": sa.update(SignIn)
    .values(revoked_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    .where(SignIn.user_id == sa.bindparam("person")),
    "the person left": sa.update(Membership)
    .values(is_active=False)
    .where(Membership.user_id == sa.bindparam("person")),
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_what_ends_a_sign_in_acts_on_the_next_request(box: Box, ending: str) -> None:
    manager = box.client("manager")
    assert (await manager.get("/api/v1/users")).status_code == 200
    id_ = box.people["mama-njeri", "manager"].id

    async def end(work: Work) -> None:
        await work.execute(ENDINGS[ending], {"person": id_})

    await box.act(end)
    answer = await manager.get("/api/v1/users")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_a_permission_taken_from_a_role_is_gone_at_the_next_request(box: Box) -> None:
    manager = box.client("manager")
    assert (await manager.get("/api/v1/users")).status_code == 200

    async def take_away(work: Work) -> None:
        here = sa.and_(Role.business_id == work.business_id, Role.code == "manager")
        await work.execute(sa.update(Role).where(here).values(removed=["users.see"]))

    await box.act(take_away)
    answer = await manager.get("/api/v1/users")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_a_plugins_permission_sleeps_while_the_plugin_is_off(box: Box) -> None:
    cashier = box.client("cashier")
    assert (await cashier.post("/api/v1/probe_till/open")).status_code == 204
    owner = box.client("owner")
    assert (await owner.post("/api/v1/plugins/probe_till/disable")).status_code == 200
    assert (await cashier.post("/api/v1/probe_till/open")).status_code == 404
