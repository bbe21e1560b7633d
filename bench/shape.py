"""The rows of one real sale, table by table: what is written by hand has the same."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sqlite3
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import asyncpg
import uuid_utils.compat

_NOT_OF_A_SALE = frozenset(
    ("kernel_job", "kernel_job_payload", "kernel_series", "kernel_limit", "kernel_audit_seal", "inventory_level")
)
FIRST = ("kernel_idempotency", "sales_sale")
"""Tables that are written before the others, by name: the key, and what others refer to."""
HASH = b"0" * 32


def _as_it_is(value: Any) -> Any:
    return value


def _same_hash(_value: str) -> bytes:
    return HASH


_IDS = ("uuid", "CHAR(32)")
_READ: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(_IDS, uuid.UUID),
    "date": dt.date.fromisoformat,
    "timestamp with time zone": dt.datetime.fromisoformat,
    **dict.fromkeys(("bytea", "BLOB"), _same_hash),
}


class Table:
    """A table's columns (name, type of the database) and rows."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.columns: list[tuple[str, str]] = [(name, kind) for name, kind in said["columns"]]
        reads: list[Callable[[Any], Any]] = [_READ.get(kind, _as_it_is) for _, kind in self.columns]
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
            if kind in _IDS:
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
            if table in _NOT_OF_A_SALE or table.endswith("_schema"):
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
        return _saved(sale["business_id"], sale["location_id"], sale_id, tables)
    finally:
        await connection.close()


def rows_on_sqlite(path: Path) -> dict[str, int]:
    """The last row of each table that a sale may write to: table → its rowid."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        listed = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        tables = [name for (name,) in listed if name not in _NOT_OF_A_SALE and not name.endswith("_schema")]
        last = {table: connection.execute(f"SELECT max(rowid) FROM {table}").fetchone()[0] or 0 for table in tables}
    return last


def shape_on_sqlite(path: Path, before: dict[str, int], sale_id: str) -> dict[str, Any]:
    """What one sale wrote after `rows_on_sqlite` had looked, to be saved as JSON."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        tables: dict[str, Any] = {}
        for table, last in before.items():
            rows = connection.execute(f"SELECT * FROM {table} WHERE rowid > ?", (last,)).fetchall()
            if rows:
                kinds = connection.execute("SELECT name, type FROM pragma_table_info(?)", (table,)).fetchall()
                values = [[_said(value) for value in row] for row in rows]
                tables[table] = {"columns": [list(kind) for kind in kinds], "rows": values}
        sale = connection.execute(
            "SELECT business_id, location_id FROM sales_sale WHERE id = ?", (uuid.UUID(sale_id).hex,)
        )
        business, location = sale.fetchone()
    return _saved(business, location, sale_id, tables)


def _saved(business: Any, location: Any, sale_id: str, tables: dict[str, Any]) -> dict[str, Any]:
    return {"business": str(business), "location": str(location), "sale": sale_id, "tables": tables}


def _said(value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, bytes):
        return ""
    return value.isoformat() if isinstance(value, dt.date) else value
