"""Requests for approval: stored when a deed is refused, answered by a second person."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa

from kernel.auth.credentials import ApiKey, Pin, SecondFactor, Till
from kernel.auth.models import Membership, Role, User
from kernel.auth.rights.permissions import Rights
from kernel.db import new_id
from kernel.db.tables import Approval
from kernel.errors import Conflict, Forbidden, NotFound, Unauthenticated
from kernel.work import Actor, Ask, Work, digest_of, reaches

OPEN_FOR = dt.timedelta(minutes=15)
"""How long a request waits for its answer."""
GOOD_FOR = dt.timedelta(minutes=5)
"""How long an approval may be used once it is given."""
ANSWERS = "approvals.answer"


class SelfApproval(Forbidden):
    """Nobody approves what they asked for themselves."""

    code, title = "self-approval", "Somebody else must approve this"


class BeyondApprover(Forbidden):
    """The second person may not do this alone either, or not there."""

    code, title = "beyond-approver", "This goes beyond what you may approve"


class AlreadyAnswered(Conflict):
    """The request was approved or refused before, or nobody answered it in time."""

    code, title = "already-answered", "This request no longer waits"


async def store_request(work: Work, ask: Ask) -> uuid.UUID:
    """Keep a request for approval; one that is open for the very same deed is asked again, not doubled."""
    if work.actor.id is None:
        raise Unauthenticated
    digest, columns = digest_of(work.origin), Approval.__table__.c
    open_one = await work.execute(
        sa.select(columns.id).where(
            columns.business_id == work.business_id,
            columns.requested_by == work.actor.id,
            columns.action == ask.action,
            columns.digest == digest,
            columns.state.in_(("waiting", "approved")),
            columns.expires_at > work.now,
            columns.amount.is_(None) if ask.amount is None else columns.amount >= ask.amount,
            columns.location_id.is_not_distinct_from(ask.location_id),
            columns.register_id.is_not_distinct_from(ask.register_id),
        )
    )
    if (known := open_one.scalars().first()) is not None:
        found: uuid.UUID = known
        return found
    id_ = new_id()
    work.insert(
        Approval,
        {
            "id": id_,
            "action": ask.action,
            "amount": ask.amount,
            "digest": digest,
            "words": ask.words,
            "deed": work.origin.deed,
            "location_id": ask.location_id,
            "register_id": ask.register_id,
            "requested_by": work.actor.id,
            "requested_by_name": work.actor.name,
            "requested_at": work.now,
            "state": "waiting",
            "expires_at": work.now + OPEN_FOR,
        },
    )
    work.audit(subject=f"approval:{id_}", asked_for=ask.action, words=ask.words)
    return id_


async def answer_request(work: Work, approval_id: uuid.UUID, by: Actor, reason: str, *, approves: bool) -> Approval:
    """Approve or refuse a request in the name of a second person, once.

    Whoever made the API key that asked is whoever asked. Only the account is known: one person with two accounts passes
    for two. Raises NotFound, SelfApproval,
    BeyondApprover, AlreadyAnswered.
    """
    row = await work.get(Approval, approval_id)
    if await _person_behind(work, by.id) == await _person_behind(work, row.requested_by):
        raise SelfApproval
    if approves:
        _refuse_beyond(work, row, by)
    answered = await work.execute(
        sa.update(Approval)
        .where(
            Approval.business_id == work.business_id,
            Approval.id == approval_id,
            Approval.state == "waiting",
            Approval.expires_at > work.now,
        )
        .values(
            state="approved" if approves else "refused",
            expires_at=work.now + GOOD_FOR,
            answered_by=by.id,
            answered_by_name=by.name,
            answered_at=work.now,
            reason=reason,
        )
    )
    if not answered.rowcount:
        raise AlreadyAnswered
    work.audit(
        subject=f"approval:{approval_id}",
        reason=reason,
        location_id=row.location_id,
        register_id=row.register_id,
        action=row.action,
        approves=approves,
        requested_by=str(row.requested_by),
        answered_by=str(by.id),
    )
    await work.session.refresh(row)
    return row


async def colleague(work: Work, user_id: uuid.UUID) -> Actor:
    """Somebody who works here, with what they may do. Raises Unauthenticated for anybody else."""
    row = (await work.execute(_members(work).where(User.id == user_id))).one_or_none()
    if row is None:
        raise Unauthenticated("E-mail or password is wrong")
    return _actor(work, row)


def _members(work: Work) -> sa.Select[Any]:
    """Those who work here, with what their rights are made of."""
    return (
        sa.select(User.id, User.name, Membership.locations, Role.code, Role.added, Role.removed, Role.limits)
        .join(Membership, Membership.user_id == User.id)
        .join(Role, sa.and_(Role.business_id == Membership.business_id, Role.id == Membership.role_id))
        .where(Membership.business_id == work.business_id, Membership.is_active.is_(True), User.is_active.is_(True))
    )


def _actor(work: Work, row: Any) -> Actor:
    rights, enabled = Rights(work.deployment.registry), work.standing.enabled
    return Actor(
        row.id,
        row.name,
        rights.of(row.code, row.added, row.removed, enabled),
        limits=rights.limits_of(row.code, row.limits, enabled),
        locations=None if row.locations is None else frozenset(map(uuid.UUID, row.locations)),
    )


async def _person_behind(work: Work, id_: uuid.UUID | None) -> uuid.UUID | None:
    """Whose an id of an actor is: of an API key its maker's, who acts through it; of a person their own."""
    maker = sa.select(ApiKey.created_by).where(ApiKey.business_id == work.business_id, ApiKey.id == id_)
    return (await work.execute(maker)).scalar_one_or_none() or id_


async def own_request(work: Work, approval_id: uuid.UUID) -> Approval:
    """A request that the caller has made themselves and that still waits. Raises NotFound, AlreadyAnswered."""
    row = await work.get(Approval, approval_id)
    if row.requested_by != work.actor.id:
        raise NotFound
    if row.state != "waiting" or row.expires_at <= work.now:
        raise AlreadyAnswered
    return row


async def by_pin(work: Work, row: Approval) -> list[tuple[uuid.UUID, str]]:
    """Who can approve a request by PIN where the caller is: id and name, by name.

    At a registered till those who take turns at it. Elsewhere nobody unless the deployment says so, and nobody whose
    second factor the PIN would pass by.
    """
    at_till = work.actor.till_id is not None
    if not at_till and work.deployment.settings.counter_approvals != "sign-ins":
        return []
    place = (await work.get(Till, work.actor.till_id)).location_id if work.actor.till_id else None
    found = await work.execute(
        _members(work)
        .join(Pin, sa.and_(Pin.business_id == Membership.business_id, Pin.user_id == User.id))
        .outerjoin(SecondFactor, SecondFactor.user_id == User.id)
        .where(
            User.id != row.requested_by,
            sa.true() if at_till else sa.and_(SecondFactor.confirmed_at.is_(None), Role.needs_second_factor.is_(False)),
        )
        .order_by(User.name, User.id)
    )
    people = [_actor(work, one) for one in found.all()]
    return [(by.id, by.name) for by in people if by.id and by.works_at(place) and not _beyond(work, row, by)]


def _refuse_beyond(work: Work, row: Approval, by: Actor) -> None:
    """Whoever approves must be able to do it alone, at that place."""
    if words := _beyond(work, row, by):
        raise BeyondApprover(words)


def _beyond(work: Work, row: Approval, by: Actor) -> str:
    """Why somebody may not approve this; "" where they may."""
    bounds = {one.name: one.bounds for one in work.deployment.registry.limits(work.standing.enabled)}
    permission = bounds.get(row.action, row.action)
    if not (by.may(ANSWERS) and by.may(permission)):
        return f"Approving this needs the permissions {ANSWERS} and {permission}"
    if not reaches(by, row.action, row.amount):
        return "It is above the approver's own limit"
    return "" if by.works_at(row.location_id) else "The approver does not work there"
