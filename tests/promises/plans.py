"""How the databases read the pages of lists: each statement of a page explained where it is sent."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from kernel.db import Prepared, Transaction
from kernel.web import listing

_MADE_UP: dict[type, Any] = {
    uuid.UUID: uuid.UUID(int=1),
    dt.datetime: dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    dt.date: dt.date(2026, 1, 1),
    str: "m",
    int: 1,
    bool: False,
}
_OFF = ("enable_sort", "enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin")


def _off(name: str) -> str:
    return f"set_config('{name}', 'off', true)"


_BY_ORDER_ALONE = f"SELECT {', '.join(_off(name) for name in _OFF)}"
"""So that an empty database plans as a large one would: sorted only where no index has the order."""


class Plans:
    """The plans of pages sent since `of` began, as texts, each with the first column of its order."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def faults(self, behind_cursor: bool) -> list[str]:
        """What is wrong with them: sorted without an index, or not entered where the cursor points."""
        return [fault for plan, column in self.seen if (fault := _fault(plan, column if behind_cursor else ""))]

    async def note(self, transaction: Transaction, statement: Any, parameters: dict[str, Any]) -> None:
        """Explain a statement, if it is one of a page."""
        columns = getattr(statement, "selected_columns", {})
        if "_key0" not in columns:
            return
        text = Prepared(statement).text(transaction.database.writer.dialect)
        arguments = text.arguments(parameters)
        if transaction.database.is_postgres:
            await transaction.fetch_raw(_BY_ORDER_ALONE, [])
            rows = await transaction.fetch_raw(f"EXPLAIN {text.sql}", arguments)
        else:
            explain = f"EXPLAIN QUERY PLAN {text.sql}"
            rows = list((await transaction.connection.exec_driver_sql(explain, tuple(arguments))).all())
        self.seen.append(("\n".join(str(row[-1]) for row in rows), columns["_key0"].element.name))


@contextlib.contextmanager
def explained(patch: pytest.MonkeyPatch) -> Iterator[Plans]:
    """While it lasts, pages are explained, and any cursor points into the middle of any list."""
    plans, execute, fetch = Plans(), Transaction.execute, Transaction.fetch

    async def executed(transaction: Transaction, statement: Any, parameters: Any = None) -> Any:
        await plans.note(transaction, statement, {})
        return await execute(transaction, statement, parameters)

    async def fetched(transaction: Transaction, statement: Prepared, /, **parameters: Any) -> Any:
        if "_rows" in parameters:
            await plans.note(transaction, statement.statement, parameters)
        return await fetch(transaction, statement, **parameters)

    with patch.context() as during:
        during.setattr(Transaction, "execute", executed)
        during.setattr(Transaction, "fetch", fetched)
        during.setattr(
            listing, "_after", lambda _work, _query, order: [_MADE_UP[one.type.python_type] for one in order]
        )
        yield plans


def _fault(plan: str, entered_at: str) -> str:
    lines = plan.splitlines()
    if any(re.search(r"(?<!Incremental )\bSort  \(|FOR ORDER BY", line) for line in lines):
        return f"sorts what it has read:\n{plan}"
    entered = rf"(SEARCH |Index Cond: ).*\b{entered_at}\b[^=]*[<>]"
    if entered_at and not any(re.search(entered, line) for line in lines):
        return f"does not enter an index at {entered_at}:\n{plan}"
    return ""
