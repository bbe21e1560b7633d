"""How a value of a row is written as JSON, and read again: nothing is lost on the way, on either database.

Bytes are hexadecimal, instants ISO 8601 in UTC to the microsecond, whole numbers stay whole whatever their size, and
the names within a document are sorted, so that equal rows are equal bytes.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from kernel.db import Flag, Json, Moment

Kind = Literal["uuid", "bytes", "moment", "date", "json", "flag", "whole", "decimal", "text"]

TYPES: Mapping[Kind, sa.types.TypeEngine[Any]] = {
    "uuid": sa.Uuid(),
    "bytes": sa.LargeBinary(),
    "moment": Moment,
    "date": sa.Date(),
    "json": Json,
    "flag": Flag,
    "whole": sa.BigInteger(),
    "decimal": sa.Numeric(),
    "text": sa.Text(),
}
"""What a column of a kind is to the database."""

_BY_TYPE: Sequence[tuple[type[sa.types.TypeEngine[Any]], Kind]] = (
    (type(Moment), "moment"),
    (sa.Uuid, "uuid"),
    (sa.LargeBinary, "bytes"),
    (sa.Date, "date"),
    (sa.JSON, "json"),
    (sa.Boolean, "flag"),
    (sa.Integer, "whole"),
    (sa.Numeric, "decimal"),
    (sa.String, "text"),
)
_READ: Mapping[Kind, Callable[[Any], Any]] = {
    "uuid": uuid.UUID,
    "bytes": bytes.fromhex,
    "moment": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "decimal": Decimal,
}


def kind_of(column: sa.Column[Any]) -> Kind:
    """The kind of a column. Raises TypeError for a type that no portable file knows."""
    for type_, kind in _BY_TYPE:
        if isinstance(column.type, type_):
            return kind
    raise TypeError(f"{column.table.name}.{column.name}: values of type {column.type} cannot be carried in a file")


def line_of(names: Sequence[str], row: Sequence[Any]) -> bytes:
    """A row as one line of JSON."""
    said = {name: value.hex() if isinstance(value, bytes) else value for name, value in zip(names, row, strict=True)}
    return msgspec.json.encode(said, order="sorted") + b"\n"


def row_of(line: bytes, columns: Mapping[str, Kind]) -> dict[str, Any]:
    """A line as the row it was written from. Raises ValueError when it is not such a row."""
    said = msgspec.json.decode(line)
    if not isinstance(said, dict) or said.keys() != columns.keys():
        raise ValueError("its columns are not those of the table")
    return {name: _read(columns[name], value) for name, value in said.items()}


def _read(kind: Kind, value: Any) -> Any:
    reading = _READ.get(kind)
    return value if value is None or reading is None else reading(value)
