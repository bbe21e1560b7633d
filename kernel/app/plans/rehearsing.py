"""A rehearsal: a copy of the database, the pending migrations run on it, the newest documents priced again there."""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from kernel.app.backup import Progress, write_backup
from kernel.app.plans.making import consequence
from kernel.app.plans.values import PlanConsequence
from kernel.app.portable import arriving
from kernel.app.restore import restore
from kernel.auth import look
from kernel.db import Database
from kernel.db.tables import Business
from kernel.hooks import rehearsed
from kernel.work import Deployment, Work


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
