"""Inserts that say what happens where the row is there already, in the words of the database at hand."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy.dialects import postgresql, sqlite

from kernel.db.engine import Database


def upsert(database: Database, table: Any) -> postgresql.Insert:
    """An INSERT with `on_conflict_do_nothing`, `on_conflict_do_update` and `excluded`. table: a model or its table.

    Both databases' statements take the same words for these; name an index by its columns, never by its name.
    """
    made = postgresql.insert(table) if database.is_postgres else sqlite.insert(table)
    return cast(postgresql.Insert, made)
