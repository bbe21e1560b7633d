"""The write batch on SQLite: the same batch as statements in turn, all in one visit to the writer's thread.

Names of tables and columns come from the models and are quoted where they must be; every value is an argument.
"""

# ruff: noqa: S608 - see above

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from kernel.db import Inside, Transaction
from kernel.db.base import table_of
from kernel.db.engine import to_json
from kernel.db.tables import Idempotency, Series
from kernel.errors import Invalid
from kernel.work.effects import Batch, Change, NumberWanted, Row, StoredAnswer, Tally, inside_json, written

Encoder = Callable[[Any], Any] | None


async def write(transaction: Transaction, batch: Batch) -> dict[str, str]:
    """Perform a batch; token → number. Raises the refusal of the first guarded change that found too little."""
    if not (batch.rows or batch.changes or batch.numbers or batch.answer):
        return {}
    dialect = transaction.database.writer.dialect
    tables = [table.name for table, _ in batch.rows] + [tally.table.name for tally, _ in batch.changes]
    return await transaction.run_inside(
        f"BATCH {', '.join(tables)}", lambda inside: _Writing(inside, batch, dialect).write()
    )


@dataclass(frozen=True)
class _Insert:
    """The insert of some columns of a table, and what to do with their values."""

    sql: str
    names: tuple[str, ...]
    encoders: tuple[Encoder, ...]

    def arguments(self, row: Row) -> list[Any]:
        return [encode(row[n]) if encode else row[n] for n, encode in zip(self.names, self.encoders, strict=True)]


class _Writing:
    """A batch in the doing, in the connection's thread."""

    def __init__(self, inside: Inside, batch: Batch, dialect: Dialect) -> None:
        self.inside, self.batch, self.dialect = inside, batch, dialect

    def write(self) -> dict[str, str]:
        """Everything, in the batch's order; the series first, since rows bear their numbers."""
        self.inside.run("PRAGMA defer_foreign_keys=ON")
        numbers = {str(want.token): self._take(want) for want in self.batch.numbers}
        for table, rows in self.batch.rows:
            self._insert(
                table, [{**_numbered(table, row, numbers), "business_id": self.batch.business_id} for row in rows]
            )
        for tally, changes in self.batch.changes:
            for key, change in changes:
                self._change(tally, key, change)
        if self.batch.answer:
            self._keep(self.batch.answer, numbers)
        return numbers

    def _insert(self, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        insert = _insert(table, tuple(rows[0]), self.dialect)
        self.inside.run_each(insert.sql, [insert.arguments(row) for row in rows])

    def _change(self, tally: Tally, key: tuple[Any, ...], change: Change) -> None:
        table, names = tally.table, ("business_id", *tally.key)
        same = _encoded(table, names, (self.batch.business_id, *key), self.dialect)
        guarded = change.refusal is not None and change.amount < 0
        update, room = _change(tally, guarded, self.dialect)
        done = self.inside.run(update, [change.amount, *same, *([-change.amount] if guarded else [])])
        if done and done[0][0] == "integer":
            return
        if done:  # SQLite would go on in floating point where PostgreSQL refuses
            raise Invalid("A value is out of range")
        if guarded and change.refusal:
            left = self.inside.run(room, same)
            raise change.refusal((left[0][0] or 0) if left else 0)
        row = dict(zip(names, (self.batch.business_id, *key), strict=True)) | {tally.column: change.amount}
        self._insert(table, [row])

    def _take(self, want: NumberWanted) -> str:
        series = table_of(Series)
        here = _encoded(series, ("business_id", "series"), (self.batch.business_id, want.series), self.dialect)
        last = self.inside.run(_NEXT, here)
        if not last:
            self.inside.run(_FIRST, here)
        return written(want, last[0][0] if last else 1)

    def _keep(self, answer: StoredAnswer, numbers: dict[str, str]) -> None:
        inside = {token: inside_json(number) for token, number in numbers.items()}
        names = ("status", "headers", "body", "business_id", "principal", "route", "key")
        body = _filled_in(answer.body, inside)
        said = (answer.status, dict(answer.headers), body, self.batch.business_id)
        values = (*said, answer.principal, answer.route, answer.key)
        self.inside.run(_KEEP, _encoded(table_of(Idempotency), names, values, self.dialect))


_NEXT = "UPDATE kernel_series SET last = last + 1 WHERE business_id = ? AND series = ? RETURNING last"
_FIRST = "INSERT INTO kernel_series (business_id, series, last) VALUES (?, ?, 1)"
_KEEP = (
    "UPDATE kernel_idempotency SET status = ?, headers = ?, body = ?"
    " WHERE business_id = ? AND principal = ? AND route = ? AND key = ?"
)


@functools.lru_cache(500)
def _insert(table: sa.Table, names: tuple[str, ...], dialect: Dialect) -> _Insert:
    columns, places = ", ".join(_name(name, dialect) for name in names), ", ".join("?" * len(names))
    ignores = " ON CONFLICT DO NOTHING" if table.info.get("ignore_duplicates") else ""
    sql = f"INSERT INTO {_name(table.name, dialect)} ({columns}) VALUES ({places}){ignores}"
    return _Insert(sql, names, _encoders(table, names, dialect))


@functools.lru_cache(100)
def _change(tally: Tally, guarded: bool, dialect: Dialect) -> tuple[str, str]:
    """The update of a tally, which tells the type of what it left; and the question how much room there is."""
    table, column = _name(tally.table.name, dialect), _name(tally.column, dialect)
    same = " AND ".join(f"t.{_name(name, dialect)} = ?" for name in ("business_id", *tally.key))
    enough = f" AND {tally.room} >= ?" if guarded else ""
    update = f"UPDATE {table} AS t SET {column} = {column} + ? WHERE {same}{enough} RETURNING typeof({column})"
    return update, f"SELECT {tally.room} FROM {table} AS t WHERE {same}"


@functools.lru_cache(500)
def _encoders(table: sa.Table, names: tuple[str, ...], dialect: Dialect) -> tuple[Encoder, ...]:
    return tuple(table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names)


def _encoded(table: sa.Table, names: tuple[str, ...], values: tuple[Any, ...], dialect: Dialect) -> list[Any]:
    encoders = _encoders(table, names, dialect)
    return [encode(value) if encode else value for encode, value in zip(encoders, values, strict=True)]


def _name(name: str, dialect: Dialect) -> str:
    """A name of the model, quoted where SQLite needs it."""
    return str(dialect.identifier_preparer.quote(name))


def _numbered(table: sa.Table, row: Row, numbers: dict[str, str]) -> dict[str, Any]:
    """The row with the numbers its texts and JSON documents wait for written in."""
    if not numbers:
        return dict(row)
    inside = {token: inside_json(number) for token, number in numbers.items()}
    whole = dict(row)
    for name, value in row.items():
        if isinstance(value, str):
            whole[name] = _filled_in(value, numbers)
        elif isinstance(table.c[name].type, sa.JSON):
            whole[name] = msgspec.json.decode(_filled_in(to_json(value), inside))
    return whole


def _filled_in(text: str, numbers: dict[str, str]) -> str:
    for token, number in numbers.items():
        text = text.replace(token, number)
    return text
