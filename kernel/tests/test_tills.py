"""Registered tills, and signing in at them by PIN: for one business and a short while (P23, P24)."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.auth.credentials import Till
from kernel.auth.models import Membership, SignIn, User
from kernel.auth.rights.permissions import AT_TILL_TOO, PERMISSIONS, WITHOUT_A_PERSON, not_in_person
from kernel.auth.secrets.tokens import Claims, make_access_token
from kernel.auth.signing_in import pins
from kernel.db.tables import Audit, Business
from kernel.plugin import Permission
from kernel.testing.box import Box, Client
from kernel.tests.at_tills import MY_PIN, PIN, SECRET_DIGITS, TILLS, at_till, enter, register, set_pin
from kernel.tests.factors import told
from kernel.web import IN_PERSON, SIGNED_IN, TILL
from kernel.work import Work

# registering


async def test_a_till_is_registered_listed_renamed_and_revoked(box: Box) -> None:
    id_, _ = await register(box)
    owner = box.client("owner")
    read = await owner.get(f"{TILLS}/{id_}")
    assert read.headers["etag"] == '"1"'
    assert (await owner.patch(f"{TILLS}/{id_}", {"name": "Back"})).status_code == 428
    assert (await owner.patch(f"{TILLS}/{id_}", {"name": "Back"}, version=7)).status_code == 412
    assert (await owner.patch(f"{TILLS}/{id_}", {"name": "Back"}, version=1)).json()["name"] == "Back"
    for _ in "12":
        assert (await owner.send("DELETE", f"{TILLS}/{id_}")).status_code == 204
    listed = (await owner.get(TILLS)).json()["items"]
    assert [(one["name"], one["revoked_at"]) for one in listed] == [("Back", "2026-11-21T09:00:00Z")]
    assert (await owner.get(TILLS, params={"is_revoked": False})).json()["items"] == []


async def test_only_those_who_may_manage_tills_do(box: Box) -> None:
    id_, _ = await register(box)
    said = {"name": "x", "location_id": str(await box.location())}
    for role in ("manager", "cashier", "stock_keeper", "accountant"):
        client = box.client(role)
        answers = [
            await client.get(TILLS),
            await client.get(f"{TILLS}/{id_}"),
            await client.post(TILLS, said),
            await client.patch(f"{TILLS}/{id_}", {"name": "x"}, version=1),
            await client.send("DELETE", f"{TILLS}/{id_}"),
        ]
        assert {told(one) for one in answers} == {(403, "forbidden")}


async def test_a_till_stands_in_a_storefront_of_ones_own_at_a_register_that_somebody_knows(box: Box) -> None:
    owner, here = box.client("owner"), str(await box.location())
    nowhere = [str(uuid.uuid4()), str(await box.location(shop="sharma-kirana"))]
    wanted = {str(await box.location("store")): (422, "validation"), **dict.fromkeys(nowhere, (404, "not-found"))}
    for place, answer in wanted.items():
        assert told(await owner.post(TILLS, {"name": "x", "location_id": place})) == answer
    register_id = str(uuid.uuid4())
    unknown = await owner.post(TILLS, {"name": "x", "location_id": here, "register_id": register_id})
    assert (told(unknown), unknown.json()["errors"][0]["pointer"]) == ((404, "not-found"), "/register_id")


@pytest.mark.parametrize(
    "more", [{"name": ""}, {"name": "x" * 201}, {"location_id": "here"}, {"register_id": 7}, {"hash": "x"}, {"id": 1}]
)
async def test_a_bad_request_registers_no_till(box: Box, more: Any) -> None:
    said = {"name": "x", "location_id": str(await box.location()), **more}
    assert told(await box.client("owner").post(TILLS, said)) == (422, "validation")
    assert (await box.client("owner").get(TILLS)).json()["items"] == []


async def test_a_device_token_is_shown_once_and_stored_as_a_hash(box: Box) -> None:
    id_, device = await register(box)
    assert device.token
    secret = device.token.rpartition("_")[2]
    for path in (TILLS, f"{TILLS}/{id_}"):
        assert secret not in (await box.client("owner").get(path)).text

    async def row(work: Work) -> str:
        return str(tuple((await work.execute(sa.select(Till).where(Till.business_id == work.business_id))).one()))

    assert secret not in await box.look(row)


async def test_a_device_with_nobody_at_it_may_ask_who_works_here_and_no_more(box: Box) -> None:
    _, device = await register(box)
    for route in box.app.routes:
        answer = await device.send(
            route.method,
            re.sub(r"{\w+}", str(uuid.uuid4()), route.path),
            json={} if route.body is not None else None,
        )
        closed = route.permission not in ("public", TILL)
        assert (answer.status_code == 403) is closed, f"{route.operation}: {answer.text}"
        assert answer.status_code < 500
    people = box.client("owner")
    assert told(await people.get(f"{TILLS}/me/people")) == (403, "forbidden")
    assert told(await enter(box, people)) == (403, "forbidden")


async def test_a_till_shows_the_names_of_those_who_can_take_over(box: Box) -> None:
    id_, device = await register(box)
    await set_pin(box)
    await set_pin(box, "manager", "86420")
    await set_pin(box, "cashier", shop="sharma-kirana")
    shown = (await device.get(f"{TILLS}/me/people")).json()
    assert (shown["till_id"], shown["till"], shown["register_id"]) == (id_, "Front", None)
    assert [one["name"] for one in shown["people"]] == ["Cashier", "Manager"]
    assert set(shown["people"][0]) == {"id", "name"}
    person = box.people["mama-njeri", "manager"].id
    gone = sa.update(Membership).where(Membership.user_id == person).values(is_active=False)
    await box.act(lambda work: work.execute(gone))
    assert [one["name"] for one in (await device.get(f"{TILLS}/me/people")).json()["people"]] == ["Cashier"]


# signing in


async def test_a_person_takes_over_by_pin_for_a_short_while(box: Box) -> None:
    id_, device = await register(box)
    await set_pin(box)
    answer = await enter(box, device)
    assert answer.status_code == 200
    said = answer.json()
    assert (said["expires_in"], said["business"]["slug"]) == (300, "mama-njeri")
    cashier = Client(box.http, said["access_token"])
    assert (await cashier.get("/api/v1/auth/me")).json()["name"] == "Cashier"
    assert (await cashier.post("/api/v1/probe_till/open")).status_code == 204
    box.clock.pass_by(seconds=300)
    assert (await cashier.get("/api/v1/auth/me")).status_code == 401

    async def trail(work: Work) -> list[Any]:
        rows = await work.execute(
            sa.select(Audit.actor_name, Audit.subject).where(
                Audit.business_id == work.business_id, Audit.deed == "auth.sign_in_by_pin", Audit.subject.is_not(None)
            )
        )
        return [tuple(row) for row in rows.all()]

    assert await box.look(trail) == [("Front", f"user:{box.people['mama-njeri', 'cashier'].id}")]
    assert (await box.client("owner").get(f"{TILLS}/{id_}")).json()["last_used_at"] is not None


async def test_it_can_be_refreshed_within_an_hour_and_for_sixteen_hours_in_all(box: Box) -> None:
    _, device = await register(box)
    await set_pin(box)
    refresh = (await enter(box, device)).json()["refresh_token"]
    nobody, went_on = box.client(None), 0
    while True:
        box.clock.pass_by(minutes=59)
        answer = await nobody.post("/api/v1/auth/refresh", {"refresh_token": refresh})
        if answer.status_code != 200:
            break
        assert answer.json()["expires_in"] == 300
        refresh, went_on = answer.json()["refresh_token"], went_on + 1
    assert went_on == 16
    idle = (await enter(box, device)).json()["refresh_token"]
    box.clock.pass_by(hours=1)
    assert (await nobody.post("/api/v1/auth/refresh", {"refresh_token": idle})).status_code == 401


async def test_what_takes_a_person_is_refused_at_a_till_even_to_the_owner(box: Box) -> None:
    _, device = await register(box)
    await set_pin(box, "owner")
    owner = await at_till(box, device, "owner")
    held = set((await owner.get("/api/v1/auth/me")).json()["permissions"])
    personal = {one.name for one in PERMISSIONS} - WITHOUT_A_PERSON - AT_TILL_TOO
    assert not held & personal
    assert held >= WITHOUT_A_PERSON
    for route in box.app.routes:
        if route.operation == "auth.logout":
            continue
        answer = await owner.send(
            route.method,
            re.sub(r"{\w+}", str(uuid.uuid4()), route.path),
            json={} if route.body is not None else None,
        )
        closed = route.permission not in ("public", SIGNED_IN, *held)
        assert (answer.status_code == 403) is closed, f"{route.operation}: {answer.text}"
        assert closed or route.permission not in (IN_PERSON, TILL, "operator", *personal)


def test_a_second_person_may_approve_at_a_till_but_no_key_may() -> None:
    held = frozenset({"approvals.answer", "users.manage", "sales.void", "users.see"})
    with_approvals = (*PERMISSIONS, Permission("approvals.answer", "Approve"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kernel.auth.rights.permissions.PERMISSIONS", with_approvals)
        assert not_in_person(held, at_till=True) == {"approvals.answer", "sales.void", "users.see"}
        assert not_in_person(held) == {"sales.void", "users.see"}


async def test_an_operator_at_a_till_is_no_operator(box: Box) -> None:
    _, device = await register(box)
    await set_pin(box, "operator")
    operator = await at_till(box, device, "operator")
    assert (await operator.get("/api/v1/auth/me")).json()["is_operator"] is False
    business = {"slug": "x", "name": "X", "region": "KE", "currency": "KES"}
    assert told(await operator.post("/api/v1/businesses", business)) == (403, "forbidden")


async def test_a_sign_in_by_pin_opens_no_other_business(box: Box) -> None:
    """Not by switching, and not by a token that names another business of the same person."""
    _, device = await register(box)
    await set_pin(box, "owner")
    person = box.people["mama-njeri", "owner"].id
    assert person

    async def hire(work: Work) -> None:
        from_here = sa.select(Membership.role_id).where(Membership.business_id == work.business_id)
        role = (await work.execute(from_here)).scalars().first()
        await work.execute(
            sa.insert(Membership).values(business_id=work.business_id, user_id=person, role_id=role, is_active=True)
        )

    await box.act(hire, shop="sharma-kirana")
    owner = await at_till(box, device, "owner")
    assert told(await owner.post("/api/v1/auth/switch", {"business": "sharma-kirana"})) == (403, "forbidden")

    async def sign_in(work: Work) -> uuid.UUID:
        found: uuid.UUID = (await work.execute(sa.select(SignIn.id).where(SignIn.till_id.is_not(None)))).scalar_one()
        return found

    claims = Claims(person, await box.look(sign_in), box.other.id)
    token = make_access_token(claims, box.deployment.secret, box.clock(), pins._DAY)
    assert told(await Client(box.http, token).get("/api/v1/auth/me")) == (401, "unauthenticated")


@pytest.mark.parametrize("who", ["no PIN", "nobody", "of another business", "switched off", "left"])
async def test_all_that_is_wrong_is_refused_alike(box: Box, who: str) -> None:
    _, device = await register(box)
    await set_pin(box)
    await set_pin(box, shop="sharma-kirana")
    wrong = await enter(box, device, pin="8642")
    person = box.people["mama-njeri", "cashier"].id
    match who:
        case "no PIN":
            person = box.people["mama-njeri", "manager"].id
        case "nobody":
            person = uuid.uuid4()
        case "of another business":
            person = box.people["sharma-kirana", "cashier"].id
        case "switched off":
            off = sa.update(User).where(User.id == person).values(is_active=False)
            await box.act(lambda work: work.execute(off))
        case _:
            gone = sa.update(Membership).where(Membership.user_id == person).values(is_active=False)
            await box.act(lambda work: work.execute(gone))
    answer = await device.post(PIN, {"user_id": str(person), "pin": SECRET_DIGITS})
    assert {**answer.json(), "request_id": ""} == {**wrong.json(), "request_id": ""}
    assert told(answer) == (401, "unauthenticated")


# what ends it


async def revoke(box: Box, till_id: str) -> None:
    assert (await box.client("owner").send("DELETE", f"{TILLS}/{till_id}")).status_code == 204


async def revoke_the_row_alone(box: Box, _till_id: str) -> None:
    """As a sign-in that is being made while the till is revoked sees it: its own row was not touched."""
    await box.act(lambda work: work.execute(sa.update(Till).values(revoked_at=work.now)))


async def drop_the_pin(box: Box, _till_id: str) -> None:
    assert (await box.client("cashier").send("DELETE", MY_PIN)).status_code == 204


async def change_the_pin(box: Box, _till_id: str) -> None:
    await set_pin(box, pin="86420")


async def leave(box: Box, _till_id: str) -> None:
    person = box.people["mama-njeri", "cashier"].id
    gone = sa.update(Membership).where(Membership.user_id == person).values(is_active=False)
    await box.act(lambda work: work.execute(gone))


async def close_business(box: Box, _till_id: str) -> None:
    closed = sa.update(Business).where(Business.id == box.shop.id).values(is_active=False)
    await box.act(lambda work: work.execute(closed))


@pytest.mark.parametrize("ending", [revoke, revoke_the_row_alone, drop_the_pin, change_the_pin, leave, close_business])
async def test_what_ends_a_sign_in_at_a_till_acts_on_the_next_request(box: Box, ending: Any) -> None:
    id_, device = await register(box)
    await set_pin(box)
    pair = (await enter(box, device)).json()
    cashier = Client(box.http, pair["access_token"])
    assert (await cashier.get("/api/v1/auth/me")).status_code == 200
    await ending(box, id_)
    assert told(await cashier.get("/api/v1/auth/me")) == (401, "unauthenticated")
    refreshed = await box.client(None).post("/api/v1/auth/refresh", {"refresh_token": pair["refresh_token"]})
    assert told(refreshed) == (401, "unauthenticated")
    assert told(await enter(box, device)) == (401, "unauthenticated")


async def test_revoking_a_till_ends_no_sign_in_elsewhere(box: Box) -> None:
    id_, device = await register(box)
    _, other = await register(box, "Back")
    await set_pin(box)
    await at_till(box, device)
    there = await at_till(box, other)
    await revoke(box, id_)
    assert told(await device.get(f"{TILLS}/me/people")) == (401, "unauthenticated")
    assert (await there.get("/api/v1/auth/me")).status_code == 200
    assert (await box.client("cashier").get("/api/v1/auth/me")).status_code == 200
