"""Nightly jobs of the kernel: what has expired is dropped; people who have not been seen for long are switched off."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from kernel.auth.businesses.invitations import close_expired
from kernel.auth.models import Limit, MailToken, Membership, RefreshToken, Role, SignIn, User
from kernel.auth.signing_in.sessions import end_all
from kernel.db.tables import Approval
from kernel.jobs import job
from kernel.work import Work

KEPT_FOR = dt.timedelta(days=30)
"""How long ended sign-ins and used tokens stay to be looked at."""
IDLE_AFTER = dt.timedelta(days=90)
"""Unseen for so long, a person is shown as idle."""


@job("kernel.forget_expired", cron="37 3 * * *")
async def forget_expired(work: Work, _payload: Mapping[str, Any]) -> None:
    """Drop counted tries, used or expired tokens and ended sign-ins; close invitations whose time is over."""
    old = work.now - KEPT_FOR
    await work.execute(sa.delete(Limit).where(Limit.window_ends < work.now))
    await work.execute(sa.delete(MailToken).where(MailToken.expires_at < work.now))
    dead = sa.select(SignIn.id).where(SignIn.revoked_at < old)
    await work.execute(
        sa.delete(RefreshToken).where(sa.or_(RefreshToken.expires_at < old, RefreshToken.sign_in_id.in_(dead)))
    )
    await work.execute(sa.delete(SignIn).where(SignIn.revoked_at < old))
    await close_expired(work)


@job("kernel.forget_approvals", cron="41 3 * * *")
async def forget_approvals(work: Work, _payload: Mapping[str, Any]) -> None:
    """Drop requests for approval whose time is long over; who asked and who answered stays in the audit trail."""
    long_over = Approval.expires_at < work.now - KEPT_FOR
    await work.execute(sa.delete(Approval).where(Approval.business_id == work.business_id, long_over))


@job("kernel.close_idle", cron="47 3 * * *")
async def close_idle(work: Work, _payload: Mapping[str, Any]) -> None:
    """Switch off people who have not signed in here for as long as the deployment says; never the last owner."""
    days = work.deployment.settings.close_idle_after_days
    if not days:
        return
    for user_id in await _idle_people(work, work.now - dt.timedelta(days=days)):
        here = sa.and_(Membership.business_id == work.business_id, Membership.user_id == user_id)
        await work.execute(sa.update(Membership).where(here).values(is_active=False))
        await end_if_nowhere(work, user_id)
        work.audit(subject=f"user:{user_id}", reason=f"not signed in for {days} days")
        await work.leave_audit_row()


async def end_if_nowhere(work: Work, user_id: uuid.UUID) -> None:
    """End the sign-ins of a person who is left without any business."""
    left = sa.select(Membership.user_id).where(Membership.user_id == user_id, Membership.is_active.is_(True))
    if (await work.execute(left)).first() is None:
        await end_all(work, user_id)


def last_seen() -> sa.ColumnElement[dt.datetime]:
    """When a member was last seen in a business; who never was: when they joined, or when the account was made."""
    return sa.func.coalesce(Membership.seen_at, Membership.joined_at, User.created_at)


async def _idle_people(work: Work, before: dt.datetime) -> list[uuid.UUID]:
    people = (
        await work.execute(
            sa.select(User.id, Role.code, last_seen().label("seen"))
            .join(Membership, Membership.user_id == User.id)
            .join(Role, sa.and_(Role.business_id == Membership.business_id, Role.id == Membership.role_id))
            .where(Membership.business_id == work.business_id, Membership.is_active.is_(True), User.is_active.is_(True))
            .order_by(sa.desc("seen"), User.id)
        )
    ).all()
    owner = next((row.id for row in people if row.code == "owner"), None)
    return [row.id for row in people if row.seen < before and row.id != owner]
