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

from kernel.db import Prepared
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
        statement = statement.where(_behind(order, _after(work, query, order), descending))
    ordered = statement.order_by(*(column.desc() if descending else column.asc() for column in order))
    keyed = ordered.add_columns(*(column.label(f"_key{n}") for n, column in enumerate(order))).limit(query.limit + 1)
    rows = (await work.execute(keyed)).all()
    here = rows[: query.limit]
    more = len(rows) > query.limit
    cursor = make_cursor(work, query, [getattr(here[-1], f"_key{n}") for n in range(len(order))]) if more else None
    return Page([make(row) for row in here], cursor, total)


class Listing:
    """A list whose statements are prepared once: of the first page, of those behind a cursor, and the one that counts.

    statement: its parameters are `bindparam`s, `business_id` among them; order: as in `page`, columns that are never
    null. For lists asked for at a till; others are as well served by `page`. Not for rows with a `location_id`.
    """

    def __init__(
        self, statement: sa.Select[*tuple[Any, ...]], order: Sequence[Any], *, descending: bool = False
    ) -> None:
        self._order = list(order)
        ordered = statement.order_by(*(column.desc() if descending else column.asc() for column in order))
        keyed = ordered.add_columns(*(column.label(f"_key{n}") for n, column in enumerate(order)))
        limited = keyed.limit(sa.bindparam("_rows", type_=sa.BigInteger()))
        self._first = Prepared(limited)
        after = [sa.bindparam(f"_after{n}", type_=column.type) for n, column in enumerate(order)]
        self._behind = Prepared(limited.where(_behind(order, after, descending)))
        counted = sa.select(sa.func.count().label("n")).select_from(statement.order_by(None).subquery())
        self._count = Prepared(counted)

    async def page(self, work: Work, query: ListQuery, **parameters: Any) -> Page[Any]:
        """One page of rows. Raises InvalidCursor for a cursor of another list, filter or business."""
        total: int | msgspec.UnsetType = msgspec.UNSET
        if query.include_total:
            counted = await work.one(self._count, **parameters)
            total = counted.n if counted else 0
        statement, most = self._first, query.limit + 1
        if query.cursor:
            after = _after(work, query, self._order)
            statement = self._behind
            parameters |= {f"_after{n}": value for n, value in enumerate(after)}
        rows = await work.fetch(statement, **parameters, _rows=most)
        if len(rows) < most:
            return Page(rows, None, total)
        here = rows[: query.limit]
        last = here[-1][-len(self._order) :]
        return Page(here, make_cursor(work, query, list(last)), total)


def sorting(said: str, columns: dict[str, Any]) -> tuple[Any, bool]:
    """A `sort` parameter (`name` or `-name`) → its column and whether it descends. Raises Invalid for other names."""
    name = said.removeprefix("-")
    if name not in columns:
        raise Invalid.at("?sort", f"Sort by one of {', '.join(sorted(columns))}, with - before it to reverse")
    return columns[name], said.startswith("-")


def _behind(order: Sequence[Any], after: Sequence[Any], descending: bool) -> sa.ColumnElement[bool]:
    """What comes behind a row, compared as a row: so both databases enter an index of that order there.

    An index is of one table, so where the order goes on in another, its beginning is compared by itself as well.
    """
    values = [
        value if isinstance(value, sa.BindParameter) else sa.literal(value, column.type)
        for column, value in zip(order, after, strict=True)
    ]
    here, there = _as_row(order), _as_row(values)
    behind: sa.ColumnElement[bool] = here < there if descending else here > there
    first = [column for column in order if column.table is order[0].table]
    if len(first) == len(order):
        return behind
    here, there = _as_row(first), _as_row(values[: len(first)])
    return sa.and_(here <= there if descending else here >= there, behind)


def _as_row(values: Sequence[Any]) -> Any:
    return sa.tuple_(*values) if len(values) > 1 else values[0]


def _after(work: Work, query: ListQuery, order: Sequence[Any]) -> list[Any]:
    """What a query's cursor was made of, as values of the columns it is ordered by. Raises InvalidCursor."""
    values = read_cursor(work, query)
    if len(values) != len(order):
        raise InvalidCursor
    return [_typed(column, value) for column, value in zip(order, values, strict=True)]


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
