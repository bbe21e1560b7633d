"""Where a person stands: the rows that are theirs, and those in which they did something."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from kernel.db import Base
from kernel.db.personal import INFO, Names, Personal, Secret, person_tables
from kernel.registry import Registry
from kernel.work import NO_BUSINESS


@dataclass(frozen=True)
class Place:
    """Rows of a table that a person stands in, by the column `via`.

    whole: the rows are theirs; otherwise they only did something there. above: the rows behind which these hang.
    """

    table: sa.Table
    via: str
    whole: bool
    above: Place | None = None
    above_column: str = "id"

    def rows(self, business: uuid.UUID, person: uuid.UUID) -> sa.ColumnElement[bool]:
        """The condition that finds them, within a business, or in tables above all businesses."""
        column = self.table.c[self.via]
        if self.above is None:
            mine = column == person
        else:
            upper = self.above
            mine = column.in_(sa.select(upper.table.c[self.above_column]).where(upper.rows(business, person)))
        return sa.and_(of_business(self.table, business), mine)


def tables_of(registry: Registry) -> list[sa.Table]:
    """The tables of the kernel and of every installed plugin, whatever is switched on."""
    prefixes = ("kernel_", *(f"{name}_" for name in registry.plugins))
    return [one for one in Base.metadata.sorted_tables if one.name.startswith(prefixes)]


def of_business(table: sa.Table, business: uuid.UUID) -> sa.ColumnElement[bool]:
    """Whether a row is of a business. What bears no business is of what is above them."""
    if "business_id" not in table.c:
        return sa.true()
    column = table.c.business_id
    return sa.or_(column == business, column.is_(None)) if business == NO_BUSINESS else column == business


def in_reach(table: sa.Table, business: uuid.UUID) -> bool:
    """Whether a table holds rows of a business. Tables of no business at all belong to what is above them."""
    return "business_id" in table.c or business == NO_BUSINESS


def unreached(tables: Iterable[sa.Table]) -> list[str]:
    """Columns that are somebody's by their declaration, but that no walk from a person comes to."""
    tables = list(tables)
    reached = {(place.table.name, place.via) for kind in person_tables(tables) for place in places_of(kind, tables)}
    return [
        f"{table.name}.{column.name}: is of {said.of}, and no walk from a person comes there"
        for table in tables
        for column in table.columns
        if isinstance(said := column.info.get(INFO), Personal | Secret)
        if said.of and (table.name, said.of) not in reached
    ]


def places_of(kind: str, tables: Iterable[sa.Table]) -> list[Place]:
    """Every place of people of a kind: their own table, what names them, and what hangs below rows that are theirs.

    Raises LookupError when no table says that its rows are such people.
    """
    tables = list(tables)
    people = person_tables(tables)
    if kind not in people:
        raise LookupError(f"no plugin that is installed knows people of the kind {kind!r}")
    found = [Place(people[kind], "id", whole=True)]
    for table in tables:
        for column in table.columns:
            said = column.info.get(INFO)
            if isinstance(said, Names) and said.person == kind:
                found.append(Place(table, column.name, said.whole))
    known = {(place.table.name, place.via) for place in found}
    for place in found:  # grows while it is walked: what hangs below what hangs below
        for below in _below(place, tables) if place.whole else ():
            if (below.table.name, below.via) not in known:
                known.add((below.table.name, below.via))
                found.append(below)
    return found


def _below(place: Place, tables: Sequence[sa.Table]) -> Iterable[Place]:
    for table in tables:
        for key in table.foreign_key_constraints:
            pairs = [(one.parent.name, one.column.name) for one in key.elements if one.parent.name != "business_id"]
            if key.referred_table is place.table and len(pairs) == 1 and table is not place.table:
                yield Place(table, pairs[0][0], True, place, pairs[0][1])
