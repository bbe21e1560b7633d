"""What is known of each trail: when it was last sealed, and what its last verification found.

Kept in one small table above all businesses, so that readiness and the figures of any process tell with one query
whether the trails are looked after, whichever process does it and even if none does.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kernel.db import Prepared, Transaction, upsert
from kernel.db.tables import AuditWatch, Business
from kernel.work import NO_BUSINESS, Work

LATE = dt.timedelta(minutes=30)
"""A row or trail that waits so long for its seal says that no process seals: three rounds have gone by."""
_W = AuditWatch.__table__.c
_is_there = sa.or_(
    _W.business_id == sa.literal(NO_BUSINESS, sa.Uuid()),
    sa.exists().where(Business.id == _W.business_id, Business.deleting_at.is_(None)),
)
_STATE = Prepared(
    sa.select(sa.func.min(_W.sealed_at).label("sealed_at"), sa.func.count(_W.fault).label("broken")).where(_is_there)
)


_KNOWN = Prepared(
    sa.select(_W.looked_at, _W.verified_at, _W.fault).where(
        _W.business_id == sa.bindparam("business_id", type_=sa.Uuid())
    )
)
_ASKED = Prepared(sa.select(_W.business_id).where(_W.looked_at.is_(None), _is_there).order_by(_W.business_id))


@dataclass(frozen=True)
class Trails:
    """For how many seconds the trail that waits longest was not sealed, and how many chains were found broken."""

    unsealed_s: float
    broken: int

    @property
    def are_late(self) -> bool:
        """Whether nobody seals."""
        return self.unsealed_s > LATE.total_seconds()


async def trails(transaction: Transaction, now: dt.datetime) -> Trails:
    """What is known of all trails."""
    row = await transaction.one(_STATE)
    if row is None or row.sealed_at is None:
        return Trails(0.0, 0)
    return Trails(max(0.0, (now - row.sealed_at).total_seconds()), row.broken)


async def known_of(work: Work) -> Any:
    """looked_at, verified_at and fault of the business's trail; None where no process has ever looked at it."""
    return await work.one(_KNOWN)


async def ask_to_verify(work: Work) -> None:
    """The chain of the business is verified again, by whichever process looks after trails next."""
    await _note(work, {"looked_at": None})


async def asked(transaction: Transaction) -> list[uuid.UUID]:
    """The businesses whose chains somebody wants verified, or nobody has verified yet."""
    return [row.business_id for row in await transaction.fetch(_ASKED)]


async def begin_watch(work: Work) -> None:
    """From now on it is late if nobody seals the trail."""
    await work.execute(_row(work).on_conflict_do_nothing())


async def note_sealed(work: Work) -> None:
    """The trail of the business has been sealed to its end."""
    changed = {"sealed_at": work.now}
    await work.execute(_row(work).on_conflict_do_update(index_elements=["business_id"], set_=changed))


async def note_broken(work: Work, words: str) -> None:
    """A verification found a fault in the chain of the business."""
    await _note(work, {"looked_at": work.now, "fault": words})


async def note_whole(work: Work) -> None:
    """The chain is whole. A fault that was found before stays, until somebody has looked."""
    await _note(work, {"verified_at": work.now})


async def clear_fault(work: Work) -> None:
    """Somebody has verified the chain by hand, and found it whole."""
    await _note(work, {"looked_at": work.now, "verified_at": work.now, "fault": None})


async def _note(work: Work, found: dict[str, Any]) -> None:
    await begin_watch(work)
    await work.execute(sa.update(AuditWatch).where(_W.business_id == work.business_id).values(found))


def _row(work: Work) -> Any:
    return upsert(work.deployment.database, AuditWatch).values(business_id=work.business_id, sealed_at=work.now)
