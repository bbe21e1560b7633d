"""Work: one unit of work. What a use case is given, and through which alone it reads and writes."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession

from kernel.db import Base, Configured, Phase, Prepared, Transaction, new_id
from kernel.db.base import table_of
from kernel.db.prepared import Rows
from kernel.db.tables import Audit, Job, JobPayload
from kernel.errors import Elsewhere, Forbidden, NotFound, PluginDraining, PreconditionFailed, PreconditionRequired
from kernel.hooks import Answer, HookSet, Pair
from kernel.work import configuring, write_postgres, write_sqlite
from kernel.work.crash import crashpoint
from kernel.work.deployment import Deployment
from kernel.work.effects import Effects, Number, Refusal, Row, StoredAnswer, Tally, in_order
from kernel.work.standing import NO_BUSINESS, Actor, Origin, Shop, Standing
from kernel.work.tenancy import TenantSession, end_session
from kernel.work.watching import Watched

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound=msgspec.Struct)
T = TypeVar("T")


class Work:
    """One unit of work: who acts, for which business, at what time; reads, declared effects, hooks.

    A deed begins reading (`Phase.READ`: a snapshot, no lock) or writing; `write()` moves it on. Nothing here commits.
    """

    def __init__(
        self,
        deployment: Deployment,
        transaction: Transaction,
        standing: Standing,
        origin: Origin,
        *,
        if_match: str | None = None,
        begin_writing: Callable[[], Coroutine[Any, Any, None]] | None = None,
        left_out: frozenset[Pair] = frozenset(),
    ) -> None:
        self.deployment = deployment
        self.standing = standing
        self.origin = origin
        self.now: dt.datetime = deployment.clock()
        self._without = standing.tripped | left_out if left_out else standing.tripped
        self.hooks: HookSet = deployment.registry.hooks_for(standing.enabled, self._without)
        self.effects = Effects()
        self._transaction = transaction
        self._if_match = if_match
        self._begin_writing = begin_writing
        self._session: AsyncSession | None = None
        self._said: dict[str, Any] = {}
        self._watched = Watched()
        self.claims: list[Any] = []
        """The approvals this deed goes by; used up when it is written."""

    def as_if(self, enabled: frozenset[str]) -> Work:
        """The same unit of work with another set of plugins on, to look what would be. Nothing of it is written."""
        standing = msgspec.structs.replace(self.standing, enabled=enabled)
        return Work(self.deployment, self._transaction, standing, self.origin, left_out=self._without)

    # who and where

    @property
    def actor(self) -> Actor:
        """Who acts."""
        return self.standing.actor

    @property
    def shop(self) -> Shop:
        """The business. Raises NotFound where the deed has none."""
        if self.standing.shop is None:
            raise NotFound("Choose a business first")
        return self.standing.shop

    @property
    def business_id(self) -> uuid.UUID:
        """Whose rows this deed reads and writes."""
        return self.standing.business_id

    def require(self, permission: str) -> None:
        """Raise Forbidden unless the actor holds the permission."""
        if not self.actor.may(permission):
            raise Forbidden(f"This needs the permission {permission}")

    def see_location(self, location_id: uuid.UUID | None) -> None:
        """Raise NotFound unless the actor works at a location: what belongs to another is not there for them."""
        if not self.actor.works_at(location_id):
            raise NotFound

    def check_location(self, location_id: uuid.UUID | None, pointer: str = "/location_id") -> None:
        """Raise Elsewhere unless the actor works at a location.

        Requests that name a `location_id` are checked before the deed begins; this is for those found on the way.
        """
        if not self.actor.works_at(location_id):
            raise Elsewhere.at(pointer)

    def here(self, column: Any) -> sa.ColumnElement[bool]:
        """A condition on a column of location ids: where the actor works, or no location at all.

        `page` adds it to every list whose rows have a `location_id`; sums and joins need it by hand.
        """
        if self.actor.locations is None:
            return sa.true()
        return sa.or_(column.in_(sorted(self.actor.locations)), column.is_(None))

    def enabled(self, plugin: str) -> bool:
        """Whether a plugin is on for this business."""
        return plugin in self.standing.enabled

    def is_draining(self, plugin: str) -> bool:
        """Whether a plugin is being switched off for this business: on still, to end what it has begun."""
        return plugin in self.standing.draining

    def begin(self, plugin: str) -> None:
        """Say that a plugin begins what it must end. Raises PluginDraining while it is being switched off."""
        if self.is_draining(plugin):
            raise PluginDraining(f"{self.deployment.registry.plugins[plugin].manifest.title} is being switched off")

    def check_version(self, version: int) -> None:
        """Compare the caller's If-Match with a row's version. Raises PreconditionRequired or PreconditionFailed."""
        if self._if_match is None:
            raise PreconditionRequired
        if self._if_match.strip() != "*" and not any(
            one.strip().strip('"').partition(".")[0] == str(version) and one.strip()[:1] == '"'
            for one in self._if_match.split(",")
        ):
            raise PreconditionFailed

    # reading

    async def fetch(self, statement: Prepared, /, **parameters: Any) -> Rows:
        """Rows of a prepared statement; `business_id` is given to it."""
        return await self._transaction.fetch(statement, business_id=self.business_id, **parameters)

    async def one(self, statement: Prepared, /, **parameters: Any) -> Any | None:
        """The first row of a prepared statement, or None."""
        return await self._transaction.one(statement, business_id=self.business_id, **parameters)

    async def recall(self, statement: Configured, make: Callable[[Rows], T], /, **parameters: Hashable) -> T:
        """What is made of the rows of configuration; kept in this process until the business's configuration changes.

        make: a function of a module; what it returns is shared and must not be changed. Raises ValueError for one made
        for the occasion, such as a lambda: what it made would never be found again.
        """
        if "<locals>" in getattr(make, "__qualname__", ""):
            raise ValueError(f"{make.__qualname__}: recall takes a function of a module, by which the answer is found")
        asked = (statement, make, *parameters.items())
        epochs, recalled = self.standing.epochs, self.deployment.recalled
        if not self._watched.reconfigures:
            found: T | None = recalled.find(self.business_id, epochs, asked)
            if found is not None:
                return found
        made = make(await self.fetch(statement, **parameters))
        if self._transaction.phase is Phase.READ:  # the snapshot that the epochs were read in
            recalled.keep(self.business_id, epochs, asked, made)
        return made

    async def settings(self, kind: type[S], location_id: uuid.UUID | None = None) -> S:
        """What is set for the plugin whose settings are of this kind, at a location if one is named; defaults else.

        The location's value counts before the business's before the deployment's; see `kernel.wire.set_at`.
        Raises SettingsMissing where a setting without a default has no value, LookupError for a Struct of no plugin.
        """
        plugin = self.deployment.registry.plugin_of_settings(kind)
        levels = await self.recall(configuring.STORED, configuring.stored_in, plugin=plugin)
        whose = configuring.Sealing(self.deployment.secrets, self.business_id, plugin)
        return configuring.as_struct(whose, kind, levels, location_id).struct

    async def execute(
        self, statement: sa.Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Run a Core statement built for the occasion; it must name `business_id` itself."""
        if isinstance(statement, sa.UpdateBase):
            self._watched.writes_to(statement.table)
        return await self._transaction.execute(statement, parameters)

    @property
    def session(self) -> AsyncSession:
        """The ORM, for the back office. Reads are filtered by business, new rows are stamped with it."""
        if self._session is None:
            self._session = AsyncSession(
                bind=self._transaction.connection,
                expire_on_commit=False,
                autoflush=False,
                sync_session_class=TenantSession,
                info={"business_id": self.business_id, "watched": self._watched},
            )
        return self._session

    def forget_read(self) -> None:
        """Have rows that the ORM has read be read anew: a Core statement has changed some of them."""
        if self._session is not None:
            self._session.expire_all()

    async def get(self, model: type[R], id_: uuid.UUID, *, to_change: bool = False) -> R:
        """A row of this business by id. Raises NotFound, for one of another business or location too.

        to_change: hold the row to the end of the deed; of two changes at once the second sees the first's version.
        """
        found = await self.session.get(
            model, (self.business_id, id_), with_for_update=to_change or None, populate_existing=to_change
        )
        if found is None:
            raise NotFound
        self.see_location(getattr(found, "location_id", None))
        return found

    # hooks

    async def tell(
        self, hook: Callable[P, Coroutine[Any, Any, R | None]], *args: P.args, **kwargs: P.kwargs
    ) -> list[Answer[R]]:
        """Tell every enabled plugin, in order, inside this transaction."""
        heard = await self.hooks.tell(hook, *args, **kwargs)
        crashpoint("deed.told")
        return heard

    async def tell_also(
        self, others: Iterable[str], hook: Callable[P, Coroutine[Any, Any, R | None]], *args: P.args, **kwargs: P.kwargs
    ) -> list[Answer[R]]:
        """Tell the enabled plugins and others: a reversal reaches who took part in the original, on today or not."""
        wider = self.deployment.registry.hooks_for(self.standing.enabled.union(others), self._without)
        return await wider.tell(hook, *args, **kwargs)

    # effects

    async def write(self) -> None:
        """Leave the read phase: from here on the deed holds its business's lock and its idempotency key."""
        if self._transaction.phase is Phase.READ and self._begin_writing:
            if self._session is not None:
                await end_session(self._session)
                self._session = None
            await self._begin_writing()

    def insert(self, table: type[Base] | sa.Table, row: Row) -> None:
        """Declare a row; `business_id` is added."""
        table = table_of(table)
        self._watched.writes_to(table)
        self.effects.insert(table, row)

    def increment(self, tally: Tally, key: tuple[Any, ...], amount: int) -> None:
        """Declare that a tally grows; its row is made where there is none."""
        self.effects.change(tally, key, amount, None)

    def decrement(self, tally: Tally, key: tuple[Any, ...], amount: int, or_raise: Refusal | None) -> None:
        """Declare that a tally shrinks; with `or_raise` only as far as there is room."""
        self.effects.change(tally, key, -amount, or_raise)

    def number(self, series: str, prefix: str, width: int = 6) -> Number:
        """Declare a gap-free number.

        The text stands for it in rows given to `insert` (in JSON too), payloads of jobs and the answer, where the flush
        writes the number in its place; not in the ORM's rows.
        """
        return self.effects.number(series, prefix, width)

    def later(
        self,
        job: str,
        payload: Mapping[str, Any],
        *,
        at: dt.datetime | None = None,
        dedup: str | None = None,
        max_attempts: int = 8,
    ) -> uuid.UUID:
        """Declare a job `<plugin>.<name>`, committed with this deed and run after it.

        dedup: of jobs of the business with the same text only the first is kept, whatever became of it.
        """
        id_ = new_id()
        header = {
            "id": id_,
            "plugin": job.partition(".")[0],
            "name": job,
            "run_at": at or self.now,
            "dedup": dedup,
            "max_attempts": max_attempts,
            "created_at": self.now,
        }
        self.effects.job(self.business_id, header, payload, table_of(Job), table_of(JobPayload))
        return id_

    def afterwards(self, run: Callable[[], Awaitable[None]]) -> None:
        """Declare statements that need the declared rows to be there: run after them, in the same transaction.

        What it raises undoes the deed. It declares nothing more.
        """
        self.effects.afterwards.append(run)

    def audit(
        self,
        *,
        subject: str | None = None,
        reason: str | None = None,
        location_id: uuid.UUID | None = None,
        register_id: uuid.UUID | None = None,
        **facts: Any,
    ) -> None:
        """Say what this deed is about, why and where, for the audit row that every deed leaves.

        subject: `<kind>:<id>`; without one it is the first row that the ORM wrote.
        """
        said = {"subject": subject, "reason": reason, "location_id": location_id, "register_id": register_id}
        self._said |= {name: value for name, value in said.items() if value is not None}
        if facts:
            self._said["facts"] = {**self._said.get("facts", {}), **facts}

    def changed(
        self, model: type[Base] | sa.Table, key: object, before: Mapping[Any, Any], after: Mapping[str, Any] | None
    ) -> None:
        """Say what a Core statement changes of a row, for the audit row; what the ORM changes is seen by itself.

        key: its primary key without the business. after: the new values by column; None for a row that is deleted.
        """
        self._watched.note_values(table_of(model), str(key), before, after)

    @property
    def subject(self) -> str | None:
        """What `audit` says this deed is about."""
        said: str | None = self._said.get("subject")
        return said

    async def flush(self, answer: StoredAnswer | None = None) -> dict[str, str]:
        """Write what is declared; returns token → number. Raises what a guarded change refuses with."""
        await self.write()
        if self._session is not None:
            await self._session.flush()
        if self._watched.reconfigures:
            above = self.above_businesses
            await self.fetch(configuring.RECONFIGURED_ALL if above else configuring.RECONFIGURED)
        crashpoint("deed.before_flush")
        batch = in_order(self.effects, self.business_id, answer, self.now)
        write = write_postgres.write if self.deployment.database.is_postgres else write_sqlite.write
        numbers = await write(self._transaction, batch)
        afterwards = self.effects.afterwards
        self.effects = Effects(leaves_jobs=self.effects.leaves_jobs)
        for run in afterwards:
            await run()
        crashpoint("deed.flushed")
        return numbers

    async def enter_business(self, shop: Shop, enabled: frozenset[str]) -> None:
        """Go on for the business that this deed has just made."""
        self.standing = msgspec.structs.replace(self.standing, shop=shop, enabled=enabled)
        self.hooks = self.deployment.registry.hooks_for(enabled, self._without)
        await self._transaction.enter_business(shop.id)

    @property
    def leaves_traces(self) -> bool:
        """Whether the deed said what it is about, or changed rows by the ORM."""
        return bool(self._said or self._watched.changes or self._watched.first)

    async def leave_audit_row(self) -> None:
        """Add this deed's row to the audit trail, with what it changes of rows that were there."""
        await self.write()
        if self._session is not None:
            await self._session.flush()
        said = self._said
        self.insert(
            Audit,
            {
                "id": new_id(),
                "at": self.now,
                "actor_id": self.actor.id,
                "actor_name": self.actor.name,
                "supporting": self.actor.supporting,
                "deed": self.origin.deed,
                "subject": said.get("subject") or self._watched.first,
                "reason": said.get("reason"),
                "facts": said.get("facts"),
                "changes": self._watched.as_stored(),
                "location_id": said.get("location_id"),
                "register_id": said.get("register_id"),
                "request_id": self.origin.request_id,
                "address": self.origin.address,
                "epoch": self.standing.epochs.business,
            },
        )

    @property
    def above_businesses(self) -> bool:
        """Whether this deed belongs to the deployment rather than to a business."""
        return self.business_id == NO_BUSINESS
