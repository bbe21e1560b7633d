"""API keys: shown once, never beyond their maker, acting on the next request (P21, P23, P24)."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import re
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.auth.credentials import ApiKey
from kernel.auth.models import Membership, Role, User
from kernel.auth.rights.permissions import PERMISSIONS, WITHOUT_A_PERSON
from kernel.auth.secrets.bearer import make_lasting
from kernel.db import Prepared, Transaction
from kernel.db.tables import Audit, Business, Idempotency
from kernel.testing.box import Box, Client
from kernel.tests.factors import told
from kernel.web import IN_PERSON, TILL
from kernel.work import Work

KEYS, LOCATIONS = "/api/v1/keys", "/api/v1/locations"
SHAPE = re.compile(r"dk_[a-z2-7]{52}_[a-z2-7]{52}\Z")


async def make(box: Box, *scopes: str, role: str = "owner", **more: Any) -> tuple[str, Client]:
    """Make a key; its id, and a client that bears it."""
    answer = await box.client(role).post(KEYS, {"name": "Web shop", "scopes": scopes, **more})
    assert answer.status_code == 201, answer.text
    assert SHAPE.match(answer.json()["key"])
    return answer.json()["id"], Client(box.http, answer.json()["key"])


async def allow_managers(box: Box, *added: str) -> None:
    """Let managers do more, for instance manage keys."""

    async def edit(work: Work) -> None:
        here = sa.and_(Role.business_id == work.business_id, Role.code == "manager")
        await work.execute(sa.update(Role).where(here).values(added=list(added)))

    await box.act(edit)


async def test_a_key_works_within_its_scopes_and_no_further(box: Box) -> None:
    _, key = await make(box, "users.see", "locations.manage")
    assert (await key.get("/api/v1/users")).status_code == 200
    made = await key.post(LOCATIONS, {"code": "west", "name": "West", "kind": "storefront"})
    assert made.status_code == 201
    for path in ("/api/v1/jobs", KEYS):
        assert told(await key.get(path)) == (403, "forbidden")
    me = (await key.get("/api/v1/auth/me")).json()
    assert (me["name"], me["permissions"]) == ("Web shop", ["locations.manage", "users.see"])
    assert me["business"]["slug"] == "mama-njeri"
    assert not me["is_operator"]


async def test_every_route_is_open_to_a_key_exactly_where_a_scope_or_nothing_is_asked(box: Box) -> None:
    """Over all routes: a key with every scope it may have, and one with the least."""
    given = (await box.client("owner").get("/api/v1/auth/me")).json()["permissions"]
    may = [name for name in given if name not in {one.name for one in PERMISSIONS} - WITHOUT_A_PERSON]
    tried = 0
    for scopes in (may, may[:1]):
        _, key = await make(box, *scopes)
        for route in box.app.routes:
            path = re.sub(r"{\w+}", str(uuid.uuid4()), route.path)
            body: Any = {} if route.body is not None else None
            answer = await key.send(route.method, path, json=body)
            closed = route.permission not in ("public", "signed-in", *scopes)
            assert (answer.status_code == 403) is closed, f"{route.operation}: {answer.text}"
            assert answer.status_code < 500
            tried += 1
    assert tried == 2 * len(box.app.routes)
    assert {route.permission for route in box.app.routes} >= {IN_PERSON, TILL, "operator", "users.manage"}


async def test_a_key_never_holds_more_than_its_maker(box: Box) -> None:
    await allow_managers(box, "keys.manage")
    beyond = await box.client("manager").post(KEYS, {"name": "x", "scopes": ["users.see", "locations.manage"]})
    assert told(beyond) == (403, "forbidden")
    await make(box, "users.see", role="manager")


@pytest.mark.parametrize("scope", sorted({one.name for one in PERMISSIONS} - WITHOUT_A_PERSON))
async def test_what_takes_a_person_is_no_scope_even_for_the_owner(box: Box, scope: str) -> None:
    answer = await box.client("owner").post(KEYS, {"name": "x", "scopes": ["users.see", scope]})
    assert told(answer) == (422, "validation")
    assert answer.json()["errors"][0] == {
        "pointer": "/scopes/1", "code": "takes-a-person", "detail": "A key never holds this permission",
    }  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["nothing.such"]},
        {"name": "x", "scopes": ["operator"]},
        {"name": "x", "scopes": ["till"]},
        {"name": "x", "scopes": ["signed-in"]},
        {"name": "x", "scopes": ["users.see"] * 201},
        {"name": "x", "scopes": "users.see"},
        {"name": "x", "scopes": [["users.see"]]},
        {"name": "", "scopes": ["users.see"]},
        {"name": "x", "scopes": ["users.see"], "expires_at": "2026-11-21T09:00:00Z"},
        {"name": "x", "scopes": ["users.see"], "expires_at": "2027-01-01T00:00:00"},
        {"name": "x", "scopes": ["users.see"], "expires_at": 1},
        {"name": "x", "scopes": ["users.see"], "business_id": str(uuid.uuid4())},
        {"name": "x", "scopes": ["users.see"], "created_by": str(uuid.uuid4())},
    ],
)
async def test_a_bad_request_makes_no_key(box: Box, body: Any) -> None:
    assert told(await box.client("owner").post(KEYS, body)) == (422, "validation")
    assert (await box.client("owner").get(KEYS)).json()["items"] == []


async def test_only_those_who_may_manage_keys_see_and_make_them(box: Box) -> None:
    id_, _ = await make(box, "users.see")
    for role in ("manager", "cashier", "stock_keeper", "accountant"):
        client = box.client(role)
        answers = [
            await client.get(KEYS),
            await client.get(f"{KEYS}/{id_}"),
            await client.post(KEYS, {"name": "x", "scopes": ["users.see"]}),
            await client.send("DELETE", f"{KEYS}/{id_}"),
        ]
        assert {told(one) for one in answers} == {(403, "forbidden")}


# revocation: all of it acts on the next request


async def revoke(box: Box, key_id: str) -> None:
    assert (await box.client("owner").send("DELETE", f"{KEYS}/{key_id}")).status_code == 204


async def switch_off_account(box: Box, _key_id: str) -> None:
    person = box.people["mama-njeri", "manager"].id
    await box.act(lambda work: work.execute(sa.update(User).where(User.id == person).values(is_active=False)))


async def leave(box: Box, _key_id: str) -> None:
    person = box.people["mama-njeri", "manager"].id
    gone = sa.update(Membership).where(Membership.user_id == person).values(is_active=False)
    await box.act(lambda work: work.execute(gone))


async def close_business(box: Box, _key_id: str) -> None:
    closed = sa.update(Business).where(Business.id == box.shop.id).values(is_active=False)
    await box.act(lambda work: work.execute(closed))


async def expire(box: Box, _key_id: str) -> None:
    box.clock.pass_by(days=30)


@pytest.mark.parametrize("ending", [revoke, switch_off_account, leave, close_business, expire])
async def test_what_ends_a_key_acts_on_the_next_request(box: Box, ending: Any) -> None:
    await allow_managers(box, "keys.manage")
    ends = (box.clock() + dt.timedelta(days=30)).isoformat()
    id_, key = await make(box, "users.see", role="manager", expires_at=ends)
    assert (await key.get("/api/v1/users")).status_code == 200
    await ending(box, id_)
    answer = await key.get("/api/v1/users")
    assert told(answer) == (401, "unauthenticated")


async def test_a_key_with_an_end_lives_to_its_last_second(box: Box) -> None:
    _, key = await make(box, "users.see", expires_at="2026-11-21T10:00:00Z")
    box.clock.pass_by(minutes=59, seconds=59)
    assert (await key.get("/api/v1/users")).status_code == 200
    box.clock.pass_by(seconds=1)
    assert (await key.get("/api/v1/users")).status_code == 401


async def test_what_its_maker_loses_the_key_loses_at_the_next_request_and_gets_back_with_them(box: Box) -> None:
    await allow_managers(box, "keys.manage", "locations.manage")
    _, key = await make(box, "users.see", "locations.manage", role="manager")
    await allow_managers(box, "keys.manage")
    made = await key.post(LOCATIONS, {"code": "west", "name": "West", "kind": "storefront"})
    assert told(made) == (403, "forbidden")
    assert (await key.get("/api/v1/users")).status_code == 200
    await allow_managers(box, "keys.manage", "locations.manage", "jobs.see")
    assert (await key.post(LOCATIONS, {"code": "w", "name": "West", "kind": "storefront"})).status_code == 201
    assert (await key.get("/api/v1/jobs")).status_code == 403  # its scopes do not grow with its maker


async def test_a_broken_twin_that_trusts_the_scopes_alone_is_found_out(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    await allow_managers(box, "keys.manage", "locations.manage")
    _, key = await make(box, "locations.manage", role="manager")
    await allow_managers(box)
    monkeypatch.setattr("kernel.auth.identity.not_in_person", lambda _held: frozenset({"locations.manage"}))
    made = await key.post(LOCATIONS, {"code": "west", "name": "West", "kind": "storefront"})
    assert made.status_code == 201, "the check above must be able to fail"


async def test_a_scope_of_a_plugin_sleeps_while_the_plugin_is_off(box: Box) -> None:
    _, key = await make(box, "probe_till.open")
    assert (await key.post("/api/v1/probe_till/open")).status_code == 204
    assert (await box.client("owner").post("/api/v1/plugins/probe_till/disable")).status_code == 200
    assert (await key.post("/api/v1/probe_till/open")).status_code == 404


async def test_a_revoked_key_stays_in_the_list_and_stays_revoked(box: Box) -> None:
    id_, _ = await make(box, "users.see")
    await make(box, "jobs.see")
    owner = box.client("owner")
    await revoke(box, id_)
    revoked_at = (await owner.get(f"{KEYS}/{id_}")).json()["revoked_at"]
    box.clock.pass_by(hours=1)
    await revoke(box, id_)
    assert (await owner.get(f"{KEYS}/{id_}")).json()["revoked_at"] == revoked_at
    gone = (await owner.get(KEYS, params={"is_revoked": True})).json()["items"]
    alive = (await owner.get(KEYS, params={"is_revoked": False})).json()["items"]
    assert ([one["id"] for one in gone], [one["scopes"] for one in alive]) == ([id_], [["jobs.see"]])
    assert told(await owner.send("DELETE", f"{KEYS}/{uuid.uuid4()}")) == (404, "not-found")


# forged keys


async def test_no_forged_key_opens_anything(box: Box) -> None:
    id_, key = await make(box, "users.see")
    _, other = await make(box, "users.see")
    assert key.token
    assert other.token
    _, public, secret = key.token.split("_")
    theirs, _ = make_lasting("dk", box.other.id, uuid.UUID(id_))
    raw = base64.b32decode(public.upper() + "====")
    swapped = base64.b32encode(raw[16:] + raw[:16]).decode().lower().rstrip("=")
    respelt = public[:-1] + chr(ord(public[-1]) + 1)
    forged = {
        "another secret": f"dk_{public}_{other.token.rpartition('_')[2]}",
        "a secret turned": f"dk_{public}_{('b' if secret[0] != 'b' else 'c') + secret[1:]}",
        "another business": f"dk_{theirs.split('_')[1]}_{secret}",
        "parts swapped": f"dk_{swapped}_{secret}",
        "another spelling": f"dk_{respelt}_{secret}",
        "as a till": f"dt_{public}_{secret}",
        "capitals": key.token.upper(),
        "no prefix": f"{public}_{secret}",
        "no secret": f"dk_{public}_",
        "only the prefix": "dk_",
        "a line end": key.token + "%0a",
        "longer": key.token + "a",
        "the hash": f"dk_{public}_{'a' * 52}",
    }
    for name, token in forged.items():
        for path in ("/api/v1/users", "/api/v1/auth/me", "/api/v1/nothing"):
            answer = await Client(box.http, token).get(path)
            assert told(answer) == (401, "unauthenticated"), name
    assert (await key.get("/api/v1/users")).status_code == 200


async def test_a_key_of_one_business_sees_nothing_of_another(box: Box) -> None:
    _, key = await make(box, "users.see")
    theirs = box.people["sharma-kirana", "cashier"].id
    assert told(await key.get(f"/api/v1/users/{theirs}")) == (404, "not-found")
    assert "sharma" not in (await key.get("/api/v1/users")).text
    assert told(await key.post("/api/v1/auth/switch", {"business": "sharma-kirana"})) == (403, "forbidden")
    owner = box.client("owner", "sharma-kirana")
    id_ = (await box.client("owner").get(KEYS)).json()["items"][0]["id"]
    for answer in (await owner.get(f"{KEYS}/{id_}"), await owner.send("DELETE", f"{KEYS}/{id_}")):
        assert told(answer) == (404, "not-found")


async def test_an_operators_key_is_no_operator(box: Box) -> None:
    _, key = await make(box, "users.see", role="operator")
    business = {"slug": "x", "name": "X", "region": "KE", "currency": "KES"}
    assert told(await key.post("/api/v1/businesses", business)) == (403, "forbidden")


# what is kept


async def test_a_key_is_shown_once_and_stored_as_a_hash(box: Box) -> None:
    id_, key = await make(box, "users.see")
    assert key.token
    owner = box.client("owner")
    for answer in (await owner.get(KEYS), await owner.get(f"{KEYS}/{id_}")):
        assert key.token.rpartition("_")[2] not in answer.text
        assert "hash" not in answer.text

    async def kept(work: Work) -> tuple[Any, int]:
        row = (await work.execute(sa.select(ApiKey).where(ApiKey.business_id == work.business_id))).one()
        answers = await work.execute(sa.select(sa.func.count()).select_from(Idempotency))
        return row, answers.scalar_one()

    row, answers = await box.look(kept)
    assert key.token.rpartition("_")[2] not in str(tuple(row))
    assert answers == 0, "an answer kept for an idempotency key would hold the key in clear"


async def test_a_key_is_its_own_principal_in_the_audit_trail_and_for_idempotency(box: Box) -> None:
    id_, key = await make(box, "locations.manage")
    place = {"code": "west", "name": "West", "kind": "storefront"}
    first = await key.post(LOCATIONS, place, key="same")
    again = await key.post(LOCATIONS, place, key="same")
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    own = await box.client("owner").post(LOCATIONS, place, key="same")
    assert told(own) == (409, "already-exists")  # not replayed: the owner is another principal

    async def trail(work: Work) -> list[Any]:
        rows = await work.execute(
            sa.select(Audit.actor_id, Audit.actor_name).where(
                Audit.business_id == work.business_id, Audit.deed == "locations.add_location"
            )
        )
        return [(str(row.actor_id), row.actor_name) for row in rows.all()]

    assert await box.look(trail) == [(id_, "Web shop")]


async def test_the_gate_asks_the_database_once_whoever_calls(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    _, key = await make(box, "users.see")
    await key.get("/api/v1/plugins")  # notes the use
    asked: list[int] = []
    fetch = Transaction.fetch

    async def counting(self: Transaction, statement: Prepared, /, **parameters: Any) -> Any:
        asked.append(1)
        return await fetch(self, statement, **parameters)

    monkeypatch.setattr(Transaction, "fetch", counting)
    for client in (box.client("owner"), key):
        asked.clear()
        assert (await client.get("/api/v1/plugins")).status_code == 200
        assert len(asked) == 1


async def test_its_last_use_is_noted_once_a_minute(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    id_, key = await make(box, "users.see")
    owner, seen = box.client("owner"), []
    for _ in range(5):
        await key.get("/api/v1/users")
        seen.append((await owner.get(f"{KEYS}/{id_}")).json()["last_used_at"])
        box.clock.pass_by(seconds=25)
    minutes = ["2026-11-21T09:00:00Z"] * 3 + ["2026-11-21T09:01:15Z"] * 2
    assert seen == minutes
    assert not caplog.records


async def test_many_uses_at_once_write_one_note_and_leave_no_audit_row(box: Box) -> None:
    id_, key = await make(box, "users.see")

    async def rows(work: Work) -> int:
        counted = sa.select(sa.func.count()).where(Audit.business_id == work.business_id)
        return int((await work.execute(counted)).scalar_one())

    before = await box.look(rows)
    answers = await asyncio.gather(*(key.get("/api/v1/users") for _ in range(10)))
    assert {one.status_code for one in answers} == {200}
    assert await box.look(rows) == before
    assert (await box.client("owner").get(f"{KEYS}/{id_}")).json()["last_used_at"] == "2026-11-21T09:00:00Z"
