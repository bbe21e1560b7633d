"""What SQLAlchemy compiled, kept from one box to the next: to compile the same again took a third of a test's time.

SQLAlchemy keeps it with an engine, under the engine's dialect, and each box has engines of its own.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Dialect
from sqlalchemy.util import LRUCache

from kernel.db import Database

__all__ = ["keep_compiled", "use_compiled"]

MOST = 5000
_kept: dict[str, tuple[Dialect, LRUCache[Any, Any]]] = {}
"""Dialect → the first of its name that has met a database, and what was compiled for it."""


def use_compiled(database: Database) -> None:
    """Have the engines of a box use what was compiled for others; before they are used."""
    for engine in (database.writer.sync_engine, database.reader.sync_engine):
        if engine.dialect.name in _kept:
            engine.dialect, engine._compiled_cache = _kept[engine.dialect.name]


def keep_compiled(database: Database) -> None:
    """Keep what is compiled for a box from now on, for those that come after it; once its reader has been used."""
    dialect = database.reader.sync_engine.dialect
    if dialect.name not in _kept:
        _kept[dialect.name] = dialect, LRUCache(MOST)
        use_compiled(database)
