"""A gateway that operators switch is on or off at the next checkout of every process, whichever was told."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import httpx

from kernel.settings import Settings
from kernel.testing.box import Box
from kernel.testing.served import Server, serving
from tests.proving import ON_POSTGRES

CONFIG = {
    "consumer_key": "key",
    "consumer_secret": "word",
    "shortcode": "174379",
    "passkey": "pass",
    "test_address": "http://127.0.0.1:9",
}
SWITCH = "/api/v1/operating/payments/regions/KE/mpesa/test"


async def sold(server: Server, box: Box, cart: dict[str, Any]) -> tuple[int, str]:
    """A sale paid by phone at one process: its status, and why it was refused."""
    headers = {"Authorization": f"Bearer {box.client('cashier').token}", "Idempotency-Key": uuid.uuid4().hex}
    async with httpx.AsyncClient(base_url=server.url, timeout=120) as http:
        answer = await http.post("/api/v1/sales/sales", json=cart, headers=headers)
    return answer.status_code, answer.json().get("why", "")


async def offered(server: Server, box: Box, cart: dict[str, Any]) -> list[bool]:
    """Whether the till and a payer's page of a process offer to pay by phone."""
    owner = {"Authorization": f"Bearer {box.client('owner').token}", "Idempotency-Key": uuid.uuid4().hex}
    asked = {"location_id": cart["location_id"], "amount": "50.00", "words": "Tea"}
    async with httpx.AsyncClient(base_url=server.url, timeout=120) as http:
        at = {"location_id": cart["location_id"]}
        methods = await http.get("/api/v1/payments/methods", params=at, headers=owner)
        link = await http.post("/api/v1/payment_links/links", json=asked, headers=owner)
        assert link.status_code == 201, link.text
        page = await http.get(httpx.URL(link.json()["address"]).path)
    listed = [one["code"] for one in methods.json()["items"]]
    return ["mpesa" in listed, 'value="mpesa"' in page.text]


async def told(server: Server, box: Box, *, is_on: bool) -> None:
    headers = {"Authorization": f"Bearer {box.client('operator').token}", "If-Match": "*"}
    async with httpx.AsyncClient(base_url=server.url, timeout=120) as http:
        answer = await http.put(SWITCH, json={"is_on": is_on}, headers=headers)
    assert answer.status_code == 200, answer.text


async def a_cart(box: Box) -> dict[str, Any]:
    owner = box.client("owner")
    product = await owner.post("/api/v1/catalog/products", {"sku": "TEA", "name": "Tea", "price": "50.00"})
    assert product.status_code == 201, product.text
    account = {"gateway": "mpesa", "label": "Till", "mode": "test", "config": CONFIG}
    made = await owner.post("/api/v1/payments/accounts", account)
    assert made.status_code == 201, made.text
    place = await box.location()
    received = {"location_id": str(place), "lines": [{"product_id": product.json()["id"], "quantity": "90"}]}
    assert (await owner.post("/api/v1/inventory/receipts", received)).status_code == 201
    return {
        "location_id": str(place),
        "lines": [{"product_id": product.json()["id"]}],
        "payments": [{"method": "mpesa", "amount": "50.00", "phone": "0712345678"}],
    }


@ON_POSTGRES
async def test_a_switch_acts_at_the_next_checkout_of_every_process(box: Box, box_settings: Settings) -> None:
    cart = await a_cart(box)
    off, on = (409, "region_off"), (202, "")
    with serving(box_settings, 2, {"DUKA_JOBS": "off"}) as servers:
        assert await asyncio.gather(*(sold(one, box, cart) for one in servers)) == [off, off]
        for turn in range(4):
            is_on = turn % 2 == 0
            await told(servers[turn // 2], box, is_on=is_on)
            said = await asyncio.gather(*(sold(one, box, cart) for one in (*servers, *servers)))
            assert said == [on if is_on else off] * 4
            assert [await offered(one, box, cart) for one in servers] == [[is_on, is_on]] * 2, turn
