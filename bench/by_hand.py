"""The measure of a checkout: a Litestar handler that makes the same rows by hand, with raw asyncpg.

It is given the rows that one real sale made, table by table, and makes rows of the same shape: one multi-row prepared
statement a table, the stock locked in order and then lowered, the number taken last. No sign-in, no hooks, no pricing.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec
import uuid_utils.compat
from litestar import Litestar, Request, Response, post

PRODUCTS = """SELECT p.id, p.name, p.price, p.tax_class_id FROM catalog_product p
WHERE p.business_id = $1 AND p.id = ANY($2::uuid[])"""
LOCK = """SELECT 1 FROM inventory_level WHERE business_id = $1 AND location_id = $2 AND product_id = ANY($3::uuid[])
ORDER BY product_id FOR NO KEY UPDATE"""
LOWER = """UPDATE inventory_level t SET on_hand = t.on_hand - u.n FROM unnest($3::uuid[], $4::bigint[]) AS u(p, n)
WHERE t.business_id = $1 AND t.location_id = $2 AND t.product_id = u.p AND t.on_hand >= u.n RETURNING 1"""
NUMBER = """INSERT INTO kernel_series (business_id, series, last) VALUES ($1, 'by-hand', 1)
ON CONFLICT (business_id, series) DO UPDATE SET last = kernel_series.last + 1 RETURNING last"""
NUMBERED = "UPDATE sales_sale SET number = $3 WHERE business_id = $1 AND id = $2"


_TIMES: dict[str, Callable[[str], Any]] = {
    "date": dt.date.fromisoformat,
    "timestamp with time zone": dt.datetime.fromisoformat,
}


class LineIn(msgspec.Struct):
    """A line of the request."""

    product_id: uuid.UUID
    quantity: str


class SaleIn(msgspec.Struct):
    """The request, as the API takes it."""

    location_id: uuid.UUID
    lines: list[LineIn]
    payments: list[Any]


class Shape:
    """The rows of one real sale: table → (columns, types, rows)."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.business = uuid.UUID(said["business"])
        self.location = uuid.UUID(said["location"])
        self.sale = said["sale"]
        self.tables = said["tables"]
        self.ids = {self.sale} | {
            row[place]
            for one in self.tables.values()
            for place, (name, _) in enumerate(one["columns"])
            if name == "id"
            for row in one["rows"]
        }

    def insert(self, table: str) -> str:
        """The statement that inserts all rows of a table at once."""
        columns = self.tables[table]["columns"]
        arrays = ", ".join(f"${n}::{kind}[]" for n, (_, kind) in enumerate(columns, start=1))
        names = ", ".join(name for name, _ in columns)
        return f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays})"

    def rows(self, table: str, renamed: dict[str, uuid.UUID]) -> list[list[Any]]:
        """The rows with fresh ids, as one array a column."""
        columns, rows = self.tables[table]["columns"], self.tables[table]["rows"]
        arrays = []
        for place, (name, kind) in enumerate(columns):
            values = [row[place] for row in rows]
            if kind == "uuid":
                values = [renamed.get(value) or (uuid.UUID(value) if value else None) for value in values]
            elif kind in _TIMES:
                values = [_TIMES[kind](value) if value else None for value in values]
            elif kind == "bytea":
                values = [b"0" * 32 for _ in values]
            elif name in ("key", "number"):
                values = [uuid.uuid4().hex for _ in values]
            arrays.append(values)
        return arrays


def application() -> Litestar:
    """The application, from BENCH_SHAPE (a file) and BENCH_DATABASE."""
    with open(os.environ["BENCH_SHAPE"]) as file:
        shape = Shape(json.load(file))
    decoder = msgspec.json.Decoder(SaleIn)
    order = ["kernel_idempotency", "sales_sale"]
    order += [name for name in shape.tables if name not in order]

    @asynccontextmanager
    async def pool(app: Litestar) -> AsyncIterator[None]:
        async with asyncpg.create_pool(os.environ["BENCH_DATABASE"], min_size=16, max_size=16, init=_text_json) as made:
            app.state.pool = made
            yield

    @post("/sale", status_code=201)
    async def sell(request: Request[Any, Any, Any]) -> Response[bytes]:
        sale = decoder.decode(await request.body())
        ids = sorted(line.product_id for line in sale.lines)
        renamed = {old: uuid_utils.compat.uuid7() for old in shape.ids}
        sale_id = renamed[shape.sale]
        async with request.app.state.pool.acquire() as connection:
            found = {row["id"]: row for row in await connection.fetch(PRODUCTS, shape.business, ids)}
            async with connection.transaction():
                for table in order:
                    await connection.execute(shape.insert(table), *shape.rows(table, renamed))
                await connection.fetch(LOCK, shape.business, shape.location, ids)
                amounts = [1_000_000] * len(ids)
                done = await connection.fetch(LOWER, shape.business, shape.location, ids, amounts)
                if len(done) != len(ids):
                    raise RuntimeError("out of stock")
                number = await connection.fetchval(NUMBER, shape.business)
                await connection.execute(NUMBERED, shape.business, sale_id, f"BH-{number:06d}")
        lines = [{"product_id": one.product_id, "name": found[one.product_id]["name"]} for one in sale.lines]
        answer = msgspec.json.encode({"id": sale_id, "number": number, "lines": lines})
        return Response(answer, media_type="application/json")

    return Litestar([sell], lifespan=[pool], openapi_config=None, logging_config=None)


async def _text_json(connection: asyncpg.Connection[Any]) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, encoder=str, decoder=str, schema="pg_catalog")
