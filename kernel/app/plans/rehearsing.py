"""A rehearsal: a copy of the database, the pending migrations run on it, the newest documents priced again there."""

from __future__ import annotations

import asyncio
import datetime as dt
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
from msgspec import Meta

from kernel import VERSION
from kernel.app.backup import Progress, write_backup
from kernel.app.noting import note, notes, one_at_a_time
from kernel.app.plans.making import consequence
from kernel.app.plans.values import Count, PlanConsequence
from kernel.app.portable import arriving
from kernel.app.restore import restore
from kernel.auth import look
from kernel.db import Database
from kernel.db.tables import Business
from kernel.errors import DukaError
from kernel.hooks import rehearsed
from kernel.settings import Settings
from kernel.wire import Slug
from kernel.work import Deployment, Work

REHEARSALS = "rehearsals"
"""The name of their notes below home."""


class Rehearsal(msgspec.Struct, frozen=True):
    """What came of it. migrated: revisions that ran. broken: invariants that do not hold afterwards.

    priced: business → its documents, as they were and as they would be priced.
    """

    rows: int
    migrated: list[str]
    broken: list[str]
    priced: dict[str, list[PlanConsequence]]

    @property
    def is_clean(self) -> bool:
        """Whether nothing breaks and no document comes out otherwise."""
        return not self.broken and not any(one.changed for said in self.priced.values() for one in said)


class PricedAgain(msgspec.Struct, frozen=True):
    """How many documents of a business were priced again, and how many of them came out otherwise."""

    business: Slug
    examined: Count
    changed: Count


class NotedRehearsal(msgspec.Struct, frozen=True):
    """A rehearsal that was held, without what stands inside a business.

    plugins: the versions that were rehearsed. migrated: revisions that ran on the copy. broken: invariants that did not
    hold afterwards. fault: why it came to no end.
    """

    held_at: dt.datetime
    took_s: Annotated[float, Meta(ge=0, examples=[4.2])]
    version: Annotated[str, Meta(examples=["0.1.0"])]
    plugins: Annotated[dict[str, str], Meta(examples=[{"sales": "0.1.0"}])]
    rows: Count
    migrated: Annotated[list[str], Meta(examples=[["sales_0011"]])]
    broken: list[str]
    priced: list[PricedAgain]
    fault: str | None
    is_clean: Annotated[bool, Meta(description="Nothing broke, and no document came out otherwise.")]


async def hold_rehearsal(deployment: Deployment, most: int, *, progress: Progress | None = None) -> Rehearsal:
    """Rehearse, and note below home what came of it. Raises Busy while another is held, and as `rehearse`."""
    settings, begun = deployment.settings, time.monotonic()
    with one_at_a_time(settings, REHEARSALS):
        try:
            done = await rehearse(deployment, most, progress=progress)
        except Exception as fault:
            words = fault.detail or fault.title if isinstance(fault, DukaError) else f"{type(fault).__name__}: {fault}"
            _note(deployment, Rehearsal(0, [], [], {}), begun, words[:500])
            raise
        _note(deployment, done, begun)
        return done


def rehearsals_of(settings: Settings) -> list[NotedRehearsal]:
    """Those that were held from this home, the newest first."""
    return notes(settings, REHEARSALS, NotedRehearsal)


def _note(deployment: Deployment, done: Rehearsal, begun: float, fault: str | None = None) -> None:
    said = NotedRehearsal(
        deployment.clock(),
        round(time.monotonic() - begun, 3),
        VERSION,
        {one.name: one.manifest.version for one in deployment.found.in_order()},
        done.rows,
        done.migrated,
        done.broken,
        [
            PricedAgain(slug, sum(one.examined for one in said), sum(len(one.changed) for one in said))
            for slug, said in done.priced.items()
        ],
        fault,
        done.is_clean and fault is None,
    )
    note(deployment.settings, REHEARSALS, said)


async def rehearse(deployment: Deployment, most: int, *, progress: Progress | None = None) -> Rehearsal:
    """Rehearse an upgrade on a copy, an embedded database in a temporary folder; the shops go on selling.

    most: how many documents of each business are priced again. Raises MigrationFailed, FileFault.
    """
    with tempfile.TemporaryDirectory(prefix="duka-rehearsal-") as folder:
        file = Path(folder, "copy.duka")
        with arriving(file) as arrived:
            await write_backup(deployment, arrived, progress=progress)
        copy = _copy(deployment, folder)
        try:
            done = await restore(copy, file, progress=progress)
            await asyncio.to_thread(file.unlink)
            priced = {one.slug: await _priced(copy, one.id, most) for one in await _businesses(copy)}
        finally:
            await copy.database.dispose()
        return Rehearsal(done.manifest.rows, done.migrated, done.broken, priced)


def _copy(deployment: Deployment, folder: str) -> Deployment:
    url = f"sqlite+aiosqlite:///{folder}/copy.sqlite3"
    settings = msgspec.structs.replace(deployment.settings, home=folder, database_url=url, migrations_database_url="")
    return replace(deployment, settings=settings, database=Database(url, patient=True))


async def _businesses(copy: Deployment) -> Sequence[Any]:
    async def find(work: Work) -> Sequence[Any]:
        active = sa.select(Business.id, Business.slug).where(Business.is_active.is_(True)).order_by(Business.slug)
        return (await work.execute(active)).all()

    return await look(copy, None, find)


async def _priced(copy: Deployment, business: uuid.UUID, most: int) -> list[PlanConsequence]:
    async def price(work: Work) -> list[PlanConsequence]:
        said = await work.tell(rehearsed, work=work, most=most)
        return [consequence(answer.plugin, value) for answer in said for value in answer.value]

    return await look(copy, business, price)
