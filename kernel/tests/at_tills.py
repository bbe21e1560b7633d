"""A registered till, and people who take over at it."""

from __future__ import annotations

import re

import httpx

from kernel.testing.box import PASSWORD, Box, Client

TILLS, PIN, MY_PIN = "/api/v1/tills", "/api/v1/auth/pin", "/api/v1/auth/my-pin"
SECRET_DIGITS = "7294"


async def register(box: Box, name: str = "Front", shop: str = "mama-njeri") -> tuple[str, Client]:
    """Register a till; its id, and the device."""
    said = {"name": name, "location_id": str(await box.location(shop=shop))}
    answer = await box.client("owner", shop).post(TILLS, said)
    assert answer.status_code == 201, answer.text
    assert re.match(r"dt_[a-z2-7]{52}_[a-z2-7]{52}\Z", answer.json()["token"])
    return answer.json()["id"], Client(box.http, answer.json()["token"])


async def set_pin(box: Box, role: str = "cashier", pin: str = SECRET_DIGITS, shop: str = "mama-njeri") -> None:
    answer = await box.client(role, shop).post(MY_PIN, {"pin": pin, "password": PASSWORD})
    assert answer.status_code == 204, answer.text


async def enter(box: Box, device: Client, role: str = "cashier", pin: str = SECRET_DIGITS) -> httpx.Response:
    return await device.post(PIN, {"user_id": str(box.people["mama-njeri", role].id), "pin": pin})


async def at_till(box: Box, device: Client, role: str = "cashier", pin: str = SECRET_DIGITS) -> Client:
    answer = await enter(box, device, role, pin)
    assert answer.status_code == 200, answer.text
    return Client(box.http, answer.json()["access_token"])
