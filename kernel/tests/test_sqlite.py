"""SQLite as Duka sets it up sells each unit once; out of the box it oversells without a word (promises, fact E9)."""

from __future__ import annotations

import asyncio
import multiprocessing
import sqlite3
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from kernel.db import Database, Phase

STOCK, BUYERS = 100, 300
TABLE = "CREATE TABLE stock (id INTEGER PRIMARY KEY, on_hand INTEGER NOT NULL)"


def shelf(folder: Path) -> Path:
    path = folder / "shelf.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(TABLE)
        connection.execute("INSERT INTO stock VALUES (1, ?)", (STOCK,))
    connection.close()
    return path


def left_on(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("SELECT on_hand FROM stock").fetchone()[0])
    finally:
        connection.close()


async def read_then_write(connection: AsyncConnection) -> bool:
    """The naive sale: right only where nobody else can write between its two statements."""
    on_hand = int((await connection.execute(sa.text("SELECT on_hand FROM stock"))).scalar_one())
    await asyncio.sleep(0)
    if on_hand < 1:
        return False
    await connection.execute(sa.text("UPDATE stock SET on_hand = :n"), {"n": on_hand - 1})
    return True


async def sell(database: Database) -> bool:
    transaction = await database.open(Phase.WRITE, None)
    try:
        sold = await read_then_write(transaction.connection)
        await transaction.commit()
        return sold
    finally:
        await transaction.close()


async def buyers(path: Path, number: int) -> int:
    database = Database(f"sqlite+aiosqlite:///{path}")
    try:
        return sum(await asyncio.gather(*(sell(database) for _ in range(number))))
    finally:
        await database.dispose()


def buy_in_a_process(path: Path, number: int, start: object, sold: object) -> None:
    start.wait()  # type: ignore[attr-defined]
    sold.put(asyncio.run(buyers(path, number)))  # type: ignore[attr-defined]


async def test_three_hundred_buyers_get_a_hundred_units(tmp_path: Path) -> None:
    path = shelf(tmp_path)
    assert await buyers(path, BUYERS) == STOCK
    assert left_on(path) == 0


def test_buyers_in_several_processes_get_a_hundred_units(tmp_path: Path) -> None:
    path = shelf(tmp_path)
    context = multiprocessing.get_context("spawn")
    start, sold = context.Barrier(3), context.Queue()
    processes = [
        context.Process(target=buy_in_a_process, args=(path, BUYERS // 3, start, sold), daemon=True) for _ in range(3)
    ]
    for process in processes:
        process.start()
    assert sum(sold.get(timeout=60) for _ in processes) == STOCK
    for process in processes:
        process.join()
    assert left_on(path) == 0


async def test_the_broken_twin_out_of_the_box_oversells(tmp_path: Path) -> None:
    path = shelf(tmp_path)
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", pool_size=20)

    async def naive() -> bool:
        try:
            async with engine.begin() as connection:
                return await read_then_write(connection)
        except sa.exc.OperationalError:
            return False

    sold = sum(await asyncio.gather(*(naive() for _ in range(BUYERS))))
    await engine.dispose()
    assert sold > STOCK - left_on(path), "the plain engine sold no more than left the shelf: the test is blind"


async def test_every_connection_is_set_up_alike(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{shelf(tmp_path)}")
    for phase in (Phase.READ, Phase.WRITE):
        transaction = await database.open(phase, None)
        said = {}
        for pragma in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout"):
            said[pragma] = (await transaction.connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar_one()
        await transaction.close()
        assert said == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10000}
    await database.dispose()


async def test_readers_see_one_snapshot_while_a_writer_commits(tmp_path: Path) -> None:
    path = shelf(tmp_path)
    database = Database(f"sqlite+aiosqlite:///{path}")
    question = sa.text("SELECT on_hand FROM stock")
    async with database.reading(None) as reader:
        before = (await reader.execute(question)).scalar_one()
        assert await sell(database)
        assert (await reader.execute(question)).scalar_one() == before
    assert left_on(path) == STOCK - 1
    await database.dispose()
