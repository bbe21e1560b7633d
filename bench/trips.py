"""How often a checkout speaks to PostgreSQL: counted in this process, at the driver."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import asyncpg

from bench.shop import SALES, Shop
from kernel.registry import discover
from kernel.settings import Settings
from kernel.testing.box import open_box


@dataclass
class Trips:
    """What was sent. One text may hold several statements, a BEGIN and its settings among them."""

    texts: list[str] = field(default_factory=list)

    @property
    def statements(self) -> int:
        """Statements, those sent together counted one by one."""
        return sum(len([part for part in text.split(";") if part.strip()]) for text in self.texts)


@contextmanager
def counted() -> Iterator[Trips]:
    """Note every text that asyncpg sends."""
    trips = Trips()
    with mock.patch.multiple(
        asyncpg.Connection, **{name: _noting(name, trips) for name in ("fetch", "execute", "prepare")}
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
        trips.texts.append(query)
        return await honest(self, query, *args, **kwargs)

    return noting
