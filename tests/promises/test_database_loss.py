"""P15, P16: the database goes away under load and comes back; what was acknowledged is there, once, and nothing else.

PostgreSQL as it runs in production, with default durability; SQLite has no server to lose (see the crash tests).
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx
import pytest
import pytest_asyncio

from kernel.invariants import broken
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import SECRET, Box, open_box, prepare_template
from kernel.testing.served import Server, serving
from kernel.testing.servers import Postgres
from kernel.work.crash import CRASHPOINTS
from plugins.catalog.testing import a_product
from tests.promises.crowd import Crowd, cart, in_stock, on_hand, token_for

STOCK = 100_000
RECOVERS_S = 30.0


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres(durable=True) as one:
        yield one


@pytest_asyncio.fixture
async def settings(server: Postgres, registry: Registry, tmp_path: Path) -> Settings:
    url = await server.create_database(f"loss_{uuid.uuid4().hex[:8]}")
    made = Settings(home=str(tmp_path), database_url=url, secret_key=SECRET, pool_size=8)
    await prepare_template(made, registry, registry.plugins)
    return made


@pytest_asyncio.fixture
async def shop(settings: Settings, registry: Registry) -> AsyncIterator[Box]:
    made = await open_box(settings, registry)
    yield made
    await made.close()


@dataclass
class Day:
    """What tills saw: the sales they were given, by key, and every status and fault that they were answered."""

    sales: dict[str, str] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    longest_s: float = 0.0


async def till(crowd: Crowd, product: uuid.UUID, location: uuid.UUID, day: Day, stop: asyncio.Event) -> None:
    """Sell one after another; what is not answered by 201 is tried again with its key until it is."""
    while not stop.is_set():
        key, body = uuid.uuid4().hex, cart(location, [product], "10.00")
        began = asyncio.get_running_loop().time()
        while True:
            try:
                answer = await crowd.post("/sales/sales", body, key)
            except httpx.TransportError as fault:
                day.seen[type(fault).__name__] += 1
            else:
                day.seen[str(answer.status_code) if answer.status_code == 201 else answer.json()["code"]] += 1
                if answer.status_code == 201:
                    day.sales[key] = answer.json()["id"]
                    break
            took = asyncio.get_running_loop().time() - began
            assert took < RECOVERS_S + 30, f"a sale is not taken for {took:.0f} s: {dict(day.seen)}"
            await asyncio.sleep(0.05)
        day.longest_s = max(day.longest_s, asyncio.get_running_loop().time() - began)


async def sold_through(
    box: Box, servers: list[Server], harm: Callable[[], Awaitable[None]], tills: int = 6
) -> tuple[Day, uuid.UUID]:
    """Tills sell while harm is done, and for a moment after it."""
    product, location = await a_product(box, price="10.00"), await box.location()
    await in_stock(box, product, location, str(STOCK))
    day, stop = Day(), asyncio.Event()
    async with Crowd(servers, token_for(box, "cashier")) as crowd:
        selling = [asyncio.create_task(till(crowd, product, location, day, stop)) for _ in range(tills)]
        await asyncio.sleep(0.5)
        await harm()
        await asyncio.sleep(0.5)
        stop.set()
        await asyncio.gather(*selling)
    return day, product


async def judged(box: Box, day: Day, product: uuid.UUID) -> None:
    """Every acknowledged sale is there once and no other is; nobody was told of an error of ours."""
    print(f"{len(day.sales)} sales, {dict(day.seen)}, longest {day.longest_s:.1f} s")
    assert set(day.seen) <= {"201", "unavailable", "idempotency-in-progress"}, day.seen
    assert len(set(day.sales.values())) == len(day.sales)
    assert await on_hand(box, product) == str(STOCK - len(day.sales))
    listed: set[str] = set()
    path, query = "/api/v1/sales/sales", {"limit": "200"}
    while True:
        page = (await box.client("owner").get(path, params=query)).json()
        listed |= {one["id"] for one in page["items"]}
        if not page["next_cursor"]:
            break
        query["cursor"] = page["next_cursor"]
    assert listed == set(day.sales.values())
    assert await broken(box.deployment) == []


async def terminate(url: str, seconds: float) -> None:
    """End a connection of the application, taken by chance, every few hundredths of a second."""
    killer = await asyncpg.connect(url.replace("+asyncpg", ""))
    others = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'duka'"
    until, struck = asyncio.get_running_loop().time() + seconds, 0
    while asyncio.get_running_loop().time() < until:
        found = [row["pid"] for row in await killer.fetch(others)]
        if found:
            struck += await killer.fetchval("SELECT pg_terminate_backend($1)", random.choice(found))
        await asyncio.sleep(0.03)
    await killer.close()
    assert struck


async def test_connections_that_are_ended_lose_no_sale_and_show_nobody_an_error(shop: Box, settings: Settings) -> None:
    with serving(settings) as servers:
        day, product = await sold_through(shop, servers, lambda: terminate(settings.url, 4))
    await judged(shop, day, product)


@pytest.mark.prove
async def test_a_minute_of_ended_connections_on_two_processes(shop: Box, settings: Settings) -> None:
    with serving(settings, 2) as servers:
        day, product = await sold_through(shop, servers, lambda: terminate(settings.url, 60), tills=12)
    await judged(shop, day, product)


async def crash_and_restart(server: Postgres, times: int) -> None:
    """Crash the database, leave it away for a moment, and bring it back."""
    for _ in range(times):
        await asyncio.to_thread(server.crash)
        await asyncio.sleep(0.5)
        await asyncio.to_thread(server.restart)
        await asyncio.sleep(2)


@pytest.mark.parametrize("times", [1, pytest.param(10, marks=pytest.mark.prove)])
async def test_a_database_that_crashes_and_comes_back_has_every_sale_that_was_answered(
    shop: Box, settings: Settings, server: Postgres, times: int
) -> None:
    with serving(settings) as servers:
        day, product = await sold_through(shop, servers, lambda: crash_and_restart(server, times))
    assert day.seen["unavailable"], "nobody noticed that the database was away"
    assert day.longest_s < RECOVERS_S
    await judged(shop, day, product)


_SOME = {"deed.key_taken", "deed.before_commit", "deed.committed"}


@pytest.mark.parametrize(
    "point", [one if one in _SOME else pytest.param(one, marks=pytest.mark.prove) for one in CRASHPOINTS]
)
async def test_a_database_that_crashes_at_a_point_of_a_checkout_has_all_of_the_sale_or_nothing(
    shop: Box, settings: Settings, server: Postgres, point: str
) -> None:
    product, location = await a_product(shop, price="10.00"), await shop.location()
    await in_stock(shop, product, location, "5")
    body, key = cart(location, [product], "20.00", "2"), uuid.uuid4().hex
    struck = {
        "DUKA_TEST_CRASH_AT": point,
        "DUKA_TEST_CRASH_PID": str(server.pid),
        "DUKA_TEST_CRASH_SIGNAL": "SIGQUIT",
        "DUKA_JOBS": "off",
    }
    with serving(settings, 1, struck) as servers:
        async with Crowd(servers, token_for(shop, "cashier")) as crowd:
            answer = await crowd.post("/sales/sales", body, key)
            server.crash()
            server.restart()
            assert answer.status_code in ({201} if point in ("deed.committed", "deed.before_answer") else {503, 201})
            again = await _answered(crowd, body, key)
            third = await crowd.post("/sales/sales", body, key)
    assert again.content == third.content
    if answer.status_code == 201:
        assert answer.content == again.content
    assert await on_hand(shop, product) == "3"
    assert await broken(shop.deployment) == []


async def _answered(crowd: Crowd, body: dict[str, object], key: str) -> httpx.Response:
    """The answer once the database is back, within half a minute."""
    async with asyncio.timeout(RECOVERS_S):
        while True:
            answer = await crowd.post("/sales/sales", body, key)
            if answer.status_code == 201:
                return answer
            assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.1)


async def test_a_till_that_forgets_its_key_is_caught(shop: Box, settings: Settings) -> None:
    """The broken twin: it tries again with a new key what it got no answer to; the count above would find it out."""
    product, location = await a_product(shop, price="10.00"), await shop.location()
    await in_stock(shop, product, location, "5")
    with serving(settings, 1, {"DUKA_TEST_CRASH_AT": "deed.committed", "DUKA_JOBS": "off"}) as servers:
        async with Crowd(servers, token_for(shop, "cashier")) as crowd:
            with contextlib.suppress(httpx.TransportError):
                await crowd.post("/sales/sales", cart(location, [product], "10.00"))
    sold = await shop.client("cashier").post("/api/v1/sales/sales", cart(location, [product], "10.00"))
    assert sold.status_code == 201
    assert await on_hand(shop, product) == "3", "one sale was wanted and two were made"
