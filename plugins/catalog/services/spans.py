"""What becomes of prices over time, written: many spans at once, in as few statements as one takes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from kernel.work import Work
from plugins.catalog.models import BasePrice, Price
from plugins.catalog.rules.spans import Span


class Spans:
    """Changes of one table's spans, collected and written together."""

    def __init__(self, work: Work, table: type[Price] | type[BasePrice]) -> None:
        self._work, self._table = work, table
        self._ends: list[dict[str, Any]] = []
        self._dropped: list[UUID] = []
        self._rows: list[dict[str, Any]] = []

    def replace(self, key: Mapping[str, Any], before: Sequence[Span], after: Sequence[Span]) -> None:
        """Note that a key, the values of its columns, has other spans. before: those that are stored."""
        stored = {one.id: one for one in before}
        for one in after:
            old = stored.pop(one.id, None)
            if old is None:
                self._rows.append(self._row(key, one))
                continue
            if old.ends_at != one.ends_at:
                self._ends.append({"span": one.id, "new_end": one.ends_at})
        self._dropped += stored

    async def write(self) -> None:
        """Write what is noted: first what goes and ends, then what is new."""
        table, work = self._table, self._work
        here = sa.and_(table.business_id == work.business_id, table.id == sa.bindparam("span"))
        if self._dropped:
            gone = sa.delete(table).where(table.business_id == work.business_id, table.id.in_(self._dropped))
            await work.execute(gone)
        if self._ends:
            await work.execute(sa.update(table).where(here).values(ends_at=sa.bindparam("new_end")), self._ends)
        if self._rows:
            await work.execute(sa.insert(table), self._rows)

    def _row(self, key: Mapping[str, Any], span: Span) -> dict[str, Any]:
        return {
            "business_id": self._work.business_id,
            "id": span.id,
            **key,
            "price": span.price,
            "starts_at": span.starts_at,
            "ends_at": span.ends_at,
            "mark": span.mark,
            "created_at": self._work.now,
            "created_by": self._work.actor.id,
        }


def span_of(row: Any) -> Span:
    """A row as a span."""
    return Span(row.id, row.price, row.starts_at, row.ends_at, row.mark)


def state_of(starts_at: dt.datetime, ends_at: dt.datetime | None, now: dt.datetime) -> Any:
    """Whether a price is planned, runs or is past."""
    if starts_at > now:
        return "planned"
    return "running" if ends_at is None or ends_at > now else "past"
