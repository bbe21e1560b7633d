"""The rows of one real sale, table by table: what is written by hand has the same."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import asyncpg
import uuid_utils.compat

NOT_OF_A_SALE = ("kernel_job", "kernel_job_payload", "kernel_series", "inventory_level", "kernel_limit")
FIRST = ("kernel_idempotency", "sales_sale")
"""Tables that are written before the others, by name: the key, and what others refer to."""
HASH = b"0" * 32

_READ: dict[str, Callable[[str], Any]] = {
    "uuid": uuid.UUID,
    "date": dt.date.fromisoformat,
    "timestamp with time zone": dt.datetime.fromisoformat,
    "bytea": lambda _: HASH,
}


class Table:
    """A table's columns (name, type of PostgreSQL) and rows."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.columns: list[tuple[str, str]] = [(name, kind) for name, kind in said["columns"]]
        reads = [_READ.get(kind, lambda value: value) for _, kind in self.columns]
        self.rows: list[list[Any]] = [
            [None if value is None else read(value) for read, value in zip(reads, row, strict=True)]
            for row in said["rows"]
        ]

    @property
    def names(self) -> str:
        """The columns, as an insert names them."""
        return ", ".join(name for name, _ in self.columns)

    def column(self, wanted: str) -> list[Any]:
        """The values of one column; none when there is no such column."""
        return [row[place] for place, (name, _) in enumerate(self.columns) if name == wanted for row in self.rows]


class Shape:
    """What one real sale wrote. products: those of its lines, in order; ids: those it made itself."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.business, self.location = uuid.UUID(said["business"]), uuid.UUID(said["location"])
        self.sale = uuid.UUID(said["sale"])
        found = {name: Table(one) for name, one in said["tables"].items()}
        self.tables = {name: found[name] for name in (*FIRST, *(one for one in found if one not in FIRST))}
        self.products: list[uuid.UUID] = self.tables["sales_line"].column("product_id")
        self.ids: list[uuid.UUID] = list(dict.fromkeys(id_ for one in found.values() for id_ in one.column("id")))

    @classmethod
    def load(cls, path: str | Path) -> Shape:
        """Read a shape that was saved."""
        return cls(json.loads(Path(path).read_text()))

    def renamed(self, products: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
        """New ids for a new sale of other products: old → new."""
        return {old: uuid_utils.compat.uuid7() for old in self.ids} | dict(zip(self.products, products, strict=True))

    def rows(self, table: str, renamed: dict[uuid.UUID, uuid.UUID]) -> list[list[Any]]:
        """The rows of a table for a new sale, as one array a column; keys and numbers are new too."""
        one = self.tables[table]
        arrays: list[list[Any]] = [list(values) for values in zip(*one.rows, strict=True)]
        for place, (name, kind) in enumerate(one.columns):
            if kind == "uuid":
                arrays[place] = [renamed.get(value, value) for value in arrays[place]]
            elif name in ("key", "number"):
                arrays[place] = [uuid.uuid4().hex for _ in arrays[place]]
        return arrays


async def shape_of(url: str, sale_id: str) -> dict[str, Any]:
    """What the deed that made a sale wrote, to be saved as JSON."""
    connection = await asyncpg.connect(url)
    try:
        sale = await connection.fetchrow(
            "SELECT business_id, location_id, xmin::text AS deed FROM sales_sale WHERE id = $1", uuid.UUID(sale_id)
        )
        tables: dict[str, Any] = {}
        listed = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        for (table,) in await connection.fetch(listed):
            if table in NOT_OF_A_SALE or table.endswith("_schema"):
                continue
            rows = await connection.fetch(f"SELECT * FROM {table} WHERE xmin = $1::text::xid", sale["deed"])
            if rows:
                kinds = await connection.fetch(
                    "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
                    " WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                    table,
                )
                values = [[_said(value) for value in row.values()] for row in rows]
                tables[table] = {"columns": [list(kind) for kind in kinds], "rows": values}
        return {
            "business": str(sale["business_id"]),
            "location": str(sale["location_id"]),
            "sale": sale_id,
            "tables": tables,
        }
    finally:
        await connection.close()


def _said(value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, bytes):
        return ""
    return value.isoformat() if isinstance(value, dt.date) else value
