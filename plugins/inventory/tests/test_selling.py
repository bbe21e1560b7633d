"""What selling and voiding do to stock, on both databases."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import sqlalchemy as sa

from kernel.auth.businesses.switching import disable, enable
from kernel.db import Phase, new_id
from kernel.invariants import broken
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import Box, open_box
from kernel.work import Work
from plugins.catalog.testing import a_product
from plugins.inventory.models import Move
from plugins.inventory.testing import on_hand, stock


async def _sell(box: Box, *lines: dict[str, Any], total: int, at: str = "kilimani", **more: Any) -> httpx.Response:
    body = {"location_id": str(await box.location(at)), "lines": list(lines), **more}
    return await box.client("cashier").post(
        "/api/v1/sales/sales", body | {"payments": [{"method": "cash", "amount": f"{total}.00"}]}
    )


def _line(product: uuid.UUID, quantity: str = "1") -> dict[str, Any]:
    return {"product_id": str(product), "quantity": quantity}


async def _void(box: Box, sale: str) -> httpx.Response:
    return await box.client("manager").post(f"/api/v1/sales/sales/{sale}/void", {"reason": "wrong customer"})


async def _moves(box: Box, **params: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await box.client("owner").get("/api/v1/inventory/moves", params=params)).json()[
        "items"
    ]
    return items


async def test_a_sale_takes_its_stock_where_it_is_sold(box: Box) -> None:
    rice, kilimani, store = await a_product(box, price="100.00"), await box.location(), await box.location("store")
    await stock(box, rice, kilimani, "5")
    await stock(box, rice, store, "5")
    sold = await _sell(box, _line(rice, "2"), total=200)
    assert sold.status_code == 201, sold.text
    assert (await on_hand(box, rice, kilimani), await on_hand(box, rice, store)) == ("3", "5")
    move = (await _moves(box, kind="sale"))[0]
    assert (move["quantity"], move["document_number"], move["line"]) == ("-2", sold.json()["number"], 1)
    assert (move["document_id"], move["by"]["name"]) == (sold.json()["id"], "Cashier")


async def test_too_little_refuses_the_sale_and_leaves_nothing_behind(box: Box) -> None:
    rice, tea, kilimani = (
        await a_product(box, price="100.00", name="Rice 2kg"),
        await a_product(box, "TEA", "100.00"),
        await box.location(),
    )
    await stock(box, rice, kilimani, "1")
    await stock(box, tea, kilimani, "1")
    refused = await _sell(box, _line(tea), _line(rice), _line(rice), total=300)
    assert (refused.status_code, refused.json()["code"]) == (409, "out-of-stock")
    assert refused.json()["title"] == "Not enough stock"
    assert refused.json()["detail"] == "Rice 2kg: 2 wanted, 1 left at Kilimani."
    assert refused.json()["errors"] == [
        {"pointer": "/lines/1/quantity", "code": "out-of-stock", "available": "1"},
        {"pointer": "/lines/2/quantity", "code": "out-of-stock", "available": "1"},
    ]
    assert (await on_hand(box, rice, kilimani), await on_hand(box, tea, kilimani)) == ("1", "1")
    assert await _moves(box, kind="sale") == []


async def test_what_never_came_cannot_be_sold(box: Box) -> None:
    rice = await a_product(box, price="100.00", name="Rice 2kg")
    refused = await _sell(box, _line(rice), total=100)
    assert refused.json()["detail"] == "Rice 2kg: 1 wanted, 0 left at Kilimani."


async def test_a_carton_takes_all_its_units(box: Box) -> None:
    packs = [{"name": "Carton of 12", "factor": "12", "price": "1000.00", "barcode": "6161100000018"}]
    rice, kilimani = await a_product(box, price="100.00", packs=packs), await box.location()
    await stock(box, rice, kilimani, "30")
    sold = await _sell(box, {"barcode": "6161100000018", "quantity": "2"}, _line(rice), total=2100)
    assert sold.status_code == 201, sold.text
    assert await on_hand(box, rice, kilimani) == "5"
    assert sorted(one["quantity"] for one in await _moves(box, kind="sale")) == ["-1", "-24"]


async def test_services_take_nothing(box: Box) -> None:
    delivery = await a_product(box, price="100.00", kind="service", track_stock=False)
    assert (await _sell(box, _line(delivery), total=100)).status_code == 201
    assert await _moves(box) == []


async def test_a_product_that_may_is_sold_below_zero(box: Box) -> None:
    bread, kilimani = await a_product(box, price="100.00", allow_negative_stock=True), await box.location()
    assert (await _sell(box, _line(bread, "3"), total=300)).status_code == 201
    assert await on_hand(box, bread, kilimani) == "-3"
    await stock(box, bread, kilimani, "10")
    assert await on_hand(box, bread, kilimani) == "7"


async def test_a_voided_sale_returns_its_stock_by_opposite_moves(box: Box) -> None:
    rice, tea, kilimani = (
        await a_product(box, price="100.00"),
        await a_product(box, "TEA", "100.00"),
        await box.location(),
    )
    await stock(box, rice, kilimani, "5")
    await stock(box, tea, kilimani, "5")
    sold = (await _sell(box, _line(rice, "2"), _line(tea), total=300)).json()
    voided = await _void(box, sold["id"])
    assert voided.status_code == 200, voided.text
    assert (await on_hand(box, rice, kilimani), await on_hand(box, tea, kilimani)) == ("5", "5")
    back, taken = await _moves(box, kind="void"), await _moves(box, kind="sale")
    assert {(one["reverses_id"], one["reason"]) for one in back} == {(one["id"], "wrong customer") for one in taken}
    assert {one["document_number"] for one in (*back, *taken)} == {sold["number"]}
    assert (await _void(box, sold["id"])).status_code == 409
    assert await on_hand(box, rice, kilimani) == "5"


async def test_a_sale_made_while_inventory_was_off_returns_nothing(box: Box) -> None:
    rice, kilimani = await a_product(box, price="100.00"), await box.location()
    await box.act(lambda work: disable(work, "inventory"), phase=Phase.SWITCH)
    sold = await _sell(box, _line(rice, "2"), total=200)
    assert sold.status_code == 201, sold.text
    assert (await box.client("owner").get("/api/v1/inventory/levels")).status_code == 404
    await box.act(lambda work: enable(work, "inventory"), phase=Phase.SWITCH)
    assert (await _void(box, sold.json()["id"])).status_code == 200
    assert await on_hand(box, rice, kilimani) == "0"
    assert await _moves(box) == []


async def test_a_void_reaches_inventory_although_it_is_off_by_now(box: Box) -> None:
    rice, kilimani = await a_product(box, price="100.00"), await box.location()
    await stock(box, rice, kilimani, "5")
    sold = (await _sell(box, _line(rice, "2"), total=200)).json()
    await box.act(lambda work: disable(work, "inventory"), phase=Phase.SWITCH)
    assert (await _void(box, sold["id"])).status_code == 200
    assert await on_hand(box, rice, kilimani) == "5"


async def test_a_sale_of_the_past_moves_stock_on_its_own_day(box: Box) -> None:
    rice = await a_product(box, price="100.00")
    await stock(box, rice, await box.location(), "5")
    body = {
        "location_id": str(await box.location()),
        "lines": [_line(rice)],
        "payments": [{"method": "cash", "amount": "100.00"}],
        "sold_at": "2026-11-19T09:00:00Z",
    }
    sold = await box.client("manager").post("/api/v1/sales/sales", body)
    assert sold.status_code == 201, sold.text
    assert [one["business_date"] for one in await _moves(box, kind="sale")] == ["2026-11-19"]


async def test_a_void_that_returned_nothing_is_found(box_settings: Settings, registry: Registry) -> None:
    box = await open_box(box_settings, registry)
    rice = await a_product(box, price="100.00")
    await stock(box, rice, await box.location(), "5")
    await _sell(box, _line(rice, "2"), total=200)
    await box.act(lambda work: work.execute(sa.text("UPDATE sales_sale SET status = 'voided'")))
    faults = await broken(box.deployment)
    await box.close()
    assert any(fault.startswith("a voided or expired sale has given back what it took") for fault in faults), faults


async def test_a_sale_that_moved_only_some_of_its_lines_is_found(box_settings: Settings, registry: Registry) -> None:
    box = await open_box(box_settings, registry)
    rice, kilimani = await a_product(box, price="100.00"), await box.location()
    await stock(box, rice, kilimani, "5")
    await _sell(box, _line(rice, "2"), _line(rice, "1"), total=300)

    async def twice(work: Work) -> None:
        row = (await work.execute(sa.select(Move.__table__).where(Move.kind == "sale").limit(1))).mappings().one()
        work.insert(Move, {k: v for k, v in row.items() if k != "business_id"} | {"id": new_id()})

    await box.act(twice)
    faults = await broken(box.deployment)
    await box.close()
    assert any(fault.startswith("a sale that moved any stock moved every counted line once") for fault in faults)
