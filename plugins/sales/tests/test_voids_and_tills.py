"""Voids, held carts, registers, and the list of today's sales, on both databases."""

from __future__ import annotations

import uuid

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.sales.testing import a_sale


async def test_a_voided_sale_gives_its_money_back_and_keeps_its_number(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    sale = await a_sale(box, {rice: "2"})
    void = await box.client("manager").post(f"/api/v1/sales/sales/{sale.id}/void", {"reason": "wrong customer"})
    assert void.status_code == 200, void.text
    assert (void.json()["status"], void.json()["number"]) == ("voided", sale.number)
    assert void.json()["payments"][0]["refunded"] == "200.00"
    assert (void.json()["void_reason"], void.json()["voided_by"]) == ("wrong customer", "Manager")
    again = await box.client("manager").post(f"/api/v1/sales/sales/{sale.id}/void", {"reason": "twice"})
    assert (again.status_code, again.json()["code"]) == (409, "not-voidable")
    later = await a_sale(box, {rice: "1"})
    assert later.number == "O1-2026-000002"


async def test_a_void_is_only_for_the_day_of_the_sale_and_those_who_may(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    sale = await a_sale(box, {rice: "1"})
    path, reason = f"/api/v1/sales/sales/{sale.id}/void", {"reason": "late"}
    assert (await box.client("cashier").post(path, reason)).status_code == 403
    assert (await box.client("manager").post(f"/api/v1/sales/sales/{uuid.uuid4()}/void", reason)).status_code == 404
    box.clock.pass_by(hours=24)
    late = await box.client("manager").post(path, reason)
    assert (late.status_code, late.json()["code"]) == (409, "not-voidable")


async def test_plugins_that_took_part_undo_their_share_even_when_they_are_off(box: Box) -> None:
    rice = await a_product(box, price="100.00")
    location = str(await box.location())
    receipt = {"location_id": location, "lines": [{"product_id": str(rice), "quantity": "5"}]}
    owner = box.client("owner")
    assert (await owner.post("/api/v1/inventory/receipts", receipt)).status_code == 201
    sale = await a_sale(box, {rice: "2"})
    assert (await owner.post("/api/v1/plugins/inventory/disable")).status_code == 200
    assert (await owner.post(f"/api/v1/sales/sales/{sale.id}/void", {"reason": "x"})).status_code == 200
    assert (await owner.post("/api/v1/plugins/inventory/enable")).status_code == 200
    level = await owner.get("/api/v1/inventory/levels", params={"product_id": str(rice)})
    assert level.json()["items"][0]["on_hand"] == "5"


async def test_a_held_cart_has_no_number_and_is_taken_up_once(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    cashier, location = box.client("cashier"), str(await box.location())
    cart = {"location_id": location, "lines": [{"product_id": str(rice)}]}
    held = await cashier.post("/api/v1/sales/held", cart | {"label": "red cap"})
    assert held.status_code == 201, held.text
    listed = await cashier.get("/api/v1/sales/held")
    assert [one["label"] for one in listed.json()["items"]] == ["red cap"]
    taken = cart | {"held_id": held.json()["id"], "payments": [{"method": "cash", "amount": "100.00"}]}
    assert (await cashier.post("/api/v1/sales/sales", taken)).json()["number"] == "O1-2026-000001"
    again = await cashier.post("/api/v1/sales/sales", taken)
    assert (again.status_code, again.json()["code"]) == (409, "held-gone")
    assert (await cashier.get(f"/api/v1/sales/held/{held.json()['id']}")).status_code == 404


async def test_a_held_cart_can_be_thrown_away(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    cashier = box.client("cashier")
    cart = {"location_id": str(await box.location()), "lines": [{"product_id": str(rice)}]}
    held = (await cashier.post("/api/v1/sales/held", cart)).json()
    assert (await cashier.send("DELETE", f"/api/v1/sales/held/{held['id']}")).status_code == 204
    assert (await cashier.send("DELETE", f"/api/v1/sales/held/{held['id']}")).status_code == 404


async def test_each_register_numbers_its_own_sales(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    location = str(await box.location())
    made = await box.client("manager").post(
        "/api/v1/sales/registers", {"location_id": location, "code": "T1", "name": "Till 1"}
    )
    assert made.status_code == 201, made.text
    assert (await a_sale(box, {rice: "1"})).number == "O1-2026-000001"
    sold = await a_sale(box, {rice: "1"}, register_id=uuid.UUID(made.json()["id"]))
    assert sold.number == "T1-2026-000001"
    twice = await box.client("manager").post(
        "/api/v1/sales/registers", {"location_id": location, "code": "T1", "name": "Again"}
    )
    assert (twice.status_code, twice.json()["errors"][0]["pointer"]) == (409, "/code")
    store = str(await box.location("store"))
    warehouse = {"location_id": store, "code": "W1", "name": "No"}
    assert (await box.client("manager").post("/api/v1/sales/registers", warehouse)).status_code == 422


async def test_a_register_that_is_switched_off_sells_nothing(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    manager = box.client("manager")
    office = (await manager.get("/api/v1/sales/registers")).json()["items"][0]
    read = await manager.get(f"/api/v1/sales/registers/{office['id']}")
    version = int(read.headers["ETag"].strip('"'))
    path = f"/api/v1/sales/registers/{office['id']}"
    assert (await manager.patch(path, {"is_active": False})).status_code == 428
    assert (await manager.patch(path, {"is_active": False}, version=version + 1)).status_code == 412
    assert (await manager.patch(path, {"is_active": False}, version=version)).status_code == 200
    body = {
        "location_id": str(await box.location()),
        "lines": [{"product_id": str(rice)}],
        "payments": [{"method": "cash", "amount": "100.00"}],
    }
    answer = await box.client("cashier").post("/api/v1/sales/sales", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "register-closed")


async def test_a_new_storefront_can_sell_at_once(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    said = {"code": "west", "name": "Westlands", "kind": "storefront", "day_cutoff": "04:00"}
    place = (await box.client("owner").post("/api/v1/locations", said)).json()
    box.clock.pass_by(hours=15)  # 03:00 in Nairobi: still yesterday's business day there
    body = {
        "location_id": place["id"],
        "lines": [{"product_id": str(rice)}],
        "payments": [{"method": "cash", "amount": "100.00"}],
    }
    sale = (await box.client("cashier").post("/api/v1/sales/sales", body)).json()
    assert (sale["number"], sale["business_date"]) == ("O2-2026-000001", "2026-11-21")


async def test_todays_sales_are_counted_without_the_voided(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    first = await a_sale(box, {rice: "1"})
    await a_sale(box, {rice: "2"})
    await box.client("manager").post(f"/api/v1/sales/sales/{first.id}/void", {"reason": "x"})
    today = (await box.client("cashier").get("/api/v1/sales/sales/today")).json()
    assert (today["count"], today["total"], today["voided"], len(today["items"])) == (1, "200.00", 1, 2)
    here = await box.client("cashier").get("/api/v1/sales/sales/today", params={"location_id": str(uuid.uuid4())})
    assert here.status_code == 404


async def test_sales_are_listed_newest_first_page_by_page(box: Box) -> None:
    rice = await a_product(box, price="1.00", track_stock=False)
    made = []
    for _ in range(5):
        made.append((await a_sale(box, {rice: "1"})).number)
        box.clock.pass_by(minutes=1)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        answer = (await box.client("manager").get("/api/v1/sales/sales", params=params)).json()
        seen += [one["number"] for one in answer["items"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]
    forged = await box.client("manager").get("/api/v1/sales/sales", params={"cursor": "AAAA"})
    assert (forged.status_code, forged.json()["code"]) == (400, "invalid-cursor")
