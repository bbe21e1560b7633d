"""Lists by fields of a business's own: `?custom.color=red`, `?custom.weight.from=1&custom.weight.to=2.5`.

Filters by what plugins keep on the side (`kernel.custom.beside`) go with them. Every filter is a range. What few things
have is looked up first, and the list is made of those; what many have is checked along the list's own order, which soon
fills a page. So neither reads what it does not answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from kernel.custom.beside import SideRange, few_beside, holds_beside, side_ranges
from kernel.custom.fields import custom_fields
from kernel.custom.offered import Choice, Chosen, chosen, few_of, offered_filters
from kernel.custom.values import RANGED, Field, WrongValue, key_of, read_text
from kernel.db import Prepared, among
from kernel.db.custom import key_tables
from kernel.errors import Invalid
from kernel.work import Work

Shape = tuple[Any, ...]
"""What the conditions of a filter depend on."""
MOST_FILTERS: Final = 5
_business = sa.bindparam("business_id", type_=sa.Uuid())
FEW: Final = 1000
"""Things that a filter may let through to be looked up first."""
_FIRST: Final = " "
"""Before all keys; behind those that were erased, which are empty."""
_LAST: Final = "\U0010ffff"
"""Behind all keys."""


class Range(Struct, frozen=True):
    """The keys of a field that a filter lets through."""

    field_id: UUID
    low: str
    high: str

    @property
    def shape(self) -> None:
        """All are alike."""
        return None

    @property
    def parameters(self) -> dict[str, Any]:
        """What its condition is given."""
        return {"field": self.field_id, "low": self.low, "high": self.high}


class CustomFilter(Struct, frozen=True):
    """What a list is narrowed to. ids: all that the filters let through which let few; checked: the other filters."""

    ids: frozenset[UUID] | None = None
    checked: tuple[Range | SideRange | Chosen, ...] = ()

    @property
    def shape(self) -> Shape:
        """What its conditions depend on."""
        return self.ids is not None, *(one.shape for one in self.checked)

    @property
    def parameters(self) -> dict[str, Any]:
        """What its conditions are given."""
        given: dict[str, Any] = {} if self.ids is None else {"custom_ids": sorted(self.ids)}
        for n, one in enumerate(self.checked):
            begins = "" if isinstance(one, Chosen) else f"custom{n}_"
            given |= {f"{begins}{name}": value for name, value in one.parameters.items()}
        return given

    def within(self, ids: Collection[UUID]) -> CustomFilter:
        """The same, of some things alone: those that a filter of the list's owner lets through, where it lets few."""
        kept = set(ids) if self.ids is None else self.ids & set(ids)
        return CustomFilter(frozenset(kept), self.checked)


NO_FILTER: Final = CustomFilter()


async def custom_filter(
    work: Work, entity: str, given: Mapping[str, str], beside: Mapping[str, str] | None = None
) -> CustomFilter:
    """The filters of a query string: `<field>`, `<field>.from` or `<field>.to` → text.

    beside: those by what plugins keep on the side, `<plugin>.<field>` and so on, and those that they bring. Raises
    Invalid at one, Forbidden for a field that the caller may not see.
    """
    if not given and not beside:
        return NO_FILTER
    known = offered_filters(work.hooks, entity) if beside else {}
    kept = {name: said for name, said in (beside or {}).items() if name not in known}
    own, aside = await _ranges(work, entity, given), side_ranges(work, entity, kept)
    found = CustomFilter()
    for one in _not_too_many([*own, *aside, *chosen(work, known, beside or {})]):
        few = await _first(work, entity, one)
        if few is None or isinstance(one, Chosen):
            found = CustomFilter(found.ids, (*found.checked, one))
        if few is not None:
            found = found.within(few)
    return found


async def _first(work: Work, entity: str, one: Range | SideRange | Chosen) -> set[UUID] | None:
    """What a filter lets through where that is few, of a choice perhaps more; None where it is many."""
    if isinstance(one, Chosen):
        few = few_of(one.shape, FEW + 1)
    else:
        few = few_beside(entity, one.shape, FEW + 1) if isinstance(one, SideRange) else _few(entity)
    rows = await work.fetch(few, **one.parameters) if few is not None else None
    return None if rows is None or len(rows) > FEW else {row[0] for row in rows}


def conditions(entity: str, owner: Any, shape: Shape) -> list[sa.ColumnElement[bool]]:
    """The conditions of a filter of a shape, on a column of the entity's ids."""
    has_ids, *checked = shape
    found = [among(owner, "custom_ids")] if has_ids else []
    for n, one in enumerate(checked):
        begins = f"custom{n}_"
        if isinstance(one, Choice):
            found.append(one.holds(owner))
        else:
            found.append(_holds(entity, owner, begins) if one is None else holds_beside(entity, owner, one, begins))
    return found


def _not_too_many(asked: Sequence[Range | SideRange | Chosen]) -> Sequence[Range | SideRange | Chosen]:
    if len(asked) > MOST_FILTERS:
        raise Invalid.at("?custom", f"At most {MOST_FILTERS} of them at once")
    return asked


def _holds(entity: str, owner: Any, begins: str) -> sa.ColumnElement[bool]:
    """Whether a thing's key is within a range. begins: what the names of its parameters begin with.

    Written as a value rather than EXISTS, which PostgreSQL would turn into a join of all rows before taking the first.
    """
    keys = key_tables()[entity].alias().c
    here: sa.Select[Any] = sa.select(sa.literal_column("1")).where(
        keys.business_id == _business,
        keys.owner_id == owner,
        keys.field_id == sa.bindparam(f"{begins}field", type_=sa.Uuid()),
        keys.key.between(sa.bindparam(f"{begins}low", type_=sa.Text()), sa.bindparam(f"{begins}high", type_=sa.Text())),
    )
    return here.limit(sa.literal_column("1")).scalar_subquery().is_not(None)


@cache
def _few(entity: str) -> Prepared:
    """The things within a range, as many as are few and one more."""
    keys = key_tables()[entity].c
    return Prepared(
        sa.select(keys.owner_id)
        .where(
            keys.business_id == _business,
            keys.field_id == sa.bindparam("field", type_=sa.Uuid()),
            keys.key.between(sa.bindparam("low", type_=sa.Text()), sa.bindparam("high", type_=sa.Text())),
        )
        .limit(sa.literal_column(str(FEW + 1)))
    )


async def _ranges(work: Work, entity: str, given: Mapping[str, str]) -> list[Range]:
    fields = {one.key: one for one in await custom_fields(work, entity)}
    found: dict[UUID, Range] = {}
    for name, said in given.items():
        key, _, side = name.partition(".")
        pointer = f"?custom.{name[:60]}"
        field = fields.get(key)
        if field is None or side not in ("", "from", "to") or (side and field.kind not in RANGED):
            raise Invalid.at(pointer, "Unknown parameter", code="unknown")
        before = found.get(field.id, Range(field.id, _FIRST, _LAST))
        found[field.id] = _narrowed(before, side, _key(field, said, pointer))
    return list(found.values())


def _narrowed(before: Range, side: str, key: str) -> Range:
    low = before.low if side == "to" else max(before.low, key)
    high = before.high if side == "from" else min(before.high, key)
    return Range(before.field_id, low, high)


def _key(field: Field, said: str, pointer: str) -> str:
    try:
        return key_of(field.kind, read_text(field, said))
    except WrongValue as fault:
        raise Invalid.at(pointer, str(fault)) from fault
