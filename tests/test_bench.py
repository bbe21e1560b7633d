"""The benches compare like with like: whatever is written by hand leaves the rows of a real sale; and they run."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest

from bench import initiate
from bench.__main__ import ALL
from bench.by_hand import ONE
from bench.checkout import by_hand
from bench.past import load_past
from bench.shape import Shape, rows_on_sqlite, shape_of, shape_on_sqlite
from bench.shop import Shop, one_sale, plain, served, stocked
from bench.sql_alone import SqlAlone
from bench.table import Table
from kernel.registry import Registry
from kernel.settings import Settings, database_name
from kernel.testing.served import running
from kernel.testing.servers import Postgres
from plugins.payments.services.line import lead_over
from plugins.payments.testing.toy_box import open_toy_box, with_toy

TINY = {"BENCH_ROUNDS": "1", "BENCH_SECONDS": "0.3", "BENCH_CLIENTS": "1,4", "BENCH_SALES": "2000"}
MANY = {"lines": "120", "looking_up": "2000"}
"""Products that a bench needs; the others are content with twenty."""


@pytest.fixture(autouse=True)
def small_shop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_PRODUCTS", "12")


def counts(shape: Shape) -> dict[str, int]:
    return {name: len(table.rows) for name, table in shape.tables.items()}


async def sold_by_hand(port: int, path: str, shop: Shop) -> str:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
        answer = await http.post(path, content=shop.body(), headers={"Content-Type": "application/json"})
    said = answer.raise_for_status().json()
    assert len(said["lines"]) == 5
    return str(said["id"])


@dataclass
class Sold:
    """A shop on PostgreSQL that has made one sale."""

    settings: Settings
    server: Postgres
    home: Path
    shop: Shop
    shape: Path
    connection: asyncpg.Connection[asyncpg.Record]

    @property
    def url(self) -> str:
        return plain(self.settings.url)

    @property
    def real(self) -> Shape:
        return Shape.load(self.shape)

    async def stock(self) -> int:
        said = "SELECT sum(on_hand) FROM inventory_level WHERE business_id = $1"
        return int(await self.connection.fetchval(said, self.shop.business)) // ONE

    async def rows(self, *tables: str) -> Counter[str]:
        return Counter({name: await self.connection.fetchval(f"SELECT count(*) FROM {name}") for name in tables})


@pytest.mark.parametrize("database", ["postgresql"])
async def test_every_side_of_the_benches_writes_the_rows_of_a_real_sale(
    box_settings: Settings, postgres: Postgres, tmp_path: Path, database: str
) -> None:
    url, shape = plain(box_settings.url), tmp_path / "shape.json"
    with served(box_settings) as one:
        shop = await stocked(one.port)
        shape.write_text(json.dumps(await shape_of(url, await one_sale(one.port, shop))))
    connection = await asyncpg.connect(url)
    sold = Sold(box_settings, postgres, tmp_path, shop, shape, connection)
    assert counts(sold.real).items() >= {"sales_sale": 1, "sales_line": 5, "inventory_move": 5}.items()
    await by_hand_it_is_the_same(sold)
    await by_the_sql_alone_it_is_the_same(sold)
    await in_the_past_it_is_the_same(sold)
    await connection.close()


async def by_hand_it_is_the_same(sold: Sold) -> None:
    before = await sold.stock()
    with running(["bench.by_hand:application"], by_hand(sold.shape, sold.settings.url)) as (hand,):
        for route in ("/sale", "/sale-at-once"):
            made = Shape(await shape_of(sold.url, await sold_by_hand(hand.port, route, sold.shop)))
            assert counts(made) == counts(sold.real)
            assert made.tables["sales_sale"].column("number")[0].startswith("BH-")
    assert before - await sold.stock() == 2 * 5


async def by_the_sql_alone_it_is_the_same(sold: Sold) -> None:
    before = await sold.stock()
    alone = SqlAlone(sold.server, database_name(sold.settings), sold.real, sold.home)
    await alone.prepare(sold.url, sold.shop.products)
    sales = (await alone.run(2, 1.0)).requests
    found = await sold.connection.fetch("SELECT id FROM sales_sale WHERE number LIKE 'SQL-%'")
    assert len(found) >= sales > 0
    assert counts(Shape(await shape_of(sold.url, str(found[0]["id"])))) == counts(sold.real)
    assert before - await sold.stock() == len(found) * 5


async def in_the_past_it_is_the_same(sold: Sold) -> None:
    real = counts(sold.real)
    before = await sold.rows(*real)
    await load_past(sold.url, sold.real, 200, sold.shop.products)
    grown = await sold.rows(*real) - before
    assert 0 < grown.pop("kernel_idempotency") < 10
    assert grown == {name: 200 * count for name, count in real.items() if name != "kernel_idempotency"}
    unsealed = "SELECT count(*) FROM kernel_audit a LEFT JOIN kernel_audit_seal s ON s.audit_id = a.id"
    here = f"{unsealed} WHERE s.number IS NULL AND a.business_id = $1"
    assert await sold.connection.fetchval(here, sold.shop.business) == 0
    assert await sold.connection.fetchval("SELECT count(DISTINCT product_id) FROM sales_line") == len(
        sold.shop.products
    )


@pytest.mark.parametrize("database", ["sqlite"])
async def test_what_is_written_by_hand_on_sqlite_has_the_rows_of_a_real_sale(
    box_settings: Settings, tmp_path: Path, database: str
) -> None:
    file, shape = Path(box_settings.url.partition(":///")[2]), tmp_path / "shape.json"
    with served(box_settings) as one:
        shop = await stocked(one.port)
        before = rows_on_sqlite(file)
        said = shape_on_sqlite(file, before, await one_sale(one.port, shop))
    shape.write_text(json.dumps(said))
    with running(["bench.by_hand_sqlite:application"], by_hand(shape, str(file))) as (hand,):
        before = rows_on_sqlite(file)
        made = Shape(shape_on_sqlite(file, before, await sold_by_hand(hand.port, "/sale", shop)))
    assert counts(made) == counts(Shape(said))
    with contextlib.closing(sqlite3.connect(file)) as connection:
        (left,) = connection.execute("SELECT sum(on_hand) FROM inventory_level").fetchone()
    assert left == (12 * 1_000_000 - 10) * ONE


@pytest.mark.parametrize("database", ["postgresql"])
async def test_asking_a_payer_speaks_to_the_database_no_more_often_than_is_written(
    box_settings: Settings, registry: Registry, database: str
) -> None:
    async with open_toy_box(box_settings, with_toy(registry)) as toy:
        lead_over(toy.box.deployment, httpx.MockTransport(initiate.provider))
        asked = await initiate.trips_of(toy, functools.partial(initiate.ask, toy))
    assert (len(asked.visits), asked.statements) == (26, 32)
    assert "| 32         | 26    |" in (Path(__file__).parents[1] / "docs/benchmarks.md").read_text()


def test_a_table_is_markdown() -> None:
    table = Table("Speed", {"clients": "", "/s": ",.0f", "a/b": ".2f"})
    table.add(16, 1234.5, 0.5)
    table.add(4, 9.0, None)
    assert str(table).splitlines() == [
        *("Speed", ""),
        *("| clients | /s    | a/b  |", "|---------|-------|------|"),
        *("| 16      | 1,234 | 0.50 |", "| 4       | 9     | –    |"),
    ]


def test_an_unknown_bench_is_named() -> None:
    done = subprocess.run([sys.executable, "-m", "bench", "nonsense"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("no bench called nonsense; there are checkout, ")


@pytest.mark.prove
@pytest.mark.parametrize("name", ALL)
def test_every_bench_runs_to_its_end(name: str) -> None:
    environment = {**os.environ, **TINY, "BENCH_PRODUCTS": MANY.get(name, "20")}
    command = [sys.executable, "-W", "ignore", "-m", "bench", name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "|--" in done.stdout
    if name == "checkout":
        assert float(done.stdout.rpartition("a/b: ")[2]) > 0
