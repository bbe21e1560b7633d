"""Roles edited and added by a business, never beyond what the editor holds; felt at the next request everywhere."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from kernel.auth.businesses.making import role_named
from kernel.auth.models import Membership
from kernel.auth.rights import roles
from kernel.auth.secrets.tokens import Claims, make_access_token
from kernel.settings import Settings
from kernel.testing.box import Box, Client
from kernel.testing.served import serving
from kernel.work import Work

ROLES = "/api/v1/roles"


async def role(client: Client, code: str) -> dict[str, Any]:
    """A shipped role, as the API shows it."""
    items = (await client.get(ROLES)).json()["items"]
    found: dict[str, Any] = next(one for one in items if one["code"] == code)
    return found


async def edit(client: Client, role_id: str, **said: Any) -> httpx.Response:
    """Change a role at the version it is at."""
    etag = (await client.get(f"{ROLES}/{role_id}")).headers["etag"]
    return await client.send("PATCH", f"{ROLES}/{role_id}", json=said, headers={"If-Match": etag})


async def may_edit_roles(box: Box, code: str = "manager") -> Client:
    """The person of a role, who may now edit roles too."""
    owner = box.client("owner")
    one = await role(owner, code)
    answer = await edit(owner, one["id"], permissions=[*one["permissions"], "roles.manage", "users.manage"])
    assert answer.status_code == 200, answer.text
    return box.client(code)


async def test_a_shipped_role_is_edited_and_its_people_feel_it_at_their_next_request(box: Box) -> None:
    owner, cashier = box.client("owner"), box.client("cashier")
    one = await role(owner, "cashier")
    assert (await cashier.get("/api/v1/customers/customers")).status_code == 200
    fewer = [name for name in one["permissions"] if name != "customers.see"]
    changed = await edit(owner, one["id"], permissions=[*fewer, "audit.see"], name="Till")
    assert changed.status_code == 200, changed.text
    assert changed.json()["name"] == "Till"
    assert changed.json()["code"] == "cashier"
    assert sorted(changed.json()["permissions"]) == sorted([*fewer, "audit.see"])
    assert (await cashier.get("/api/v1/customers/customers")).status_code == 403
    assert "audit.see" in (await cashier.get("/api/v1/auth/me")).json()["permissions"]
    back = await edit(owner, one["id"], permissions=one["permissions"])
    assert back.json()["permissions"] == one["permissions"]


async def test_a_role_of_ones_own_is_added_copied_renamed_given_and_deleted_when_nobody_has_it(box: Box) -> None:
    owner = box.client("owner")
    cashier = await role(owner, "cashier")
    empty = await owner.post(ROLES, {"name": "Guest"})
    assert empty.status_code == 201, empty.text
    assert (empty.json()["permissions"], empty.json()["code"]) == ([], None)
    assert set(empty.json()["limits"].values()) == {"0"}
    made = await owner.post(
        ROLES, {"name": "Head cashier", "copy_of": cashier["id"], "limits": {"sales.void_amount": "500"}}
    )
    head = made.json()
    assert head["permissions"] == cashier["permissions"]
    assert head["limits"] == cashier["limits"] | {"sales.void_amount": "500"}
    assert (await owner.get(made.headers["location"])).json() == head
    assert (await owner.post(ROLES, {"name": "Guest"})).json()["code"] == "already-exists"
    renamed = await edit(owner, empty.json()["id"], name="Helper")
    assert renamed.json()["name"] == "Helper"

    person = box.people["mama-njeri", "cashier"].id
    path = f"/api/v1/users/{person}"
    etag = (await owner.get(path)).headers["etag"]
    given = await owner.send("PATCH", path, json={"role_id": head["id"]}, headers={"If-Match": etag})
    assert given.json()["role"] == "Head cashier"
    assert (await owner.send("DELETE", f"{ROLES}/{head['id']}")).json()["code"] == "in-use"
    assert (await owner.send("DELETE", f"{ROLES}/{cashier['id']}")).json()["code"] == "in-use", "shipped"
    assert (await owner.send("DELETE", f"{ROLES}/{empty.json()['id']}")).status_code == 204
    assert (await owner.get(f"{ROLES}/{empty.json()['id']}")).status_code == 404


async def test_a_change_needs_the_version_it_was_read_at(box: Box) -> None:
    owner = box.client("owner")
    path = f"{ROLES}/{(await role(owner, 'cashier'))['id']}"
    assert (await owner.patch(path, {"name": "Till"})).status_code == 428
    assert (await owner.patch(path, {"name": "Till"}, version=1)).status_code == 200
    assert (await owner.patch(path, {"name": "Till 2"}, version=1)).status_code == 412


@pytest.mark.parametrize(
    "said",
    [
        {"permissions": ["sales.fly"]},
        {"limits": {"sales.fly": "1"}},
        {"limits": {"sales.void_amount": "-1"}},
        {"limits": {"sales.void_amount": "1e9"}},
        {"limits": {"sales.discount": "1"}},
    ],
)
async def test_what_is_not_declared_cannot_be_given(box: Box, said: dict[str, Any]) -> None:
    owner = box.client("owner")
    answer = await edit(owner, (await role(owner, "cashier"))["id"], **said)
    assert answer.status_code == 422, answer.text


async def test_what_lies_dormant_of_a_plugin_that_is_off_stays_through_an_edit(box: Box) -> None:
    owner = box.client("owner")
    cashier = await role(owner, "cashier")
    fewer = [name for name in cashier["permissions"] if name not in ("discounts.see", "daybook.expense")]
    more = await edit(owner, cashier["id"], permissions=[*fewer, "discounts.edit"])
    assert "discounts.edit" in more.json()["permissions"]
    await toggle(owner, "discounts", "disable")
    without = await role(owner, "cashier")
    assert not [name for name in without["permissions"] if name.startswith("discounts.")]
    assert (await edit(owner, cashier["id"], permissions=without["permissions"])).status_code == 200
    await toggle(owner, "discounts", "enable")
    again = (await role(owner, "cashier"))["permissions"]
    assert "discounts.edit" in again
    assert "discounts.see" not in again


async def toggle(owner: Client, plugin: str, way: str) -> None:
    """Switch a plugin on or off."""
    answer = await owner.post(f"/api/v1/plugins/{plugin}/{way}")
    assert answer.status_code == 200, answer.text


async def test_nobody_grants_what_they_do_not_hold(box: Box) -> None:
    manager = await may_edit_roles(box)
    keeper = await role(manager, "stock_keeper")
    refused = [
        await edit(manager, keeper["id"], permissions=[*keeper["permissions"], "plugins.manage"]),
        await manager.post(ROLES, {"name": "New", "permissions": ["business.manage"]}),
        await manager.post(ROLES, {"name": "New", "copy_of": (await role(manager, "owner"))["id"]}),
    ]
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (403, "role-above"), answer.text
    fine = await edit(manager, keeper["id"], permissions=[*keeper["permissions"], "sales.see"])
    assert fine.status_code == 200, fine.text


async def test_a_check_that_forgets_what_the_editor_holds_is_found(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: the role is written whatever its editor holds."""
    manager = await may_edit_roles(box)
    monkeypatch.setattr(roles, "refuse_beyond", lambda work, held: None)
    keeper = await role(manager, "stock_keeper")
    granted = await edit(manager, keeper["id"], permissions=["plugins.manage"])
    assert granted.json()["permissions"] == ["plugins.manage"], "so the test above finds it"


async def test_what_one_may_do_oneself_is_told(box: Box) -> None:
    owner, cashier = box.client("owner"), box.client("cashier")
    said = (await cashier.get(f"{ROLES}/mine")).json()
    assert said["limits"]["sales.discount_percent"] == "10"
    assert said["limits"].items() <= (await role(owner, "cashier"))["limits"].items()
    assert said["permissions"] == (await role(owner, "cashier"))["permissions"]
    assert said["location_ids"] is None
    assert set((await owner.get(f"{ROLES}/mine")).json()["limits"].values()) == {None}


async def test_nobody_edits_their_own_role_or_one_above_it(box: Box) -> None:
    manager = await may_edit_roles(box)
    own = await role(manager, "manager")
    for said in ({"name": "Boss"}, {"permissions": own["permissions"]}, {"limits": {"sales.void_amount": None}}):
        answer = await edit(manager, own["id"], **said)
        assert (answer.status_code, answer.json()["code"]) == (403, "own-role")
    above = await box.client("owner").post(ROLES, {"name": "Deputy", "permissions": ["plugins.manage"]})
    for answer in (
        await edit(manager, above.json()["id"], permissions=[]),
        await manager.send("DELETE", f"{ROLES}/{above.json()['id']}"),
        await edit(manager, (await role(manager, "owner"))["id"], name="Owned"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "role-above")
    owners = (await role(manager, "owner"))["id"]
    assert (await edit(box.client("owner"), owners, name="Owned")).json()["code"] == "own-role"


async def test_a_manager_with_a_limit_hands_out_no_more_than_it(box: Box) -> None:
    manager = await may_edit_roles(box)
    own = (await role(manager, "manager"))["id"]
    assert (await edit(box.client("owner"), own, limits={"sales.discount_percent": "10"})).status_code == 200
    cashier = (await role(manager, "cashier"))["id"]
    for value in ("10.000001", "20", None):
        answer = await edit(manager, cashier, limits={"sales.discount_percent": value})
        assert (answer.status_code, answer.json()["code"]) == (403, "role-above"), value
    assert (await edit(manager, cashier, limits={"sales.discount_percent": "10.0"})).json()["limits"][
        "sales.discount_percent"
    ] == "10"
    assert (await edit(box.client("owner"), cashier, limits={"sales.discount_percent": "15"})).status_code == 200
    person = box.people["mama-njeri", "stock_keeper"].id
    etag = (await manager.get(f"/api/v1/users/{person}")).headers["etag"]
    given = await manager.send(
        "PATCH", f"/api/v1/users/{person}", json={"role_id": cashier}, headers={"If-Match": etag}
    )
    assert given.json()["code"] == "role-above", "a role that goes further is not handed out either"


async def test_the_last_owner_is_neither_demoted_nor_switched_off(box: Box) -> None:
    owner, second = box.client("owner"), box.client("operator")
    cashier = (await role(owner, "cashier"))["id"]
    person = f"/api/v1/users/{box.people['mama-njeri', 'operator'].id}"
    etag = (await owner.get(person)).headers["etag"]
    assert (await owner.send("PATCH", person, json={"role_id": cashier}, headers={"If-Match": etag})).status_code == 200
    assert (await second.get("/api/v1/plugins")).status_code == 200
    mine = f"/api/v1/users/{box.people['mama-njeri', 'owner'].id}"
    for said in ({"role_id": cashier}, {"is_active": False}):
        etag = (await owner.get(mine)).headers["etag"]
        assert (await owner.send("PATCH", mine, json=said, headers={"If-Match": etag})).status_code == 403
    await box.act(lambda work: expect_last_owner(box, work))


async def expect_last_owner(box: Box, work: Work) -> None:
    """Even Duka itself does not leave a business without an owner."""
    person = box.people["mama-njeri", "owner"].id
    assert person
    with pytest.raises(roles.LastOwner):
        await roles.keep_an_owner(work, but=person)


async def demote_each_other(box: Box) -> tuple[int, list[httpx.Response]]:
    """Two owners demote each other at the same moment; how many owners are left, and what the two were told."""
    owner, second = box.client("owner"), box.client("operator")
    cashier = (await role(owner, "cashier"))["id"]
    paths = [f"/api/v1/users/{box.people['mama-njeri', one].id}" for one in ("operator", "owner")]
    # Both are looked at before either is changed: who has been demoted may not even look.
    etags = [(await owner.get(path)).headers["etag"] for path in paths]
    told = await asyncio.gather(
        *(
            client.send("PATCH", path, json={"role_id": cashier}, headers={"If-Match": etag})
            for client, path, etag in zip((owner, second), paths, etags, strict=True)
        )
    )

    async def count(work: Work) -> int:
        owners = sa.select(sa.func.count()).where(
            Membership.business_id == work.business_id,
            Membership.role_id == await role_named(work, "owner"),
        )
        found: int = (await work.execute(owners)).scalar_one()
        return found

    return await box.look(count), list(told)


async def test_two_owners_who_demote_each_other_leave_one(box: Box) -> None:
    left, told = await demote_each_other(box)
    assert left == 1, [one.text for one in told]


async def test_an_owner_kept_by_reading_alone_would_leave_none(
    box: Box, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin: both look before either writes, and nobody holds the owners' role."""
    barrier = asyncio.Barrier(2)

    async def looks_only(work: Work, but: Any) -> None:
        if database == "postgresql":  # SQLite lets one writer in at a time, whatever code does
            await asyncio.wait_for(barrier.wait(), 60)

    monkeypatch.setattr("kernel.app.routes.people.keep_an_owner", looks_only)
    left, told = await demote_each_other(box)
    assert left == 0, [one.text for one in told]


async def test_the_matrix_shows_every_role_permission_and_limit_in_words(box: Box) -> None:
    manager = box.client("manager")
    said = (await manager.get(f"{ROLES}/matrix")).json()
    listed = {one["id"]: one for one in (await manager.get(ROLES)).json()["items"]}
    assert [one["id"] for one in said["roles"]] == list(listed)
    assert {one["plugin"] for one in said["groups"]} >= {"kernel", "sales", "catalog"}
    cells = 0
    for group in said["groups"]:
        for row in group["permissions"]:
            assert row["words"]
            for id_, one in listed.items():
                assert (id_ in row["held_by"]) == (row["name"] in one["permissions"])
                cells += 1
        for row in group["limits"]:
            values = {one["role_id"]: one["value"] for one in row["values"]}
            for id_, one in listed.items():
                holds = row["bounds"] in one["permissions"]
                assert (id_ in values) == holds
                assert not holds or values[id_] == one["limits"][row["name"]]
                cells += 1
    assert cells > 150
    assert (await box.client("cashier").get(f"{ROLES}/matrix")).status_code == 403
    assert (await box.client("owner").send("DELETE", f"{ROLES}/matrix")).status_code in (404, 405)


async def test_people_are_tied_to_locations_by_those_who_reach_there(box: Box) -> None:
    owner, manager = box.client("owner"), await may_edit_roles(box)
    here, there = str(await box.location("kilimani")), str(await box.location("store"))
    manage = f"/api/v1/users/{box.people['mama-njeri', 'manager'].id}/locations"
    cash = f"/api/v1/users/{box.people['mama-njeri', 'cashier'].id}/locations"

    async def tie(client: Client, path: str, ids: list[str] | None) -> httpx.Response:
        etag = (await client.get(path)).headers["etag"]
        return await client.send("PATCH", path, json={"location_ids": ids}, headers={"If-Match": etag})

    assert (await tie(owner, manage, [here])).json()["location_ids"] == [here]
    assert (await tie(manager, manage, None)).json()["code"] == "own-role"
    assert (await tie(manager, cash, [here])).json()["code"] == "role-above", "the cashier works everywhere yet"
    assert (await tie(owner, cash, [here, there])).status_code == 200
    assert (await tie(manager, cash, [here])).json()["code"] == "role-above"
    assert (await tie(owner, cash, [here])).status_code == 200
    for ids in ([there], [here, there], None):
        assert (await tie(manager, cash, ids)).json()["code"] == "role-above"
    assert (await tie(manager, cash, [here])).status_code == 200
    foreign = str(await box.location("kilimani", "sharma-kirana"))
    assert (await tie(owner, cash, [foreign])).json()["errors"][0]["pointer"] == "/location_ids/0"
    fresh = {
        "email": "new@x.example",
        "name": "New",
        "password": "long enough",
        "role_id": (await role(owner, "cashier"))["id"],
    }
    added = await manager.post("/api/v1/users", fresh)
    assert added.status_code == 201, added.text
    first = {"username": fresh["email"], "password": fresh["password"]}
    assert (await box.client(None).post("/api/v1/auth/login", first)).status_code == 200
    newcomer = next(one for one in (await owner.get("/api/v1/users")).json()["items"] if one["email"] == fresh["email"])
    theirs = await owner.get(f"/api/v1/users/{newcomer['id']}/locations")
    assert theirs.json()["location_ids"] == [here], "whoever is tied adds people to the same places"


@contextlib.asynccontextmanager
async def two_processes(box: Box, settings: Settings) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Two server processes on the box's database."""
    with serving(settings, 2) as servers:
        clients = [httpx.AsyncClient(base_url=server.url, timeout=120) for server in servers]
        try:
            yield clients
        finally:
            for one in clients:
                await one.aclose()


async def test_a_change_acts_on_the_next_request_of_every_process(box: Box, box_settings: Settings) -> None:
    async with two_processes(box, box_settings) as served:
        owners = [Client(one, token_of(box, "owner")) for one in served]
        cashiers = [Client(one, token_of(box, "cashier")) for one in served]
        one = await role(owners[0], "cashier")
        for turn in range(4):
            wanted = set(one["permissions"]) ^ ({"customers.see"} if turn % 2 == 0 else set())
            limit = str(turn)
            changed = await edit(
                owners[turn % 2],
                one["id"],
                permissions=sorted(wanted),
                limits={"sales.discount_percent": limit},
            )
            assert changed.status_code == 200, changed.text
            for cashier in cashiers:
                expected = 200 if "customers.see" in wanted else 403
                assert (await cashier.get("/api/v1/customers/customers")).status_code == expected
                assert (await cashier.get(f"{ROLES}/mine")).json()["limits"]["sales.discount_percent"] == limit


def token_of(box: Box, role_: str) -> str | None:
    """A token that real processes take: their clock is the true one."""
    person = box.people["mama-njeri", role_]
    assert person.id
    assert person.session_id
    claims = Claims(person.id, person.session_id, box.shop.id)
    return make_access_token(claims, box.deployment.secret, dt.datetime.now(dt.UTC), dt.timedelta(hours=1))
