"""A checkout through Duka against the same rows written by hand, on PostgreSQL with default durability.

(a) `POST /api/v1/sales/sales`: 5 lines, cash, signed in, all plugins on, one server process.
(b) bench/by_hand.py: one Litestar process, raw asyncpg, the same rows, one statement a table.
(c) the same in one statement. (d) bench/sql_alone.py: the statements of (b) by pgbench, without Python or HTTP.
Interleaved rounds of all four at 1, 4 and 16 clients in one run; medians. `a/b` is the lowest of the three ratios.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import sizes
from bench.load import load
from bench.rounds import Measure, Rounds, interleaved
from bench.shape import Shape, shape_of
from bench.shop import Shop, one_sale, plain, prepared, served, settle, stocked
from bench.sql_alone import SqlAlone
from bench.table import Table
from kernel.testing.served import Server, running
from kernel.testing.servers import Postgres

SIDES = {"a": "Duka", "b": "by hand", "c": "by hand, one statement", "d": "SQL alone"}


def main() -> None:
    """Run and print."""
    with Postgres(durable=True) as server, tempfile.TemporaryDirectory() as home:
        asyncio.run(_run(server, Path(home)))


async def _run(server: Postgres, home: Path) -> None:
    url = await server.create_database("bench")
    with served(await prepared(url, home)) as a:
        shop = await stocked(a.port)
        shape = home / "shape.json"
        shape.write_text(json.dumps(await shape_of(plain(url), await one_sale(a.port, shop))))
        alone = SqlAlone(server, "bench", Shape.load(shape), home)
        await alone.prepare(plain(url), shop.products)
        with running(["bench.by_hand:application"], by_hand(shape, url)) as (b,):
            await settle(url, a.port, shop)
            measures = _measures(server, a, b, shop, alone)
            found = await interleaved(measures, sizes.rounds())
    _show(found)


def by_hand(shape: Path, url: str) -> dict[str, str]:
    """The environment of what is written by hand."""
    return {**os.environ, "BENCH_SHAPE": str(shape), "BENCH_DATABASE": plain(url)}


def _measures(server: Postgres, a: Server, b: Server, shop: Shop, alone: SqlAlone) -> dict[tuple[int, str], Measure]:
    seconds = sizes.seconds()
    requests: dict[str, tuple[Server, Callable[[], bytes]]] = {
        "a": (a, shop.sale),
        "b": (b, shop.by_hand),
        "c": (b, functools.partial(shop.by_hand, path="/sale-at-once")),
    }
    measures: dict[tuple[int, str], Measure] = {}
    for clients in sizes.clients(1, 4, 16):
        for side, (one, request) in requests.items():
            watched = {"python": one.process.pid, "postgres": server.pid}
            measures[clients, side] = functools.partial(load, one.port, clients, seconds, request, watched)
        measures[clients, "d"] = functools.partial(alone.run, clients, seconds)
    return measures


def _show(found: dict[tuple[int, str], Rounds]) -> None:
    figures = {"/s": ",.0f", "a / this": ".2f", "p50 ms": ".1f", "p99 ms": ".1f"}
    cpu = {"CPU ms Python": ".2f", "CPU ms PostgreSQL": ".2f"}
    table = Table("Checkout, 5 lines, PostgreSQL", {"clients": "", "": "", **figures, **cpu})
    for (clients, side), one in found.items():
        ratio = None if side == "a" else found[clients, "a"].ratio(one)
        row = (one.per_second, ratio, one.p50_ms, one.p99_ms, one.cpu_ms("python"), one.cpu_ms("postgres"))
        table.add(clients, f"({side}) {SIDES[side]}", *row)
    table.show()
    lowest = min(one.ratio(found[clients, "b"]) for (clients, side), one in found.items() if side == "a")
    print(f"a/b: {lowest:.2f}")


if __name__ == "__main__":
    main()
