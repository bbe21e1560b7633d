"""What promotions cost: 50 that are active and a cart of 100 lines; time per line, statements, share of a checkout.

The engine alone is timed in this process, as is a whole quote with and without promotions through the application on
PostgreSQL; statements are counted at the driver. Aim: the same statements with 50 promotions as with none.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import statistics
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import msgspec

from bench import sizes
from bench.shop import SALES, prepared, served, stocked
from bench.table import Table
from bench.trips import counted
from kernel.registry import discover
from kernel.testing.box import Box, open_box
from kernel.testing.servers import Postgres
from plugins.discounts.rules.evaluating import evaluate
from plugins.discounts.schemas.terms import AnyFor, BuyGet, Effect, Goods, Offer, PercentOff, Terms, Tier, Tiers
from plugins.discounts.testing import a_promotion
from plugins.sales.testing import bare_cart, bare_line

PROMOTIONS, LINES, TIMES = 50, 100, 30
QUOTE = "/api/v1/sales/quote"


def main() -> None:
    """Run and print."""
    with Postgres(durable=True) as server, tempfile.TemporaryDirectory() as home:
        asyncio.run(_run(server, Path(home)))


async def _run(server: Postgres, home: Path) -> None:
    settings = await prepared(await server.create_database("pricing"), home)
    with served(settings) as one:
        shop = await stocked(one.port)
    table = Table(
        f"{PROMOTIONS} active promotions, {LINES} lines, one client, PostgreSQL",
        {"": "", "ms": ".2f", "µs a line": ".1f", "statements": "d"},
    )
    engine_ms = _engine_ms()
    table.add("the engine alone", engine_ms, engine_ms * 1000 / LINES, 0)
    box = await open_box(settings, discover())
    try:
        chosen = (shop.products * LINES)[:LINES]
        body = {"location_id": shop.location, "lines": [{"product_id": id_, "quantity": "3"} for id_ in chosen]}
        for name in ("without", "with"):
            if name == "with":
                await _announce(box, shop.products)
            for what, path, said in (("quote", QUOTE, body), ("checkout", SALES, await _paid(box, body))):
                ms, statements = await _timed(box, path, said)
                table.add(f"a {what} {name} promotions", ms, ms * 1000 / LINES, statements)
    finally:
        await box.close()
    table.show()


def _engine_ms() -> float:
    """Milliseconds of one evaluation, the median of many."""
    rng = random.Random(3)
    ids = [uuid.UUID(int=number) for number in range(1, sizes.products() + 1)]
    lines = [bare_line(number, rng.choice(ids), "Rice", "3", "100.00") for number in range(1, LINES + 1)]
    cart = bare_cart(lines, dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC))
    offers = [
        Offer(uuid.UUID(int=n), f"Offer {n}", n % 3, False, Terms(_effect(n), Goods(tuple(rng.sample(ids, 5)))))
        for n in range(PROMOTIONS)
    ]
    took = []
    for _ in range(TIMES):
        start = time.perf_counter()
        evaluate(cart, [300_00] * LINES, offers)
        took.append(time.perf_counter() - start)
    return statistics.median(took) * 1000


def _effect(number: int) -> Effect:
    kinds: list[Effect] = [
        PercentOff(5_000_000),
        BuyGet(2, 1),
        AnyFor(3, 250_00),
        Tiers((Tier(3_000_000, percent=5_000_000), Tier(6_000_000, percent=10_000_000))),
    ]
    return kinds[number % len(kinds)]


async def _announce(box: Box, products: list[str]) -> None:
    rng = random.Random(3)
    effects: list[Any] = [
        {"kind": "percent", "percent": "5"},
        {"kind": "buy_get", "buy": 2, "get": 1},
        {"kind": "any_for", "count": 3, "amount": "250.00"},
        {"kind": "tiers", "tiers": [{"least": "3", "percent": "5"}, {"least": "6", "percent": "10"}]},
    ]
    for number in range(PROMOTIONS):
        goods = {"product_ids": rng.sample(products, min(5, len(products)))}
        await a_promotion(box, f"Offer {number}", effect=effects[number % 4], goods=goods)


async def _paid(box: Box, body: dict[str, Any]) -> dict[str, Any]:
    total = (await box.client("owner").post(QUOTE, body)).raise_for_status().json()["total"]
    return body | {"payments": [{"method": "cash", "amount": total}]}


async def _timed(box: Box, path: str, body: dict[str, Any]) -> tuple[float, int]:
    """The median of some requests in milliseconds, and the statements of one."""
    client, content, took = box.client("owner"), msgspec.json.encode(body), list[float]()
    headers = {"Content-Type": "application/json"}
    for _ in range(TIMES):
        start = time.perf_counter()
        (await client.post(path, content=content, headers=headers)).raise_for_status()
        took.append(time.perf_counter() - start)
    with counted() as trips:
        (await client.post(path, content=content, headers=headers)).raise_for_status()
    return statistics.median(took) * 1000, trips.statements


if __name__ == "__main__":
    main()
