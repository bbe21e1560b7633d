"""Nobody hands out more than they hold (promise P23)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import sqlalchemy as sa

from kernel.auth.models import Membership, Role, User
from kernel.auth.permissions import Rights
from kernel.errors import Forbidden, Invalid
from kernel.work import Work


async def refuse_above(work: Work, role_id: uuid.UUID) -> None:
    """Nobody hands out, or touches, a role that holds more than they do. Raises Forbidden, Invalid for no such role."""
    held = await held_by_role(work, role_id)
    if held is None:
        raise Invalid.at("/role_id", "There is no such role", code="not-found")
    if missing := sorted(name for name in held if not work.actor.may(name)):
        raise Forbidden(f"That role may do what yours may not: {', '.join(missing[:3])}")


async def may_still_hand_out(work: Work, giver: uuid.UUID | None, role_id: uuid.UUID) -> bool:
    """Whether whoever gave a role could give it now: still there, still with the right, still holding all of it.

    giver: None for Duka itself.
    """
    held = await held_by_role(work, role_id)
    if held is None or giver is None:
        return held is not None
    theirs = await _held_by(work, giver)
    return "users.manage" in theirs and held <= theirs


async def held_by_role(work: Work, role_id: uuid.UUID) -> frozenset[str] | None:
    """What a role of this business holds; None if there is no such role."""
    row = (await work.execute(sa.select(*_ROLE).where(_here(work), Role.id == role_id))).one_or_none()
    return _rights(work, row) if row else None


async def _held_by(work: Work, user_id: uuid.UUID) -> frozenset[str]:
    row = (
        await work.execute(
            sa.select(*_ROLE)
            .join(Membership, sa.and_(Membership.business_id == Role.business_id, Membership.role_id == Role.id))
            .join(User, User.id == Membership.user_id)
            .where(_here(work), User.id == user_id, User.is_active.is_(True), Membership.is_active.is_(True))
        )
    ).one_or_none()
    return _rights(work, row) if row else frozenset()


_ROLE = (Role.code, Role.added, Role.removed)


def _here(work: Work) -> sa.ColumnElement[bool]:
    return Role.business_id == work.business_id


def _rights(work: Work, row: sa.Row[tuple[str | None, Iterable[str], Iterable[str]]]) -> frozenset[str]:
    return Rights(work.deployment.registry).of(row.code, row.added, row.removed, work.standing.enabled)
