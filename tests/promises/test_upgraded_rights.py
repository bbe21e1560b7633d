"""What a plugin's new version lets people do reaches the shipped roles it names, and no other, whatever was edited."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator

import pytest

from kernel.auth.rights.permissions import Rights
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import Box, Client, open_box
from tests.promises.test_delegation import ROLES, edit, role

NEW = "sales.below_cost"


def before_it(registry: Registry) -> Registry:
    """The plugins as they were before sales declared the permission."""
    sales = registry.plugins["sales"]
    said = sales.manifest
    older = dataclasses.replace(
        said,
        version="0.0.9",
        permissions=tuple(one for one in said.permissions if one.name != NEW),
        grants={code: tuple(name for name in names if name != NEW) for code, names in said.grants.items()},
    )
    return Registry(
        [dataclasses.replace(sales, manifest=older) if one is sales else one for one in registry.in_order()]
    )


@pytest.fixture
async def earlier(box: Box, box_settings: Settings, registry: Registry) -> AsyncIterator[Box]:
    """The same businesses, served by the version of before."""
    opened = await open_box(box_settings, before_it(registry))
    yield opened
    await opened.close()


async def may(client: Client, code: str) -> bool:
    return NEW in (await role(client, code))["permissions"]


async def test_a_new_permission_reaches_the_roles_it_is_granted_to_however_they_were_edited(
    earlier: Box, box: Box
) -> None:
    owner = earlier.client("owner")
    assert not await may(owner, "owner")
    manager, cashier = await role(owner, "manager"), await role(owner, "cashier")
    fewer = [name for name in manager["permissions"] if name != "sales.import"]
    assert (await edit(owner, manager["id"], permissions=[*fewer, "users.manage"])).status_code == 200
    assert (await edit(owner, cashier["id"], permissions=["sales.complete"])).status_code == 200
    own = await owner.post(ROLES, {"name": "Shift lead", "copy_of": manager["id"]})
    assert own.status_code == 201, own.text
    assert (await edit(owner, manager["id"], permissions=[*fewer, NEW])).status_code == 422, "it is not there yet"

    owner = box.client("owner")
    held = (await role(owner, "manager"))["permissions"]
    assert (NEW in held, "users.manage" in held, "sales.import" in held) == (True, True, False)
    assert [await may(owner, code) for code in ("owner", "cashier", "accountant")] == [True, False, False]
    assert (await role(owner, "cashier"))["permissions"] == ["sales.complete"]
    assert NEW not in (await owner.get(f"{ROLES}/{own.json()['id']}")).json()["permissions"]
    assert NEW in (await box.client("manager").get("/api/v1/auth/me")).json()["permissions"]


async def test_what_a_business_took_stays_taken_by_every_later_version(earlier: Box, box: Box) -> None:
    owner = box.client("owner")
    manager = await role(owner, "manager")
    fewer = [name for name in manager["permissions"] if name != NEW]
    assert (await edit(owner, manager["id"], permissions=fewer)).status_code == 200
    older = earlier.client("owner")
    assert (await edit(older, manager["id"], permissions=[*fewer, "users.manage"])).status_code == 200
    assert not await may(owner, "manager"), "taken, though a version that did not know it was edited since"


async def test_the_plan_of_an_upgrade_names_the_roles_that_begin_with_each_permission(earlier: Box, box: Box) -> None:
    path = "/api/v1/plugins/sales/plan"
    plans = [await one.client("operator").post(path, {"action": "upgrade"}) for one in (earlier, box)]
    names = [{one["name"]: one["roles"] for one in plan.json()["permissions"]} for plan in plans]
    assert {name: roles for name, roles in names[1].items() if name not in names[0]} == {NEW: ["Owner", "Manager"]}


def test_rights_are_worked_out_of_what_is_shipped_now_and_what_was_edited(registry: Registry) -> None:
    then, now, every = Rights(before_it(registry)), Rights(registry), frozenset(registry.plugins)
    for added, removed in (((), ()), (("users.manage",), ("sales.void",)), ((), (NEW,))):
        new = now.of("manager", added, removed, every) - then.of("manager", added, removed, every)
        assert new == (frozenset() if NEW in removed else {NEW})
        assert now.of(None, added, removed, every) == then.of(None, added, removed, every)
