"""Signing in, staying signed in, signing out."""

from __future__ import annotations

import datetime as dt
import uuid

import msgspec
import sqlalchemy as sa

from kernel.auth.models import Membership, RefreshToken, SignIn, User
from kernel.auth.tokens import Claims, hash_refresh_token, make_access_token, make_refresh_token
from kernel.db import new_id
from kernel.db.tables import Business
from kernel.errors import NotFound, Unauthenticated
from kernel.work import Work


class Account(msgspec.Struct, frozen=True):
    """An account as sign-in needs it."""

    id: uuid.UUID
    password_hash: str
    is_active: bool


class Tokens(msgspec.Struct, frozen=True):
    """A fresh pair of tokens."""

    access_token: str
    refresh_token: str
    expires_in: int
    claims: Claims


async def find_account(work: Work, email: str) -> Account | None:
    """The account of an e-mail address."""
    found = await work.execute(
        sa.select(User.id, User.password_hash, User.is_active).where(User.email == email.strip().lower())
    )
    row = found.one_or_none()
    return Account(row.id, row.password_hash, row.is_active) if row else None


async def begin(work: Work, user_id: uuid.UUID, slug: str | None, address: str | None, device: str | None) -> Tokens:
    """Begin a sign-in in a business: the one named, else the first. Raises Unauthenticated if not a member."""
    business_id = await _business_of(work, user_id, slug)
    sign_in = new_id()
    await work.execute(
        sa.insert(SignIn).values(
            id=sign_in, user_id=user_id, created_at=work.now, address=address, device=(device or "")[:200] or None
        )
    )
    work.audit(subject=f"sign_in:{sign_in}", user_id=user_id)
    return await _pair(work, Claims(user_id, sign_in, business_id))


async def refresh(work: Work, token: str) -> Tokens | None:
    """Exchange a refresh token, once. A token used before ends its sign-in: the deed commits that and returns None."""
    hash_ = hash_refresh_token(token)
    used = await work.execute(
        sa.update(RefreshToken)
        .where(RefreshToken.hash == hash_, RefreshToken.used_at.is_(None), RefreshToken.expires_at > work.now)
        .values(used_at=work.now)
        .returning(RefreshToken.sign_in_id, RefreshToken.business_id)
    )
    row = used.one_or_none()
    if row is None:
        await _end_family_of(work, hash_)
        return None
    found = await work.execute(
        sa.select(SignIn.user_id)
        .join(User, User.id == SignIn.user_id)
        .where(SignIn.id == row.sign_in_id, SignIn.revoked_at.is_(None), User.is_active.is_(True))
    )
    user_id = found.scalar_one_or_none()
    return await _pair(work, Claims(user_id, row.sign_in_id, row.business_id)) if user_id else None


async def switch(work: Work, slug: str) -> Tokens:
    """A new pair for another business, within the same sign-in. Raises NotFound if the user is no member."""
    actor = work.actor
    if actor.id is None or actor.session_id is None:
        raise Unauthenticated
    try:
        business_id = await _business_of(work, actor.id, slug)
    except Unauthenticated as fault:
        raise NotFound("You have no business of this name") from fault
    return await _pair(work, Claims(actor.id, actor.session_id, business_id))


async def end(work: Work) -> None:
    """End the caller's sign-in; all its tokens are dead at the next request."""
    await work.execute(sa.update(SignIn).where(SignIn.id == work.actor.session_id).values(revoked_at=work.now))


async def _business_of(work: Work, user_id: uuid.UUID, slug: str | None) -> uuid.UUID | None:
    mine = (
        sa.select(Business.id)
        .join(Membership, Membership.business_id == Business.id)
        .where(Membership.user_id == user_id, Membership.is_active.is_(True), Business.is_active.is_(True))
        .order_by(Business.slug)
    )
    if slug is not None:
        mine = mine.where(Business.slug == slug)
    business_id: uuid.UUID | None = (await work.execute(mine)).scalars().first()
    if business_id is None and slug is not None:
        raise Unauthenticated("E-mail, password or business is wrong")
    return business_id


async def _pair(work: Work, claims: Claims) -> Tokens:
    settings = work.deployment.settings
    life = dt.timedelta(minutes=settings.access_token_minutes)
    token, hash_ = make_refresh_token()
    await work.execute(
        sa.insert(RefreshToken).values(
            hash=hash_,
            sign_in_id=claims.sign_in_id,
            business_id=claims.business_id,
            expires_at=work.now + dt.timedelta(days=settings.refresh_token_days),
        )
    )
    access = make_access_token(claims, work.deployment.secret, work.now, life)
    return Tokens(access, token, int(life.total_seconds()), claims)


async def _end_family_of(work: Work, hash_: bytes) -> None:
    family = sa.select(RefreshToken.sign_in_id).where(RefreshToken.hash == hash_, RefreshToken.used_at.is_not(None))
    await work.execute(
        sa.update(SignIn).where(SignIn.id.in_(family), SignIn.revoked_at.is_(None)).values(revoked_at=work.now)
    )
