"""A device registered as a till of a register: sales says which registers there are."""

from __future__ import annotations

import uuid
from typing import Any

from kernel.testing.box import PASSWORD, Box, Client
from plugins.catalog.testing import a_product


async def a_register(box: Box, code: str, location: str = "kilimani", shop: str = "mama-njeri") -> str:
    said = {"location_id": str(await box.location(location, shop)), "code": code, "name": f"Till {code}"}
    made = await box.client("owner", shop).post("/api/v1/sales/registers", said)
    assert made.status_code == 201, made.text
    id_: str = made.json()["id"]
    return id_


async def register_till(box: Box, register_id: str) -> Any:
    said = {"name": "Front", "location_id": str(await box.location()), "register_id": register_id}
    return await box.client("owner").post("/api/v1/tills", said)


async def test_a_till_stands_at_an_active_register_of_its_own_location(box: Box) -> None:
    owner, register = box.client("owner"), await a_register(box, "T1")
    assert (await register_till(box, register)).status_code == 201
    west = await owner.post("/api/v1/locations", {"code": "west", "name": "West", "kind": "storefront"})
    elsewhere = {"name": "x", "location_id": west.json()["id"], "register_id": register}
    theirs = await a_register(box, "T1", shop="sharma-kirana")
    refused = [await owner.post("/api/v1/tills", elsewhere)]
    refused += [await register_till(box, one) for one in (theirs, str(uuid.uuid4()))]
    closed = await owner.patch(f"/api/v1/sales/registers/{register}", {"is_active": False}, version=1)
    assert closed.status_code == 200, closed.text
    refused.append(await register_till(box, register))
    assert {(one.status_code, one.json()["errors"][0]["pointer"]) for one in refused} == {(404, "/register_id")}


async def test_a_cashier_sells_after_taking_over_by_pin_and_a_key_sells_for_a_web_shop(box: Box) -> None:
    rice, register = await a_product(box, price="100.00", track_stock=False), await a_register(box, "T1")
    device = Client(box.http, (await register_till(box, register)).json()["token"])
    pinned = await box.client("cashier").post("/api/v1/auth/my-pin", {"pin": "7294", "password": PASSWORD})
    assert pinned.status_code == 204
    signed = await device.post(
        "/api/v1/auth/pin", {"user_id": str(box.people["mama-njeri", "cashier"].id), "pin": "7294"}
    )
    made = await box.client("owner").post("/api/v1/keys", {"name": "Web shop", "scopes": ["sales.complete"]})
    sale = {
        "location_id": str(await box.location()),
        "lines": [{"product_id": str(rice), "quantity": "1"}],
        "payments": [{"method": "cash", "amount": "100.00"}],
    }
    for token, name in ((signed.json()["access_token"], "Cashier"), (made.json()["key"], "Web shop")):
        sold = await Client(box.http, token).post("/api/v1/sales/sales", sale)
        assert sold.status_code == 201, sold.text
        assert sold.json()["cashier"]["name"] == name
