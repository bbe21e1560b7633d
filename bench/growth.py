"""What two years of sales do to a checkout and to the list of sales: a loaded database against an empty one.

BENCH_SALES past sales of 5 lines, with every row that a sale leaves behind (100,000 unless said; the promise is about
1,000,000, which take some minutes to load). Both databases are on one server, each served by a process of its own.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import asyncpg
from msgspec import structs

from bench import sizes
from bench.load import get, load
from bench.past import load_past
from bench.rounds import Measure, Rounds, interleaved
from bench.shape import Shape, shape_of
from bench.shop import SALES, Shop, one_sale, plain, prepared, served, settle, sign_in, stocked
from bench.table import Table
from kernel.registry import discover
from kernel.settings import Settings
from kernel.testing.box import open_box
from kernel.testing.served import Server
from kernel.testing.servers import Postgres
from kernel.web.listing import make_cursor
from kernel.work import Origin, Work
from plugins.sales.schemas.requests import SaleQuery

CHECKOUTS, PAGES = (1, 4), 4
"""Clients at the checkout, and clients who turn pages."""
_MIDDLE = """SELECT sold_at, id FROM sales_sale WHERE business_id = $1 ORDER BY sold_at, id
OFFSET (SELECT count(*) / 2 FROM sales_sale WHERE business_id = $1) LIMIT 1"""


def main() -> None:
    """Run and print."""
    with Postgres(durable=True) as server, tempfile.TemporaryDirectory() as home:
        asyncio.run(_run(server, Path(home)))


async def _run(server: Postgres, home: Path) -> None:
    count = sizes.sales(100_000)
    empty = await prepared(await server.create_database("empty"), home)
    with served(empty) as one:
        shop = await stocked(one.port)
        shape = Shape(await shape_of(plain(empty.url), await one_sale(one.port, shop)))
    loaded = structs.replace(empty, database_url=await server.create_database("loaded", template="empty"))
    begun = time.monotonic()
    await load_past(plain(loaded.url), shape, count, shop.products)
    print(f"{count:,} sales loaded in {time.monotonic() - begun:.0f} s: {await _size(loaded)}", flush=True)
    with served(empty) as one, served(loaded) as other:
        sides = {
            "empty": await _measures(server, one, empty, shop),
            "loaded": await _measures(server, other, loaded, shop),
        }
        both = {(what, side): sides[side][what] for what in sides["empty"] for side in sides}
        found = await interleaved(both, sizes.rounds())
    _show(found, count)


async def _measures(server: Postgres, one: Server, settings: Settings, shop: Shop) -> dict[str, Measure]:
    """What is measured of one side: checkouts, pages of the list of sales."""
    _, headers = await sign_in(one.port)
    shop = dataclasses.replace(shop, headers=headers)
    await settle(settings.url, one.port, shop)
    watched = {"python": one.process.pid, "postgres": server.pid}
    deep = quote(await _cursor_at_the_middle(settings, shop))
    pages = {"first page of sales": f"{SALES}?limit=50", "page in the middle": f"{SALES}?limit=50&cursor={deep}"}
    measures: dict[str, Measure] = {
        f"checkout, {clients} client{'s' * (clients > 1)}": functools.partial(
            load, one.port, clients, sizes.seconds(), shop.sale, watched
        )
        for clients in CHECKOUTS
    }
    for what, path in pages.items():
        asked = functools.partial(get, path, headers)
        measures[f"{what}, {PAGES} clients"] = functools.partial(load, one.port, PAGES, sizes.seconds(), asked, watched)
    return measures


async def _cursor_at_the_middle(settings: Settings, shop: Shop) -> str:
    """The cursor that turning half of all pages would come to."""
    connection = await asyncpg.connect(plain(settings.url))
    middle = await connection.fetchrow(_MIDDLE, shop.business)
    await connection.close()

    async def made(work: Work) -> str:
        work.origin = Origin("sales.list_sales")
        return make_cursor(work, SaleQuery(), [middle["sold_at"], middle["id"]])

    box = await open_box(settings, discover())
    try:
        return await box.look(made)
    finally:
        await box.close()


async def _size(settings: Settings) -> str:
    connection = await asyncpg.connect(plain(settings.url))
    size = await connection.fetchval("SELECT pg_size_pretty(pg_database_size(current_database()))")
    await connection.close()
    return str(size)


def _show(found: dict[tuple[str, str], Rounds], count: int) -> None:
    sides = ("empty", "loaded")
    figures = {f"{side} {what}": how for what, how in (("/s", ",.0f"), ("p99 ms", ".1f")) for side in sides}
    cpu = {f"{side} CPU ms": ".2f" for side in sides}
    table = Table(f"{count:,} past sales, PostgreSQL", {"": "", **figures, "loaded / empty": ".2f", **cpu})
    for what in dict.fromkeys(what for what, _ in found):
        empty, loaded = found[what, "empty"], found[what, "loaded"]
        rates = (empty.per_second, loaded.per_second, empty.p99_ms, loaded.p99_ms, loaded.ratio(empty))
        table.add(what, *rates, empty.cpu_ms(), loaded.cpu_ms())
    table.show()


if __name__ == "__main__":
    main()
