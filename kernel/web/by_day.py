"""A table of a period to take away, filled day after day: a year of a busy shop is never held at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Final, Protocol

from kernel.auth import look
from kernel.errors import Invalid
from kernel.web.exports import TableKind, as_table, gathered, table_line
from kernel.web.perform import Scene
from kernel.wire import Download
from kernel.work import Work

LONGEST: Final = dt.timedelta(days=366)
Rows = Callable[[Work, dt.date], Awaitable[Iterable[Sequence[object]]]]
"""What the table holds of one day, each row its cells."""


class Period(Protocol):
    """Which days are asked for, both included, and as what kind of file."""

    @property
    def from_date(self) -> dt.date:
        """The first day."""
        ...

    @property
    def to_date(self) -> dt.date:
        """The last day."""
        ...

    @property
    def format(self) -> TableKind:
        """CSV or a workbook."""
        ...


async def table_by_day(scene: Scene, asked: Period, file: str, columns: Sequence[str], rows: Rows) -> Download:
    """A table of a period, read in one snapshot; that it was taken stands in the trail.

    file: what the file is called before the business and the days, and the subject of the trail. Raises Invalid.
    """
    if not dt.timedelta() <= asked.to_date - asked.from_date < LONGEST:
        raise Invalid.at("?to_date", "From a day to the same or a later one, at most 366 days")

    async def note(work: Work) -> str:
        work.audit(subject=file, first=str(asked.from_date), last=str(asked.to_date), format=asked.format)
        return f"{file}-{work.shop.slug}-{asked.from_date}-{asked.to_date}"

    async def lines(work: Work) -> AsyncIterator[bytes]:
        yield table_line(columns, asked.format)
        for more in range((asked.to_date - asked.from_date).days + 1):
            for row in await rows(work, asked.from_date + dt.timedelta(days=more)):
                yield table_line(row, asked.format)

    name, standing = await scene.deed(note), scene.standing
    found = await look(scene.deployment, standing.business_id, lambda work: gathered(lines(work)), actor=standing.actor)
    return await as_table(found, asked.format, name)
