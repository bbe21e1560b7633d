"""How often something speaks to its database: counted in this process, at the driver."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import aiosqlite
import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from bench.shop import SALES, Shop
from kernel.registry import discover
from kernel.settings import Settings
from kernel.testing.box import open_box


@dataclass
class Trips:
    """What was sent. One text may hold several statements, a BEGIN and its settings among them.

    visits: each time this process waited for the database: for PostgreSQL's answer, or for the thread of SQLite.
    """

    texts: list[str] = field(default_factory=list)
    visits: list[str] = field(default_factory=list)

    @property
    def statements(self) -> int:
        """Statements, those sent together counted one by one."""
        return sum(len([part for part in text.split(";") if part.strip()]) for text in self.texts)


@contextmanager
def counted() -> Iterator[Trips]:
    """Note every text that asyncpg sends, and every visit to SQLite's thread."""
    trips = Trips()
    ours = {name: _noting(name, trips) for name in ("fetch", "execute", "prepare")}
    with (
        mock.patch.multiple(asyncpg.Connection, **ours),
        mock.patch.object(PreparedStatement, "fetch", _noting_prepared(trips)),
        mock.patch.object(aiosqlite.Connection, "_execute", _noting_visits(trips)),
    ):
        yield trips


async def trips_of_a_sale(settings: Settings, shop: Shop, lines: int) -> Trips:
    """One sale of so many lines by a connection that knows its statements already."""
    box = await open_box(settings, discover())
    client = box.client("owner")
    headers = {"Content-Type": "application/json"}
    try:
        (await client.post(SALES, content=shop.body(lines), headers=headers)).raise_for_status()
        with counted() as trips:
            (await client.post(SALES, content=shop.body(lines), headers=headers)).raise_for_status()
        return trips
    finally:
        await box.close()


def _noting(name: str, trips: Trips) -> Any:
    honest = getattr(asyncpg.Connection, name)

    async def noting(self: Any, query: str, *args: Any, **kwargs: Any) -> Any:
        if name != "prepare":
            trips.texts.append(query)
        trips.visits.append(name)
        return await honest(self, query, *args, **kwargs)

    return noting


def _noting_prepared(trips: Trips) -> Any:
    """As SQLAlchemy runs statements: prepared once a connection, then fetched."""
    honest = PreparedStatement.fetch

    async def noting(self: Any, *args: Any, **kwargs: Any) -> Any:
        trips.texts.append(self.get_query())
        trips.visits.append("fetch")
        return await honest(self, *args, **kwargs)

    return noting


def _noting_visits(trips: Trips) -> Any:
    honest: Any = aiosqlite.Connection._execute

    async def noting(self: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
        trips.visits.append("visit")
        return await honest(self, function, *args, **kwargs)

    return noting
