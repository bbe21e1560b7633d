"""After a restore: who was erased since the backup was taken, and stands there again."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from kernel.db.personal import person_tables
from kernel.db.tables import Erased
from kernel.personal.erasing import subject_hash
from kernel.personal.places import in_reach, of_business, tables_of
from kernel.work import Work


class Tombstone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One erased person: whose they were, what they were, and the hash of their id."""

    business_id: uuid.UUID
    kind: str
    subject_hash: str


async def tombstones(work: Work) -> list[Tombstone]:
    """Those of one business, or of what is above all businesses, oldest first."""
    stone = Erased.__table__.c
    found = await work.execute(
        sa.select(stone.business_id, stone.kind, stone.subject_hash)
        .where(stone.business_id == work.business_id)
        .order_by(stone.id)
    )
    return [Tombstone(row.business_id, row.kind, row.subject_hash) for row in found.all()]


async def find_again(work: Work, stones: Iterable[Tombstone]) -> list[tuple[str, uuid.UUID]]:
    """The people who are there and have a tombstone: kind and id. Kinds whose plugin is gone are passed over."""
    wanted: dict[str, set[str]] = {}
    for stone in stones:
        if stone.business_id == work.business_id:
            wanted.setdefault(stone.kind, set()).add(stone.subject_hash)
    people = person_tables(tables_of(work.deployment.registry))
    found = []
    for kind, hashes in wanted.items():
        table = people.get(kind)
        if table is None or not in_reach(table, work.business_id):
            continue
        here = sa.select(table.c.id).where(of_business(table, work.business_id))
        ids = (await work.execute(here)).scalars().all()
        found += [(kind, id_) for id_ in ids if subject_hash(kind, id_) in hashes]
    return found
