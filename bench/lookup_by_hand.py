"""The measure of looking up: a Litestar handler that asks by hand, with raw asyncpg, one statement a question.

No sign-in, no filters, no cursors; of a search the words' beginnings only.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec
from litestar import Litestar, Response, get

_COLUMNS = """p.id, p.sku, p.name, p.description, p.kind, p.unit, p.price, p.wholesale_price, p.cost_price, p.mrp,
p.category_id, p.brand_id, p.tax_class_id, p.hsn_code, p.min_stock, p.track_stock, p.allow_negative_stock, p.is_active,
p.ext, p.created_at, p.updated_at, (SELECT array_agg(b.code) FROM catalog_barcode b
WHERE b.business_id = p.business_id AND b.product_id = p.id) AS barcodes"""
_SCAN = f"""SELECT {_COLUMNS} FROM catalog_barcode c JOIN catalog_product p
ON p.business_id = c.business_id AND p.id = c.product_id WHERE c.business_id = $1 AND c.code = $2"""
_PAGE = f"SELECT {_COLUMNS} FROM catalog_product p WHERE p.business_id = $1 ORDER BY p.name, p.id LIMIT 50"
_SEARCH = f"""SELECT {_COLUMNS} FROM catalog_search_key k JOIN catalog_product p
ON p.business_id = k.business_id AND p.id = k.product_id
WHERE k.business_id = $1 AND k.key >= $2 AND k.key <= $3 AND EXISTS (SELECT 1 FROM catalog_search_key o
WHERE o.business_id = $1 AND o.product_id = k.product_id AND o.key >= $4 AND o.key <= $5)
ORDER BY k.key, k.label, k.product_id LIMIT 50"""
_LAST = "\U0010ffff"


def application() -> Litestar:
    """The application, from BENCH_BUSINESS and BENCH_DATABASE."""
    business = uuid.UUID(os.environ["BENCH_BUSINESS"])

    @asynccontextmanager
    async def pool(app: Litestar) -> AsyncIterator[None]:
        async with asyncpg.create_pool(os.environ["BENCH_DATABASE"], min_size=8, max_size=8) as made:
            app.state.pool = made
            yield

    async def ask(statement: str, *values: Any) -> Response[bytes]:
        async with app.state.pool.acquire() as connection:
            rows = await connection.fetch(statement, business, *values)
        return Response(msgspec.json.encode({"items": [dict(row) for row in rows]}), media_type="application/json")

    @get("/barcode/{code:str}")
    async def scan(code: str) -> Response[bytes]:
        return await ask(_SCAN, code)

    @get("/products")
    async def products() -> Response[bytes]:
        return await ask(_PAGE)

    @get("/search")
    async def search(q: str) -> Response[bytes]:
        words = q.lower().split()
        first, other = max(words, key=len), min(words, key=len)
        return await ask(_SEARCH, first, first + _LAST, other, other + _LAST)

    app = Litestar([scan, products, search], lifespan=[pool], openapi_config=None, logging_config=None)
    return app
