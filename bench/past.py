"""Sales of the past, loaded straight into the tables: the rows of one real sale, again and again, two years long."""

from __future__ import annotations

import datetime as dt
import uuid

import asyncpg

from bench.as_sql import NewSale, version_7
from bench.shape import Shape

DAYS = 730
KEPT_DAYS = 8
"""Idempotency keys are thrown away after so long, so only those of the last days are there."""
_PIECE = 50_000
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
    connection = await asyncpg.connect(url, command_timeout=_PATIENCE_S)
    await connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
    for start in range(1, sales + 1, _PIECE):
        last = min(start + _PIECE - 1, sales)
        for table in shape.tables:
            kept = sales - sales * KEPT_DAYS // DAYS + 1
            first = max(start, kept) if table == "kernel_idempotency" else start
            await connection.execute(_insert(shape, table, sales, len(ids)), ids, first, last)
    await connection.execute(_SEALS, shape.business)
    for maintenance in ("VACUUM ANALYZE", "CHECKPOINT"):
        await connection.execute(maintenance)
    await connection.close()


def _insert(shape: Shape, table: str, sales: int, products: int) -> str:
    """The rows of a table for the sales from $2 to $3, of so many; $1: products."""
    names = shape.tables[table].names
    apart = dt.timedelta(days=DAYS) / sales
    at = f"now() - ({sales} - g) * interval '{apart.total_seconds():.6f} seconds'"
    time, rest = "lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')", "lpad(to_hex(g), 15, '0')"
    made = (
        f"SELECT g, at, {time} AS t, {rest} AS c FROM (SELECT g, {at} AS at FROM generate_series($2::int, $3::int) g) x"
    )
    sale = NewSale(
        id=lambda place: version_7("s.t", place, "s.c"),
        product=lambda line: f"($1::uuid[])[1 + (s.g * 7919::bigint + {line * 97}) % {products}]",
        key="'OLD-' || lpad(s.g::text, 8, '0')",
        times={"timestamp with time zone": "s.at", "date": "s.at::date"},
    )
    rows = f"CROSS JOIN LATERAL (VALUES {sale.values(shape, table)}) AS r({names})"
    return f"INSERT INTO {table} ({names}) SELECT r.* FROM ({made}) AS s {rows} WHERE cardinality($1::uuid[]) > 0"
