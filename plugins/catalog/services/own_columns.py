"""Columns of tables for fields of the shop's own: `custom.<field>`, read by the fields as they are now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from kernel.custom import Field, Value, WrongValue, known_ids, read_text, written
from kernel.work import Work
from plugins.catalog.errors import TableRefused
from plugins.catalog.services.forms import CUSTOM, Fault, Row

Cells = dict[str, Value | None]
"""Field → what a row says of it; None: an empty cell."""


def own_columns(fields: Iterable[Field]) -> list[str]:
    """The columns of fields."""
    return [f"{CUSTOM}{one.key}" for one in fields]


def refuse_unknown(columns: Sequence[str], fields: Iterable[Field]) -> None:
    """Raise TableRefused for a column of a field that the shop does not have."""
    known = own_columns(fields)
    if unknown := [name for name in columns if name.startswith(CUSTOM) and name not in known]:
        there = ", ".join(known) or "none"
        raise TableRefused(
            f"Row 1 names fields that are not known: {', '.join(unknown)[:200]}; there are {there}"[:800]
        )


async def read_cells(work: Work, rows: Sequence[Row], fields: Sequence[Field]) -> tuple[dict[int, Cells], list[Fault]]:
    """What rows say of fields, by row, and what is wrong. One question for each entity that is referred to."""
    known = {one.key: one for one in fields}
    read: dict[int, Cells] = {}
    faults: list[Fault] = []
    for row in rows:
        given = row.said.custom if row.said is not None else None
        for key, text in given.items() if isinstance(given, dict) else ():
            try:
                value = _value(known.get(key), text)
            except WrongValue as fault:
                faults.append(Fault(row.row, f"{CUSTOM}{key}", str(fault)))
            else:
                read.setdefault(row.row, {})[key] = value
    return read, faults + await _dangling(work, read, [one for one in fields if one.refers_to])


def _value(field: Field | None, text: str) -> Value | None:
    if field is None:
        raise WrongValue("There is no such field")
    return read_text(field, text) if text else None


async def _dangling(work: Work, read: Mapping[int, Cells], fields: Sequence[Field]) -> list[Fault]:
    """The cells whose ids name nothing of this business."""
    faults = []
    for one in fields:
        said = {row: UUID(id_) for row, cells in read.items() if isinstance(id_ := cells.get(one.key), str)}
        there = await known_ids(work, one.refers_to or "", dict.fromkeys(said.values())) if said else set()
        gone = [row for row, id_ in said.items() if id_ not in there]
        faults += [Fault(row, f"{CUSTOM}{one.key}", "There is no such thing") for row in gone]
    return faults


def missing(row: int, cells: Cells, product: Any | None, fields: Sequence[Field]) -> list[Fault]:
    """The required fields that a row leaves empty, of a new product also those it does not name."""
    return [
        Fault(row, f"{CUSTOM}{one.key}", f"{one.label} is required")
        for one in fields
        if one.is_required and cells.get(one.key) is None and (product is None or one.key in cells)
    ]


def stored_with(product: Any | None, cells: Cells) -> dict[str, Value]:
    """The values that a product has once a row is applied."""
    former = dict(product.custom) if product is not None else {}
    return {key: value for key, value in (former | cells).items() if value is not None}


def cells_of(custom: Mapping[str, Any], fields: Iterable[Field]) -> dict[str, str]:
    """The cells of a product, by column."""
    return {f"{CUSTOM}{one.key}": written(custom.get(one.key)) for one in fields}
