"""The write batch on SQLite: the same batch as statements in turn, inside the one writer's transaction."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from kernel.db import Transaction
from kernel.db.engine import to_json
from kernel.db.tables import Idempotency, Series
from kernel.errors import Invalid
from kernel.work.effects import Batch, Change, NumberWanted, Row, Tally, inside_json, written


async def write(transaction: Transaction, batch: Batch) -> dict[str, str]:
    """Perform a batch; token → number. Raises the refusal of the first guarded change that found too little."""
    await transaction.connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    numbers = {str(want.token): await _take(transaction, batch, want) for want in batch.numbers}
    for table, rows in batch.rows:
        whole = [{**_numbered(table, row, numbers), "business_id": batch.business_id} for row in rows]
        insert = sqlite.insert(table)
        ignores = table.info.get("ignore_duplicates")
        await transaction.execute(insert.on_conflict_do_nothing() if ignores else insert, whole)
    for tally, changes in batch.changes:
        for key, change in changes:
            await _change(transaction, batch, tally, key, change)
    if batch.answer:
        await _keep(transaction, batch, numbers)
    return numbers


async def _change(transaction: Transaction, batch: Batch, tally: Tally, key: tuple[Any, ...], change: Change) -> None:
    table = tally.table
    room: sa.ColumnElement[int] = sa.literal_column(re.sub(r"\bt\.", f"{table.name}.", tally.room))
    same = sa.and_(
        table.c.business_id == batch.business_id,
        *(table.c[k] == value for k, value in zip(tally.key, key, strict=True)),
    )
    guarded = change.refusal is not None and change.amount < 0
    column = table.c[tally.column]
    update = sa.update(table).where(same).values({column: column + change.amount})
    update = update.where(room >= -change.amount) if guarded else update
    done = (await transaction.execute(update.returning(sa.func.typeof(column)))).scalar()
    if done == "integer":
        return
    if done:  # SQLite would go on in floating point where PostgreSQL refuses
        raise Invalid("A value is out of range")
    if guarded and change.refusal:
        raise change.refusal((await transaction.execute(sa.select(room).where(same))).scalar() or 0)
    values = dict(zip(tally.key, key, strict=True)) | {"business_id": batch.business_id, tally.column: change.amount}
    await transaction.execute(sa.insert(table).values(values))


async def _take(transaction: Transaction, batch: Batch, want: NumberWanted) -> str:
    series = Series.__table__
    here = sa.and_(series.c.business_id == batch.business_id, series.c.series == want.series)
    updated = await transaction.execute(
        sa.update(Series).where(here).values(last=series.c.last + 1).returning(series.c.last)
    )
    last = updated.scalar()
    if last is None:
        last = 1
        await transaction.execute(sa.insert(Series).values(business_id=batch.business_id, series=want.series, last=1))
    return written(want, last)


async def _keep(transaction: Transaction, batch: Batch, numbers: dict[str, str]) -> None:
    answer = batch.answer
    assert answer is not None  # noqa: S101 - narrowed by the caller
    key = Idempotency.__table__.c
    inside = {token: inside_json(number) for token, number in numbers.items()}
    await transaction.execute(
        sa.update(Idempotency)
        .where(
            key.business_id == batch.business_id,
            key.principal == answer.principal,
            key.route == answer.route,
            key.key == answer.key,
        )
        .values(status=answer.status, headers=dict(answer.headers), body=_filled_in(answer.body, inside))
    )


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
