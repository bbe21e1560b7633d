"""What a further line of a sale costs, through Duka and by hand, on PostgreSQL.

(a) and (b) as in bench/checkout.py, 4 clients, carts of 1, 5, 20 and 100 lines; and how often (a) speaks to PostgreSQL.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import json
import tempfile
from pathlib import Path

from bench import sizes
from bench.checkout import by_hand
from bench.load import load
from bench.rounds import Measure, Rounds, interleaved
from bench.shape import shape_of
from bench.shop import Shop, one_sale, plain, prepared, served, settle, stocked
from bench.table import Table
from bench.trips import Trips, trips_of_a_sale
from kernel.testing.served import Server, running
from kernel.testing.servers import Postgres

LINES = (1, 5, 20, 100)
CLIENTS = 4


def main() -> None:
    """Run and print."""
    with Postgres(durable=True) as server, tempfile.TemporaryDirectory() as home:
        asyncio.run(_run(server, Path(home)))


async def _run(server: Postgres, home: Path) -> None:
    url = await server.create_database("bench")
    settings = await prepared(url, home)
    with served(settings) as a, contextlib.ExitStack() as others:
        shop = await stocked(a.port)
        hands: dict[int, Server] = {}
        for lines in LINES:
            shape = home / f"shape-{lines}.json"
            shape.write_text(json.dumps(await shape_of(plain(url), await one_sale(a.port, shop, lines))))
            (hands[lines],) = others.enter_context(running(["bench.by_hand:application"], by_hand(shape, url)))
        await settle(url, a.port, shop)
        found = await interleaved(_measures(server, a, hands, shop), sizes.rounds())
        trips = {lines: await trips_of_a_sale(settings, shop, lines) for lines in LINES}
    _show(found, trips)


def _measures(server: Postgres, a: Server, hands: dict[int, Server], shop: Shop) -> dict[tuple[int, str], Measure]:
    measures: dict[tuple[int, str], Measure] = {}
    for lines, b in hands.items():
        for side, one, request in (("a", a, shop.sale), ("b", b, shop.by_hand)):
            watched = {"python": one.process.pid, "postgres": server.pid}
            asked = functools.partial(request, lines)
            measures[lines, side] = functools.partial(load, one.port, CLIENTS, sizes.seconds(), asked, watched)
    return measures


def _show(found: dict[tuple[int, str], Rounds], trips: dict[int, Trips]) -> None:
    of_each = {f"({side}) {what}": how for side in "ab" for what, how in (("/s", ",.0f"), ("CPU ms", ".2f"))}
    further = {f"({side}) ms a further line": ".3f" for side in "ab"}
    asked = {"(a) round trips": "", "(a) statements": ""}
    table = Table(f"Lines, {CLIENTS} clients, PostgreSQL", {"lines": "", **of_each, "a/b": ".2f", **further, **asked})
    cpu = {key: one.cpu_ms() or 0.0 for key, one in found.items()}
    for fewer, lines in itertools.pairwise((0, *LINES)):
        a, b = found[lines, "a"], found[lines, "b"]
        more = [(cpu[lines, side] - cpu[fewer, side]) / (lines - fewer) if fewer else None for side in "ab"]
        spoken = trips[lines]
        figures = (a.per_second, cpu[lines, "a"], b.per_second, cpu[lines, "b"], a.ratio(b))
        table.add(lines, *figures, *more, len(spoken.texts), spoken.statements)
    table.show()


if __name__ == "__main__":
    main()
