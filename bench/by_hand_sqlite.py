"""The measure of a checkout on SQLite: a Litestar handler that makes the same rows by hand, with the sqlite3 module.

One connection, WAL and synchronous=FULL as in Duka, BEGIN IMMEDIATE, one executemany a table, on the event loop itself:
there is one writer anyway. No sign-in, no hooks, no pricing.
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, post

from bench.by_hand import ONE, SaleIn
from bench.shape import Shape

_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000")
_LOWER = """UPDATE inventory_level SET on_hand = on_hand - ?
WHERE business_id = ? AND location_id = ? AND product_id = ? AND on_hand >= ?"""
_NUMBER = """INSERT INTO kernel_series (business_id, series, last) VALUES (?, 'by-hand', 1)
ON CONFLICT (business_id, series) DO UPDATE SET last = last + 1 RETURNING last"""


def application() -> Litestar:
    """The application, from BENCH_SHAPE and BENCH_DATABASE (files)."""
    shape = Shape.load(os.environ["BENCH_SHAPE"])
    decoder = msgspec.json.Decoder(SaleIn)
    connection = sqlite3.connect(os.environ["BENCH_DATABASE"], isolation_level=None)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")

    @post("/sale", status_code=201)
    async def sell(request: Request[Any, Any, Any]) -> Response[bytes]:
        sale = decoder.decode(await request.body())
        connection.execute("BEGIN IMMEDIATE")
        try:
            answer = _sell(connection, shape, sorted(line.product_id for line in sale.lines))
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        return Response(msgspec.json.encode(answer), media_type="application/json")

    return Litestar([sell], openapi_config=None, logging_config=None)


def insert(shape: Shape, table: str) -> str:
    """The statement that inserts one row of a table."""
    one = shape.tables[table]
    return f"INSERT INTO {table} ({one.names}) VALUES ({', '.join('?' * len(one.columns))})"


def _sell(connection: sqlite3.Connection, shape: Shape, ids: list[uuid.UUID]) -> dict[str, Any]:
    renamed = shape.renamed(ids)
    business, location, products = shape.business.hex, shape.location.hex, [id_.hex for id_ in ids]
    places = ", ".join("?" * len(ids))
    wanted = f"SELECT name, price, tax_class_id FROM catalog_product WHERE business_id = ? AND id IN ({places})"
    found = connection.execute(wanted, (business, *products)).fetchall()
    (number,) = connection.execute(_NUMBER, (business,)).fetchone()
    for table in shape.tables:
        rows = zip(*shape.rows(table, renamed), strict=True)
        connection.executemany(insert(shape, table), [tuple(map(_plain, row)) for row in rows])
    connection.execute(
        "UPDATE sales_sale SET number = ? WHERE business_id = ? AND id = ?",
        (f"BH-{number:06d}", business, renamed[shape.sale].hex),
    )
    lowered = [(ONE, business, location, product, ONE) for product in products]
    if connection.executemany(_LOWER, lowered).rowcount != len(ids):
        raise RuntimeError("out of stock")
    return {"id": renamed[shape.sale], "number": number, "lines": [row[0] for row in found]}


def _plain(value: Any) -> Any:
    return value.hex if isinstance(value, uuid.UUID) else value
