"""Levels, moves and low stock as they are looked up, on both databases."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from kernel.auth.models import Role
from kernel.testing.box import Box
from kernel.work import Work
from plugins.catalog.testing import a_product
from plugins.inventory.services import available
from plugins.inventory.testing import stock

LEVELS, MOVES, LOW = "/api/v1/inventory/levels", "/api/v1/inventory/moves", "/api/v1/inventory/low-stock"


async def _items(box: Box, route: str, role: str = "owner", **params: Any) -> list[dict[str, Any]]:
    answer = await box.client(role).get(route, params=params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_a_level_says_what_stands_where(box: Box) -> None:
    rice, kilimani = await a_product(box, name="Rice 2kg"), await box.location()
    await stock(box, rice, kilimani, "40")
    assert await _items(box, LEVELS, location_id=str(kilimani)) == [
        {
            "product_id": str(rice),
            "sku": "RICE-2KG",
            "name": "Rice 2kg",
            "location_id": str(kilimani),
            "on_hand": "40",
            "reserved": "0",
            "available": "40",
        }
    ]


async def test_levels_are_found_by_place_product_and_words_and_come_in_pages_by_name(box: Box) -> None:
    kilimani, store = await box.location(), await box.location("store")
    names = {"R2": "Rice 2kg", "R5": "Rice 5kg", "T": "Café-crème tea"}
    ids = {sku: await a_product(box, sku, name=name) for sku, name in names.items()}
    for id_ in ids.values():
        await stock(box, id_, kilimani, "1")
    await stock(box, ids["R2"], store, "2")
    assert [one["sku"] for one in await _items(box, LEVELS)] == ["T", "R2", "R2", "R5"]
    assert [one["on_hand"] for one in await _items(box, LEVELS, location_id=str(store))] == ["2"]
    assert len(await _items(box, LEVELS, product_id=str(ids["R2"]))) == 2
    assert [one["sku"] for one in await _items(box, LEVELS, q="5kg RICE")] == ["R5"]
    assert [one["sku"] for one in await _items(box, LEVELS, q="cafe")] == ["T"]
    assert await _items(box, LEVELS, q="100%") == []
    first = (await box.client("owner").get(LEVELS, params={"limit": 3, "include_total": "true"})).json()
    rest = (await box.client("owner").get(LEVELS, params={"limit": 3, "cursor": first["next_cursor"]})).json()
    assert ([one["sku"] for one in rest["items"]], first["total"]) == (["R5"], 4)


async def test_moves_tell_the_history_newest_first(box: Box) -> None:
    rice, tea, kilimani, store = (
        await a_product(box),
        await a_product(box, "TEA"),
        await box.location(),
        await box.location("store"),
    )
    await stock(box, rice, kilimani, "5", unit_cost="310.125")
    box.clock.pass_by(days=1)
    body = {
        "location_id": str(kilimani),
        "reason": "Broken",
        "lines": [{"product_id": str(rice), "quantity": "-2"}],
    }
    assert (await box.client("stock_keeper").post("/api/v1/inventory/adjustments", body)).status_code == 201
    await stock(box, tea, store, "7")
    moves = await _items(box, MOVES, product_id=str(rice))
    assert [(one["kind"], one["quantity"], one["document_number"], one["reason"]) for one in moves] == [
        ("adjustment", "-2", "AD-KILIMANI-000001", "Broken"),
        ("receipt", "5", "GR-KILIMANI-000001", ""),
    ]
    assert (moves[0]["line"], moves[0]["by"]["name"], moves[0]["business_date"]) == (1, "Stock_Keeper", "2026-11-22")
    assert (moves[1]["unit_cost"], moves[1]["sku"]) == ("310.125", "RICE-2KG")
    unpriced = await _items(box, MOVES, "cashier", product_id=str(rice))
    assert [one["quantity"] for one in unpriced] == ["-2", "5"]
    assert not [one for one in unpriced if "unit_cost" in one]
    assert [one["quantity"] for one in await _items(box, MOVES, location_id=str(store))] == ["7"]
    assert [one["quantity"] for one in await _items(box, MOVES, kind="adjustment")] == ["-2"]
    assert [one["quantity"] for one in await _items(box, MOVES, to_date="2026-11-21")] == ["5"]
    assert [one["quantity"] for one in await _items(box, MOVES, from_date="2026-11-22")] == ["7", "-2"]
    assert len(await _items(box, MOVES, document_id=moves[0]["document_id"])) == 1
    first = (await box.client("owner").get(MOVES, params={"limit": 2})).json()
    rest = (await box.client("owner").get(MOVES, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [one["quantity"] for one in (*first["items"], *rest["items"])] == ["7", "-2", "5"]


async def test_low_stock_counts_over_all_places_or_at_one(box: Box) -> None:
    kilimani, store = await box.location(), await box.location("store")
    shelf = {"inventory": msgspec.Raw(b'{"shelf": "B3"}')}
    rice = await a_product(box, min_stock="6", name="Rice", ext=shelf)
    tea = await a_product(box, "TEA", min_stock="1", name="Tea")
    await a_product(box, "NONE", name="No minimum")
    await a_product(box, "WORK", name="Delivery", kind="service", track_stock=False)
    await stock(box, rice, kilimani, "5")
    await stock(box, rice, store, "1")
    await stock(box, tea, kilimani, "2")
    assert await _items(box, LOW) == [
        {
            "product_id": str(rice),
            "sku": "RICE-2KG",
            "name": "Rice",
            "available": "6",
            "min_stock": "6",
            "shelf": "B3",
        }
    ]
    at_store = await _items(box, LOW, location_id=str(store))
    assert [(one["sku"], one["available"], one["shelf"]) for one in at_store] == [
        ("RICE-2KG", "1", "B3"),
        ("TEA", "0", ""),
    ]
    paged = (await box.client("owner").get(LOW, params={"location_id": str(store), "limit": 1})).json()
    params = {"location_id": str(store), "limit": 1, "cursor": paged["next_cursor"]}
    assert [one["sku"] for one in (await box.client("owner").get(LOW, params=params)).json()["items"]] == ["TEA"]
    await stock(box, rice, store, "1")
    assert await _items(box, LOW) == []


async def test_a_product_that_is_switched_off_is_never_low(box: Box) -> None:
    rice = await a_product(box, min_stock="6")
    assert [one["available"] for one in await _items(box, LOW)] == ["0"]
    await box.client("owner").patch(f"/api/v1/catalog/products/{rice}", {"is_active": False}, version=1)
    assert await _items(box, LOW) == []


async def test_a_shelf_that_is_no_shelf_is_refused(box: Box) -> None:
    for shelf in ({"shelf": 3}, {"rack": "B3"}):
        body = {"sku": "RICE", "name": "Rice", "price": "1.00", "ext": {"inventory": shelf}}
        refused = await box.client("owner").post("/api/v1/catalog/products", body)
        assert refused.status_code == 422, refused.text
        assert refused.json()["errors"][0]["pointer"].startswith("/ext/inventory")


async def test_nobody_sees_the_stock_of_another_business(box: Box) -> None:
    await stock(box, await a_product(box, min_stock="6"), await box.location(), "1")
    theirs = box.client("owner", "sharma-kirana")
    for route in (LEVELS, MOVES, LOW):
        assert len(await _items(box, route)) == 1
        assert (await theirs.get(route)).json()["items"] == []


@pytest.mark.parametrize("path", ["levels", "moves", "low-stock", "receipts", "adjustments"])
async def test_stock_is_seen_only_with_the_permission(box: Box, path: str) -> None:
    async def take_away(work: Work) -> None:
        mine = sa.and_(Role.business_id == work.business_id, Role.code == "cashier")
        await work.execute(sa.update(Role).where(mine).values(removed=["inventory.see"]))

    route = f"/api/v1/inventory/{path}"
    assert (await box.client("cashier").get(route)).status_code == 200
    await box.act(take_away)
    assert (await box.client("cashier").get(route)).status_code == 403
    assert (await box.client(None).get(route)).status_code == 401


async def test_other_plugins_are_told_what_is_available(box: Box) -> None:
    rice, tea, kilimani = await a_product(box), await a_product(box, "TEA"), await box.location()
    await stock(box, rice, kilimani, "5")
    found = await box.look(lambda work: available(work, kilimani, [rice, tea]))
    assert found == {rice: 5_000_000, tea: 0}
