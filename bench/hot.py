"""One product in every sale, with gap-free numbers, against products taken evenly; through Duka, on PostgreSQL.

4 and 16 clients; carts of 5 lines. No sale may fail, and afterwards no number may be missing.
"""

from __future__ import annotations

import asyncio
import functools
import sys
import tempfile
from pathlib import Path

import asyncpg

from bench import sizes
from bench.load import load
from bench.rounds import Measure, interleaved
from bench.shop import plain, prepared, served, settle, stocked
from bench.table import Table
from kernel.testing.servers import Postgres


def main() -> None:
    """Run and print."""
    with Postgres(durable=True) as server, tempfile.TemporaryDirectory() as home:
        asyncio.run(_run(server, Path(home)))


async def _run(server: Postgres, home: Path) -> None:
    url = await server.create_database("bench")
    with served(await prepared(url, home)) as one:
        shop = await stocked(one.port)
        await settle(url, one.port, shop)
        watched = {"python": one.process.pid, "postgres": server.pid}
        measures: dict[tuple[int, bool], Measure] = {}
        for clients in sizes.clients(4, 16):
            for hot in (False, True):
                request = functools.partial(shop.sale, hot=hot)
                measures[clients, hot] = functools.partial(load, one.port, clients, sizes.seconds(), request, watched)
        found = await interleaved(measures, sizes.rounds())
        sales = await _numbered(plain(url))
    figures = {"/s": ",.0f", "to even": ".2f", "p50 ms": ".1f", "p99 ms": ".1f", "CPU ms": ".2f", "failures": ""}
    table = Table("One hot product in every sale, PostgreSQL", {"clients": "", "products": "", **figures})
    for (clients, hot), rounds in found.items():
        name, ratio = ("one in every sale", rounds.ratio(found[clients, False])) if hot else ("taken evenly", None)
        row = (rounds.per_second, ratio, rounds.p50_ms, rounds.p99_ms, rounds.cpu_ms(), rounds.failures)
        table.add(clients, name, *row)
    table.show()
    print(f"{sales:,} sales, no number missing")


async def _numbered(url: str) -> int:
    """How many sales there are. Ends the program when the numbers of any series have a gap."""
    connection = await asyncpg.connect(url)
    try:
        numbers = [row["number"] for row in await connection.fetch("SELECT number FROM sales_sale")]
    finally:
        await connection.close()
    places: dict[str, set[int]] = {}
    for number in numbers:
        series, _, place = number.rpartition("-")
        places.setdefault(series, set()).add(int(place))
    for series, found in places.items():
        if found != set(range(1, len(found) + 1)):
            sys.exit(f"numbers of {series} have gaps")
    return len(numbers)


if __name__ == "__main__":
    main()
