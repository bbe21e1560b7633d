"""Lists by what plugins keep on the side of things: `?ext.loyalty.card=C-17`, `?ext.repairs.due.from=2027-01-01`."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from kernel.db import Moment, Prepared
from kernel.db.sides import side_tables
from kernel.errors import Fault, Forbidden, Invalid
from kernel.registry import Registry
from kernel.wire import NEEDS, marked
from kernel.work import Work

_EXACT: Final = (sa.String, sa.Boolean, sa.Uuid)
_RANGED: Final = (sa.Integer, sa.Date, type(Moment))
_MOST: Final = 2**63
_business = sa.bindparam("business_id", type_=sa.Uuid())


@dataclass(frozen=True)
class SideField:
    """A field of a plugin's side table by which lists of its owners are filtered. needs: the permission to see it."""

    plugin: str
    name: str
    kind: Any
    column: sa.Column[Any]
    needs: str | None

    @property
    def is_ranged(self) -> bool:
        """Whether a filter may ask for from and to."""
        return isinstance(self.column.type, _RANGED)

    @property
    def about(self) -> str:
        """Whose it is."""
        return f"What {self.plugin} keeps."


class SideRange(Struct, frozen=True):
    """The values of a field that a filter lets through, both ends included; None where an end is open."""

    plugin: str
    column: str
    low: Any = None
    high: Any = None

    @property
    def shape(self) -> tuple[str, str, bool, bool]:
        """What its condition depends on."""
        return self.plugin, self.column, self.low is not None, self.high is not None

    @property
    def parameters(self) -> dict[str, Any]:
        """What its condition is given."""
        ends = {"low": self.low, "high": self.high}
        return {name: value for name, value in ends.items() if value is not None}


def side_fields(registry: Registry, subject: str, on: Collection[str]) -> dict[str, SideField]:
    """`<plugin>.<field>` → the field, of all that plugins that are on keep on the side of a subject.

    Documents are no filter, nor is anything else that is neither text, number, day, instant, flag nor id.
    """
    return {f"{one.plugin}.{one.name}": one for one in _fields(registry, subject, on)}


def _fields(registry: Registry, subject: str, on: Collection[str]) -> Iterator[SideField]:
    for plugin, table in side_tables(subject).items():
        kind = registry.extension(subject, plugin) if plugin in on else None
        for one in msgspec.structs.fields(kind) if kind else ():
            column = table.c[one.name]
            if isinstance(column.type, _EXACT + _RANGED):
                yield SideField(plugin, one.encode_name, one.type, column, marked(one.type, NEEDS))


def side_ranges(work: Work, subject: str, given: Mapping[str, str]) -> list[SideRange]:
    """The filters of a query string: `<plugin>.<field>`, `….from` or `….to` → text.

    Raises Invalid at one that nobody takes, Forbidden for a field that the caller may not see.
    """
    fields = side_fields(work.deployment.registry, subject, work.standing.enabled)
    found: dict[str, SideRange] = {}
    for name, said in given.items():
        pointer = f"?ext.{name[:80]}"
        plugin, _, rest = name.partition(".")
        key, _, side = rest.partition(".")
        field = fields.get(f"{plugin}.{key}")
        if field is None or side not in ("", "from", "to") or (side and not field.is_ranged):
            raise Invalid.at(pointer, "Unknown parameter", code="unknown")
        if field.needs and not work.actor.may(field.needs):
            raise Forbidden(f"This needs the permission {field.needs}", faults=[Fault(pointer, Forbidden.code)])
        before = found.get(f"{plugin}.{key}", SideRange(plugin, field.column.name))
        found[f"{plugin}.{key}"] = _narrowed(before, side, _value(field, said, pointer))
    return list(found.values())


def _narrowed(before: SideRange, side: str, value: Any) -> SideRange:
    low, high = before.low, before.high
    if side != "to":
        low = value if low is None else max(low, value)
    if side != "from":
        high = value if high is None else min(high, value)
    return msgspec.structs.replace(before, low=low, high=high)


def _value(field: SideField, said: str, pointer: str) -> Any:
    """A text as the column holds it. msgspec's words would speak of types; what is wanted is told by the document."""
    value = None
    with contextlib.suppress(msgspec.ValidationError, OverflowError):
        value = _stored(msgspec.convert(said, field.kind, strict=False))
    if value is None:
        raise Invalid.at(pointer, "Not written as expected")
    return value


def _stored(value: Any) -> Any:
    """A value as a column takes it; None for what none can hold. Raises OverflowError."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC) if value.tzinfo else None
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) < _MOST else None
    return value


@cache
def few_beside(subject: str, shape: tuple[str, str, bool, bool], most: int) -> Prepared:
    """The things within a range, as many as are asked for."""
    plugin, column, *ends = shape
    table = side_tables(subject)[plugin]
    within = _within(table.c[column], ends, "low", "high")
    limit: Any = sa.literal_column(str(most))
    return Prepared(sa.select(table.c.owner_id).where(table.c.business_id == _business, *within).limit(limit))


def holds_beside(subject: str, owner: Any, shape: tuple[str, str, bool, bool], begins: str) -> sa.ColumnElement[bool]:
    """Whether what a plugin keeps of a thing is within a range. begins: what the names of its parameters begin with."""
    plugin, column, *ends = shape
    beside = side_tables(subject)[plugin].alias().c
    one: Any = sa.literal_column("1")
    within = _within(beside[column], ends, f"{begins}low", f"{begins}high")
    here = sa.select(one).where(beside.business_id == _business, beside.owner_id == owner, *within)
    return here.limit(one).scalar_subquery().is_not(None)


def _within(column: Any, ends: Collection[bool], low: str, high: str) -> list[sa.ColumnElement[bool]]:
    has_low, has_high = ends
    found = [column >= sa.bindparam(low, type_=column.type)] if has_low else []
    return [*found, column <= sa.bindparam(high, type_=column.type)] if has_high else found
