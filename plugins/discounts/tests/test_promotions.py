"""Promotions through the API, on both databases."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from polyfactory.factories.msgspec_factory import MsgspecFactory

from kernel.testing.box import Box
from plugins.catalog.testing import a_category, a_product
from plugins.discounts.schemas.promotions import PromotionIn
from plugins.discounts.testing import a_promotion

PATH = "/api/v1/discounts/promotions"


class Said(MsgspecFactory[PromotionIn]):
    """Promotions as clients might send them."""

    __random_seed__ = 7
    kind = "percent"
    value = "10"
    starts_at = None
    ends_at = None
    product_id = None
    category_id = None
    effect = None
    goods = None
    when = None
    limits = None


async def said(box: Box, **fields: Any) -> dict[str, Any]:
    product = {} if fields.keys() & {"product_id", "category_id"} else {"product_id": await a_product(box)}
    made = Said.build(name=f"Rice week {uuid4().hex[:6]}", **product, **fields)
    return {
        "name": made.name,
        "kind": made.kind,
        "value": made.value,
        "product_id": made.product_id and str(made.product_id),
        "category_id": made.category_id and str(made.category_id),
        "starts_at": made.starts_at,
        "ends_at": made.ends_at,
        "priority": made.priority,
        "exclusive": made.exclusive,
    }


async def test_a_promotion_is_drawn_up_activated_and_ended(box: Box) -> None:
    manager = box.client("manager")
    body = await said(box)
    made = await manager.post(PATH, body)
    assert made.status_code == 201, made.text
    assert made.headers["ETag"] == '"1"'
    draft = made.json()
    assert {name: draft[name] for name in ("name", "kind", "value", "state", "target", "product_id")} == {
        "name": body["name"],
        "kind": "percent",
        "value": "10",
        "state": "draft",
        "target": "product",
        "product_id": body["product_id"],
    }
    assert made.headers["Location"] == f"{PATH}/{draft['id']}"
    active = await manager.post(f"{PATH}/{draft['id']}/activate")
    assert (active.status_code, active.json()["state"], active.headers["ETag"]) == (200, "active", '"2"')
    assert active.json()["activated_at"] == "2026-11-21T09:00:00Z"
    ended = await manager.post(f"{PATH}/{draft['id']}/end")
    assert (ended.status_code, ended.json()["state"]) == (200, "ended")
    shown = await manager.get(f"{PATH}/{draft['id']}")
    assert shown.json() == ended.json() | {"sales": 0, "given": "0.00"}
    assert shown.headers["ETag"].startswith('"3.')


async def test_steps_that_the_state_does_not_allow_are_refused(box: Box) -> None:
    manager = box.client("manager")
    id_ = await a_promotion(box, product_id=str(await a_product(box)))
    again = await manager.post(f"{PATH}/{id_}/activate")
    assert (again.status_code, again.json()["code"]) == (409, "promotion-state")
    await manager.post(f"{PATH}/{id_}/end")
    for step in ("activate", "end"):
        refused = await manager.post(f"{PATH}/{id_}/{step}")
        assert (refused.status_code, refused.json()["code"]) == (409, "promotion-state")
    changed = await manager.patch(f"{PATH}/{id_}", {"priority": 3}, version=3)
    assert (changed.status_code, changed.json()["code"]) == (409, "promotion-state")


async def test_a_promotion_whose_time_is_over_is_not_activated(box: Box) -> None:
    manager = box.client("manager")
    made = await manager.post(PATH, await said(box, starts_at="2026-11-01T00:00:00Z", ends_at="2026-11-21T09:00:00Z"))
    refused = await manager.post(f"{PATH}/{made.json()['id']}/activate")
    assert (refused.status_code, refused.json()["code"]) == (409, "promotion-over")


async def test_a_draft_changes_as_its_maker_likes(box: Box) -> None:
    manager = box.client("manager")
    made = (await manager.post(PATH, await said(box))).json()
    food = await a_category(box)
    patch = {"kind": "amount_off", "value": "20.00", "category_id": str(food), "priority": 7}
    changed = await manager.patch(f"{PATH}/{made['id']}", patch, version=1)
    assert changed.status_code == 200, changed.text
    assert changed.headers["ETag"] == '"2"'
    expected = patch | {"target": "category", "product_id": None, "name": made["name"]}
    assert {name: changed.json()[name] for name in expected} == expected


async def test_only_the_end_of_an_active_promotion_changes(box: Box) -> None:
    manager = box.client("manager")
    id_ = await a_promotion(box, product_id=str(await a_product(box)))
    refused = await manager.patch(f"{PATH}/{id_}", {"value": "20", "ends_at": None}, version=2)
    assert (refused.status_code, refused.json()["code"]) == (409, "promotion-fixed")
    longer = await manager.patch(f"{PATH}/{id_}", {"ends_at": "2026-12-24T18:00:00Z"}, version=2)
    assert (longer.status_code, longer.json()["ends_at"]) == (200, "2026-12-24T18:00:00Z")


async def test_a_change_needs_the_version_that_was_read(box: Box) -> None:
    manager = box.client("manager")
    id_ = await a_promotion(box, product_id=str(await a_product(box)))
    assert (await manager.patch(f"{PATH}/{id_}", {"ends_at": None})).status_code == 428
    assert (await manager.patch(f"{PATH}/{id_}", {"ends_at": None}, version=1)).status_code == 412


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"kind": "percent", "value": "100.5"}, "/value"),
        ({"kind": "percent", "value": "0"}, "/value"),
        ({"kind": "amount_off", "value": "1.005"}, "/value"),
        ({"name": "Rice\u200bweek"}, "/name"),
        ({"category_id": str(uuid4())}, "/product_id"),
        ({"product_id": None, "kind": "set_price"}, "/kind"),
        ({"product_id": str(uuid4())}, "/product_id"),
        ({"product_id": None, "category_id": str(uuid4())}, "/category_id"),
        ({"starts_at": "2026-11-21T09:00:00Z", "ends_at": "2026-11-21T09:00:00Z"}, "/ends_at"),
        ({"value": "-1"}, "/value"),
        ({"priority": -1}, "/priority"),
        ({"starts_at": "2026-11-21T09:00:00"}, "/starts_at"),
        ({"colour": "red"}, "/colour"),
    ],
)
async def test_a_promotion_that_makes_no_sense_is_refused(box: Box, change: dict[str, Any], pointer: str) -> None:
    refused = await box.client("manager").post(PATH, await said(box) | change)
    fault = refused.json()["errors"][0]
    assert refused.status_code == (404 if fault["code"] == "not-found" else 422), refused.text
    assert fault["pointer"] == pointer


async def test_a_name_is_used_once(box: Box) -> None:
    manager = box.client("manager")
    await a_promotion(box, product_id=str(await a_product(box)))
    body = await said(box, category_id=await a_category(box))
    refused = await manager.post(PATH, body | {"name": "Rice week"})
    assert (refused.status_code, refused.json()["code"]) == (409, "already-exists")
    assert refused.json()["errors"][0]["pointer"] == "/name"


async def test_another_business_sees_nothing_of_it(box: Box) -> None:
    stranger = box.client("owner", "sharma-kirana")
    id_ = await a_promotion(box, product_id=str(await a_product(box)))
    assert (await stranger.get(PATH)).json()["items"] == []
    assert (await stranger.get(f"{PATH}/{id_}")).status_code == 404
    assert (await stranger.patch(f"{PATH}/{id_}", {"ends_at": None}, version=2)).status_code == 404
    for step in ("activate", "end"):
        assert (await stranger.post(f"{PATH}/{id_}/{step}")).status_code == 404
    foreign = await stranger.post(PATH, await said(box, product_id=await a_product(box, "SUGAR-1KG")))
    assert foreign.status_code == 404, "the product belongs to the other business"


async def test_promotions_are_listed_newest_first_in_pages_and_by_what_they_are(box: Box) -> None:
    cashier = box.client("cashier")
    rice = str(await a_product(box))
    ids = []
    for number in range(3):
        box.clock.pass_by(seconds=1)
        ids.append(str(await a_promotion(box, f"Rice week {number}", product_id=rice)))
    await box.client("manager").post(f"{PATH}/{ids[0]}/end")
    first = (await cashier.get(PATH, params={"limit": 2, "include_total": True})).json()
    assert [one["id"] for one in first["items"]] == [ids[2], ids[1]]
    assert first["total"] == 3
    rest = (await cashier.get(PATH, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [one["id"] for one in rest["items"]] == [ids[0]]
    assert rest["next_cursor"] is None
    for wanted, found in (
        ({"state": "ended"}, ids[:1]),
        ({"kind": "set_price"}, []),
        ({"product_id": rice}, ids[::-1]),
        ({"category_id": rice}, []),
    ):
        assert [one["id"] for one in (await cashier.get(PATH, params=wanted)).json()["items"]] == found


async def test_roles_without_the_permission_are_refused(box: Box) -> None:
    id_ = await a_promotion(box, product_id=str(await a_product(box)))
    body = await said(box, category_id=await a_category(box))
    cashier, keeper = box.client("cashier"), box.client("stock_keeper")
    assert (await cashier.get(f"{PATH}/{id_}")).status_code == 200
    assert (await keeper.get(PATH)).status_code == 403
    assert (await keeper.get(f"{PATH}/{id_}")).status_code == 403
    assert (await cashier.post(PATH, body)).status_code == 403
    assert (await cashier.patch(f"{PATH}/{id_}", {"ends_at": None}, version=2)).status_code == 403
    for step in ("activate", "end"):
        assert (await cashier.post(f"{PATH}/{id_}/{step}")).status_code == 403
