"""The rows of a new sale as SQL: values of its own are expressions, all others are as in the shape."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.shape import HASH, Shape

SALES_OWN = ("key", "number")
"""Columns that hold a text of the sale's own."""


@dataclass(frozen=True)
class NewSale:
    """The expressions. id: by its place among the shape's; product: by its line; times: of a type, as the shape's."""

    id: Callable[[int], str]
    product: Callable[[int], str]
    key: str
    times: Mapping[str, str] = field(default_factory=dict)

    def values(self, shape: Shape, table: str) -> str:
        """The rows of a table, as they stand behind VALUES."""
        one = shape.tables[table]
        places = {id_: place for place, id_ in enumerate(shape.ids)}
        rows = (
            ", ".join(self._value(shape, places, *cell) for cell in zip(one.columns, row, strict=True))
            for row in one.rows
        )
        return ", ".join(f"({row})" for row in rows)

    def _value(self, shape: Shape, places: dict[uuid.UUID, int], column: tuple[str, str], value: Any) -> str:
        name, kind = column
        if value is None:
            return f"NULL::{kind}"
        if name in SALES_OWN:
            return self.key
        if kind == "uuid" and value in places:
            return self.id(places[value])
        if kind == "uuid" and value in shape.products:
            return self.product(shape.products.index(value))
        return self.times.get(kind) or literal(value, kind)


def version_7(time: str, place: int, rest: str) -> str:
    """An id: its time first (12 hexadecimal digits), so that indexes grow at their ends; rest: 15 digits."""
    return f"({time} || '7{place:03x}8' || {rest})::uuid"


def literal(value: Any, kind: str) -> str:
    """A value as SQL, without a colon: pgbench takes `:word` for a variable, inside quotes too."""
    if value == HASH:
        return f"'\\x{HASH.hex()}'::bytea"
    said = str(value).replace("\\", r"\\").replace("'", r"\'").replace(":", r"\x3A")
    return f"E'{said}'::{kind}"
