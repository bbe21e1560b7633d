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


@dataclass(frozen=True)
class _Columns:
    """Some columns of a table, as its insert names, types and encodes them. `texts`: where a number may stand."""

    table: str
    names: tuple[str, ...]
    types: tuple[str, ...]
    encoders: tuple[Callable[[Any], Any] | None, ...]
    texts: tuple[int, ...]
    on_conflict: str


@dataclass(frozen=True)
class _Rows:
    """The rows of one table as one argument a column, and the places of the numbers that each column waits for.

    Several rows make arrays. A single row goes as it is: the driver looks into every element of an array for another.
    """

    columns: _Columns
    arguments: list[Any]
    waiting: tuple[tuple[int, ...], ...]
    is_single: bool


@dataclass
class _Text:
    """A text in the making: its common table expressions; arguments are numbered in the order they are asked for."""

    parts: list[str] = field(default_factory=list)
    last: str = ""
    count: int = 0

    def argument(self, type_: str) -> str:
        self.count += 1
        return f"${self.count}::{type_}"

    def after(self) -> str:
        """A table to join so that what follows waits for what was locked before."""
        return f", (SELECT count(*) FROM {self.last}) AS earlier" if self.last else ""


async def write(transaction: Transaction, batch: Batch) -> dict[str, str]:
    """Perform a batch; token → number. Raises the refusal of the first guarded change that found too little."""
    if not (batch.rows or batch.changes or batch.numbers or batch.answer):
        return {}
    tables = [_rows(table, rows, batch.numbers) for table, rows in batch.rows]
    answered = None if batch.answer is None else _waiting([batch.answer.body], batch.numbers)
    tallies = tuple(tally for tally, _ in batch.changes)
    shape = (tuple((one.columns, one.waiting, one.is_single) for one in tables), tallies, len(batch.numbers), answered)
    text = _TEXTS.get(shape)
    if text is None:
        if len(_TEXTS) > _MOST_TEXTS:
            _TEXTS.clear()
        text = _TEXTS[shape] = _text(tables, tallies, len(batch.numbers), answered)
    record = (await transaction.fetch_raw(text, _arguments(batch, tables)))[0]
    for index, (tally, changes) in enumerate(batch.changes):
        await _refuse_unmet(transaction, batch, tally, changes, record[index])
    found = record[len(batch.changes)] if batch.numbers else []
    return {want.token: number for want, number in zip(batch.numbers, found, strict=True)}


def _arguments(batch: Batch, tables: list[_Rows]) -> list[Any]:
    """The arguments, in the order in which `_text` asks for them."""
    found: list[Any] = [batch.business_id]
    for tally, changes in batch.changes:
        found += ([key[place] for key, _ in changes] for place in range(len(tally.key)))
        found.append([change.amount for _, change in changes])
        found.append([change.refusal is not None and change.amount < 0 for _, change in changes])
    if batch.numbers:
        found.append([want.series for want in batch.numbers])
        found.append([want.prefix for want in batch.numbers])
        found.append([want.width for want in batch.numbers])
        found.append([str(want.token) for want in batch.numbers])
    for one in tables:
        found += one.arguments
    if answer := batch.answer:
        headers = msgspec.json.encode(dict(answer.headers)).decode()
        found += (answer.body, answer.status, headers, answer.principal, answer.route, answer.key)
    return found


def _text(tables: list[_Rows], tallies: tuple[Tally, ...], numbers: int, answered: tuple[int, ...] | None) -> str:
    """The statement of a shape."""
    text = _Text()
    business = text.argument("uuid")
    for index, tally in enumerate(tallies):
        _tally(text, f"t{index}", tally, business)
    tokens = _numbers(text, business) if numbers else ""
    for index, one in enumerate(tables):
        _insert(text, f"i{index}", one, business, tokens)
    if answered is not None:
        _answer(text, business, answered, tokens)
    wanted = [f"(SELECT array_agg(_place) FROM t{index}_g)" for index in range(len(tallies))]
    if numbers:
        wanted.append("(SELECT array_agg(number ORDER BY place) FROM numbered)")
    return f"WITH {', '.join(text.parts)} SELECT {', '.join(wanted) or '1'}"


def _tally(text: _Text, name: str, tally: Tally, business: str) -> None:
    table, column = _name(tally.table.name), _name(tally.column)
    parts = [_name(part) for part in tally.key]
    keys = ", ".join(parts)
    arrays = [text.argument(f"{_type(tally.table.c[part])}[]") for part in tally.key]
    amounts, guarded = text.argument("bigint[]"), text.argument("boolean[]")
    said = f"unnest({', '.join(arrays)}, {amounts}, {guarded}) WITH ORDINALITY AS u({keys}, _amount, _guarded, _place)"
    same = " AND ".join(f"t.{part} = u.{part}" for part in parts)
    text.parts.append(f"{name}_u AS MATERIALIZED (SELECT * FROM {said})")
    text.parts.append(
        f"{name}_l AS MATERIALIZED (SELECT {_of('t', parts)} FROM {table} AS t, {name}_u AS u{text.after()}"
        f" WHERE t.business_id = {business} AND {same} ORDER BY {_of('t', parts)} FOR NO KEY UPDATE OF t)"
    )
    locked = " AND ".join(f"l.{part} = u.{part}" for part in parts)
    text.parts.append(
        f"{name}_g AS (UPDATE {table} AS t SET {column} = t.{column} + u._amount FROM {name}_u AS u, {name}_l AS l"
        f" WHERE t.business_id = {business} AND {same} AND {locked} AND (NOT u._guarded OR {tally.room} >= -u._amount)"
        f" RETURNING u._place)"
    )
    text.parts.append(
        f"{name}_f AS (INSERT INTO {table} AS t (business_id, {keys}, {column})"
        f" SELECT {business}, {_of('u', parts)}, u._amount FROM {name}_u AS u"
        f" WHERE NOT u._guarded AND NOT EXISTS (SELECT FROM {name}_l AS l WHERE {locked}) ORDER BY {_of('u', parts)}"
        f" ON CONFLICT (business_id, {keys}) DO UPDATE SET {column} = t.{column} + excluded.{column} RETURNING 1)"
    )
    text.parts.append(f"{name} AS (SELECT 1 FROM {name}_g UNION ALL SELECT 1 FROM {name}_f)")
    text.last = name


def _numbers(text: _Text, business: str) -> str:
    """Take the numbers, after all tallies; returns the argument that holds their tokens."""
    series, prefixes, widths = text.argument("text[]"), text.argument("text[]"), text.argument("integer[]")
    tokens = text.argument("text[]")
    text.parts.append(
        f"wanted AS MATERIALIZED (SELECT *, row_number() OVER (PARTITION BY series ORDER BY place) AS nth,"
        f" count(*) OVER (PARTITION BY series) AS many FROM unnest({series}, {prefixes}, {widths}, {tokens})"
        f" WITH ORDINALITY AS w(series, prefix, width, token, place))"
    )
    text.parts.append(
        f"taken AS (INSERT INTO kernel_series AS s (business_id, series, last)"
        f" SELECT {business}, w.series, max(w.many) FROM wanted AS w{text.after()}"
        f" GROUP BY w.series ORDER BY w.series"
        f" ON CONFLICT (business_id, series) DO UPDATE SET last = s.last + excluded.last RETURNING s.series, s.last)"
    )
    value = "(t.last - w.many + w.nth)::text"
    number = f"w.prefix || lpad({value}, greatest(w.width, length({value})), '0')"
    text.parts.append(
        f"numbered AS MATERIALIZED (SELECT n.*, substr(j.text, 2, length(j.text) - 2) AS as_json FROM"
        f" (SELECT w.place, {number} AS number FROM wanted AS w JOIN taken AS t ON t.series = w.series) AS n,"
        f" LATERAL (SELECT to_json(n.number)::text AS text) AS j)"
    )
    return tokens


def _insert(text: _Text, name: str, rows: _Rows, business: str, tokens: str) -> None:
    columns = rows.columns
    names = ", ".join(columns.names)
    if rows.is_single:
        values, source = [text.argument(type_) for type_ in columns.types], ""
    else:
        arrays = [text.argument(f"{type_}[]") for type_ in columns.types]
        values, source = [f"u.{column}" for column in columns.names], f" FROM unnest({', '.join(arrays)}) AS u({names})"
    chosen = [
        _filled_in(value, type_, waiting, tokens)
        for value, type_, waiting in zip(values, columns.types, rows.waiting, strict=True)
    ]
    text.parts.append(
        f"{name} AS (INSERT INTO {columns.table} (business_id, {names})"
        f" SELECT {business}, {', '.join(chosen)}{source}{columns.on_conflict})"
    )


def _answer(text: _Text, business: str, waiting: tuple[int, ...], tokens: str) -> None:
    body = _numbered(text.argument("text"), waiting, tokens, "as_json")
    text.parts.append(
        f"answered AS (UPDATE kernel_idempotency SET body = {body}, status = {text.argument('bigint')},"
        f" headers = {text.argument('jsonb')} WHERE business_id = {business}"
        f" AND principal = {text.argument('uuid')} AND route = {text.argument('text')}"
        f" AND key = {text.argument('text')})"
    )


def _filled_in(expression: str, type_: str, waiting: tuple[int, ...], tokens: str) -> str:
    """A column's expression, with the numbers that its texts or JSON documents wait for written in."""
    if not waiting:
        return expression
    if type_.startswith("JSON"):
        return f"{_numbered(f'{expression}::text', waiting, tokens, 'as_json')}::{type_}"
    return _numbered(expression, waiting, tokens, "number")


def _numbered(expression: str, waiting: tuple[int, ...], tokens: str, written: str) -> str:
    """The expression, with the numbers it waits for written in; `written`: how, plain or inside JSON."""
    for place in waiting:
        number = f"(SELECT {written} FROM numbered WHERE place = {place})"
        expression = f"replace({expression}, ({tokens})[{place}], {number})"
    return expression


def _rows(table: sa.Table, rows: list[Row], numbers: list[NumberWanted]) -> _Rows:
    """Rows turned into columns, encoded as the driver takes them."""
    named = tuple(column for column in rows[0] if column != "business_id")
    columns = _COLUMNS.get((table, named))
    if columns is None:
        columns = _COLUMNS[table, named] = _columns(table, named)
    arrays = [
        [encode(row[name]) for row in rows] if encode else [row[name] for row in rows]
        for name, encode in zip(named, columns.encoders, strict=True)
    ]
    waiting: list[tuple[int, ...]] = [()] * len(named)
    if numbers:
        for place in columns.texts:
            waiting[place] = _waiting(arrays[place], numbers)
    is_single = len(rows) == 1
    return _Rows(columns, [values[0] for values in arrays] if is_single else arrays, tuple(waiting), is_single)


def _waiting(values: list[str | None], numbers: list[NumberWanted]) -> tuple[int, ...]:
    """The places of the numbers that some texts wait for."""
    joined = "\n".join(filter(None, values))
    return tuple(place for place, want in enumerate(numbers, start=1) if want.token in joined)


def _columns(table: sa.Table, named: tuple[str, ...]) -> _Columns:
    kinds = [table.c[name].type for name in named]
    return _Columns(
        _name(table.name),
        tuple(_name(name) for name in named),
        tuple(_type(table.c[name]) for name in named),
        tuple(_encoder(table.c[name]) for name in named),
        tuple(place for place, kind in enumerate(kinds) if isinstance(kind, sa.String | sa.JSON)),
        " ON CONFLICT DO NOTHING" if table.info.get("ignore_duplicates") else "",
    )


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


_MOST_TEXTS = 500
_TEXTS: dict[Any, str] = {}
"""Shape → its statement."""
_COLUMNS: dict[tuple[sa.Table, tuple[str, ...]], _Columns] = {}


def _name(name: str) -> str:
    """A name of the model, quoted where PostgreSQL needs it."""
    return str(_DIALECT.identifier_preparer.quote(name))


def _of(alias: str, names: list[str]) -> str:
    return ", ".join(f"{alias}.{name}" for name in names)


def _encoder(column: sa.Column[Any]) -> Callable[[Any], Any] | None:
    implementation: Any = column.type.dialect_impl(_DIALECT)
    encode: Callable[[Any], Any] | None = implementation.bind_processor(_DIALECT)
    return encode


def _type(column: sa.Column[Any]) -> str:
    """A column's type, without the collation, which no array may name."""
    return str(column.type.compile(_DIALECT)).partition(" COLLATE ")[0]
