"""The write batch on PostgreSQL: all rows of all tables, all tallies and numbers in one data-modifying statement.

The text depends only on the shape (tables, columns, tallies), so it is built once per shape and prepared by the driver.
Order inside the statement: each tally locks its rows by key, after the tally of lower rank has been written; the number
series come last. Rows that carry a number are computed from the series, so they wait for it.

Names of tables and columns come from the models and are quoted where they must be; every value is an argument.
"""

# ruff: noqa: S608 - see above

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.engine import Dialect

from kernel.db import Transaction
from kernel.db.engine import to_json
from kernel.work.effects import Batch, Change, NumberWanted, Row, Tally

_DIALECT: Dialect = asyncpg_dialect(json_serializer=to_json)  # type: ignore[no-untyped-call]


@dataclass
class _Statement:
    """A text in the making: its common table expressions, and its arguments."""

    parts: list[str] = field(default_factory=list)
    arguments: list[Any] = field(default_factory=list)
    last: str = ""

    def argument(self, value: Any, type_: str) -> str:
        self.arguments.append(value)
        return f"${len(self.arguments)}::{type_}"

    def after(self) -> str:
        """A table to join so that what follows waits for what was locked before."""
        return f", (SELECT count(*) FROM {self.last}) AS earlier" if self.last else ""


async def write(transaction: Transaction, batch: Batch) -> dict[str, str]:
    """Perform a batch; token → number. Raises the refusal of the first guarded change that found too little."""
    statement = _Statement()
    business = statement.argument(batch.business_id, "uuid")
    answers: list[str] = []
    for index, (tally, changes) in enumerate(batch.changes):
        answers += _tally(statement, f"t{index}", tally, changes, business)
    _numbers(statement, batch.numbers, business)
    for index, (table, rows) in enumerate(batch.rows):
        _insert(statement, f"i{index}", table, rows, batch, business)
    _answer(statement, batch, business)
    if batch.numbers:
        answers.append("(SELECT array_agg(number ORDER BY place) FROM numbered)")
    if not statement.parts:
        return {}
    text = f"WITH {', '.join(statement.parts)} SELECT {', '.join(answers) or '1'}"
    record = (await transaction.fetch_raw(text, statement.arguments))[0]
    for index, (tally, changes) in enumerate(batch.changes):
        await _refuse_unmet(transaction, batch, tally, changes, record[index])
    found = record[len(batch.changes)] if batch.numbers else []
    return {want.token: number for want, number in zip(batch.numbers, found, strict=True)}


def _tally(
    statement: _Statement, name: str, tally: Tally, changes: list[tuple[tuple[Any, ...], Change]], business: str
) -> list[str]:
    table, column = _name(tally.table.name), _name(tally.column)
    parts = [_name(part) for part in tally.key]
    keys = ", ".join(parts)
    arrays = [
        statement.argument([key[place] for key, _ in changes], f"{_type(tally.table.c[part])}[]")
        for place, part in enumerate(tally.key)
    ]
    amounts = statement.argument([change.amount for _, change in changes], "bigint[]")
    guarded = statement.argument(
        [change.refusal is not None and change.amount < 0 for _, change in changes], "boolean[]"
    )
    said = f"unnest({', '.join(arrays)}, {amounts}, {guarded}) WITH ORDINALITY AS u({keys}, amount, guarded, place)"
    same = " AND ".join(f"t.{part} = u.{part}" for part in parts)
    statement.parts.append(f"{name}_u AS MATERIALIZED (SELECT * FROM {said})")
    statement.parts.append(
        f"{name}_l AS MATERIALIZED (SELECT {_of('t', parts)} FROM {table} AS t, {name}_u AS u{statement.after()}"
        f" WHERE t.business_id = {business} AND {same} ORDER BY {_of('t', parts)} FOR NO KEY UPDATE OF t)"
    )
    locked = " AND ".join(f"l.{part} = u.{part}" for part in parts)
    statement.parts.append(
        f"{name}_g AS (UPDATE {table} AS t SET {column} = t.{column} + u.amount FROM {name}_u AS u, {name}_l AS l"
        f" WHERE u.guarded AND t.business_id = {business} AND {same} AND {locked} AND {tally.room} >= -u.amount"
        f" RETURNING u.place)"
    )
    statement.parts.append(
        f"{name}_f AS (INSERT INTO {table} AS t (business_id, {keys}, {column})"
        f" SELECT {business}, {_of('u', parts)}, u.amount FROM {name}_u AS u,"
        f" (SELECT count(*) FROM {name}_l) AS locked WHERE NOT u.guarded ORDER BY {_of('u', parts)}"
        f" ON CONFLICT (business_id, {keys}) DO UPDATE SET {column} = t.{column} + excluded.{column} RETURNING 1)"
    )
    statement.parts.append(f"{name} AS (SELECT 1 FROM {name}_g UNION ALL SELECT 1 FROM {name}_f)")
    statement.last = name
    return [f"(SELECT array_agg(place) FROM {name}_g)"]


def _numbers(statement: _Statement, numbers: list[NumberWanted], business: str) -> None:
    if not numbers:
        return
    series = statement.argument([want.series for want in numbers], "text[]")
    prefixes = statement.argument([want.prefix for want in numbers], "text[]")
    widths = statement.argument([want.width for want in numbers], "integer[]")
    statement.parts.append(
        f"wanted AS MATERIALIZED (SELECT *, row_number() OVER (PARTITION BY series ORDER BY place) AS nth,"
        f" count(*) OVER (PARTITION BY series) AS many FROM unnest({series}, {prefixes}, {widths})"
        f" WITH ORDINALITY AS w(series, prefix, width, place))"
    )
    statement.parts.append(
        f"taken AS (INSERT INTO kernel_series AS s (business_id, series, last)"
        f" SELECT {business}, w.series, max(w.many) FROM wanted AS w{statement.after()}"
        f" GROUP BY w.series ORDER BY w.series"
        f" ON CONFLICT (business_id, series) DO UPDATE SET last = s.last + excluded.last RETURNING s.series, s.last)"
    )
    value = "(t.last - w.many + w.nth)::text"
    number = f"w.prefix || lpad({value}, greatest(w.width, length({value})), '0')"
    statement.parts.append(
        f"numbered AS MATERIALIZED (SELECT n.*, substr(j.text, 2, length(j.text) - 2) AS as_json FROM"
        f" (SELECT w.place, {number} AS number FROM wanted AS w JOIN taken AS t ON t.series = w.series) AS n,"
        f" LATERAL (SELECT to_json(n.number)::text AS text) AS j)"
    )


def _insert(statement: _Statement, name: str, table: sa.Table, rows: list[Row], batch: Batch, business: str) -> None:
    columns = [column for column in rows[0] if column != "business_id"]
    names = ", ".join(_name(column) for column in columns)
    arrays, chosen = [], []
    for column in columns:
        encode = _encoder(table.c[column])
        values = [encode(row[column]) if encode else row[column] for row in rows]
        arrays.append(statement.argument(values, _array_type(table.c[column])))
        chosen.append(_filled_in(statement, f"u.{_name(column)}", table.c[column], values, batch.numbers))
    statement.parts.append(
        f"{name} AS (INSERT INTO {_name(table.name)} (business_id, {names})"
        f" SELECT {business}, {', '.join(chosen)} FROM unnest({', '.join(arrays)}) AS u({names}))"
    )


def _answer(statement: _Statement, batch: Batch, business: str) -> None:
    answer = batch.answer
    if answer is None:
        return
    body = _numbered(statement, statement.argument(answer.body, "text"), [answer.body], batch.numbers, "as_json")
    headers = statement.argument(msgspec.json.encode(dict(answer.headers)).decode(), "jsonb")
    statement.parts.append(
        f"answered AS (UPDATE kernel_idempotency SET status = {statement.argument(answer.status, 'bigint')},"
        f" headers = {headers}, body = {body} WHERE business_id = {business}"
        f" AND principal = {statement.argument(answer.principal, 'uuid')}"
        f" AND route = {statement.argument(answer.route, 'text')} AND key = {statement.argument(answer.key, 'text')})"
    )


def _filled_in(
    statement: _Statement, expression: str, column: sa.Column[Any], values: list[Any], numbers: list[NumberWanted]
) -> str:
    """A column's expression, with the numbers that its texts or JSON documents wait for written in."""
    if not numbers or not any(isinstance(value, str) for value in values):
        return expression
    if not isinstance(column.type, sa.JSON):
        return _numbered(statement, expression, values, numbers, "number")
    type_ = _type(column)
    return f"{_numbered(statement, f'{expression}::text', values, numbers, 'as_json')}::{type_}"


def _numbered(
    statement: _Statement, expression: str, values: list[Any], numbers: list[NumberWanted], written: str
) -> str:
    """The expression, with the numbers that its values wait for written in; `written`: how, plain or inside JSON."""
    for place, want in enumerate(numbers, start=1):
        if any(isinstance(value, str) and want.token in value for value in values):
            token = statement.argument(str(want.token), "text")
            expression = f"replace({expression}, {token}, (SELECT {written} FROM numbered WHERE place = {place}))"
    return expression


async def _refuse_unmet(
    transaction: Transaction,
    batch: Batch,
    tally: Tally,
    changes: list[tuple[tuple[Any, ...], Change]],
    met: list[int] | None,
) -> None:
    done = set(met or ())
    for place, (key, change) in enumerate(changes, start=1):
        if change.refusal is None or change.amount >= 0 or place in done:
            continue
        where = " AND ".join(f"t.{_name(part)} = ${n}" for n, part in enumerate(("business_id", *tally.key), start=1))
        rows = await transaction.fetch_raw(
            f"SELECT {tally.room} FROM {_name(tally.table.name)} AS t WHERE {where}", [batch.business_id, *key]
        )
        raise change.refusal(rows[0][0] if rows else 0)


_ENCODERS: dict[sa.Column[Any], Callable[[Any], Any] | None] = {}
_TYPES: dict[sa.Column[Any], str] = {}


def _name(name: str) -> str:
    """A name of the model, quoted where PostgreSQL needs it."""
    return str(_DIALECT.identifier_preparer.quote(name))


def _of(alias: str, names: list[str]) -> str:
    return ", ".join(f"{alias}.{name}" for name in names)


def _encoder(column: sa.Column[Any]) -> Callable[[Any], Any] | None:
    if column not in _ENCODERS:
        implementation: Any = column.type.dialect_impl(_DIALECT)
        _ENCODERS[column] = implementation.bind_processor(_DIALECT)
    return _ENCODERS[column]


def _type(column: sa.Column[Any]) -> str:
    if column not in _TYPES:
        _TYPES[column] = column.type.compile(_DIALECT)
    return _TYPES[column]


def _array_type(column: sa.Column[Any]) -> str:
    return f"{_type(column)}[]"
