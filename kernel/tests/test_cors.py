"""Only origins that are listed may call from a browser."""

from __future__ import annotations

import dataclasses

import msgspec

from kernel.testing.box import Box

SHOP, STRANGER = "https://shop.example", "https://stranger.example"


async def test_a_listed_origin_may_ask_and_read_and_another_may_not(box: Box) -> None:
    settings = msgspec.structs.replace(box.deployment.settings, cors_origins=(SHOP,))
    box.app.gate.deployment = dataclasses.replace(box.deployment, settings=settings)
    asks = {"Access-Control-Request-Method": "POST"}
    listed = await box.http.options("/api/v1/sales/sales", headers={"Origin": SHOP} | asks)
    assert (listed.status_code, listed.headers["Access-Control-Allow-Origin"]) == (204, SHOP)
    assert "Idempotency-Key" in listed.headers["Access-Control-Allow-Headers"]
    stranger = await box.http.options("/api/v1/sales/sales", headers={"Origin": STRANGER} | asks)
    assert stranger.status_code == 401
    assert "Access-Control-Allow-Origin" not in stranger.headers
    refused = await box.http.get("/api/v1/sales/sales", headers={"Origin": SHOP})
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, SHOP)
    assert "Access-Control-Allow-Credentials" not in refused.headers
