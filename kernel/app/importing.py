"""A business brought in from an archive: all of it in one transaction, beside the businesses that are there.

Accounts are matched by e-mail; who has none here gets one without a password, to be set by a mailed link. What an
archive does not hold because it is secret (keys, tills, PINs, links) is left behind and made anew.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.app.archive import holds_rows_of_one
from kernel.app.backup import Progress
from kernel.app.portable import FileFault, Manifest, Reader
from kernel.app.portable.files import ARCHIVE
from kernel.app.portable.loading import enter, load, loading
from kernel.app.portable.reading import revisions, tables_of
from kernel.app.restore import check_schema
from kernel.audit import Report, verify
from kernel.auth import look
from kernel.auth.models import User
from kernel.auth.secrets.passwords import hash_password
from kernel.db import new_id
from kernel.db.personal import INFO, Names
from kernel.db.private import is_secret
from kernel.db.tables import Audit, Business, BusinessPlugin, Schedule
from kernel.errors import AlreadyExists
from kernel.invariants import broken
from kernel.jobs import handlers_of, next_run
from kernel.registry import owner_of
from kernel.work import NO_BUSINESS, SYSTEM, Deployment

Row = dict[str, Any]
Accounts = dict[uuid.UUID, uuid.UUID]
_OF_THE_OTHER_DEPLOYMENT = frozenset({"kernel_support_access"})
_EVIDENCE = frozenset({"kernel_audit"})
"""Hashed row by row: the ids of accounts stay what they were."""


class Imported(msgspec.Struct, frozen=True):
    """What came in. matched, made: e-mails of accounts. left_behind: table → rows that are to be made anew."""

    manifest: Manifest
    matched: list[str]
    made: list[str]
    left_behind: dict[str, int]
    broken: list[str]
    chain: Report

    @property
    def is_sound(self) -> bool:
        """Whether nothing wrong was found."""
        return not self.broken and self.chain.first is None


async def import_business(deployment: Deployment, path: Path, *, progress: Progress | None = None) -> Imported:
    """Bring a business in.

    Raises FileFault for a file that is damaged or of other revisions, AlreadyExists when its id or slug is taken.
    """
    reader = Reader(path, ARCHIVE)
    tell = progress or (lambda _what, _rows, _total: None)
    try:
        manifest = reader.manifest
        check_schema(manifest, deployment.registry)
        reader.verify(lambda rows: tell("verifying", rows, manifest.rows))
        settings = deployment.settings
        async with loading(settings.migrations_database_url or settings.url) as connection:
            incoming = _Incoming(deployment, reader, connection)
            await incoming.check()
            await incoming.bring_in(lambda rows: tell("importing", rows, manifest.rows))
    finally:
        reader.close()
    chain = await look(deployment, incoming.business, verify)
    return Imported(manifest, incoming.matched, incoming.made, incoming.left_behind, await broken(deployment), chain)


class _Incoming:
    """One import under way."""

    def __init__(self, deployment: Deployment, reader: Reader, connection: AsyncConnection) -> None:
        said = reader.manifest.business
        if said is None:
            raise FileFault(f"{reader.path} does not say whose it is")
        self.deployment, self.reader, self.connection = deployment, reader, connection
        self.business, self.slug = said.id, said.slug
        self.models = {one.name: one for one in tables_of(deployment.registry) if holds_rows_of_one(one)}
        self.matched: list[str] = []
        self.made: list[str] = []
        self.left_behind: dict[str, int] = {}

    async def check(self) -> None:
        """Raise FileFault or AlreadyExists unless the business fits in here."""
        there, said = await revisions(self.connection), self.reader.manifest
        if odd := said.tables.keys() - self.models.keys():
            raise FileFault(f"{self.reader.path} has tables that no archive has: {', '.join(sorted(odd))}")
        for name, revision in said.schema.items():
            if there.get(name) != revision and self._has_rows(name):
                raise FileFault(
                    f"The file's tables of {name} are at {revision}, here they are at {there.get(name)}. Bring both"
                    " deployments to the same version, then export again"
                )
        (row,) = self._rows("kernel_business")
        if (row["id"], row["slug"]) != (self.business, self.slug) or row["deleting_at"] is not None:
            raise FileFault(f"{self.reader.path} does not hold the business that it says, or one that is being deleted")
        taken = sa.select(Business.slug).where(sa.or_(Business.id == self.business, Business.slug == self.slug))
        if (await self.connection.execute(taken)).first() is not None:
            raise AlreadyExists(
                f"The business {self.slug}, or one with its id, is here already; it may be a deleted one"
            )
        missing = self._enabled() - self.deployment.registry.plugins.keys()
        if missing:
            raise FileFault(f"The business uses {', '.join(sorted(missing))}, which is not installed here")

    async def bring_in(self, progress: Callable[[int], None]) -> None:
        """Load every row, schedules and the trail's word of it."""
        if self.connection.dialect.name == "postgresql":
            await enter(self.connection, self.business)
        accounts = await self._accounts()
        for name, said in self.reader.manifest.tables.items():
            if name == "kernel_user":
                continue
            if name in _OF_THE_OTHER_DEPLOYMENT or not _can_stand(self.models[name], said.columns.keys()):
                if said.rows:
                    self.left_behind[name] = said.rows
                continue
            batches = self._checked(self.models[name], accounts)
            await load(self.connection, name, said.columns, batches, tenant=False, progress=progress)
        await self._schedule()
        await self._note()

    async def _accounts(self) -> Accounts:
        """The accounts of the file → those here, made where there are none."""
        found: Accounts = {}
        for row in self._rows("kernel_user"):
            same = sa.or_(User.email == row["email"], User.id == row["id"])
            known = (await self.connection.execute(sa.select(User.id, User.email).where(same))).all()
            by_email = {one.email: one.id for one in known}
            if row["email"] in by_email:
                found[row["id"]] = by_email[row["email"]]
                self.matched.append(row["email"])
            elif known:
                raise AlreadyExists(f"The account of {row['email']} has another e-mail here; change one of the two")
            else:
                found[row["id"]] = row["id"]
                nobody_knows = await hash_password(secrets.token_urlsafe(32))
                fresh = {"password_hash": nobody_knows, "is_operator": False, "email_verified_at": None, "version": 1}
                await self.connection.execute(sa.insert(User).values(**row | fresh))
                self.made.append(row["email"])
        return found

    def _checked(self, table: sa.Table, accounts: Accounts) -> Iterator[Sequence[Row]]:
        """The rows of a table, each of this business, with the ids that its people have here."""
        owner = "id" if table.name == "kernel_business" else "business_id"
        people = [] if table.name in _EVIDENCE else [column.name for column in table.c if _names_account(column)]
        for rows in self.reader.batches(table.name):
            for row in rows:
                if row[owner] != self.business:
                    raise FileFault(f"{self.reader.path}: the table {table.name} has a row of another business")
                for name in people:
                    row[name] = accounts.get(row[name], row[name])
            yield rows

    async def _schedule(self) -> None:
        zone = next(self._rows("kernel_business"))["zone"]
        now, on = self.deployment.clock(), self._enabled() | {"kernel"}
        rows = [
            {"business_id": self.business, "job": one.name, "cron": one.cron, "next_run": next_run(one.cron, now, zone)}
            for one in handlers_of(self.deployment).values()
            if one.cron and one.name.partition(".")[0] in on
        ]
        await self.connection.execute(sa.insert(Schedule), rows)

    async def _note(self) -> None:
        """Say so in the trail of the business and in the deployment's own, in the same transaction."""
        facts = {"rows": self.reader.manifest.rows, "made_at": self.reader.manifest.made_at.isoformat()}
        for business in (self.business, NO_BUSINESS):
            if self.connection.dialect.name == "postgresql":
                await enter(self.connection, business)
            await self.connection.execute(
                sa.insert(Audit).values(
                    business_id=business,
                    id=new_id(),
                    at=self.deployment.clock(),
                    actor_name=SYSTEM.name,
                    deed="operating.import_business",
                    subject=f"business:{self.business}",
                    facts=facts,
                    epoch=1,
                    supporting=False,
                )
            )

    def _enabled(self) -> set[str]:
        return {row["plugin"] for row in self._rows(BusinessPlugin.__tablename__) if row["state"] == "enabled"}

    def _has_rows(self, lineage: str) -> bool:
        tables = self.reader.manifest.tables.items()
        return any(said.rows for name, said in tables if owner_of(name, self.reader.manifest.schema) == lineage)

    def _rows(self, table: str) -> Iterator[Row]:
        if table not in self.reader.manifest.tables:
            raise FileFault(f"{self.reader.path} has no table {table}")
        return (row for rows in self.reader.batches(table) for row in rows)


def _can_stand(table: sa.Table, given: Any) -> bool:
    """Whether a row can be without the secrets that are not in an archive."""
    lacking = [column for column in table.c if column.name not in given and is_secret(column)]
    return all(column.nullable or column.server_default is not None for column in lacking)


def _names_account(column: sa.Column[Any]) -> bool:
    said = column.info.get(INFO)
    return isinstance(said, Names) and said.person == "user"
