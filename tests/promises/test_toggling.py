"""A toggle acts at once on every process, and no sale falls between two sets of plugins."""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from typing import Any

import httpx
import pytest

from kernel.settings import Settings
from kernel.testing.box import Box
from kernel.testing.served import serving
from plugins.catalog.testing import a_product
from tests.promises.crowd import Crowd, cart, token_for
from tests.proving import ON_SQLITE

TOGGLES, SELLERS = 200, 12


@ON_SQLITE
async def test_every_sale_is_priced_wholly_by_the_set_of_its_epoch(
    box: Box, box_settings: Settings, database: str
) -> None:
    if database == "sqlite":
        toggles, processes, sellers = TOGGLES // 4, 2, 4
    else:
        toggles, processes, sellers = TOGGLES, 4, SELLERS
    products = [await a_product(box, sku=f"P{n}", price="100.00", track_stock=False) for n in range(3)]
    for product in products:
        await _ten_percent_off(box, product)
    first = (await box.client("owner").get("/api/v1/businesses")).json()["items"][0]["epoch"]
    done = asyncio.Event()
    sold: list[httpx.Response] = []

    async def sell(crowd: Crowd) -> None:
        while not done.is_set():
            sold.append(await crowd.post("/sales/sales", cart(location, products, "300.00")))

    async def toggle(crowd: Crowd) -> None:
        for deed in itertools.islice(itertools.cycle(("disable", "enable")), toggles):
            answer = await crowd.post(f"/plugins/discounts/{deed}", None)
            assert answer.status_code == 200, answer.text
        done.set()

    location = await box.location()
    with serving(box_settings, processes, {"DUKA_JOBS": "off"}) as servers:
        async with Crowd(servers, token_for(box, "owner")) as crowd:
            await asyncio.gather(toggle(crowd), *(sell(crowd) for _ in range(sellers)))
    assert {answer.status_code for answer in sold} == {201}
    seen = [(answer.json()["epoch"] - first, answer.json()["total"]) for answer in sold]
    assert {total for _, total in seen} == {"270.00", "300.00"}, "the load saw only one of the two sets"
    halves = [(epoch, total) for epoch, total in seen if total != ("300.00" if epoch % 2 else "270.00")]
    assert not halves, f"{len(halves)} of {len(seen)} sales were not priced by the set of their epoch"
    assert len({epoch for epoch, _ in seen}) > toggles // 20


async def test_a_disabled_plugin_answers_not_found_on_every_process_at_the_next_request(
    box: Box, box_settings: Settings
) -> None:
    with serving(box_settings, 2, {"DUKA_JOBS": "off"}) as servers:
        async with Crowd(servers, token_for(box, "owner")) as crowd:
            one, other = crowd.clients
            assert (await other.get("/api/v1/discounts/promotions")).status_code == 200
            answer = await one.post("/api/v1/plugins/discounts/disable", headers={"Idempotency-Key": "off"})
            assert answer.status_code == 200
            for client, method in itertools.product((one, other), ("GET", "POST", "PATCH", "PUT", "DELETE", "TRACE")):
                assert (await client.request(method, "/api/v1/discounts/promotions")).status_code == 404


async def _ten_percent_off(box: Box, product: uuid.UUID) -> None:
    owner = box.client("owner")
    said: dict[str, Any] = {
        "name": f"Ten off {product}"[:40],
        "kind": "percent",
        "value": "10",
        "product_id": str(product),
        "starts_at": "2026-01-01T00:00:00Z",
    }
    made = await owner.post("/api/v1/discounts/promotions", said)
    assert made.status_code == 201, made.text
    begun = await owner.post(f"/api/v1/discounts/promotions/{made.json()['id']}/activate")
    assert begun.status_code == 200, begun.text


@pytest.mark.prove
async def test_the_last_of_four_processes_obeys_at_its_next_request(box: Box, box_settings: Settings) -> None:
    """From the answer to an apply until each of four processes, asked at once, has answered as the toggle says."""
    took: list[float] = []
    planned: list[float] = []
    with serving(box_settings, 4, {"DUKA_JOBS": "off"}) as servers:
        async with Crowd(servers, token_for(box, "owner")) as crowd:
            for action in itertools.islice(itertools.cycle(("disable", "enable")), 40):
                begun = time.perf_counter()
                seen = (await crowd.post("/plugins/discounts/plan", {"action": action})).json()
                planned.append(time.perf_counter() - begun)
                said = {"action": action, "hash": seen["hash"]}
                answer = await crowd.post("/plugins/discounts/apply", said)
                assert answer.status_code == 200, answer.text
                begun, wanted = time.perf_counter(), 404 if action == "disable" else 200
                await asyncio.gather(*(_obeys(client, wanted) for client in crowd.clients))
                took.append(time.perf_counter() - begun)
    took.sort()
    print(f"toggle obeyed by the last of 4 processes: median {_ms(took[len(took) // 2])}, most {_ms(took[-1])}")
    print(f"plan of it: median {_ms(sorted(planned)[len(planned) // 2])}")


async def _obeys(client: httpx.AsyncClient, wanted: int) -> None:
    """Ask until the answer is as the toggle says; it must be the first time."""
    told = await client.get("/api/v1/discounts/promotions")
    assert told.status_code == wanted


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


@pytest.mark.prove
async def test_a_plan_prices_the_last_weeks_sales_again(box: Box) -> None:
    """Three hundred sales, the most that a plan prices again, of five lines each."""
    products = [await a_product(box, sku=f"P{n}", price="100.00", track_stock=False) for n in range(5)]
    await _ten_percent_off(box, products[0])
    location, owner = await box.location(), box.client("owner")
    for _ in range(300):
        sold = await owner.post("/api/v1/sales/sales", cart(location, products, "490.00"))
        assert sold.status_code == 201, sold.text
    begun = time.perf_counter()
    seen = (await owner.post("/api/v1/plugins/discounts/plan", {"action": "disable"})).json()
    took = time.perf_counter() - begun
    (past,) = seen["consequences"]
    print(f"plan with {past['examined']} sales of 5 lines priced twice: {_ms(took)}")
    assert (past["examined"], len(past["changed"]), past["before"], past["after"]) == (
        300,
        300,
        "147000.00",
        "150000.00",
    )
