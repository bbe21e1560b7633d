"""The login that owns the tables: what migrates, loads, empties and deletes goes in by it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from kernel.db.engine import JSON_AS_STORED


def engine_for(url: str) -> AsyncEngine:
    """An engine with the login that owns the tables, without time-outs, foreign keys and roles."""
    engine = create_async_engine(url, hide_parameters=True, **JSON_AS_STORED)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine.sync_engine, "connect")
        def _connect(dbapi: Any, _record: object) -> None:
            dbapi.isolation_level = None
            cursor = dbapi.cursor()
            for pragma in ("journal_mode=WAL", "busy_timeout=20000", "foreign_keys=OFF"):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

        @event.listens_for(engine.sync_engine, "begin")
        def _begin(connection: sa.Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
