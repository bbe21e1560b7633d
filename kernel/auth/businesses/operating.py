"""What operators do with whole businesses: suspend, resume, mark as exported, give up for deletion."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa

from kernel.db import Prepared
from kernel.db.tables import Business
from kernel.errors import Conflict, Invalid
from kernel.work import Work

State = Literal["active", "suspended", "deleting", "deleted"]
_B = Business.__table__.c
_STANDING = Prepared(
    sa.select(_B.slug, _B.suspended_at, _B.suspended_reason, _B.exported_at, _B.deleting_at, _B.deleted_at).where(
        _B.id == sa.bindparam("business_id", type_=sa.Uuid())
    )
)


class NotSuspended(Conflict):
    """It can only be done to a suspended business."""

    code, title = "not-suspended", "Suspend the business first"


class NotExported(Conflict):
    """A business is deleted only after all of it was exported, with nothing done since."""

    code, title = "not-exported", "Export the business first"


class BeingDeleted(Conflict):
    """The business is being deleted, or is deleted."""

    code, title = "being-deleted", "This business is being deleted"


def state_of(row: Any) -> State:
    """The state of a business, from its row."""
    if row.deleted_at is not None:
        return "deleted"
    if row.deleting_at is not None:
        return "deleting"
    return "active" if row.suspended_at is None else "suspended"


async def suspend(work: Work, reason: str) -> None:
    """Close the business: nobody gets in, none of its jobs run, until it is resumed. Raises Conflict."""
    row = await _standing(work)
    if row.suspended_at is not None:
        raise Conflict("It is suspended already")
    await _change(work, row, reason, suspended_at=work.now, suspended_reason=reason)


async def resume(work: Work, reason: str) -> None:
    """Open the business again. Raises NotSuspended, BeingDeleted."""
    row = await _standing(work)
    if row.suspended_at is None:
        raise NotSuspended
    await _change(work, row, reason, suspended_at=None, suspended_reason=None)


async def refuse_unless_suspended(work: Work) -> None:
    """Raise NotSuspended, or BeingDeleted."""
    if (await _standing(work)).suspended_at is None:
        raise NotSuspended


async def mark_exported(work: Work, reason: str, **facts: Any) -> None:
    """Note that all of the business was taken out. Raises NotSuspended, BeingDeleted."""
    row = await _standing(work)
    if row.suspended_at is None:
        raise NotSuspended
    work.audit(**facts)
    await _change(work, row, reason, exported_at=work.now)


async def give_up(work: Work, confirm: str, reason: str) -> None:
    """Give the business up for deletion. Raises Invalid, NotSuspended, NotExported, BeingDeleted."""
    row = await _standing(work)
    if confirm != row.slug:
        raise Invalid.at("/confirm", "Repeat the business's slug")
    if row.suspended_at is None:
        raise NotSuspended
    if row.exported_at is None or row.exported_at < row.suspended_at:
        raise NotExported("Nothing was exported since it was suspended")
    await _change(work, row, reason, deleting_at=work.now, is_active=False)


async def _standing(work: Work) -> Any:
    """The business's row as it stands; the deed holds the business's lock. Raises BeingDeleted."""
    row = await work.one(_STANDING)
    if row is None or row.deleting_at is not None:
        raise BeingDeleted
    return row


async def _change(work: Work, row: Any, reason: str, **values: Any) -> None:
    """Change the row and raise the epoch, so that deeds that are under way find out."""
    here = sa.update(Business).where(Business.id == work.business_id)
    await work.execute(here.values(epoch=Business.epoch + 1, **values))
    work.audit(subject=f"business:{work.business_id}", reason=reason)
    work.changed(Business, work.business_id, {"is_active": True, **row._asdict()}, values)
