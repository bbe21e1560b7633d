"""Nobody hands out more than they hold, when they do it and when it is taken up (promise P23)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import sqlalchemy as sa

from kernel.auth.models import Membership, Role, User
from kernel.auth.rights.roles import Held, held_by, what_goes_beyond
from kernel.work import Work


async def may_still_hand_out(
    work: Work, giver: uuid.UUID | None, role_id: uuid.UUID, locations: Iterable[str] | None
) -> bool:
    """Whether whoever gave a role and places could give them now: still there, still with the right, still that far.

    giver: None for Duka itself. locations: None for all.
    """
    role = (await work.execute(sa.select(*_ROLE).where(_here(work), Role.id == role_id))).one_or_none()
    if role is None or giver is None:
        return role is not None
    found = await work.execute(
        sa.select(*_ROLE, Membership.locations)
        .join(Membership, sa.and_(Membership.business_id == Role.business_id, Membership.role_id == Role.id))
        .join(User, User.id == Membership.user_id)
        .where(_here(work), User.id == giver, User.is_active.is_(True), Membership.is_active.is_(True))
    )
    row = found.one_or_none()
    if row is None or (row.locations is not None and not set(row.locations).issuperset(locations or (None,))):
        return False
    theirs: Held = held_by(work, row)
    may_give = "users.manage" in theirs.permissions
    return may_give and what_goes_beyond(work, held_by(work, role), theirs) is None


_ROLE = (Role.code, Role.added, Role.removed, Role.limits)


def _here(work: Work) -> sa.ColumnElement[bool]:
    return Role.business_id == work.business_id
