"""One's own account: profile, e-mail address; people who are not seen any more."""

from __future__ import annotations

import datetime as dt
from typing import Any

import httpx
import msgspec
import pytest
import sqlalchemy as sa

from kernel.auth.businesses.making import add_member, role_named
from kernel.auth.models import Limit, MailToken, Membership, RefreshToken, Role, SignIn, User
from kernel.db.tables import Audit
from kernel.testing.box import PASSWORD, Box, Client
from kernel.tests.at_tills import at_till, register, set_pin
from kernel.tests.letters import person_id, post, text_of, token_in
from kernel.work import Work

ME, EMAIL = "/api/v1/auth/me", "/api/v1/auth/email"
CASHIER = "cashier@mama-njeri.example"


async def login(box: Box, email: str = CASHIER, **more: Any) -> httpx.Response:
    return await box.client(None).post("/api/v1/auth/login", {"username": email, "password": PASSWORD, **more})


async def use(box: Box, path: str, token: str) -> httpx.Response:
    return await box.client(None).post(f"{EMAIL}{path}", {"token": token})


async def test_one_changes_ones_own_name_language_and_phone(box: Box) -> None:
    client = box.client("cashier")
    read = await client.get(ME)
    assert read.headers["etag"] == '"1"'
    said = {"name": "Wanjiku", "language": "sw", "phone": "+254712345678"}
    changed = await client.patch(ME, said, version=1)
    assert changed.status_code == 200, changed.text
    assert {name: changed.json()[name] for name in said} == said
    assert (await client.patch(ME, {"name": "Late"}, version=1)).status_code == 412
    assert (await client.patch(ME, {"name": "Late"})).status_code == 428
    cleared = await client.patch(ME, {"phone": None}, version=2)
    assert (cleared.json()["phone"], cleared.json()["language"]) == (None, "sw")


@pytest.mark.parametrize(
    "wrong",
    [
        {"phone": "0712"},
        {"language": "SW!"},
        {"name": ""},
        {"name": "a\nb"},
        {"email": "x@y.example"},
        {"is_operator": True},
    ],
)
async def test_a_profile_takes_only_what_it_should(box: Box, wrong: dict[str, Any]) -> None:
    assert (await box.client("cashier").patch(ME, wrong, version=1)).status_code == 422


async def test_an_address_is_proved_by_a_mailed_link(box: Box) -> None:
    client = box.client("cashier")
    assert (await client.get(ME)).json()["is_email_verified"] is False
    assert (await client.post(f"{EMAIL}/verify/send")).status_code == 204
    (letter,) = await post(box)
    assert letter["To"] == CASHIER
    assert (await use(box, "/verify", token_in(letter))).status_code == 204
    assert (await client.get(ME)).json()["is_email_verified"] is True
    assert (await use(box, "/verify", token_in(letter))).status_code == 422
    await client.post(f"{EMAIL}/verify/send")
    assert await post(box) == []


async def test_a_new_address_counts_once_it_is_confirmed_and_the_old_one_is_told(box: Box) -> None:
    client = box.client("cashier")
    said = {"email": "Wanjiku@New.example", "password": "wrong"}
    assert (await client.post(f"{EMAIL}/change", said)).status_code == 422
    assert (await client.post(f"{EMAIL}/change", said | {"password": PASSWORD})).status_code == 204
    (letter,) = await post(box)
    assert letter["To"] == "wanjiku@new.example"
    assert (await client.get(ME)).json()["email"] == CASHIER
    assert (await use(box, "/verify", token_in(letter))).status_code == 422
    assert (await use(box, "/change/confirm", token_in(letter))).status_code == 204
    me = (await client.get(ME)).json()
    assert (me["email"], me["is_email_verified"]) == ("wanjiku@new.example", True)
    (told,) = await post(box)
    assert told["To"] == CASHIER
    assert "w…@new.example" in text_of(told)
    assert ((await login(box)).status_code, (await login(box, "wanjiku@new.example")).status_code) == (401, 200)


async def test_an_address_that_is_taken_looks_free_and_cannot_be_had(box: Box) -> None:
    client = box.client("cashier")
    answers = [
        await client.post(f"{EMAIL}/change", {"email": email, "password": PASSWORD})
        for email in ("manager@mama-njeri.example", "free@x.example")
    ]
    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2
    letters = await post(box)
    assert [letter["To"] for letter in letters] == ["free@x.example"]

    async def take(work: Work) -> None:
        manager = User.id == person_id(box, "manager")
        await work.execute(sa.update(User).where(manager).values(email="free@x.example"))

    await box.act(take)
    assert (await use(box, "/change/confirm", token_in(letters[0]))).status_code == 409
    assert (await client.get(ME)).json()["email"] == CASHIER


async def test_members_who_are_long_unseen_are_flagged(box: Box) -> None:
    owner = box.client("owner")
    await login(box)
    listed = (await owner.get("/api/v1/users")).json()["items"]
    assert {one["email"]: one["last_seen_at"] is not None for one in listed}[CASHIER] is True
    box.clock.pass_by(days=89)
    await login(box, "manager@mama-njeri.example")
    box.clock.pass_by(days=2)
    idle = (await owner.get("/api/v1/users", params={"is_idle": "true"})).json()["items"]
    busy = (await owner.get("/api/v1/users", params={"is_idle": "false"})).json()["items"]
    assert CASHIER in {one["email"] for one in idle}
    assert {one["email"] for one in busy} == {"manager@mama-njeri.example"}
    assert all(one["is_idle"] for one in idle)
    assert not any(one["is_idle"] for one in busy)


async def test_being_seen_in_one_business_is_nothing_to_another(box: Box) -> None:
    async def join(work: Work) -> None:
        await add_member(work, person_id(box, "cashier"), await role_named(work, "cashier"))

    await box.act(join, shop="sharma-kirana")
    await login(box, business="mama-njeri")
    listed = (await box.client("owner", "sharma-kirana").get("/api/v1/users")).json()["items"]
    assert {one["email"]: one["last_seen_at"] for one in listed}[CASHIER] is None


async def night(box: Box, days: int) -> None:
    """Go through a night with the setting at so many days."""
    box.deployment.settings = msgspec.structs.replace(box.deployment.settings, close_idle_after_days=days)
    box.clock.pass_by(days=1)
    await post(box)


async def active(box: Box, shop: str = "mama-njeri") -> set[str]:
    listed = (await box.client("owner", shop).get("/api/v1/users", params={"is_active": "true"})).json()["items"]
    return {one["email"].partition("@")[0] for one in listed}


async def test_idle_people_are_switched_off_by_night_if_the_deployment_says_so(box: Box) -> None:
    everybody = {"owner", "manager", "cashier", "stock_keeper", "accountant", "operator"}
    box.clock.pass_by(days=200)
    await login(box)
    await night(box, 0)
    assert await active(box) == everybody
    box.clock.pass_by(days=20)
    await login(box, "owner@mama-njeri.example")
    await night(box, 180)
    assert await active(box) == {"owner", "cashier"}
    assert (await box.client("manager").get(ME)).status_code == 401
    assert (await box.client("cashier").get(ME)).status_code == 200

    async def audited(work: Work) -> set[str]:
        mine = sa.and_(Audit.business_id == work.business_id, Audit.reason == "not signed in for 180 days")
        return set((await work.execute(sa.select(Audit.subject).where(mine))).scalars())

    closed = ("manager", "stock_keeper", "accountant", "operator")
    assert await box.look(audited) == {f"user:{person_id(box, role)}" for role in closed}


async def test_who_works_by_pin_or_by_a_key_of_theirs_is_not_idle(box: Box) -> None:
    await set_pin(box)
    _, device = await register(box)
    made = await box.client("owner").post("/api/v1/keys", {"name": "Web shop", "scopes": ["users.see"]})
    key = Client(box.http, made.json()["key"])
    box.clock.pass_by(days=199)
    await at_till(box, device)
    assert (await key.get("/api/v1/users")).status_code == 200
    await night(box, 180)
    seen = {one["email"].partition("@")[0]: one["is_active"] for one in await people(box)}
    assert {name for name, is_active in seen.items() if is_active} == {"cashier", "owner"}
    last = {row.user_id: row.seen_at for row in await memberships(box)}
    assert last[person_id(box, "cashier")] == last[person_id(box, "owner")] == box.clock() - dt.timedelta(days=1)


async def people(box: Box) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await box.client("owner").get("/api/v1/users")).json()["items"]
    return found


async def memberships(box: Box) -> Any:
    async def read(work: Work) -> Any:
        here = Membership.business_id == work.business_id
        return (await work.execute(sa.select(Membership.user_id, Membership.seen_at).where(here))).all()

    return await box.look(read)


async def test_the_last_owner_is_never_switched_off(box: Box) -> None:
    box.clock.pass_by(days=400)
    await night(box, 180)
    left = await box.look(_active_owners)
    assert left == 1


async def test_what_has_expired_is_dropped_by_night(box: Box) -> None:
    await login(box)
    pair = (await login(box)).json()
    await box.client(None).post("/api/v1/auth/logout", headers={"Authorization": f"Bearer {pair['access_token']}"})
    await box.client("cashier").post(f"{EMAIL}/verify/send")
    await post(box)
    before = await box.look(_leftovers)
    await night(box, 0)
    assert (await box.look(_leftovers))[1:] == (1, before[2], before[3])
    box.clock.pass_by(days=61)
    await night(box, 0)
    limits, tokens, refreshes, ended = await box.look(_leftovers)
    assert (limits, tokens, refreshes, ended) == (0, 0, 0, 0)


async def _active_owners(work: Work) -> int:
    owners = (
        sa.select(sa.func.count())
        .select_from(Membership)
        .join(Role, sa.and_(Role.business_id == Membership.business_id, Role.id == Membership.role_id))
        .where(Membership.business_id == work.business_id, Membership.is_active.is_(True), Role.code == "owner")
    )
    return int((await work.execute(owners)).scalar_one())


async def _leftovers(work: Work) -> tuple[int, int, int, int]:
    """Counted tries, mail tokens, refresh tokens, ended sign-ins."""
    statements = (
        sa.select(sa.func.count()).select_from(Limit),
        sa.select(sa.func.count()).select_from(MailToken),
        sa.select(sa.func.count()).select_from(RefreshToken),
        sa.select(sa.func.count()).select_from(SignIn).where(SignIn.revoked_at.is_not(None)),
    )
    limits, links, refreshes, ended = [int((await work.execute(one)).scalar_one()) for one in statements]
    return limits, links, refreshes, ended
