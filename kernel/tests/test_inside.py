"""SQLite is visited seldom: a deed's statements go to the connection's thread together, and err as elsewhere."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
import sqlalchemy as sa

from kernel.db import Database, Inside, Phase, Prepared, engine, trouble_of
from kernel.testing.box import Box
from kernel.tests.probes.stock.models import LEVELS, Level
from kernel.work import Work

_ALL = Prepared(sa.text("SELECT on_hand FROM stock").columns(on_hand=sa.Integer()))
_ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
FEW = 8
"""Visits of a small deed: its reading, its key and epochs, the batch, and what begins and ends each transaction."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "shelf.sqlite3"
    with sqlite3.connect(made) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE stock (name TEXT PRIMARY KEY, on_hand INTEGER CHECK (on_hand >= 0))")
        connection.execute("INSERT INTO stock VALUES ('rice', 3)")
    connection.close()
    return made


def database_at(path: Path) -> Database:
    return Database(f"sqlite+aiosqlite:///{path}", pool_size=1)


async def visits_of(deed: Callable[[Work], Any], box: Box, patch: pytest.MonkeyPatch) -> int:
    """How often a deed hands something over to a connection's thread."""
    execute: Any = aiosqlite.Connection._execute
    count = 0

    async def counted(driver: aiosqlite.Connection, function: Any, *rest: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        return await execute(driver, function, *rest, **named)

    async def run(work: Work) -> None:
        if asyncio.iscoroutine(done := deed(work)):
            await done

    with patch.context() as during:
        during.setattr(aiosqlite.Connection, "_execute", counted)
        await box.act(run)
    return count


def rows(many: int) -> Callable[[Work], None]:
    def deed(work: Work) -> None:
        for number in range(many):
            work.insert(Level, {"product": f"p{many}-{number}", "place": "shop", "on_hand": 1, "reserved": 0})
            work.increment(LEVELS, (f"q{many}-{number}", "shop"), 2)

    return deed


def rows_one_by_one(many: int) -> Callable[[Work], Coroutine[Any, Any, None]]:
    async def deed(work: Work) -> None:
        await work.write()
        for number in range(many):
            row = {"business_id": work.business_id, "product": f"p{many}-{number}", "place": "shop"}
            await work.execute(sa.insert(Level).values(**row, on_hand=1, reserved=0))

    return deed


async def grows(deed: Callable[[int], Callable[[Work], Any]], box: Box, patch: pytest.MonkeyPatch) -> bool:
    """Whether a deed visits more often the more it writes."""
    _, few, many = [await visits_of(deed(count), box, patch) for count in (1, 2, 20)]  # the first makes connections
    return many > few


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_deed_visits_no_more_often_the_more_it_writes(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not await grows(rows, box, monkeypatch)
    assert await visits_of(rows(3), box, monkeypatch) <= FEW


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_deed_that_writes_statement_by_statement_is_caught(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await grows(rows_one_by_one, box, monkeypatch)


async def test_an_error_of_a_batch_names_its_table_and_undoes_the_whole(path: Path) -> None:
    database = database_at(path)

    def twice(inside: Inside) -> None:
        inside.run("UPDATE stock SET on_hand = 1")
        inside.run_each("INSERT INTO stock VALUES (?, ?)", [("soap", 1), ("soap", 2)])

    transaction = await database.open(Phase.WRITE, None)
    with pytest.raises(sa.exc.IntegrityError) as told:
        await transaction.run_inside("BATCH stock", twice)
    await transaction.close()
    trouble = trouble_of(told.value)
    assert trouble is not None
    assert (trouble.kind, trouble.table, trouble.columns) == ("unique", "stock", ("name",))
    async with database.reading(None) as reader:
        assert [row.on_hand for row in await reader.fetch(_ALL)] == [3]
    await database.dispose()


async def test_a_slow_statement_of_a_batch_is_broken_off(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "SLOWEST_STATEMENT_S", 0.2)
    database = database_at(path)
    transaction = await database.open(Phase.WRITE, None)
    with pytest.raises(sa.exc.OperationalError) as told:
        await transaction.run_inside("BATCH", lambda inside: inside.run(_ENDLESS))
    await transaction.close()
    trouble = trouble_of(told.value)
    assert trouble is not None
    assert trouble.kind == "slow"
    await database.dispose()


async def test_one_snapshot_holds_whoever_asks_first(path: Path) -> None:
    database = database_at(path)
    question = sa.text("SELECT on_hand FROM stock")
    for sqlalchemy_first in (True, False):
        async with database.reading(None) as reader:
            asked = [(await reader.execute(question)).scalar_one()] if sqlalchemy_first else []
            asked += [row.on_hand for row in await reader.fetch(_ALL)]
            with sqlite3.connect(path) as other:
                other.execute("UPDATE stock SET on_hand = on_hand + 1")
            other.close()
            asked += [row.on_hand for row in await reader.fetch(_ALL)]
            asked.append((await reader.execute(question)).scalar_one())
        assert len(set(asked)) == 1
    await database.dispose()


async def test_a_writer_broken_off_while_it_waits_leaves_nothing_open(path: Path) -> None:
    database = database_at(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(database.open(Phase.WRITE, None))
    await asyncio.sleep(0.1)
    waiting.cancel()
    await asyncio.sleep(0.1)
    other.execute("COMMIT")
    with pytest.raises(asyncio.CancelledError):
        await waiting
    other.execute("BEGIN IMMEDIATE")  # nobody holds it
    other.execute("ROLLBACK")
    other.close()
    transaction = await database.open(Phase.WRITE, None)
    await transaction.run_inside("BATCH stock", lambda inside: inside.run("UPDATE stock SET on_hand = 2"))
    await transaction.commit()
    await transaction.close()
    async with database.reading(None) as reader:
        assert [row.on_hand for row in await reader.fetch(_ALL)] == [2]
    await database.dispose()


async def test_a_transaction_that_has_ended_is_not_begun_again_by_a_commit(path: Path) -> None:
    database = database_at(path)
    transaction = await database.open(Phase.WRITE, None)
    await transaction.run_inside("ROLLBACK", lambda inside: inside.run("ROLLBACK"))
    with pytest.raises(sa.exc.OperationalError, match="no transaction is active"):
        await transaction.commit()
    await transaction.close()
    await database.dispose()
