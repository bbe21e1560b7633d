"""Lists: keyset pages, filters named one by one, and cursors that no one can forge."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from kernel.errors import Invalid, InvalidCursor
from kernel.wire import ListQuery, Page
from kernel.work import Work

T = TypeVar("T")


async def page(
    work: Work,
    statement: sa.Select[*tuple[Any, ...]],
    query: ListQuery,
    *,
    order: Sequence[sa.ColumnElement[Any] | Any],
    make: Callable[[Any], T],
    descending: bool = False,
) -> Page[T]:
    """One page of a statement that already names the business and the filters.

    order: columns of the statement that are unique together (the id last); the page after a cursor begins behind them.
    make: a row → an item. Rows with a `location_id` are those of where the caller works.
    Raises InvalidCursor for a cursor of another list, filter or business.
    """
    place = statement.selected_columns.get("location_id")
    if place is not None:
        statement = statement.where(work.here(place))
    total: int | msgspec.UnsetType = msgspec.UNSET
    if query.include_total:
        counted = await work.execute(sa.select(sa.func.count()).select_from(statement.order_by(None).subquery()))
        total = counted.scalar_one()
    if query.cursor:
        after = read_cursor(work, query)
        statement = statement.where(_behind(order, after, descending))
    ordered = statement.order_by(*(column.desc() if descending else column.asc() for column in order))
    keyed = ordered.add_columns(*(column.label(f"_key{n}") for n, column in enumerate(order))).limit(query.limit + 1)
    rows = (await work.execute(keyed)).all()
    here = rows[: query.limit]
    more = len(rows) > query.limit
    cursor = make_cursor(work, query, [getattr(here[-1], f"_key{n}") for n in range(len(order))]) if more else None
    return Page([make(row) for row in here], cursor, total)


def sorting(said: str, columns: dict[str, Any]) -> tuple[Any, bool]:
    """A `sort` parameter (`name` or `-name`) → its column and whether it descends. Raises Invalid for other names."""
    name = said.removeprefix("-")
    if name not in columns:
        raise Invalid.at("?sort", f"Sort by one of {', '.join(sorted(columns))}, with - before it to reverse")
    return columns[name], said.startswith("-")


def _behind(order: Sequence[Any], after: list[Any], descending: bool) -> sa.ColumnElement[bool]:
    if len(after) != len(order):
        raise InvalidCursor
    alternatives = []
    for place in range(len(order)):
        same = [order[n] == _typed(order[n], after[n]) for n in range(place)]
        value = _typed(order[place], after[place])
        alternatives.append(sa.and_(*same, order[place] < value if descending else order[place] > value))
    return sa.or_(*alternatives)


def _typed(column: Any, value: Any) -> Any:
    kind = column.type.python_type
    try:
        if kind is uuid.UUID:
            return uuid.UUID(value)
        if kind is dt.datetime:
            return dt.datetime.fromisoformat(value)
        if kind is dt.date:
            return dt.date.fromisoformat(value)
    except (TypeError, ValueError) as fault:
        raise InvalidCursor from fault
    return value


def make_cursor(work: Work, query: ListQuery, values: list[Any]) -> str:
    """The cursor of the page that begins behind these values of its order."""
    said = json.dumps(
        [str(v) if isinstance(v, uuid.UUID | dt.date) else v for v in values], separators=(",", ":")
    ).encode()
    return base64.urlsafe_b64encode(_seal(work, query, said) + said).decode().rstrip("=")


def read_cursor(work: Work, query: ListQuery) -> list[Any]:
    """The values a query's cursor was made of, ids and dates as texts. Raises InvalidCursor."""
    cursor = query.cursor or ""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError) as fault:
        raise InvalidCursor from fault
    seal, said = raw[:16], raw[16:]
    if not hmac.compare_digest(seal, _seal(work, query, said)):
        raise InvalidCursor
    values: list[Any] = json.loads(said)
    return values


def _seal(work: Work, query: ListQuery, said: bytes) -> bytes:
    """Binds a cursor to the business, the list and its filters; the page size may change."""
    filters = {
        name: value
        for name, value in msgspec.to_builtins(query).items()
        if name not in ("cursor", "limit", "include_total")
    }
    scope = json.dumps([str(work.business_id), work.origin.deed, filters], sort_keys=True).encode()
    return hmac.new(work.deployment.secret.encode(), b"cursor" + scope + said, hashlib.sha256).digest()[:16]
