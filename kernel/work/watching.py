"""What a deed changes of rows that are there already: before and after, as the audit trail keeps them.

Secrets are left out; of personal data only the fact of a change is kept, since the trail can never forget.
"""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.db import is_configuration
from kernel.db.private import is_personal, is_secret

PERSONAL = "(personal)"
"""Stands for a value of a column that holds a person's data."""
_SELF_EVIDENT = frozenset({"business_id", "version", "updated_at", "search"})
"""Columns that say nothing which the row's other changes, or the audit row, do not say."""
_Values = dict[str, Any]


@dataclass
class Watched:
    """The changes of a unit of work: (table, key) → values before and after; None where there is no such row."""

    changes: dict[tuple[str, str], tuple[_Values | None, _Values | None]] = field(default_factory=dict)
    first: str | None = None
    """The first row the ORM wrote, as a subject: what a deed is about that does not say."""
    reconfigures: bool = False
    """Whether a table of configuration was written to."""

    def writes_to(self, table: Any) -> None:
        """Note that a table is written to."""
        self.reconfigures = self.reconfigures or is_configuration(table)

    def note(self, table: sa.Table, key: str, before: _Values | None, after: _Values | None) -> None:
        """Add a change; of several changes of one row the first `before` and the last `after` stay."""
        known, later = self.changes.get((table.name, key), (before, after))
        if before and known:
            known = {**before, **known}
        later = {**later, **after} if after is not None and later is not None else after
        self.changes[table.name, key] = (known, later)

    def note_values(
        self, table: sa.Table, key: str, before: Mapping[Any, Any], after: Mapping[str, Any] | None
    ) -> None:
        """Add what a Core statement changes: columns that differ. `after` of None: the row is deleted."""
        if after is None:
            self.note(table, key, self.shown(table, before), None)
            return
        differ = [name for name in after if name not in before or before[name] != after[name]]
        was = self.shown(table, {name: before.get(name) for name in differ})
        if was:
            self.note(table, key, was, self.shown(table, {name: after[name] for name in differ}))

    def shown(self, table: sa.Table, values: Mapping[Any, Any]) -> _Values:
        """The values as the trail keeps them."""
        found: _Values = {}
        for name, value in values.items():
            column = table.c.get(name)
            if column is None or name in _SELF_EVIDENT or is_secret(column) or not _is_plain(value):
                continue
            found[str(name)] = PERSONAL if is_personal(column) and value is not None else _as_json(value)
        return found

    def as_stored(self) -> list[_Values] | None:
        """The changes as one JSON document, in the order they were made; None where nothing changed."""
        found = [
            {"table": str(table), "id": key, "before": before, "after": after}
            for (table, key), (before, after) in self.changes.items()
            if before != after or PERSONAL in (before or {}).values()
        ]
        return found or None


def look_at(session: Session, watched: Watched) -> None:
    """Note what the ORM is about to write."""
    for thing in (*session.new, *session.dirty, *session.deleted):
        table, key = _table_of(thing), _key_of(thing)
        watched.writes_to(table)
        if watched.first is None and (thing in session.new or session.is_modified(thing)):
            watched.first = f"{table.name.partition('_')[2]}:{key}"
        if thing in session.deleted:
            values = {one.key: getattr(thing, one.key) for one in sa.inspect(thing).mapper.column_attrs}
            watched.note(table, key, watched.shown(table, values), None)
        elif thing in session.dirty:
            before, after = _history(thing)
            was = watched.shown(table, before)
            if was:
                watched.note(table, key, was, watched.shown(table, after))


def _history(thing: Any) -> tuple[_Values, _Values]:
    before: _Values = {}
    after: _Values = {}
    state = sa.inspect(thing)
    for one in state.mapper.column_attrs:
        history = state.attrs[one.key].history
        if history.added and (not history.deleted or history.deleted[0] != history.added[0]):
            before[one.key] = history.deleted[0] if history.deleted else None
            after[one.key] = history.added[0]
    return before, after


def _table_of(thing: Any) -> sa.Table:
    table = sa.inspect(thing).mapper.local_table
    assert isinstance(table, sa.Table)  # noqa: S101 - every model of ours is a table
    return table


def _key_of(thing: Any) -> str:
    mapper = sa.inspect(thing).mapper
    parts: Iterable[sa.Column[Any]] = mapper.primary_key
    return "/".join(str(getattr(thing, one.name)) for one in parts if one.name != "business_id")


def _is_plain(value: Any) -> bool:
    return not isinstance(value, sa.sql.ClauseElement | bytes)


def _as_json(value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return value.value if isinstance(value, enum.Enum) else value
