"""A barcode, a page of products and a search among 100,000 products, on both databases; a/b against asking by hand.

(a) through Duka, signed in, all plugins on, one server process. (b) bench/lookup_by_hand.py, on PostgreSQL.
Interleaved rounds at 4 clients in one run; medians. Each keystroke of a search is a request of its own.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import os
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from bench import sizes
from bench.load import get, load
from bench.rounds import Measure, Rounds, interleaved
from bench.shelves import Shelves, fill
from bench.shop import plain, prepared, served, sign_in
from bench.table import Table
from kernel.testing.served import running
from kernel.testing.servers import Postgres

PRODUCTS, CLIENTS = 100_000, 4
_API = "/api/v1/catalog"
Ask = Callable[[], bytes]


def main() -> None:
    """Run and print."""
    with tempfile.TemporaryDirectory() as home, Postgres(durable=True) as server:
        asyncio.run(_on_postgres(server, Path(home)))
    with tempfile.TemporaryDirectory() as home:
        asyncio.run(
            _measured(f"sqlite+aiosqlite:///{Path(home) / 'bench.sqlite3'}", Path(home), "SQLite", by_hand=False)
        )


async def _on_postgres(server: Postgres, home: Path) -> None:
    await _measured(await server.create_database("bench"), home, "PostgreSQL", by_hand=True)


async def _measured(url: str, home: Path, name: str, *, by_hand: bool) -> None:
    with served(await prepared(url, home)) as a:
        business, headers = await sign_in(a.port)
        shelves = await fill(url, business, sizes.products(PRODUCTS))
        ours, theirs = _questions(shelves, headers), _by_hand(shelves)
        environment = {**os.environ, "BENCH_BUSINESS": str(business), "BENCH_DATABASE": plain(url)}
        with running(["bench.lookup_by_hand:application"] if by_hand else [], environment) as others:
            measures: dict[tuple[str, str], Measure] = {}
            for what, ask in ours.items():
                measures[what, "a"] = functools.partial(load, a.port, CLIENTS, sizes.seconds(2.0), ask)
                if others and what in theirs:
                    asked = theirs[what]
                    measures[what, "b"] = functools.partial(load, others[0].port, CLIENTS, sizes.seconds(2.0), asked)
            found = await interleaved(measures, sizes.rounds())
    _show(f"{name}, {len(shelves.skus):,} products, {CLIENTS} clients", found)


def _questions(shelves: Shelves, headers: dict[str, str]) -> dict[str, Ask]:
    typed = itertools.cycle([word[:n] for word in ("milk chocolate", "basmati ri", "tooth pa 5") for n in range(1, 15)])
    return {
        "barcode": lambda: get(f"{_API}/barcode/{random.choice(shelves.codes)}", headers),
        "page of 50": lambda: get(f"{_API}/products?limit=50", headers),
        "search, two words": lambda: _search(f"{_brand(shelves)} choc", headers),
        "search, each keystroke": lambda: _search(next(typed), headers),
        "search, shortened words": lambda: _search(random.choice(["choc mlk", "bsmti rce", "tth pst"]), headers),
        "search, nothing found": lambda: _search(random.choice(["zzgx", "qqx yyq"]), headers),
        "search, a SKU": lambda: _search(random.choice(shelves.skus), headers),
    }


def _by_hand(shelves: Shelves) -> dict[str, Ask]:
    return {
        "barcode": lambda: get(f"/barcode/{random.choice(shelves.codes)}", {}),
        "page of 50": lambda: get("/products", {}),
        "search, two words": lambda: get(f"/search?q={quote(f'{_brand(shelves)} choc')}", {}),
    }


def _brand(shelves: Shelves) -> str:
    return random.choice(shelves.names).partition(" ")[0].lower()


def _search(question: str, headers: dict[str, str]) -> bytes:
    return get(f"{_API}/products?limit=20&q={quote(question)}", headers)


def _show(heading: str, found: dict[tuple[str, str], Rounds]) -> None:
    table = Table(
        heading,
        {"": "", "(a) /s": ",.0f", "a p50 ms": ".1f", "a p99 ms": ".1f", "(b) /s": ",.0f", "b p50 ms": ".1f",
         "b p99 ms": ".1f", "a/b": ".2f"},
    )  # fmt: skip
    for what in dict.fromkeys(what for what, _ in found):
        a, b = found[what, "a"], found.get((what, "b"))
        theirs = (b.per_second, b.p50_ms, b.p99_ms, a.ratio(b)) if b else (None,) * 4
        table.add(what, a.per_second, a.p50_ms, a.p99_ms, *theirs)
    table.show()


if __name__ == "__main__":
    main()
