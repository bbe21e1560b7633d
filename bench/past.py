"""Sales of the past, loaded straight into the tables: the rows of one real sale, again and again, two years long."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Iterator

import asyncpg

from bench.as_sql import NewSale, version_7
from bench.shape import Shape

DAYS = 730
KEPT_DAYS = 8
"""Idempotency keys are thrown away after so long, so only those of the last days are there."""
_PIECE, _LOADERS = 25_000, 2
_PATIENCE_S = 3600
_SEALS = """INSERT INTO kernel_audit_seal (business_id, number, audit_id, hash, sealed_at)
SELECT $1, (SELECT coalesce(max(number), 0) FROM kernel_audit_seal WHERE business_id = $1)
+ row_number() OVER (ORDER BY id), id, decode(repeat('00', 32), 'hex'), at FROM kernel_audit a WHERE business_id = $1
AND NOT EXISTS (SELECT 1 FROM kernel_audit_seal s WHERE s.business_id = $1 AND s.audit_id = a.id)"""


async def load_past(url: str, shape: Shape, sales: int, products: list[str]) -> None:
    """Write so many sales in the shape of one, sealed, each of its own time and products; then vacuum.

    Foreign keys are not checked while it loads. Ids are of version 7, in the order of the sales.
    """
    ids = [uuid.UUID(one) for one in products]
    pieces = iter(range(1, sales + 1, _PIECE))
    await asyncio.gather(*(_load(url, shape, sales, ids, pieces) for _ in range(_LOADERS)))
    connection = await asyncpg.connect(url, command_timeout=_PATIENCE_S)
    for statement, *arguments in ((_SEALS, shape.business), ("VACUUM ANALYZE",), ("CHECKPOINT",)):
        await connection.execute(statement, *arguments)
    await connection.close()


async def _load(url: str, shape: Shape, sales: int, products: list[uuid.UUID], pieces: Iterator[int]) -> None:
    """Load the pieces that are left, one after another; each begins with the sale that is named."""
    connection = await asyncpg.connect(url, command_timeout=_PATIENCE_S)
    await connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
    kept = sales - sales * KEPT_DAYS // DAYS + 1
    for start in pieces:
        for table in shape.tables:
            first = max(start, kept) if table == "kernel_idempotency" else start
            last = min(start + _PIECE - 1, sales)
            await connection.execute(_insert(shape, table, sales, len(products)), products, first, last)
    await connection.close()


def _insert(shape: Shape, table: str, sales: int, products: int) -> str:
    """The rows of a table for the sales from $2 to $3, of so many; $1: products."""
    names = shape.tables[table].names
    apart = dt.timedelta(days=DAYS) / sales
    at = f"now() - ({sales} - g) * interval '{apart.total_seconds():.6f} seconds'"
    time, rest = "lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')", "lpad(to_hex(g), 15, '0')"
    numbered = f"SELECT g, {at} AS at FROM generate_series($2::int, $3::int) AS g OFFSET 0"
    made = f"SELECT g, at, {time} AS t, {rest} AS c FROM ({numbered}) AS x OFFSET 0"
    sale = NewSale(
        id=lambda place: version_7("s.t", place, "s.c"),
        product=lambda line: f"($1::uuid[])[1 + (s.g * 7919::bigint + {line * 97}) % {products}]",
        key="'OLD-' || lpad(s.g::text, 8, '0')",
        times={"timestamp with time zone": "s.at", "date": "s.at::date"},
    )
    rows = f"CROSS JOIN LATERAL (VALUES {sale.values(shape, table)}) AS r({names})"
    return f"INSERT INTO {table} ({names}) SELECT r.* FROM ({made}) AS s {rows} WHERE cardinality($1::uuid[]) > 0"
