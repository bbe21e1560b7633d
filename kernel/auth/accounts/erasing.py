"""Accounts: everything about one handed to its owner, and an account erased from the deployment."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import sqlalchemy as sa

from kernel.auth.acting import act, look
from kernel.auth.models import Membership, SignIn, User
from kernel.db.tables import Business
from kernel.errors import NotFound, StillOpen
from kernel.personal import Former, bury, former_values, wipe
from kernel.work import NO_BUSINESS, Deployment, Work

USER = "user"
"""The kind of person that signs in."""


async def account_of(deployment: Deployment, email: str) -> uuid.UUID:
    """The id of an account. Raises NotFound."""

    async def find(work: Work) -> uuid.UUID | None:
        found = await work.execute(sa.select(User.id).where(User.email == email.strip().lower()))
        return found.scalar_one_or_none()

    id_ = await look(deployment, None, find)
    if id_ is None:
        raise NotFound("There is no account with this e-mail")
    return id_


async def businesses_of(work: Work, user_id: uuid.UUID) -> list[uuid.UUID]:
    """What an archive of an account covers: what is above businesses, and each one they work or worked for."""
    found = await work.execute(
        sa.select(Membership.business_id).where(Membership.user_id == user_id).order_by(Membership.business_id)
    )
    return [NO_BUSINESS, *found.scalars().all()]


async def erase_account(
    deployment: Deployment, user_id: uuid.UUID, *, reason: str, though_at_work: bool = False
) -> None:
    """Erase an account: its traces in every business first, then the account itself with its sign-ins.

    Begun again after a crash, it goes on where it stopped. Raises NotFound; StillOpen while they work somewhere or
    run the deployment, unless `though_at_work`, which ends both.
    """
    former, businesses = await look(deployment, None, lambda work: _before(work, user_id, though_at_work))
    for business in businesses:
        await act(deployment, business, lambda work: _leave(work, user_id, former, reason), deed="erase account")

    async def close(work: Work) -> None:
        await _refuse_at_work(work, user_id, though_at_work)
        await wipe(work, USER, user_id, former)
        await work.execute(sa.update(Membership).where(Membership.user_id == user_id).values(is_active=False))
        await work.execute(
            sa.update(SignIn).where(SignIn.user_id == user_id, SignIn.revoked_at.is_(None)).values(revoked_at=work.now)
        )
        await work.execute(sa.update(User).where(User.id == user_id).values(is_active=False, is_operator=False))
        await bury(work, USER, user_id)
        work.audit(subject=f"user:{user_id}", reason=reason)

    await act(deployment, None, close, deed="erase account")


async def _before(work: Work, user_id: uuid.UUID, though_at_work: bool) -> tuple[Former, Sequence[uuid.UUID]]:
    await _refuse_at_work(work, user_id, though_at_work)
    everywhere = (await work.execute(sa.select(Business.id).order_by(Business.id))).scalars().all()
    return await former_values(work, USER, user_id), everywhere


async def _leave(work: Work, user_id: uuid.UUID, former: Former, reason: str) -> None:
    done = await wipe(work, USER, user_id, former)
    work.audit(subject=f"user:{user_id}", reason=reason, changed=done.changed)


async def _refuse_at_work(work: Work, user_id: uuid.UUID, though_at_work: bool) -> None:
    row = (await work.execute(sa.select(User.is_operator).where(User.id == user_id))).one_or_none()
    if row is None:
        raise NotFound("There is no such account")
    if though_at_work:
        return
    if row.is_operator:
        raise StillOpen("They run this deployment; take that away first")
    at_work = sa.select(Business.slug).join(Membership, Membership.business_id == Business.id)
    here = at_work.where(Membership.user_id == user_id, Membership.is_active.is_(True)).order_by(Business.slug)
    if slugs := (await work.execute(here)).scalars().all():
        raise StillOpen(f"They still work for {', '.join(slugs)}; switch them off there first")
