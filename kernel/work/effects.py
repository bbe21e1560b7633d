"""Effects: writes that plugins declare and the kernel performs, together and in one global order."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NewType

import msgspec
import sqlalchemy as sa

from kernel.errors import DukaError

Row = Mapping[str, Any]
Refusal = Callable[[int], DukaError]
"""Makes the error when too little is left; it is given what is left."""


@dataclass(frozen=True, eq=False)
class Tally:
    """A stored number that many deeds change at once, by declared amounts only; never read, then written.

    key: the columns that, with business_id, are the table's primary key; their order is the lock order.
    room: SQL over the row (alias t) for how much may still be taken; guarded decrements need it.
    rank: place in the global lock order: 10 coupons and limits, 20 stock, 30 credit accounts.
    """

    table: sa.Table
    key: tuple[str, ...]
    column: str
    room: str
    rank: int


Number = NewType("Number", str)
"""A document number that is not known yet: it is taken last. The flush writes it wherever this text stands."""


@dataclass(frozen=True)
class NumberWanted:
    """A place in a series: its text until the flush, and how the number is written."""

    token: Number
    series: str
    prefix: str
    width: int


@dataclass
class Change:
    """The sum of what a deed changes of one tally row; with a refusal it is taken only if there is room."""

    amount: int = 0
    refusal: Refusal | None = None


@dataclass
class Effects:
    """All that a deed wants written, gathered until the flush."""

    rows: dict[sa.Table, list[Row]] = field(default_factory=dict)
    changes: dict[Tally, dict[tuple[Any, ...], Change]] = field(default_factory=dict)
    numbers: list[NumberWanted] = field(default_factory=list)
    leaves_jobs: bool = False
    afterwards: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    def insert(self, table: sa.Table, row: Row) -> None:
        """One more row. Raises ValueError unless all rows of a table name the same columns."""
        rows = self.rows.setdefault(table, [])
        if rows and rows[0].keys() != row.keys():
            raise ValueError(f"{table.name}: rows of one deed differ in columns {sorted(rows[0].keys() ^ row.keys())}")
        rows.append(row)

    def change(self, tally: Tally, key: tuple[Any, ...], amount: int, refusal: Refusal | None) -> None:
        """Add to what is changed of one row; the first refusal given stays."""
        change = self.changes.setdefault(tally, {}).setdefault(key, Change())
        change.amount += amount
        change.refusal = change.refusal or refusal

    def number(self, series: str, prefix: str, width: int) -> Number:
        """A number of a series, to be known after the flush."""
        token = Number(f"~{secrets.token_hex(12)}~")
        self.numbers.append(NumberWanted(token, series, prefix, width))
        return token

    def job(
        self, business: uuid.UUID, header: Row, payload: Mapping[str, Any], jobs: sa.Table, payloads: sa.Table
    ) -> None:
        """A job, committed with the deed."""
        self.insert(jobs, {"business_id": business, **header})
        self.insert(payloads, {"business_id": business, "job_id": header["id"], "payload": dict(payload)})
        self.leaves_jobs = True


@dataclass(frozen=True)
class StoredAnswer:
    """The answer of a deed as it is kept with its idempotency key."""

    principal: uuid.UUID
    route: str
    key: str
    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Batch:
    """One flush: the effects in the order they are written."""

    business_id: uuid.UUID
    rows: list[tuple[sa.Table, list[Row]]]
    changes: list[tuple[Tally, list[tuple[tuple[Any, ...], Change]]]]
    numbers: list[NumberWanted]
    answer: StoredAnswer | None
    at: dt.datetime


def in_order(effects: Effects, business_id: uuid.UUID, answer: StoredAnswer | None, at: dt.datetime) -> Batch:
    """The effects of a deed in the one global order: rows, then tallies by rank and key, then numbers by series."""
    changes = [
        (tally, sorted(((k, c) for k, c in keyed.items() if c.amount), key=lambda kc: tuple(map(str, kc[0]))))
        for tally, keyed in sorted(effects.changes.items(), key=lambda tk: (tk[0].rank, tk[0].table.name, tk[0].column))
    ]
    return Batch(
        business_id,
        sorted(effects.rows.items(), key=lambda tr: tr[0].name),
        [(tally, keyed) for tally, keyed in changes if keyed],
        sorted(effects.numbers, key=lambda n: n.series),
        answer,
        at,
    )


def inside_json(number: str) -> str:
    """A number as it stands inside a JSON text: a prefix may hold quotes."""
    return msgspec.json.encode(number).decode()[1:-1]


def written(want: NumberWanted, value: int) -> str:
    """A number as it stands on paper: prefix and at least `width` digits."""
    return f"{want.prefix}{value:0{want.width}d}"
