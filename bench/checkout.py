"""A checkout through Duka against the same rows written by hand, on PostgreSQL with default durability.

(a) `POST /api/v1/sales/sales`: 5 lines, cash, signed in, all plugins on, one server process.
(b) bench/by_hand.py: one Litestar process, raw asyncpg, the same rows.
Interleaved rounds of both at 1, 4 and 16 clients in one run; medians. `a/b` is the lowest of the three ratios.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import random
import statistics
import sys
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec

from bench.load import Figures, load, post
from kernel.registry import discover
from kernel.settings import Settings
from kernel.testing.box import PASSWORD, SECRET, prepare_template
from kernel.testing.served import running, serving
from kernel.testing.servers import Postgres

PRODUCTS, ROUNDS, SECONDS, CLIENTS = 500, 3, 3.0, (1, 4, 16)
NOT_OF_A_SALE = ("kernel_job", "kernel_job_payload", "kernel_series", "inventory_level", "kernel_limit")


def main() -> None:
    """Run and print."""
    with Postgres(durable=True) as server, tempfile.TemporaryDirectory() as home:
        asyncio.run(_run(server, Path(home)))


async def _run(server: Postgres, home: Path) -> None:
    url = await server.create_database("bench")
    settings = Settings(home=str(home), database_url=url, secret_key=SECRET)
    registry = discover()
    await prepare_template(settings, registry, registry.plugins)
    plain = url.replace("+asyncpg", "")
    with serving(settings) as (a,):
        headers, body_of, sold = await _shop(a.port)
        shape = home / "shape.json"
        shape.write_text(json.dumps(await _shape(plain, sold)))
        by_hand = {**os.environ, "BENCH_SHAPE": str(shape), "BENCH_DATABASE": plain}
        with running(["bench.by_hand:application"], by_hand) as (b,):
            servers = {"a": a, "b": b}
            requests = {
                "a": lambda: post("/api/v1/sales/sales", body_of(), headers | {"Idempotency-Key": uuid.uuid4().hex}),
                "b": lambda: post("/sale", body_of(), {}),
            }
            await _settle(plain, a.port, requests["a"])
            found: dict[tuple[str, int], list[Figures]] = {}
            for _ in range(ROUNDS):
                for clients in CLIENTS:
                    for name, one in servers.items():
                        watched = {"python": one.process.pid, "postgres": server.pid}
                        figures = await load(one.port, clients, SECONDS, requests[name], watched)
                        found.setdefault((name, clients), []).append(figures)
    _print(found)


async def _settle(url: str, port: int, request: Callable[[], bytes]) -> None:
    """Make some sales and let PostgreSQL look at them, as it does by itself within a minute.

    Plans made for empty tables take any index that begins with the business, those of foreign keys among them.
    """
    await load(port, 4, SECONDS, request)
    connection = await asyncpg.connect(url)
    await connection.execute("ANALYZE")
    await connection.close()


async def _shop(port: int) -> tuple[dict[str, str], Any, str]:
    """Products with stock through the API; the headers of a sale, its body, and the id of one sale made."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=60) as http:
        credentials = {"username": "owner@mama-njeri.example", "password": PASSWORD}
        token = (await http.post("/auth/login", json=credentials)).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        http.headers.update(headers)
        places = (await http.get("/locations", params={"kind": "storefront"})).json()["items"]
        location = places[0]["id"]
        products = []
        for number in range(PRODUCTS):
            said = {"sku": f"P{number}", "name": f"Product {number}", "price": "100.00", "cost_price": "60.00"}
            answer = await http.post("/catalog/products", json=said, headers={"Idempotency-Key": uuid.uuid4().hex})
            answer.raise_for_status()
            products.append(answer.json()["id"])
        lines = [{"product_id": id_, "quantity": "1000000", "unit_cost": "60.00"} for id_ in products]
        receipt = {"location_id": location, "lines": lines}
        key = {"Idempotency-Key": uuid.uuid4().hex}
        (await http.post("/inventory/receipts", json=receipt, headers=key)).raise_for_status()

        def body() -> bytes:
            chosen = random.sample(products, 5)
            sale = {
                "location_id": location,
                "lines": [{"product_id": id_, "quantity": "1"} for id_ in chosen],
                "payments": [{"method": "cash", "amount": "500.00", "tendered": "1000.00"}],
            }
            return msgspec.json.encode(sale)

        sold = await http.post(
            "/sales/sales",
            content=body(),
            headers={"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex},
        )
        sold.raise_for_status()
        return headers, body, sold.json()["id"]


async def _shape(url: str, sale_id: str) -> dict[str, Any]:
    """The rows that the last deed made, table by table."""
    connection = await asyncpg.connect(url)
    try:
        found = await connection.fetchrow(
            "SELECT business_id, location_id FROM sales_sale WHERE id = $1::uuid", uuid.UUID(sale_id)
        )
        tables: dict[str, Any] = {}
        for (table,) in await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        ):
            if table in NOT_OF_A_SALE or table.endswith("_schema"):
                continue
            rows = await connection.fetch(
                f"SELECT * FROM {table} WHERE xmin = (SELECT xmin FROM sales_sale WHERE id = $1::uuid)",
                uuid.UUID(sale_id),
            )
            if rows:
                kinds = await connection.fetch(
                    "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
                    " WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                    table,
                )
                values = [[_plain(value) for value in row.values()] for row in rows]
                tables[table] = {"columns": [list(kind) for kind in kinds], "rows": values}
        return {"business": str(found[0]), "location": str(found[1]), "sale": sale_id, "tables": tables}
    finally:
        await connection.close()


def _plain(value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, bytes):
        return ""
    return value.isoformat() if isinstance(value, dt.date) else value


def _print(found: dict[tuple[str, int], list[Figures]]) -> None:
    print(
        f"{'clients':>8} {'(a) /s':>8} {'(b) /s':>8} {'a/b':>6}"
        f" {'a p50':>7} {'a p99':>7} {'b p50':>7} {'b p99':>7} "
        f" {'a py':>5} {'a pg':>5} {'b py':>5} {'b pg':>5}  failures"
    )
    ratios = []
    for clients in CLIENTS:
        a, b = found["a", clients], found["b", clients]
        ratio = statistics.median(x.per_second / y.per_second for x, y in zip(a, b, strict=True))
        ratios.append(ratio)
        row = [statistics.median(x.per_second for x in side) for side in (a, b)]
        times = [statistics.median(getattr(x, name) for x in side) for side in (a, b) for name in ("p50_ms", "p99_ms")]
        cpu = [statistics.median(x.cpu_ms[whose] for x in side) for side in (a, b) for whose in ("python", "postgres")]
        failures = sum(x.failures for x in (*a, *b))
        print(
            f"{clients:>8} {row[0]:>8.0f} {row[1]:>8.0f} {ratio:>6.2f} "
            + " ".join(f"{one:>7.1f}" for one in times)
            + "  "
            + " ".join(f"{one:>5.2f}" for one in cpu)
            + f"  {failures}"
        )
    if any(figures.failures for rounds in found.values() for figures in rounds):
        sys.exit("some requests failed: these figures say nothing")
    print(f"a/b: {min(ratios):.2f}")


if __name__ == "__main__":
    main()
