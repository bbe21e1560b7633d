"""Backups of a box and empty databases to bring them back into, and what stands in either, read row by row."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from kernel.app import open_deployment
from kernel.app.backup import write_backup
from kernel.app.portable import Manifest, arriving
from kernel.db import Base
from kernel.settings import Settings
from kernel.testing.box import SECRET, Box
from kernel.testing.servers import Postgres
from kernel.work import Deployment

Rows = dict[str, list[tuple[Any, ...]]]
DATABASES = ("sqlite", "postgresql")
_numbers = itertools.count(1)


@asynccontextmanager
async def empty_database(kind: str, folder: Path, postgres: Callable[[], Postgres]) -> AsyncIterator[Settings]:
    """Settings of a deployment whose database is new and empty."""
    home = folder / f"target{next(_numbers)}"
    home.mkdir()
    if kind == "sqlite":
        yield Settings(home=str(home), secret_key=SECRET)
        return
    server, name = postgres(), f"target_{next(_numbers)}"
    yield Settings(home=str(home), secret_key=SECRET, database_url=await server.create_database(name))
    await server.drop_database(name)


@asynccontextmanager
async def deployed(box: Box, settings: Settings) -> AsyncIterator[Deployment]:
    """The deployment of other settings, with the plugins and the clock of the box."""
    deployment = open_deployment(settings, registry=box.deployment.registry, clock=box.deployment.clock, patient=True)
    try:
        yield deployment
    finally:
        await deployment.database.dispose()


async def backed_up(
    deployment: Deployment, path: Path, write: Callable[..., Awaitable[Manifest]] = write_backup
) -> Path:
    """A backup, written by `write`."""
    with arriving(path) as file:
        await write(deployment, file)
    return path


async def every_row(url: str) -> Rows:
    """All rows of every table, sorted; read by the database's own superuser, without the code under test."""
    engine = create_async_engine(url)
    found: Rows = {}
    try:
        async with engine.connect() as connection:
            there = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
            for table in Base.metadata.sorted_tables:
                if table.name in there:
                    rows = (await connection.execute(sa.select(table))).all()
                    found[table.name] = sorted((tuple(row) for row in rows), key=repr)
    finally:
        await engine.dispose()
    return found


async def table_names(url: str) -> list[str]:
    """The tables there are."""
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    finally:
        await engine.dispose()
