"""Deeds beyond a person's limit: refused with a request for approval, done once a second person has approved it.

    await need_approval(work, "sales.void_amount", in_micro(work, row.total), words=f"Void {row.number}")

The refusal rolls the deed back; the web layer then stores the request in a deed of its own. The repeated request names
the approval in the header `X-Approval`; it is used up in the transaction of the deed that it allows.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

import msgspec
import sqlalchemy as sa

from kernel.db.tables import Approval
from kernel.errors import Forbidden
from kernel.work.standing import Actor, Origin
from kernel.work.unit import Work

_A = Approval.__table__.c
_FIGURES = 6


class Ask(msgspec.Struct, frozen=True):
    """What approval is asked for: a limit with the amount needed (scaled by MICRO), or a permission with none."""

    action: str
    amount: int | None
    words: str
    location_id: uuid.UUID | None = None
    register_id: uuid.UUID | None = None


class ApprovalRequired(Forbidden):
    """The deed goes beyond what the person may do alone; member `approval` names the request that waits for another."""

    code, title = "approval-required", "Somebody else must approve this"

    def __init__(self, ask: Ask, approval_id: uuid.UUID | None = None) -> None:
        super().__init__(ask.words)
        self.ask = ask
        self.members = {"action": ask.action} | ({"approval": str(approval_id)} if approval_id else {})


class ApprovalNotValid(Forbidden):
    """The approval named does not allow this: another request, person or place, used, run out, or not given."""

    code, title = "approval-not-valid", "The approval does not fit"


async def need_approval(
    work: Work,
    action: str,
    amount: int | None = None,
    *,
    words: str,
    location_id: uuid.UUID | None = None,
    register_id: uuid.UUID | None = None,
) -> None:
    """Let a deed go on only as far as its actor may, or a second person has approved.

    action: a limit, with the amount needed scaled by MICRO, or a permission without one. words: what is asked for, to
    be read by whoever approves. Raises ApprovalRequired, ApprovalNotValid.
    """
    if reaches(work.actor, action, amount):
        return
    ask = Ask(action, amount, words, location_id, register_id)
    if not await _claim(work, ask):
        raise ApprovalRequired(ask)


async def may_knowingly(
    work: Work,
    action: str,
    *,
    words: str,
    location_id: uuid.UUID | None = None,
    register_id: uuid.UUID | None = None,
) -> bool:
    """Whether a deed may do what is refused unless somebody says that they mean it (`X-Approval: ask`).

    True where the actor says so and holds the permission, or a second person has approved. Raises ApprovalNotValid.
    """
    if work.origin.asks and work.actor.may(action):
        return True
    return await _claim(work, Ask(action, None, words, location_id, register_id))


def reaches(actor: Actor, action: str, amount: int | None) -> bool:
    """Whether an actor may do so much of an action alone."""
    if amount is None:
        return actor.may(action)
    far = actor.limit(action)
    return far is None or amount <= far


def in_micro(work: Work, minor: int) -> int:
    """An amount of the business's currency, in minor units, as limits are scaled."""
    return minor * int(10 ** (_FIGURES - work.shop.exponent))


def digest_of(origin: Origin) -> str:
    """The hash of what was asked: the operation, its path and its whole body."""
    said = json.dumps([origin.deed, origin.request], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(said.encode()).hexdigest()


async def use_approvals(work: Work) -> None:
    """Use up what this deed was allowed by, each once: of two deeds at the same time one finds nothing to use.

    Both people stand in the deed's audit row.
    """
    await work.write()
    for claim in work.claims:
        used = await work.execute(
            sa.update(Approval)
            .where(
                _A.business_id == work.business_id,
                _A.id == claim.id,
                _A.state == "approved",
                _A.expires_at > work.now,
            )
            .values(state="used", used_at=work.now, used_for=work.subject)
        )
        if not used.rowcount:
            raise ApprovalNotValid("It was used already")
    if work.claims:
        by = [{"id": str(one.id), "action": one.action, "by": str(one.answered_by)} for one in work.claims]
        work.audit(approvals=by)


async def _claim(work: Work, ask: Ask) -> bool:
    """Find the approval for this among those the request names. False: none is named for this action."""
    named = work.origin.approvals
    if not named:
        return False
    rows = (
        await work.execute(sa.select(Approval.__table__).where(_A.business_id == work.business_id, _A.id.in_(named)))
    ).all()
    if len(rows) < len(set(named)) or any(row.requested_by != work.actor.id for row in rows):
        raise ApprovalNotValid("There is no such approval")
    fitting = [row for row in rows if row.action == ask.action]
    if not fitting:
        return False
    if faults := [fault for row in fitting if (fault := _fault(work, row, ask))]:
        raise ApprovalNotValid(faults[0])
    work.claims.append(fitting[0])
    return True


def _fault(work: Work, row: Any, ask: Ask) -> str | None:
    """Why an approval does not allow what is asked."""
    if row.state != "approved":
        return {"waiting": "Nobody has approved it yet", "refused": "It was refused"}.get(
            row.state, "It was used already"
        )
    if row.expires_at <= work.now:
        return "Its time has run out"
    if row.digest != digest_of(work.origin):
        return "It is for another request"
    if (row.location_id, row.register_id) != (ask.location_id, ask.register_id):
        return "It is for another till"
    if row.amount is not None and (ask.amount is None or ask.amount > row.amount):
        return "It is for less"
    return None
