"""Keeps plugins' answers to hooks from ending, steering or leaving the transaction that they stand in."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.hooks.answering import is_answering, note_failed_statement, refuse_to_answers

ENDS = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:begin|start|commit|end|rollback|abort|savepoint|release|prepare)\b", re.I | re.S
)
"""The statements by which a transaction is begun, ended or divided, behind blanks and comments."""


def keep_from_answers(engine: AsyncEngine) -> None:
    """A plugin's answer to a hook stands inside a transaction that only the kernel ends, however it is tried."""

    @event.listens_for(engine.sync_engine, "commit")
    def _commit(_connection: sa.Connection) -> None:
        refuse_to_answers("commit the transaction")

    @event.listens_for(engine.sync_engine, "rollback")
    def _roll_back(_connection: sa.Connection) -> None:
        refuse_to_answers("roll the transaction back")

    @event.listens_for(engine.sync_engine, "savepoint")
    def _savepoint(_connection: sa.Connection, _name: str) -> None:
        refuse_to_answers("set a savepoint")

    @event.listens_for(engine.sync_engine, "checkout")
    def _checkout(_dbapi: Any, _record: object, _proxy: object) -> None:
        refuse_to_answers("take another connection")

    @event.listens_for(engine.sync_engine, "reset")
    def _reset(_dbapi: Any, _record: object, _state: object) -> None:
        refuse_to_answers("give the connection back")  # raised here, the pool throws the connection away

    @event.listens_for(engine.sync_engine, "handle_error")
    def _failed(_context: sa.ExceptionContext) -> None:
        note_failed_statement()

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def _look_at(_connection: sa.Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if is_answering() and ENDS.match(statement):
            refuse_to_answers("steer the transaction by a statement")
