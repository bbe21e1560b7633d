"""A bundled plugin leaves a deployment that goes on selling, and comes back: its routes, rows and reversals with it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx

from kernel.app import open_deployment
from kernel.app.uninstalling import restore, uninstall
from kernel.settings import Settings
from kernel.testing.box import Box
from kernel.testing.served import serving
from plugins.catalog.testing import a_product
from tests.promises.copies import every_row
from tests.promises.crowd import Crowd, cart, token_for
from tests.proving import ON_POSTGRES

OWN = ("discounts_promotion", "discounts_use", "discounts_coupon", "discounts_left", "discounts_claim")
SHOPS = ("mama-njeri", "sharma-kirana")


@ON_POSTGRES
async def test_servers_that_run_meanwhile_obey_and_nobody_is_answered_with_a_fault(
    box: Box, box_settings: Settings, tmp_path: Path
) -> None:
    """enable → use → disable → uninstall → restore → enable, in another process than those that serve."""
    product = await a_product(box, sku="P", price="100.00", track_stock=False)
    location, operator = await box.location(), open_deployment(box_settings, patient=True)
    answers: list[httpx.Response] = []
    with serving(box_settings, 2, {"DUKA_JOBS": "off"}) as servers:
        async with Crowd(servers, token_for(box, "owner")) as crowd:
            await ten_off(crowd, str(product))
            old = [await crowd.post("/sales/sales", cart(location, [product], "100.00")) for _ in range(3)]
            assert {answer.json()["total"] for answer in old} == {"90.00"}
            await switch_everywhere(box, "disable")
            before, done = await every_row(box_settings.url), asyncio.Event()

            async def sell() -> None:
                while not done.is_set():
                    answers.append(await crowd.post("/sales/sales", cart(location, [product], "100.00")))

            async def ask() -> None:
                while not done.is_set():
                    for client in crowd.clients:
                        answers.append(await client.get("/api/v1/discounts/promotions"))
                        answers.append(await client.get("/api/v1/openapi.json"))
                        answers.append(await client.get("/health/ready"))
                    await asyncio.sleep(0.02)

            tasks = [asyncio.create_task(one()) for one in (sell, sell, ask)]
            await uninstall(operator, "discounts", tmp_path / "discounts.zip")
            for client in crowd.clients:
                assert (await client.get("/api/v1/discounts/promotions")).status_code == 404
                switched = await client.post("/api/v1/plugins/discounts/enable", headers={"Idempotency-Key": "on"})
                assert (switched.status_code, "was set aside: uninstalled" in switched.json()["detail"]) == (404, True)
            voided = await crowd.post(f"/sales/sales/{old[0].json()['id']}/void", {"reason": "a test"})
            assert voided.status_code == 200, voided.text
            assert not set(OWN) & (await every_row(box_settings.url)).keys()
            back = await restore(operator, tmp_path / "discounts.zip")
            assert back.differing == {}
            after = await every_row(box_settings.url)
            assert {name: after[name] for name in OWN} == {name: before[name] for name in OWN}
            done.set()
            await asyncio.gather(*tasks)
            await switch_everywhere(box, "enable")
            for client in crowd.clients:
                assert len((await client.get("/api/v1/discounts/promotions")).json()["items"]) == 1
            again = await crowd.post("/sales/sales", cart(location, [product], "100.00"))
            assert again.json()["total"] == "90.00"
            voided = await crowd.post(f"/sales/sales/{old[1].json()['id']}/void", {"reason": "a test"})
            assert voided.status_code == 200, voided.text
    await operator.database.dispose()
    sold = [one for one in answers if one.request.method == "POST"]
    assert {one.status_code for one in sold} == {201}
    odd = [(str(one.url), one.status_code, one.text) for one in answers if one.status_code not in (200, 201, 404)]
    assert not odd, odd[:3]
    assert len(sold) > 5


async def test_every_plugin_that_others_stand_on_is_refused(box: Box, tmp_path: Path) -> None:
    registry = box.deployment.registry
    refused = {}
    for name in registry.plugins:
        try:
            await uninstall(box.deployment, name, tmp_path / f"{name}.zip")
        except Exception as fault:
            refused[name] = getattr(fault, "code", repr(fault))
    needed = {name for name in registry.plugins if registry.standing_on(name, registry.plugins)}
    assert {name for name, code in refused.items() if code == "plugin-still-needed"} == needed
    assert {code for name, code in refused.items() if name not in needed} == {"plugin-still-enabled"}
    assert list(tmp_path.glob("*.zip")) == []


async def ten_off(crowd: Crowd, product: str) -> None:
    said: dict[str, Any] = {"name": "Ten off", "kind": "percent", "value": "10", "product_id": product}
    made = await crowd.post("/discounts/promotions", said | {"starts_at": "2026-01-01T00:00:00Z"})
    active = await crowd.post(f"/discounts/promotions/{made.json()['id']}/activate", None)
    assert active.status_code == 200, active.text


async def switch_everywhere(box: Box, how: str) -> None:
    for shop in SHOPS:
        answer = await box.client("owner", shop).post(f"/api/v1/plugins/discounts/{how}")
        assert answer.status_code == 200, answer.text
