"""SQLite from inside its connection's thread: what is done there in one visit costs one hand-over and back.

SQLAlchemy hands over four times a statement, and each time both threads wait for one another.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

T = TypeVar("T")
OWNED = "owned"
"""In a connection's `info` while an Inside has it: SQLAlchemy then does not begin by itself."""


class Inside:
    """One transaction on a connection of the driver's. `begin` and all below it run in its thread.

    begin: the statement that begins it, sent with the first visit. info: where the clock of the statement that runs is
    kept, for whoever breaks off slow ones.
    """

    def __init__(self, driver: Any, begin: str, info: dict[Any, Any]) -> None:
        self._driver, self._begin, self._info = driver, begin, info
        self._has_begun = False
        info[OWNED] = True

    async def visit(self, function: Callable[[Inside], T]) -> T:
        """Call a function in the thread, in one go; what it raises is raised here."""
        found: T = await self._driver._execute(function, self)
        return found

    def begin_ahead(self) -> None:
        """Have it begun before whatever is handed over next, without waiting; for SQLAlchemy, who is next."""
        self._driver._tx.put_nowait((None, self.begin))

    def leave(self) -> None:
        """Let go of the connection."""
        self._info.pop(OWNED, None)

    def begin(self) -> None:
        """Begin, unless that is done."""
        if not self._has_begun:
            self._run(self._begin, ())
            self._has_begun = True

    def run(self, sql: str, arguments: Sequence[Any] = ()) -> list[Any]:
        """The rows of a statement. Raises errors as SQLAlchemy does."""
        self.begin()
        return self._run(sql, arguments)

    def run_each(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each of some rows of arguments."""
        self.begin()
        self._info["since"] = time.monotonic()
        try:
            self._driver._conn.executemany(sql, rows)
        except sqlite3.Error as error:
            raise _told(sql, error) from error

    def commit(self) -> None:
        """Make it last, if it began."""
        if self._has_begun:
            self._run("COMMIT", ())

    def roll_back(self) -> None:
        """Undo it, if SQLite has not done so already."""
        if self._driver.in_transaction:
            self._run("ROLLBACK", ())

    def _run(self, sql: str, arguments: Sequence[Any]) -> list[Any]:
        self._info["since"] = time.monotonic()
        try:
            rows: list[Any] = self._driver._conn.execute(sql, arguments).fetchall()
        except sqlite3.Error as error:
            raise _told(sql, error) from error
        return rows


def _told(sql: str, error: sqlite3.Error) -> BaseException:
    return sa.exc.DBAPIError.instance(sql, None, error, sqlite3.Error, hide_parameters=True)
