"""The measure of a checkout: Litestar handlers that make the same rows by hand, with raw asyncpg.

They are given the rows that one real sale made and make rows of the same shape. (b): one multi-row prepared statement a
table, the stock locked in order and then lowered, the number taken last. (c): all of it in one data-modifying
statement, one round trip. No sign-in, no hooks, no pricing.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec
from litestar import Litestar, Request, Response, post

from bench.shape import Shape

PRODUCTS = """SELECT p.id, p.name, p.price, p.tax_class_id FROM catalog_product p
WHERE p.business_id = $1 AND p.id = ANY($2::uuid[])"""
LOCK = """SELECT product_id FROM inventory_level
WHERE business_id = $1 AND location_id = $2 AND product_id = ANY($3::uuid[]) ORDER BY product_id FOR NO KEY UPDATE"""
LOWER = """UPDATE inventory_level t SET on_hand = t.on_hand - u.n FROM unnest($3::uuid[], $4::bigint[]) AS u(p, n)
WHERE t.business_id = $1 AND t.location_id = $2 AND t.product_id = u.p AND t.on_hand >= u.n RETURNING 1"""
NUMBER = """INSERT INTO kernel_series (business_id, series, last) VALUES ($1, 'by-hand', 1)
ON CONFLICT (business_id, series) DO UPDATE SET last = kernel_series.last + 1 RETURNING last"""
NUMBERED = "UPDATE sales_sale SET number = $3 WHERE business_id = $1 AND id = $2"

_LOWERED = """UPDATE inventory_level t SET on_hand = t.on_hand - u.n
FROM unnest($3::uuid[], $4::bigint[]) AS u(p, n), locked l
WHERE t.business_id = $1 AND t.location_id = $2 AND t.product_id = u.p AND l.product_id = u.p AND t.on_hand >= u.n
RETURNING 1"""
_TAKEN = """INSERT INTO kernel_series (business_id, series, last)
SELECT $1, 'by-hand', 1 FROM (SELECT count(*) FROM lowered) AS done
ON CONFLICT (business_id, series) DO UPDATE SET last = kernel_series.last + 1 RETURNING last"""
_TOLD = """SELECT (SELECT last FROM taken) AS number, ARRAY(SELECT p.name FROM catalog_product p
WHERE p.business_id = $1 AND p.id = ANY($3::uuid[]) ORDER BY p.id) AS names,
1 / ((SELECT count(*) FROM lowered) = cardinality($3))::int AS enough"""
ONE = 1_000_000
"""A quantity of one, as it is stored."""


class LineIn(msgspec.Struct):
    """A line of the request."""

    product_id: uuid.UUID
    quantity: str


class SaleIn(msgspec.Struct):
    """The request, as the API takes it."""

    location_id: uuid.UUID
    lines: list[LineIn]
    payments: list[Any]


def insert(shape: Shape, table: str) -> str:
    """The statement that inserts all rows of a table at once."""
    one = shape.tables[table]
    arrays = ", ".join(f"${n}::{kind}[]" for n, (_, kind) in enumerate(one.columns, start=1))
    return f"INSERT INTO {table} ({one.names}) SELECT * FROM unnest({arrays})"


def all_at_once(shape: Shape) -> str:
    """The statement that does everything; division by zero undoes it where stock is short."""
    parts = [f"locked AS MATERIALIZED ({LOCK})", f"lowered AS ({_LOWERED})", f"taken AS ({_TAKEN})"]
    count = 4
    for table, one in shape.tables.items():
        arrays = ", ".join(f"${count + n}::{kind}[]" for n, (_, kind) in enumerate(one.columns, start=1))
        count += len(one.columns)
        number, source = "r.number", ""
        if table == "sales_sale":
            number, source = "'BH-' || lpad(taken.last::text, 6, '0')", ", taken"
        wanted = ", ".join(number if name == "number" else f"r.{name}" for name, _ in one.columns)
        rows = f"SELECT {wanted} FROM unnest({arrays}) AS r({one.names}){source}"
        parts.append(f"{table}_rows AS (INSERT INTO {table} ({one.names}) {rows})")
    return f"WITH {', '.join(parts)} {_TOLD}"


def application() -> Litestar:
    """The application, from BENCH_SHAPE (a file) and BENCH_DATABASE."""
    shape = Shape.load(os.environ["BENCH_SHAPE"])
    decoder = msgspec.json.Decoder(SaleIn)
    inserts = {table: insert(shape, table) for table in shape.tables}
    everything = all_at_once(shape)

    @asynccontextmanager
    async def pool(app: Litestar) -> AsyncIterator[None]:
        async with asyncpg.create_pool(os.environ["BENCH_DATABASE"], min_size=16, max_size=16, init=_text_json) as made:
            app.state.pool = made
            yield

    @post("/sale", status_code=201)
    async def sell(request: Request[Any, Any, Any]) -> Response[bytes]:
        ids = _products(decoder.decode(await request.body()))
        renamed = shape.renamed(ids)
        sale_id = renamed[shape.sale]
        async with request.app.state.pool.acquire() as connection:
            found = await connection.fetch(PRODUCTS, shape.business, ids)
            async with connection.transaction():
                for table, statement in inserts.items():
                    await connection.execute(statement, *shape.rows(table, renamed))
                await connection.fetch(LOCK, shape.business, shape.location, ids)
                done = await connection.fetch(LOWER, shape.business, shape.location, ids, [ONE] * len(ids))
                if len(done) != len(ids):
                    raise RuntimeError("out of stock")
                number = await connection.fetchval(NUMBER, shape.business)
                await connection.execute(NUMBERED, shape.business, sale_id, f"BH-{number:06d}")
        return _answer(sale_id, number, ids, [row["name"] for row in found])

    @post("/sale-at-once", status_code=201)
    async def sell_at_once(request: Request[Any, Any, Any]) -> Response[bytes]:
        ids = _products(decoder.decode(await request.body()))
        renamed = shape.renamed(ids)
        rows = [array for table in shape.tables for array in shape.rows(table, renamed)]
        async with request.app.state.pool.acquire() as connection:
            told = await connection.fetchrow(everything, shape.business, shape.location, ids, [ONE] * len(ids), *rows)
        return _answer(renamed[shape.sale], told["number"], ids, told["names"])

    return Litestar([sell, sell_at_once], lifespan=[pool], openapi_config=None, logging_config=None)


def _products(sale: SaleIn) -> list[uuid.UUID]:
    return sorted(line.product_id for line in sale.lines)


def _answer(sale_id: uuid.UUID, number: int, ids: list[uuid.UUID], names: list[str]) -> Response[bytes]:
    lines = [{"product_id": id_, "name": name} for id_, name in zip(ids, names, strict=True)]
    answer = msgspec.json.encode({"id": sale_id, "number": number, "lines": lines})
    return Response(answer, media_type="application/json", status_code=201)


async def _text_json(connection: asyncpg.Connection[Any]) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, encoder=str, decoder=str, schema="pg_catalog")
