"""Signing in, staying signed in, signing out."""

from __future__ import annotations

import datetime as dt
import uuid

import msgspec
import sqlalchemy as sa

from kernel.auth.businesses.invitations import take_up_pending
from kernel.auth.limits import account_key, address_key, count_guess, count_try, forget_tries, give_back
from kernel.auth.models import Device, Membership, RefreshToken, SignIn, User
from kernel.auth.secrets.tokens import Claims, hash_refresh_token, make_access_token, make_refresh_token
from kernel.auth.signing_in.devices import hash_device_token, known_device, remember_device
from kernel.db import new_id
from kernel.db.tables import Business
from kernel.errors import NotFound, Unauthenticated
from kernel.mail import plain_email
from kernel.work import Work

TRIES_AN_ACCOUNT, TRIES_AN_ADDRESS = 10, 100
"""Wrong passwords in any quarter of an hour; a known device has as many of its own."""
GRACE = dt.timedelta(seconds=10)
MOST_REPEATS = 3
"""How often a used refresh token is answered again within its grace, for its own device only."""
WRONG = "E-mail, password or business is wrong"
AT_TILL, AT_TILL_IDLE, AT_TILL_AT_MOST = dt.timedelta(minutes=5), dt.timedelta(hours=1), dt.timedelta(hours=16)
"""Of a sign-in by PIN: the life of an access token, of a refresh token, and of the whole."""


class Account(msgspec.Struct, frozen=True):
    """An account as sign-in needs it."""

    id: uuid.UUID
    password_hash: str
    is_active: bool


class Attempt(msgspec.Struct, frozen=True):
    """One try to sign in, counted. device_id: the known device it came from; account: None if there is none."""

    account: Account | None
    device_id: uuid.UUID | None
    keys: tuple[str, ...]


class Visitor(msgspec.Struct, frozen=True):
    """Where a sign-in comes from. device: the name the device gives itself."""

    address: str | None
    device: str | None = None
    device_token: str | None = None


class Tokens(msgspec.Struct, frozen=True):
    """A fresh pair of tokens; device_token only when signing in."""

    access_token: str
    refresh_token: str
    expires_in: int
    claims: Claims
    device_token: str | None = None


async def find_account(work: Work, email: str) -> Account | None:
    """The account of an e-mail address."""
    found = await work.execute(
        sa.select(User.id, User.password_hash, User.is_active).where(User.email == plain_email(email))
    )
    row = found.one_or_none()
    return Account(row.id, row.password_hash, row.is_active) if row else None


async def attempt(work: Work, email: str, visitor: Visitor) -> Attempt:
    """Count a try before its password is looked at. Raises RateLimited.

    From a known device only the device's own tries count, so that no one else can use them up, from the same network
    neither. The statements are the same whether the account exists or not.
    """
    device_id = await known_device(work, email, visitor.device_token)
    if device_id is not None:
        keys: tuple[str, ...] = (f"login-device:{device_id}",)
        await count_guess(work, keys[0], TRIES_AN_ACCOUNT)
    else:
        keys = (account_key("login", email), address_key("address", visitor.address))
        await count_guess(work, keys[0], TRIES_AN_ACCOUNT)
        await count_try(work, keys[1], TRIES_AN_ADDRESS)
    return Attempt(await find_account(work, email), device_id, keys)


async def begin(work: Work, tried: Attempt, slug: str | None, visitor: Visitor) -> Tokens:
    """Begin a sign-in in a business: the one named, else the first. Raises Unauthenticated if not a member.

    The password that was looked at must still be the account's: the row is held, so that a change of password either
    comes first and is seen here, or comes later and ends this sign-in too.
    """
    account = tried.account
    if account is None or not await _still_has_password(work, account):
        raise Unauthenticated(WRONG)
    await settle(work, tried)
    await take_up_pending(work, account.id)
    business_id = await _business_of(work, account.id, slug)
    device_id, device_token = await remember_device(work, account.id, tried.device_id, visitor.device_token)
    sign_in = new_id()
    await work.execute(
        sa.insert(SignIn).values(
            id=sign_in,
            user_id=account.id,
            created_at=work.now,
            seen_at=work.now,
            address=visitor.address,
            device=(visitor.device or "")[:200] or None,
            device_id=device_id,
        )
    )
    work.audit(subject=f"sign_in:{sign_in}", user_id=account.id)
    pair = await _pair(work, Claims(account.id, sign_in, business_id))
    return msgspec.structs.replace(pair, device_token=device_token)


async def begin_at_till(
    work: Work, user_id: uuid.UUID, till_id: uuid.UUID, address: str | None, device: str | None
) -> Tokens:
    """Begin a sign-in by PIN at a registered till, good for its business alone and for a short while."""
    sign_in = new_id()
    await work.execute(
        sa.insert(SignIn).values(
            id=sign_in,
            user_id=user_id,
            created_at=work.now,
            seen_at=work.now,
            address=address,
            device=device,
            till_business_id=work.business_id,
            till_id=till_id,
        )
    )
    return await _pair(work, Claims(user_id, sign_in, work.business_id), at_till=True)


async def refresh(work: Work, token: str, visitor: Visitor) -> Tokens | None:
    """Exchange a refresh token, once. A token used before ends its sign-in: the deed commits that and returns None.

    Within ten seconds the device it belongs to, known by its device token, is answered again: an answer lost on the
    way, or two windows refreshing at once, are no theft.
    """
    hash_ = hash_refresh_token(token)
    used = await work.execute(
        sa.update(RefreshToken)
        .where(RefreshToken.hash == hash_, RefreshToken.used_at.is_(None), RefreshToken.expires_at > work.now)
        .values(used_at=work.now)
        .returning(RefreshToken.sign_in_id, RefreshToken.business_id)
    )
    row = used.one_or_none() or await _again(work, hash_, visitor.device_token)
    if row is None:
        await _end_family_of(work, hash_)
        return None
    person = sa.select(User.id).where(User.id == SignIn.user_id, User.is_active.is_(True)).scalar_subquery()
    seen = await work.execute(
        sa.update(SignIn)
        .where(
            SignIn.id == row.sign_in_id,
            SignIn.revoked_at.is_(None),
            SignIn.user_id == person,
            sa.or_(SignIn.till_id.is_(None), SignIn.created_at > work.now - AT_TILL_AT_MOST),
        )
        .values(seen_at=work.now, address=visitor.address)
        .returning(SignIn.user_id, SignIn.till_id)
    )
    alive = seen.one_or_none()
    if alive is None:
        return None
    claims = Claims(alive.user_id, row.sign_in_id, row.business_id)
    return await _pair(work, claims, at_till=alive.till_id is not None)


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


async def end_all(work: Work, user_id: uuid.UUID, *, besides: uuid.UUID | None = None) -> None:
    """End every sign-in of a person, on every device, but one."""
    theirs = sa.update(SignIn).where(SignIn.user_id == user_id, SignIn.revoked_at.is_(None))
    if besides is not None:
        theirs = theirs.where(SignIn.id != besides)
    await work.execute(theirs.values(revoked_at=work.now))


async def _still_has_password(work: Work, account: Account) -> bool:
    same = sa.select(User.id).where(
        User.id == account.id, User.password_hash == account.password_hash, User.is_active.is_(True)
    )
    return (await work.execute(same.with_for_update(read=True))).first() is not None


async def settle(work: Work, tried: Attempt) -> None:
    """A success takes its own try back. The wrong ones of others stay counted; a known device starts afresh."""
    if tried.device_id is not None:
        await forget_tries(work, tried.keys[0])
        return
    for key in tried.keys:
        await give_back(work, key)


async def _again(
    work: Work, hash_: bytes, device_token: str | None
) -> sa.Row[tuple[uuid.UUID, uuid.UUID | None]] | None:
    """A token used a moment ago, sent again by the very device it belongs to."""
    of_device = (
        sa.select(SignIn.id)
        .join(Device, Device.id == SignIn.device_id)
        .where(Device.hash == hash_device_token(device_token or ""), SignIn.revoked_at.is_(None))
    )
    repeated = await work.execute(
        sa.update(RefreshToken)
        .where(
            RefreshToken.hash == hash_,
            RefreshToken.used_at >= work.now - GRACE,
            RefreshToken.repeats < MOST_REPEATS,
            RefreshToken.sign_in_id.in_(of_device),
        )
        .values(repeats=RefreshToken.repeats + 1)
        .returning(RefreshToken.sign_in_id, RefreshToken.business_id)
    )
    return repeated.one_or_none()


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
        raise Unauthenticated(WRONG)
    return business_id


async def _pair(work: Work, claims: Claims, *, at_till: bool = False) -> Tokens:
    settings = work.deployment.settings
    life, stay = dt.timedelta(minutes=settings.access_token_minutes), dt.timedelta(days=settings.refresh_token_days)
    if at_till:
        life, stay = min(life, AT_TILL), AT_TILL_IDLE
    token, hash_ = make_refresh_token()
    await work.execute(
        sa.insert(RefreshToken).values(
            hash=hash_,
            sign_in_id=claims.sign_in_id,
            business_id=claims.business_id,
            expires_at=work.now + stay,
        )
    )
    here = sa.and_(Membership.business_id == claims.business_id, Membership.user_id == claims.user_id)
    await work.execute(sa.update(Membership).where(here).values(seen_at=work.now))
    access = make_access_token(claims, work.deployment.secret, work.now, life)
    return Tokens(access, token, int(life.total_seconds()), claims)


async def _end_family_of(work: Work, hash_: bytes) -> None:
    family = sa.select(RefreshToken.sign_in_id).where(RefreshToken.hash == hash_, RefreshToken.used_at.is_not(None))
    await work.execute(
        sa.update(SignIn).where(SignIn.id.in_(family), SignIn.revoked_at.is_(None)).values(revoked_at=work.now)
    )
