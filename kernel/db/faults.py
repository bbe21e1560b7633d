"""What went wrong in the database, told apart by what can be done about it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import asyncpg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, StatementError, TimeoutError
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.schema import ColumnCollectionConstraint

from kernel.db.base import Base

Kind = Literal[
    "retry", "locked", "unique", "reference", "in-use", "check", "data", "forbidden", "lost", "slow", "other"
]

_BY_STATE: dict[str, Kind] = {
    "40001": "retry",
    "40P01": "retry",
    "55P03": "locked",
    "23505": "unique",
    "23503": "reference",
    "23502": "check",
    "23514": "check",
    "22003": "data",
    "22021": "data",
    "22P02": "data",
    "22001": "data",
    "42501": "forbidden",
    "57014": "slow",
    "57P01": "lost",
    "57P02": "lost",
    "57P03": "lost",
    "55000": "lost",
    "53300": "lost",
    "53100": "lost",
}


_BY_CLASS: tuple[tuple[tuple[type[BaseException], ...], Kind], ...] = (
    ((asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError, OSError), "lost"),
    ((StaleDataError,), "retry"),
    ((OverflowError,), "data"),
)


@dataclass(frozen=True)
class Trouble:
    """A database error: its kind, and the table and columns of the constraint where one was broken."""

    kind: Kind
    table: str = ""
    columns: tuple[str, ...] = ()


def trouble_of(error: BaseException) -> Trouble | None:
    """Read a driver's or SQLAlchemy's error; None when it does not come from the database."""
    if isinstance(error, asyncpg.PostgresError):
        return _from_state(error.sqlstate or "", error.constraint_name or "", _removes(str(error)))
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None)
        if state:
            cause = getattr(error.orig, "__cause__", None)
            return _from_state(state, getattr(cause, "constraint_name", None) or "", _removes(str(error.orig)))
        return _from_sqlite(error)
    if isinstance(error, StatementError) and error.orig is not None:  # a value that no driver could be given
        return trouble_of(error.orig)
    return next((Trouble(kind) for kinds, kind in _BY_CLASS if isinstance(error, kinds)), None)


_NO_ONES_FAULT: frozenset[Kind] = frozenset({"retry", "locked", "lost", "slow"})


def is_databases_own(error: BaseException, failing: str) -> bool:
    """Whether an error in a plugin's answer is to be judged as the database's rather than as the plugin's.

    What a busy or lost database raises always is; what a statement is refused for is where the deed is undone anyway
    (failing: `refuse`), since it has a name of its own. An `OSError` is only if it came through a driver.
    """
    trouble = trouble_of(error)
    if trouble is None or (isinstance(error, OSError | OverflowError) and not came_through_a_driver(error)):
        return False
    return trouble.kind in _NO_ONES_FAULT or (failing == "refuse" and trouble.kind != "other")


def came_through_a_driver(error: BaseException) -> bool:
    """Whether an error was raised on the way to the database, rather than by a file or something else of the system."""
    step = error.__traceback__
    while step is not None:
        if str(step.tb_frame.f_globals.get("__name__")).startswith(("asyncpg.", "sqlalchemy.", "kernel.db.")):
            return True
        step = step.tb_next
    return False


def _from_state(state: str, constraint: str, is_removal: bool) -> Trouble:
    if state.startswith("08"):
        return Trouble("lost")
    kind = _BY_STATE.get(state, "data" if state.startswith("22") else "other")
    if kind == "reference" and is_removal:
        kind = "in-use"
    table, columns = _constraint(constraint) if constraint else ("", ())
    return Trouble(kind, table, columns)


def _removes(said: str) -> bool:
    """Whether a broken reference is one that PostgreSQL would have been left with: something still points here."""
    return "update or delete on table" in said


def _from_sqlite(error: DBAPIError) -> Trouble:
    said = str(error.orig)
    if isinstance(error, IntegrityError):
        return _broken_rule(said, (error.statement or "").lstrip()[:6].upper() == "DELETE")
    if isinstance(error, OperationalError | InterfaceError):
        kinds: dict[str, Kind] = {
            "locked": "retry",
            "busy": "retry",
            "interrupted": "slow",
            "disk": "lost",
            "unable to open": "lost",
        }
        return Trouble(next((kind for word, kind in kinds.items() if word in said), "other"))
    return Trouble("data" if "too large" in said or "overflow" in said else "other")


def _broken_rule(said: str, is_removal: bool) -> Trouble:
    if found := re.match(r"UNIQUE constraint failed: (.*)", said):
        names = [part.strip().split(".") for part in found[1].split(",")]
        return Trouble("unique", names[0][0], _without_business(name[-1] for name in names))
    if said.startswith("FOREIGN KEY"):
        return Trouble("in-use" if is_removal else "reference")
    return Trouble("forbidden" if said.endswith("is append-only") else "check")


def _constraint(name: str) -> tuple[str, tuple[str, ...]]:
    for table in Base.metadata.tables.values():
        for named in (*table.constraints, *table.indexes):
            if isinstance(named, sa.Index | ColumnCollectionConstraint) and named.name == name:
                return table.name, _without_business(column.name for column in named.columns)
    return "", ()


def _without_business(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name != "business_id")
