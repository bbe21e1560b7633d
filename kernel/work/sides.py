"""What plugins keep on the side of another's things: written in the owner's deed, read in one statement a page.

An owner of `ext` calls `write_sides` once new things are written, `change_sides` where `ext` changes, and `with_sides`
for what it answers. A plugin that is off is neither written nor shown; its rows stay.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from kernel.db import Prepared, among
from kernel.db.sides import side_columns, side_tables
from kernel.wire import Ext
from kernel.work.extensions import read_ext
from kernel.work.fields import keep_unheld
from kernel.work.unit import Work

__all__ = ["change_sides", "sides_of", "with_sides", "write_sides"]


async def write_sides(work: Work, subject: str, owners: Sequence[tuple[UUID, Mapping[str, msgspec.Struct]]]) -> None:
    """Write what plugins keep of new things. owners: the ids, and what `read_ext` has read."""
    for plugin, table in side_tables(subject).items() if any(read for _, read in owners) else ():
        rows = [
            {"business_id": work.business_id, "owner_id": id_} | _columns(table, read[plugin])
            for id_, read in owners
            if plugin in read
        ]
        if rows:
            await work.execute(sa.insert(table), rows)


async def change_sides(work: Work, subject: str, owner_id: UUID, given: Ext, pointer: str = "/ext") -> None:
    """Write what a request's `ext` says of a thing; of a part that is given, what the caller may not set stays.

    The owner holds the thing's row. Raises as `read_ext`.
    """
    apart = {plugin: table for plugin, table in side_tables(subject).items() if plugin in given}
    read = read_ext(work, subject, {plugin: given[plugin] for plugin in apart}, pointer)
    for plugin, part in read.items():
        table = apart[plugin]
        mine = sa.and_(table.c.business_id == work.business_id, table.c.owner_id == owner_id)
        former = (await work.execute(sa.select(table).where(mine))).mappings().first()
        fresh = _columns(table, part)
        keep_unheld(fresh, dict(former or {}), type(part), work.actor.may)
        if former is None:
            await work.execute(sa.insert(table), [{"business_id": work.business_id, "owner_id": owner_id} | fresh])
        else:
            await work.execute(sa.update(table).where(mine).values(fresh))
            work.changed(table, owner_id, former, fresh)


async def sides_of(work: Work, subject: str, ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """Thing → plugin → what it keeps of it: one statement for each plugin that is on, whatever the number of things."""
    found: dict[UUID, dict[str, Any]] = {}
    for plugin, table in side_tables(subject).items() if ids else ():
        if work.enabled(plugin):
            for row in await work.fetch(_question(table), owners=list(ids)):
                found.setdefault(row[0], {})[plugin] = dict(zip(_names(table), row[1:], strict=True))
    return found


async def with_sides(work: Work, subject: str, stored: Mapping[UUID, Mapping[str, Any]]) -> dict[UUID, dict[str, Any]]:
    """The `ext` of things as they are answered. stored: what stands in their own rows."""
    sides = await sides_of(work, subject, stored)
    return {id_: {**ext, **sides.get(id_, {})} for id_, ext in stored.items()}


def _columns(table: sa.Table, part: msgspec.Struct) -> dict[str, Any]:
    """A part as its columns hold it: a document as plain JSON values, anything else as it is."""
    said = {column.name: getattr(part, column.name) for column in side_columns(table)}
    return {
        name: msgspec.to_builtins(value) if isinstance(table.c[name].type, sa.JSON) else value
        for name, value in said.items()
        if value is not msgspec.UNSET
    }


def _names(table: sa.Table) -> list[str]:
    return [column.name for column in side_columns(table)]


def _question(table: sa.Table) -> Prepared:
    if table not in _QUESTIONS:
        here = table.c.business_id == sa.bindparam("business_id", type_=sa.Uuid())
        wanted = sa.select(table.c.owner_id, *side_columns(table)).where(here, among(table.c.owner_id, "owners"))
        _QUESTIONS[table] = Prepared(wanted)
    return _QUESTIONS[table]


_QUESTIONS: dict[sa.Table, Prepared] = {}
"""Side table → the question for the rows of some things."""
