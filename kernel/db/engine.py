"""Transactions as Duka needs them: role and business set on PostgreSQL, an honest BEGIN IMMEDIATE on SQLite.

PostgreSQL connections run in driver autocommit; a transaction's BEGIN, its role, its business and its lock travel as
one message, those of a read together with its first statement. See
docs/decisions/0003-the-kernel-begins-transactions-itself.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn

from kernel.db import ahead
from kernel.db.guarding import ENDS, keep_from_answers
from kernel.db.inside import OWNED, Inside
from kernel.db.prepared import Prepared, Rows
from kernel.hooks.answering import is_answering, note_failed_statement, refuse_to_answers

T = TypeVar("T")
LOCK_SPACE = 0x64756B61
"""First key of every advisory lock of Duka ("duka")."""

WHOLE = 0
"""The lock of the whole deployment: every deed that writes shares it; who removes tables has it alone."""
SLOWEST_STATEMENT_S = 5.0
"""A statement is broken off by then, on both databases; seeds, checks and migrations have all the time they need."""
LAST_WORD_S = 2.0
"""A database that has not undone a transaction by then does not answer: its connection is thrown away."""
_STEPS_BETWEEN_LOOKS = 100_000
"""Of SQLite's machine, between two looks at the clock: about a millisecond."""

SERVING, COMMAND = "duka", "duka command"
"""What sessions are called: of processes that serve or work off jobs, and of what is done apart from them."""

_SESSION = {
    "lock_timeout": "2000",
    "idle_in_transaction_session_timeout": "10000",
    "timezone": "UTC",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
}
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000", "recursive_triggers=ON")
_BEGIN_READING, _BEGIN_WRITING = "BEGIN", "BEGIN IMMEDIATE"
_ENDED = "the transaction has ended"


class Phase(enum.Enum):
    """What a transaction is for, hence what it locks."""

    READ = "read"
    WRITE = "write"
    SWITCH = "switch"


class Database:
    """The engines of one deployment.

    role: the PostgreSQL role each transaction switches to, without ownership or bypass; empty stays the login's.
    patient: no statement time-out, for seeds, checks and migrations. name: what its sessions are called on PostgreSQL.
    """

    def __init__(
        self, url: str, *, role: str = "", pool_size: int = 16, patient: bool = False, name: str = SERVING
    ) -> None:
        self.url = url
        self.role = role
        self.is_postgres = url.startswith("postgresql")
        if self.is_postgres:
            self.writer = self.reader = _postgres(url, pool_size, patient, name)
        else:
            self.writer = _sqlite(url, _BEGIN_WRITING, 1, patient)
            self.reader = _sqlite(url, _BEGIN_READING, pool_size, patient)

    async def open(self, phase: Phase, business: uuid.UUID | None) -> Transaction:
        """Begin a transaction for a business; None sees global tables only."""
        transaction = Transaction(self, business)
        try:
            await transaction.begin(phase)
        except BaseException:  # broken off while it began: the connection must not be lost with it
            await transaction.close()
            raise
        return transaction

    @contextlib.asynccontextmanager
    async def reading(self, business: uuid.UUID | None) -> AsyncIterator[Transaction]:
        """A read-only snapshot."""
        transaction = await self.open(Phase.READ, business)
        try:
            yield transaction
        finally:
            await transaction.close()

    async def tidy(self) -> None:
        """Fold SQLite's write-ahead log into the database and cut it, if nobody reads for a moment.

        SQLite does this by itself only when no reader is about, which under steady load is never: in the replay of a
        year the log grew to twelve times the database.
        """
        if not self.is_postgres:
            await asyncio.to_thread(_checkpoint, self.url.partition(":///")[2])

    async def dispose(self) -> None:
        """Close every idle connection."""
        await self.writer.dispose()
        if self.reader is not self.writer:
            await self.reader.dispose()


class Transaction:
    """One transaction at a time on one connection. Only the unit of work commits it."""

    def __init__(self, database: Database, business: uuid.UUID | None) -> None:
        self.database = database
        self.business = business
        self.phase = Phase.READ
        self._connection: AsyncConnection | None = None
        self._taken: sa.Connection | None = None
        self._driver: Any = None
        self._inside: Inside | None = None
        self._open = False
        self._ahead = b""

    @property
    def connection(self) -> AsyncConnection:
        """SQLAlchemy's connection, inside this transaction."""
        if self._connection is None:
            if self._taken is None:
                raise RuntimeError(_ENDED)
            self._connection = AsyncConnection(self.database.writer, self._taken)
            if self._inside is not None:
                self._inside.begin_ahead()
                self._open = True
                self._taken.begin()
        self._send_ahead()
        return self._connection

    async def begin(self, phase: Phase) -> None:
        """Start, or end what is open and start anew, in a phase. Raises the database's errors."""
        refuse_to_answers("begin a transaction")
        self.phase = phase
        if self.database.is_postgres:
            await self._begin_postgres(phase)
        else:
            await self._begin_sqlite(phase)

    async def begin_now(self) -> None:
        """See what there is at this moment, rather than at the first statement."""
        if self._ahead:
            self._send_ahead()
            await self._driver.execute("SELECT")

    async def fetch(self, statement: Prepared, /, **parameters: Any) -> Rows:
        """Run a prepared statement by the driver itself; its rows as named tuples."""
        text = statement.text(self.database.writer.dialect)
        if is_answering() and ENDS.match(text.sql):
            refuse_to_answers("steer the transaction by a statement")
        arguments = text.arguments(parameters)
        try:
            if self._driver is not None:
                self._send_ahead()
                return text.rows(await self._driver.fetch(text.sql, *arguments))
            return text.rows(await self._visit(lambda inside: inside.run(text.sql, arguments)))
        except BaseException:
            note_failed_statement()
            raise

    async def one(self, statement: Prepared, /, **parameters: Any) -> Any | None:
        """The first row, or None."""
        rows = await self.fetch(statement, **parameters)
        return rows[0] if rows else None

    async def execute(
        self, statement: sa.Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Run a statement built for the occasion."""
        result: CursorResult[Any] = await self.connection.execute(statement, parameters)
        return result

    async def fetch_raw(self, sql: str, arguments: Sequence[Any]) -> list[Any]:
        """PostgreSQL only: a text in the driver's own style, prepared and cached by the driver."""
        self._send_ahead()
        records: list[Any] = await self._driver.fetch(sql, *arguments)
        return records

    async def run_inside(self, what: str, function: Callable[[Inside], T]) -> T:
        """SQLite only: run a function of several statements in one visit to the connection's thread.

        what: names it in traces, where its statements do not stand one by one.
        """
        return await self._visit(function)

    async def enter_business(self, business: uuid.UUID) -> None:
        """Go on for another business in the same transaction: only for the one that is being made in it."""
        self.business = business
        if self._driver is not None:
            self._send_ahead()
            await self._driver.execute(f"SELECT set_config('app.business', '{business}', true)")

    async def commit(self) -> None:
        """Make it last. An error here means the outcome may be unknown."""
        refuse_to_answers("commit the transaction")
        self._open = False
        if self._driver is not None:
            await self._driver.execute("COMMIT")
            return
        try:
            if self._connection is not None and self._connection.in_transaction():
                await self._connection.commit()
            elif self._inside is not None:
                await self._inside.visit(Inside.commit)
        except BaseException:  # SQLite stays inside a transaction that it could not commit
            await self.connection.invalidate()
            raise

    async def close(self) -> None:
        """Undo what is not committed and give the connection back; a broken connection is thrown away."""
        refuse_to_answers("end the transaction")
        connection, taken, driver, inside = self._connection, self._taken, self._driver, self._inside
        self._connection = self._taken = self._driver = self._inside = None
        self._ahead = b""
        if taken is None:
            return
        try:
            if self._open and driver is not None:
                async with asyncio.timeout(LAST_WORD_S):
                    await driver.execute("ROLLBACK")
            elif inside is not None and connection is not None and connection.in_transaction():
                await connection.rollback()
            elif self._open and inside is not None:
                await inside.visit(Inside.roll_back)
        except BaseException as error:  # the server has undone it already, or will when it sees the connection gone
            connection = connection or AsyncConnection(self.database.writer, taken)
            await connection.invalidate()
            if not isinstance(error, Exception):
                raise
        finally:
            self._open = False
            if inside is not None:
                inside.leave()
            if connection is not None:
                await connection.close()
            else:
                taken.close()  # nothing of SQLAlchemy's is open on it, so there is nothing to wait for

    async def _begin_postgres(self, phase: Phase) -> None:
        begin = ["ROLLBACK"] if self._open else []
        begin.append("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if phase is Phase.READ else "BEGIN")
        if self._driver is None:
            await self._take_connection()
        if phase is Phase.READ:
            never = " IS NULL OR ".join(self._settings(phase))
            self._ahead = ahead.messages([*begin, f"SELECT WHERE {never} IS NULL"])
            return
        self._ahead = b""
        self._open = True
        await self._driver.execute("; ".join([*begin, f"SELECT {', '.join(self._settings(phase))}"]))

    async def _take_connection(self) -> None:
        """SQLAlchemy's, of its pool; what wraps it for its own use is made only where it is used."""
        engine = self.database.writer
        self._taken = await greenlet_spawn(engine.sync_engine.connect)
        self._driver = self._taken.connection.driver_connection

    def _send_ahead(self) -> None:
        """Begin, where that is still to be done, together with what is sent next."""
        if self._ahead:
            ahead.send(self._driver, self._ahead)
            self._ahead = b""
            self._open = True

    def _settings(self, phase: Phase) -> list[str]:
        said = [f"set_config('app.business', '{self.business or ''}', true)"]
        if self.database.role:
            said.insert(0, f"set_config('role', '{self.database.role}', true)")
        if self.business is not None and phase is not Phase.READ:
            lock = "pg_advisory_xact_lock_shared" if phase is Phase.WRITE else "pg_advisory_xact_lock"
            said.append(f"pg_advisory_xact_lock_shared({LOCK_SPACE}, {WHOLE})")
            said.append(f"{lock}({LOCK_SPACE}, {_lock_key(self.business)})")
        return said

    async def _begin_sqlite(self, phase: Phase) -> None:
        await self.close()
        reads = phase is Phase.READ
        engine = self.database.reader if reads else self.database.writer
        self._taken = await greenlet_spawn(engine.sync_engine.connect)
        driver = self._taken.connection.driver_connection
        self._inside = Inside(driver, _BEGIN_READING if reads else _BEGIN_WRITING, self._taken.info)
        if not reads:
            await self._visit(Inside.begin)

    async def _visit(self, function: Callable[[Inside], T]) -> T:
        if self._inside is None:
            raise RuntimeError(_ENDED)
        self._open = True  # even if it is broken off from here: it is done nevertheless
        return await self._inside.visit(function)


def _lock_key(business: uuid.UUID) -> int:
    return int.from_bytes(business.bytes[-4:], "big", signed=True)


def to_json(value: Any) -> str:
    """A value as it is stored in a JSON column; Structs too."""
    return msgspec.json.encode(value).decode()


JSON_AS_STORED: dict[str, Any] = {"json_serializer": to_json, "json_deserializer": msgspec.json.decode}


def _postgres(url: str, pool_size: int, patient: bool, name: str) -> AsyncEngine:
    session = {**_SESSION, "application_name": name, "statement_timeout": str(int(SLOWEST_STATEMENT_S * 1000))}
    settings = {k: v for k, v in session.items() if not (patient and k.endswith("_timeout"))}
    engine = create_async_engine(
        url,
        isolation_level="AUTOCOMMIT",
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=20,
        pool_use_lifo=True,
        hide_parameters=True,  # else errors and logs would repeat what people typed
        **JSON_AS_STORED,
        connect_args={
            "server_settings": settings,
            "statement_cache_size": 500,
            "prepared_statement_cache_size": 500,
            "timeout": 10,
        },
    )

    keep_from_answers(engine)

    @event.listens_for(engine.sync_engine, "checkout")
    def _refuse_closed(dbapi: Any, _record: object, _proxy: object) -> None:
        if dbapi.driver_connection.is_closed():  # known without asking the server, so a restart costs no request
            raise sa.exc.InvalidatePoolError

    return engine


def _checkpoint(path: str) -> None:
    with contextlib.closing(sqlite3.connect(path, timeout=0.5, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _sqlite(url: str, begin: str, pool_size: int, patient: bool) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=30,
        pool_reset_on_return=None,  # a transaction is ended by whoever began it; resetting would take a visit more
        hide_parameters=True,
        **JSON_AS_STORED,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _connect(dbapi: Any, _record: object) -> None:
        dbapi.isolation_level = None
        cursor = dbapi.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        if OWNED not in connection.info:
            connection.exec_driver_sql(begin)

    keep_from_answers(engine)
    if not patient:
        _break_off_slow_statements(engine)
    return engine


def _break_off_slow_statements(engine: AsyncEngine) -> None:
    """SQLite knows no statement time-out: let it look at the clock while it works."""

    @event.listens_for(engine.sync_engine, "connect")
    def _watch(dbapi: Any, record: Any) -> None:
        info: dict[str, float] = record.info
        info["since"] = time.monotonic()

        def is_late() -> bool:
            return time.monotonic() - info["since"] > SLOWEST_STATEMENT_S

        dbapi.run_async(lambda connection: connection.set_progress_handler(is_late, _STEPS_BETWEEN_LOOKS))

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def _start(connection: sa.Connection, *_rest: object) -> None:
        connection.info["since"] = time.monotonic()
