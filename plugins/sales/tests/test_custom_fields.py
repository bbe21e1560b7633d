"""Fields of a shop's own on sales: said at the checkout, shown, filtered by, changed afterwards, told to plugins."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from kernel.testing.box import Box
from kernel.work import Work
from plugins.catalog.testing import a_product
from plugins.sales.schemas.told import CompletedSale
from plugins.sales.services.reading import sale_row
from plugins.sales.services.telling import as_told

FIELDS, SALES = "/api/v1/custom-fields", "/api/v1/sales/sales"
TABLE = {"entity": "sales.sale", "key": "table", "label": "Table", "kind": "number", "is_required": True}
SERVED = {"entity": "sales.sale", "key": "served", "label": "How", "kind": "choice", "choices": ["here", "to go"]}
AFTER = {"entity": "sales.sale", "key": "after", "label": "After", "kind": "reference", "refers_to": "sales.sale"}


async def define(box: Box, *fields: dict[str, Any]) -> None:
    for position, one in enumerate(fields):
        made = await box.client("owner").post(FIELDS, one | {"position": position})
        assert made.status_code == 201, made.text


async def a_cart(box: Box, **more: Any) -> dict[str, Any]:
    tea = await a_product(box, sku=f"TEA-{uuid.uuid4().hex[:6]}", price="50.00", track_stock=False)
    return {"location_id": str(await box.location()), "lines": [{"product_id": str(tea)}], **more}


async def sell(box: Box, cart: dict[str, Any], custom: dict[str, Any], method: str = "cash") -> httpx.Response:
    paid = {"method": method, "amount": "50.00"} | ({"awaited": True} if method == "bank_transfer" else {})
    return await box.client("cashier").post(SALES, cart | {"custom": custom, "payments": [paid]})


async def found(box: Box, **params: str) -> list[str]:
    answer = await box.client("owner").get(SALES, params=params)
    assert answer.status_code == 200, answer.text
    return [one["custom"]["table"] for one in answer.json()["items"]]


async def test_a_sale_carries_them_from_the_checkout_into_lists(box: Box) -> None:
    await define(box, TABLE, SERVED)
    owner, cart = box.client("owner"), await a_cart(box)
    for custom, pointer, code in (
        ({}, "/custom/table", "required"),
        ({"table": "x"}, "/custom/table", "invalid"),
        ({"table": "1", "seat": "2"}, "/custom/seat", "unknown"),
    ):
        refused = await sell(box, cart, custom)
        errors = refused.json()["errors"]
        assert (refused.status_code, errors[0]["pointer"], errors[0]["code"]) == (422, pointer, code), refused.text
    sold = await sell(box, cart, {"table": "7.0", "served": "here"})
    assert sold.status_code == 201, sold.text
    assert sold.json()["custom"] == {"table": "7", "served": "here"}
    waits = await sell(box, cart, {"table": "12"}, "bank_transfer")
    assert (waits.status_code, waits.json()["custom"]) == (202, {"table": "12", "served": None})
    one = await owner.get(f"{SALES}/{sold.json()['id']}")
    assert (one.json(), sold.headers["etag"]) == (sold.json(), '"1"')
    again = await owner.get(f"{SALES}/{sold.json()['id']}", headers={"If-None-Match": one.headers["etag"]})
    assert (one.headers["etag"][:3], again.status_code) == ('"1.', 304)
    assert await found(box) == ["12", "7"]
    assert await found(box, **{"custom.table.from": "7", "custom.table.to": "9"}) == ["7"]
    assert await found(box, **{"custom.served": "here", "status": "completed"}) == ["7"]
    today = await box.client("cashier").get(f"{SALES}/today")
    assert [row["custom"]["table"] for row in today.json()["items"]] == ["12", "7"]
    refused = await owner.get(SALES, params={"custom.seat": "1"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "?custom.seat")

    async def told(work: Work) -> CompletedSale:
        return await as_told(work, CompletedSale, await sale_row(work, uuid.UUID(sold.json()["id"])), "", "")

    assert (await box.look(told)).custom == {"table": "7", "served": "here"}


async def test_a_cart_says_them_before_it_is_a_sale(box: Box) -> None:
    await define(box, TABLE)
    cashier, cart = box.client("cashier"), await a_cart(box)
    for path in ("/api/v1/sales/quote", "/api/v1/sales/held"):
        assert (await cashier.post(path, cart)).status_code in (200, 201), "what is required is asked of a sale alone"
        refused = await cashier.post(path, cart | {"custom": {"table": "front"}})
        assert refused.json()["errors"][0]["pointer"] == "/custom/table"
    held = await cashier.post("/api/v1/sales/held", cart | {"custom": {"table": "3"}})
    kept = (await cashier.get(f"/api/v1/sales/held/{held.json()['id']}")).json()["cart"]
    assert kept["custom"] == {"table": "3"}
    paid = {"payments": [{"method": "cash", "amount": "50.00"}], "held_id": held.json()["id"]}
    sold = await cashier.post(SALES, kept | paid)
    assert (sold.status_code, sold.json()["custom"]) == (201, {"table": "3"})


async def test_they_are_changed_afterwards_under_the_version_and_by_those_who_may(box: Box) -> None:
    await define(box, TABLE, SERVED)
    sold = await sell(box, await a_cart(box), {"table": "7"})
    path, manager = f"{SALES}/{sold.json()['id']}", box.client("manager")
    fresh = {"custom": {"served": "to go"}}
    assert (await box.client("cashier").patch(path, fresh, version=1)).status_code == 403
    assert (await manager.patch(path, fresh)).status_code == 428
    headers = {"If-Match": sold.headers["etag"]}
    changed = await manager.send("PATCH", path, json=fresh, headers=headers)
    assert changed.status_code == 200, changed.text
    assert changed.json() == sold.json() | {"custom": {"table": "7", "served": "to go"}}
    assert (await manager.send("PATCH", path, json=fresh, headers=headers)).status_code == 412
    emptied = await manager.patch(path, {"custom": {"table": None}}, version=2)
    assert emptied.json()["errors"][0]["code"] == "required"
    assert await found(box, **{"custom.served": "to go"}) == ["7"]
    [*_, row] = await box.trail(f"sale:{sold.json()['id']}")
    assert (row["deed"], row["facts"]) == ("sales.change_sale", {"changed": ["custom.served"]})
    assert [one["after"]["custom"] for one in row["changes"]] == ["(personal)"]
    voided = await manager.post(f"{path}/void", {"reason": "spilt"})
    assert voided.json()["custom"] == changed.json()["custom"]
    assert (await manager.patch(path, fresh, version=2)).status_code == 412, "the sale has changed meanwhile"
    assert (await manager.patch(path, {"custom": {"served": None}}, version=3)).status_code == 200
    assert await found(box, **{"custom.served": "to go"}) == []


async def test_the_openapi_document_of_a_business_shows_them(box: Box) -> None:
    await define(box, SERVED)
    document = (await box.client("manager").get("/api/v1/openapi.json")).json()
    schemas = document["components"]["schemas"]
    for name in ("SaleIn", "SalePatch", "SaleOut", "SaleRow", "HoldIn"):
        assert schemas[name]["properties"]["custom"]["properties"]["served"]["enum"] == ["here", "to go", None], name
    listed = document["paths"]["/api/v1/sales/sales"]["get"]["parameters"]
    assert {"custom.served"} == {one["name"] for one in listed if one["name"].startswith("custom.")}
    other = (await box.client("manager", "sharma-kirana").get("/api/v1/openapi.json")).json()
    assert other["components"]["schemas"]["SaleIn"]["properties"]["custom"]["properties"] == {}


async def refers(box: Box) -> int:
    """How a cashier who works elsewhere is answered who names a sale of another location."""
    await define(box, AFTER)
    cart, cashier = await a_cart(box), box.people["mama-njeri", "cashier"].id
    first = (await sell(box, cart, {})).json()["id"]
    assert (await sell(box, cart, {"after": first})).status_code == 201
    made = {"code": "west", "name": "Westlands", "kind": "storefront"}
    elsewhere = (await box.client("owner").post("/api/v1/locations", made)).json()["id"]
    path = f"/api/v1/users/{cashier}/locations"
    tag = (await box.client("owner").get(path)).headers["etag"]
    tied = await box.client("owner").send("PATCH", path, json={"location_ids": [elsewhere]}, headers={"If-Match": tag})
    assert tied.status_code == 200, tied.text
    return (await sell(box, cart | {"location_id": elsewhere}, {"after": first})).status_code


async def test_a_reference_to_a_sale_of_another_location_names_nothing(box: Box) -> None:
    assert await refers(box) == 404


async def test_a_shop_that_looked_at_no_location_would_tell_what_is_there(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin."""
    monkeypatch.setattr("kernel.work.standing.Actor.works_at", lambda self, location_id: True)
    assert await refers(box) == 201
