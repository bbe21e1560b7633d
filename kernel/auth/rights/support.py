"""Support access: operators of the deployment see a business only while its owner lets them in."""

from __future__ import annotations

import datetime as dt
import uuid

import msgspec
import sqlalchemy as sa

from kernel.auth.models import Membership, Role, SupportAccess
from kernel.auth.rights.permissions import Rights
from kernel.auth.secrets.tokens import Claims, make_access_token
from kernel.auth.telling import tell_of_change
from kernel.db import Prepared
from kernel.db.tables import Audit
from kernel.errors import Forbidden, Invalid, NotFound, Unauthenticated
from kernel.work import Work

LONGEST = dt.timedelta(hours=72)
ENTERED = "operating.enter_business"
"""The deed of coming in."""
_S = SupportAccess.__table__.c
_GRANTED = Prepared(
    sa.select(_S.role_id, _S.reason, _S.granted_by, _S.granted_at, _S.ends_at, _S.revoked_at).where(
        _S.business_id == sa.bindparam("business_id", type_=sa.Uuid())
    )
)


class Access(msgspec.Struct, frozen=True):
    """What operators are let in for: with a role, or (without) only to look."""

    role_id: uuid.UUID | None
    reason: str
    granted_by: uuid.UUID | None
    granted_at: dt.datetime
    ends_at: dt.datetime
    revoked_at: dt.datetime | None

    def is_open(self, now: dt.datetime) -> bool:
        """Whether operators may come in."""
        return self.revoked_at is None and now < self.ends_at


async def access_of(work: Work) -> Access | None:
    """The access granted last; None if there never was one."""
    row = await work.one(_GRANTED)
    return Access(*row) if row else None


async def grant(work: Work, until: dt.datetime, reason: str, role_id: uuid.UUID | None) -> Access:
    """Let operators in until then, in place of what was granted before. Raises Invalid, Forbidden."""
    _refuse_supporters(work)
    if until <= work.now:
        raise Invalid.at("/until", "This is over already")
    if until > work.now + LONGEST:
        raise Invalid.at("/until", f"At most {LONGEST.total_seconds() / 3600:.0f} hours from now")
    if role_id is not None:
        await _check_role(work, role_id)
    before = await access_of(work)
    access = Access(role_id, reason, work.actor.id, work.now, until, None)
    values = msgspec.structs.asdict(access)
    if before is None:
        await work.execute(sa.insert(SupportAccess).values(business_id=work.business_id, **values))
    else:
        await work.execute(sa.update(SupportAccess).where(_S.business_id == work.business_id).values(values))
        work.changed(SupportAccess, "", msgspec.structs.asdict(before), values)
    work.audit(
        subject=f"business:{work.business_id}", reason=reason, until=until, role_id=role_id, granted_by=work.actor.name
    )
    return access


async def revoke(work: Work) -> None:
    """Let operators out; it holds from their next request on. Raises NotFound when nobody was let in."""
    _refuse_supporters(work)
    access = await access_of(work)
    if access is None or not access.is_open(work.now):
        raise NotFound("Nobody is let in")
    await work.execute(sa.update(SupportAccess).where(_S.business_id == work.business_id).values(revoked_at=work.now))
    work.audit(subject=f"business:{work.business_id}")
    work.changed(SupportAccess, "", {"revoked_at": None}, {"revoked_at": work.now})


async def come_in(work: Work, access: Access) -> None:
    """Leave in the trail that an operator comes in, and tell by mail, once for each leave given, who may end it."""
    if not await _came_before(work, access):
        for user_id in await _who_decide(work):
            tell_of_change(work, user_id, "support_entered", name=work.actor.name)
    work.audit(subject=f"business:{work.business_id}", reason=access.reason)


def access_token(work: Work, access: Access) -> tuple[str, dt.datetime]:
    """A token for the operator who acts in the business that let them in, and when it ends; it is not renewed."""
    actor = work.actor
    if actor.id is None or actor.session_id is None:
        raise Unauthenticated
    ends = min(access.ends_at, work.now + dt.timedelta(minutes=work.deployment.settings.access_token_minutes))
    claims = Claims(actor.id, actor.session_id, work.business_id)
    return make_access_token(claims, work.deployment.secret, work.now, ends - work.now), ends


async def _came_before(work: Work, access: Access) -> bool:
    """Whether this operator has come in by that leave already; a token is renewed by coming in again."""
    a = Audit.__table__.c
    mine = sa.and_(a.business_id == work.business_id, a.at >= access.granted_at, a.actor_id == work.actor.id)
    some = sa.select(sa.exists().where(mine, a.deed == ENTERED, a.supporting.is_(True)))
    return bool((await work.execute(some)).scalar_one())


async def _who_decide(work: Work) -> list[uuid.UUID]:
    """Those who may let operators in and out, people who work here now."""
    rows = await work.execute(
        sa.select(Membership.user_id, Role.code, Role.added, Role.removed)
        .join(Role, sa.and_(Role.business_id == Membership.business_id, Role.id == Membership.role_id))
        .where(Membership.business_id == work.business_id, Membership.is_active.is_(True))
        .order_by(Membership.user_id)
    )
    rights, enabled = Rights(work.deployment.registry), work.standing.enabled
    return [row.user_id for row in rows if "support.grant" in rights.of(row.code, row.added, row.removed, enabled)]


def _refuse_supporters(work: Work) -> None:
    if work.actor.supporting:
        raise Forbidden("Whoever was let in does not decide who is")


async def _check_role(work: Work, role_id: uuid.UUID) -> None:
    """Nobody lets operators do more than they may do themselves."""
    found = await work.execute(
        sa.select(Role.code, Role.added, Role.removed).where(Role.business_id == work.business_id, Role.id == role_id)
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound.at("/role_id", "There is no such role")
    held = Rights(work.deployment.registry).of(row.code, row.added, row.removed, work.standing.enabled)
    if not all(work.actor.may(name) for name in held):
        raise Forbidden("That role may do what yours may not")
