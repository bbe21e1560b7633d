"""A checkout on embedded SQLite, through Duka and by hand with the sqlite3 module; both FULL and WAL.

1 and 4 clients, 5 lines, each on a database of its own. Aims: a/b at least 0.25; 4 clients at least 0.9 × one.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import sqlite3
import tempfile
from pathlib import Path

from bench import sizes
from bench.load import load
from bench.rounds import Measure, interleaved
from bench.shape import rows_on_sqlite, shape_on_sqlite
from bench.shop import one_sale, prepared, served, stocked
from bench.table import Table
from kernel.testing.served import running


def main() -> None:
    """Run and print."""
    with tempfile.TemporaryDirectory() as home:
        asyncio.run(_run(Path(home)))


async def _run(home: Path) -> None:
    ours, theirs, shape = home / "duka.sqlite3", home / "by-hand.sqlite3", home / "shape.json"
    with served(await prepared(f"sqlite+aiosqlite:///{ours}", home)) as a:
        shop = await stocked(a.port)
        before = rows_on_sqlite(ours)
        shape.write_text(json.dumps(shape_on_sqlite(ours, before, await one_sale(a.port, shop))))
        _copy(ours, theirs)
        environment = {**os.environ, "BENCH_SHAPE": str(shape), "BENCH_DATABASE": str(theirs)}
        with running(["bench.by_hand_sqlite:application"], environment) as (b,):
            measures: dict[tuple[int, str], Measure] = {}
            for clients in sizes.clients(1, 4):
                for side, one, request in (("a", a, shop.sale), ("b", b, shop.by_hand)):
                    watched = {"python": one.process.pid}
                    measures[clients, side] = functools.partial(
                        load, one.port, clients, sizes.seconds(), request, watched
                    )
            found = await interleaved(measures, sizes.rounds())
    figures = {"/s": ",.0f", "p50 ms": ".1f", "p99 ms": ".1f", "CPU ms": ".2f", "a/b": ".2f", "to one client": ".2f"}
    table = Table("Checkout, 5 lines, SQLite", {"clients": "", "": "", **figures})
    alone = min(clients for clients, _ in found)
    for (clients, side), rounds in found.items():
        ratio = rounds.ratio(found[clients, "b"]) if side == "a" else None
        grown = rounds.ratio(found[alone, side]) if clients != alone else None
        name = "(a) Duka" if side == "a" else "(b) by hand"
        table.add(clients, name, rounds.per_second, rounds.p50_ms, rounds.p99_ms, rounds.cpu_ms(), ratio, grown)
    table.show()


def _copy(ours: Path, theirs: Path) -> None:
    with contextlib.closing(sqlite3.connect(ours)) as source, contextlib.closing(sqlite3.connect(theirs)) as target:
        source.backup(target)


if __name__ == "__main__":
    main()
