"""P1: killed at any point of a checkout, the whole sale is there or nothing is; a retry gives the same sale."""

from __future__ import annotations

import uuid

import httpx
import pytest

from kernel.invariants import broken
from kernel.settings import Settings
from kernel.testing.box import Box
from kernel.testing.served import serving
from kernel.work.crash import CRASHPOINTS
from plugins.catalog.testing import a_product
from tests.promises.crowd import Crowd, cart, in_stock, on_hand, token_for

SAFE = CRASHPOINTS.index("deed.committed")
"""From this point on the sale is there when the process dies."""


@pytest.mark.parametrize("point", CRASHPOINTS)
async def test_a_server_killed_in_a_checkout_leaves_all_or_nothing(
    box: Box, box_settings: Settings, point: str
) -> None:
    product, location = await a_product(box, price="10.00"), await box.location()
    await in_stock(box, product, location, "5")
    body, key = cart(location, [product], "20.00", "2") | {"id": str(uuid.uuid4())}, uuid.uuid4().hex
    with serving(box_settings, 1, {"DUKA_TEST_CRASH_AT": point, "DUKA_JOBS": "off"}) as (server,):
        async with Crowd([server], token_for(box, "cashier")) as crowd:
            with pytest.raises(httpx.TransportError):
                await crowd.post("/sales/sales", body, key)
        assert server.has_died()
    assert not await broken(box.deployment)
    assert await on_hand(box, product) == ("3" if CRASHPOINTS.index(point) >= SAFE else "5")
    first = await box.client("cashier").post("/api/v1/sales/sales", body, key=key)
    second = await box.client("cashier").post("/api/v1/sales/sales", body, key=key)
    assert (first.status_code, second.status_code) == (201, 201), first.text
    assert first.content == second.content
    assert first.json()["number"] == "O1-2026-000001"
    assert await on_hand(box, product) == "3"


async def test_a_point_that_is_not_armed_kills_nobody(box: Box, box_settings: Settings) -> None:
    product, location = await a_product(box, price="10.00", track_stock=False), await box.location()
    with serving(box_settings, 1, {"DUKA_TEST_CRASH_AT": "no.such.point", "DUKA_JOBS": "off"}) as (server,):
        async with Crowd([server], token_for(box, "cashier")) as crowd:
            answer = await crowd.post("/sales/sales", cart(location, [product], "10.00"))
        assert answer.status_code == 201
