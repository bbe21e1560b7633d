"""A barcode, a page of products and a search among 100,000 products, on both databases; a/b against asking by hand.

(a) through Duka, signed in, all plugins on, one server process. (b) bench/lookup_by_hand.py, on PostgreSQL.
Interleaved rounds at 4 clients in one run; medians. Each keystroke of a search is a request of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import statistics
import sys
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import httpx

from bench.load import Figures, get, load
from bench.shelves import Shelves, fill
from kernel.registry import discover
from kernel.settings import Settings
from kernel.testing.box import PASSWORD, SECRET, prepare_template
from kernel.testing.served import running, serving
from kernel.testing.servers import Postgres

PRODUCTS, ROUNDS, SECONDS, CLIENTS = 100_000, 3, 2.0, 4
_API = "/api/v1/catalog"
Ask = Callable[[], bytes]


def main() -> None:
    """Run and print."""
    with tempfile.TemporaryDirectory() as home, Postgres(durable=True) as server:
        asyncio.run(_on_postgres(server, home))
    with tempfile.TemporaryDirectory() as home:
        asyncio.run(_measured(f"sqlite+aiosqlite:///{Path(home) / 'bench.sqlite3'}", home, "SQLite", by_hand=False))


async def _on_postgres(server: Postgres, home: str) -> None:
    await _measured(await server.create_database("bench"), home, "PostgreSQL", by_hand=True)


async def _measured(url: str, home: str, name: str, *, by_hand: bool) -> None:
    settings = Settings(home=home, database_url=url, secret_key=SECRET)
    registry = discover()
    await prepare_template(settings, registry, registry.plugins)
    with serving(settings) as (a,):
        business, headers = await _sign_in(a.port)
        shelves = await fill(url, business, PRODUCTS)
        ours = _questions(shelves, headers)
        found: dict[tuple[str, str], list[Figures]] = {}
        theirs = _by_hand(shelves) if by_hand else {}
        environment = {**os.environ, "BENCH_BUSINESS": str(business), "BENCH_DATABASE": url.replace("+asyncpg", "")}
        with running(["bench.lookup_by_hand:application"] if by_hand else [], environment) as others:
            for _, (what, ask) in itertools.product(range(ROUNDS), ours.items()):
                found.setdefault(("a", what), []).append(await load(a.port, CLIENTS, SECONDS, ask))
                if what in theirs:
                    figures = await load(others[0].port, CLIENTS, SECONDS, theirs[what])
                    found.setdefault(("b", what), []).append(figures)
    _print(name, found, list(ours))


async def _sign_in(port: int) -> tuple[uuid.UUID, dict[str, str]]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=60) as http:
        credentials = {"username": "owner@mama-njeri.example", "password": PASSWORD}
        said = (await http.post("/auth/login", json=credentials)).json()
    return uuid.UUID(said["business"]["id"]), {"Authorization": f"Bearer {said['access_token']}"}


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


def _print(name: str, found: dict[tuple[str, str], list[Figures]], questions: list[str]) -> None:
    print(f"\n{name}, {PRODUCTS} products, {CLIENTS} clients")
    print(f"{'':<26} {'(a) /s':>8} {'a p50':>7} {'a p99':>7} {'(b) /s':>8} {'b p50':>7} {'b p99':>7} {'a/b':>6}")
    for what in questions:
        sides = [found[side, what] for side in "ab" if (side, what) in found]
        row = [
            f"{statistics.median(getattr(one, figure) for one in side):>{width}.{digits}f}"
            for side in sides
            for figure, width, digits in (("per_second", 8, 0), ("p50_ms", 7, 1), ("p99_ms", 7, 1))
        ]
        if len(sides) == 2:
            ratio = statistics.median(x.per_second / y.per_second for x, y in zip(*sides, strict=True))
            row.append(f"{ratio:>6.2f}")
        print(f"{what:<26} {' '.join(row)}")
    if any(figures.failures for rounds in found.values() for figures in rounds):
        sys.exit("some requests failed: these figures say nothing")


if __name__ == "__main__":
    main()
