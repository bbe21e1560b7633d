"""Invitations: a place in a business offered to an e-mail address, taken up by whoever holds that address.

Nothing a business is told depends on whether the address has an account already. See
docs/decisions/0008-adding-a-person-never-tells-whether-they-have-an-account.md.
"""

from __future__ import annotations

import datetime as dt
import uuid

import msgspec
import sqlalchemy as sa

from kernel.auth.businesses.making import enter, make_user
from kernel.auth.limits import account_key, count_try
from kernel.auth.models import Invitation, Membership, Role, User
from kernel.auth.rights.delegation import may_still_hand_out
from kernel.auth.rights.roles import refuse_above
from kernel.auth.secrets.mail_tokens import LIVES, Link, LinkNotValid, end_link_tokens, make_link_token, use_link_token
from kernel.db import new_id, upsert
from kernel.errors import AlreadyExists, Conflict, NotFound
from kernel.mail import plain_email
from kernel.work import Work

LIFE = LIVES["invitation"]
MOST_LETTERS = 5
"""From one business to one address in an hour."""


class AccountExists(Conflict):
    """The address has an account already: its person signs in and joins with the same token."""

    code, title = "account-exists", "Sign in first, then accept"


class Offer(msgspec.Struct, frozen=True):
    """What is offered to whom. Whoever is tied to locations ties those they invite to the same ones."""

    email: str
    role_id: uuid.UUID
    name: str | None = None


async def invite(work: Work, offer: Offer, *, first_password_hash: str | None = None) -> uuid.UUID:
    """Offer a place here, by mail. Raises Forbidden for a role above one's own, AlreadyExists for a member.

    With a first password an account is made where there is none; its place waits for the first sign-in. Where there is
    one, the password is not used. Either way the same is answered, written and mailed.
    """
    await refuse_above(work, offer.role_id)
    email = plain_email(offer.email)
    if await _is_member(work, email):
        raise AlreadyExists("This person works here already")
    await close_expired(work)
    await _count_letter(work, email)
    id_ = new_id()
    await work.execute(
        sa.insert(Invitation).values(
            business_id=work.business_id,
            id=id_,
            email=email,
            name=offer.name,
            role_id=offer.role_id,
            location_ids=None if work.actor.locations is None else sorted(map(str, work.actor.locations)),
            invited_by=work.actor.id,
            invited_by_name=work.actor.name,
            created_at=work.now,
            expires_at=work.now + LIFE,
        )
    )
    if first_password_hash is not None:
        await _make_waiting(work, email, offer, first_password_hash)
    work.later("kernel.mail", {"kind": "invitation", "invitation_id": str(id_)})
    work.audit(subject=f"invitation:{id_}", role_id=str(offer.role_id))
    return id_


async def resend(work: Work, id_: uuid.UUID) -> None:
    """Mail an invitation anew; it is the resender's from now on, and links sent before are dead. Raises NotFound."""
    row = await _open(work, id_)
    await refuse_above(work, row.role_id)
    await _count_letter(work, row.email)
    await _renew(work, id_)
    work.later("kernel.mail", {"kind": "invitation", "invitation_id": str(id_)})


async def hand_over(work: Work, id_: uuid.UUID) -> str:
    """A code to hand to the invited person, for shops without mail; links and codes made before are dead.

    It proves nothing about the address, so an account made with it stays unverified. Raises NotFound.
    """
    row = await _open(work, id_)
    await refuse_above(work, row.role_id)
    await _renew(work, id_)
    return await make_link_token(work, "invitation", Link(None, work.business_id, id_, row.email, was_mailed=False))


async def revoke(work: Work, id_: uuid.UUID) -> None:
    """Take an invitation back. Raises NotFound unless it is open."""
    row = await _open(work, id_)
    await refuse_above(work, row.role_id)
    await work.execute(sa.update(Invitation).where(_is(work, id_)).values(revoked_at=work.now))
    await end_link_tokens(work, "invitation", invitation_id=id_)
    await _drop_waiting(work, row.email)
    work.changed(Invitation, id_, {"revoked_at": None}, {"revoked_at": work.now})
    work.audit(subject=f"invitation:{id_}")


async def accept_as_new(work: Work, token: str, name: str, password_hash: str) -> Link:
    """Make the account of an invited address and its place.

    Raises LinkNotValid, or AccountExists, after which the token is still good.
    """
    link = await use_link_token(work, "invitation", token)
    if await _has_account(work, link.email) or (not link.was_mailed and _is_platform_owner(work, link.email)):
        raise AccountExists
    user_id = await make_user(work, email=link.email, name=name, password_hash=password_hash)
    if link.was_mailed:
        await work.execute(sa.update(User).where(User.id == user_id).values(email_verified_at=work.now))
    await _take_up(work, link.business_id, link.email, user_id)
    return link


async def accept_as_known(work: Work, token: str) -> Link:
    """Take up an invitation with the account one is signed in to.

    Raises LinkNotValid, for an account of another address too.
    """
    link = await use_link_token(work, "invitation", token)
    user_id = work.actor.id
    found = await work.execute(sa.select(User.email).where(User.id == user_id))
    if user_id is None or found.scalar_one_or_none() != link.email:
        raise LinkNotValid
    await _take_up(work, link.business_id, link.email, user_id)
    return link


async def take_up_pending(work: Work, user_id: uuid.UUID) -> None:
    """At the first sign-in with a first password: the place that was waiting becomes a membership."""
    waiting = sa.select(Membership.business_id).where(
        Membership.user_id == user_id, Membership.pending_until > work.now
    )
    business_id = (await work.execute(waiting)).scalars().first()
    if business_id is None:
        return
    email = (await work.execute(sa.select(User.email).where(User.id == user_id))).scalar_one()
    try:
        await _take_up(work, business_id, email, user_id)
    except LinkNotValid:
        await _drop_waiting(work, email)


async def close_expired(work: Work) -> None:
    """Close invitations whose time is over, so that the address can be invited anew."""
    over = sa.and_(
        Invitation.business_id == work.business_id,
        Invitation.accepted_at.is_(None),
        Invitation.revoked_at.is_(None),
        Invitation.expires_at <= work.now,
    )
    await work.execute(sa.update(Invitation).where(over).values(revoked_at=Invitation.expires_at))
    stale = sa.and_(Membership.business_id == work.business_id, Membership.pending_until <= work.now)
    await work.execute(sa.delete(Membership).where(stale))


async def _take_up(work: Work, business_id: uuid.UUID | None, email: str, user_id: uuid.UUID) -> None:
    """Turn the open invitation of an address into a membership, in its business. Raises LinkNotValid."""
    if business_id is None or not await enter(work, business_id):
        raise LinkNotValid
    found = await work.execute(
        sa.select(Invitation.id, Invitation.role_id, Invitation.invited_by, Invitation.location_ids)
        .where(
            Invitation.business_id == business_id,
            Invitation.email == email,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > work.now,
        )
        .with_for_update()
    )
    row = found.one_or_none()
    if row is None or not await may_still_hand_out(work, row.invited_by, row.role_id, row.location_ids):
        raise LinkNotValid
    await work.execute(sa.update(Invitation).where(_is(work, row.id)).values(accepted_at=work.now))
    await _make_member(work, user_id, row.role_id, row.location_ids)
    work.later("kernel.mail", {"kind": "welcome", "user_id": str(user_id), "role_id": str(row.role_id)})
    work.audit(subject=f"invitation:{row.id}", user_id=str(user_id))


async def _make_member(work: Work, user_id: uuid.UUID, role_id: uuid.UUID, locations: list[str] | None) -> None:
    """A new member, one that was waiting, or one who worked here before."""
    place = {
        "role_id": role_id,
        "is_active": True,
        "joined_at": work.now,
        "pending_until": None,
        "locations": locations,
    }
    await work.execute(
        upsert(work.deployment.database, Membership)
        .values(business_id=work.business_id, user_id=user_id, **place)
        .on_conflict_do_update(index_elements=[Membership.business_id, Membership.user_id], set_=place)
    )


async def _make_waiting(work: Work, email: str, offer: Offer, password_hash: str) -> None:
    """An account with a first password and its waiting place, unless the address has an account."""
    if _is_platform_owner(work, email) or await _has_account(work, email):
        return
    user_id = await make_user(work, email=email, name=offer.name or email, password_hash=password_hash)
    await work.execute(
        sa.insert(Membership).values(
            business_id=work.business_id,
            user_id=user_id,
            role_id=offer.role_id,
            is_active=False,
            pending_until=work.now + LIFE,
        )
    )


async def drop_all_waiting(work: Work, user_id: uuid.UUID) -> None:
    """Drop the places, in any business, that wait for a first sign-in of this account."""
    waiting = sa.and_(Membership.user_id == user_id, Membership.pending_until.is_not(None))
    await work.execute(sa.delete(Membership).where(waiting))


async def _has_account(work: Work, email: str) -> bool:
    return (await work.execute(sa.select(User.id).where(User.email == email))).first() is not None


def _is_platform_owner(work: Work, email: str) -> bool:
    """Whether this address becomes an operator as soon as it has an account: then only its own mail may make one."""
    owner = plain_email(work.deployment.settings.platform_owner_email)
    return bool(owner) and email == owner


async def _drop_waiting(work: Work, email: str) -> None:
    theirs = sa.select(User.id).where(User.email == email)
    waiting = sa.and_(
        Membership.business_id == work.business_id,
        Membership.user_id.in_(theirs),
        Membership.pending_until.is_not(None),
    )
    await work.execute(sa.delete(Membership).where(waiting))


async def _renew(work: Work, id_: uuid.UUID) -> None:
    until = work.now + LIFE
    values = {"expires_at": until, "invited_by": work.actor.id, "invited_by_name": work.actor.name}
    await work.execute(sa.update(Invitation).where(_is(work, id_)).values(values))
    await end_link_tokens(work, "invitation", invitation_id=id_)
    waiting = sa.and_(Membership.business_id == work.business_id, Membership.pending_until.is_not(None))
    theirs = sa.select(User.id).join(Invitation, Invitation.email == User.email).where(_is(work, id_))
    await work.execute(sa.update(Membership).where(waiting, Membership.user_id.in_(theirs)).values(pending_until=until))
    work.audit(subject=f"invitation:{id_}")


async def _open(work: Work, id_: uuid.UUID) -> sa.Row[tuple[str, uuid.UUID]]:
    """The address and role of an open invitation, held to the end of the deed. Raises NotFound."""
    found = await work.execute(
        sa.select(Invitation.email, Invitation.role_id)
        .where(_is(work, id_), Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None))
        .with_for_update()
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound
    return row


async def _is_member(work: Work, email: str) -> bool:
    member = (
        sa.select(Membership.user_id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.business_id == work.business_id, Membership.is_active.is_(True), User.email == email)
    )
    return (await work.execute(member)).first() is not None


async def _count_letter(work: Work, email: str) -> None:
    await count_try(work, account_key(f"letter:{work.business_id}", email), MOST_LETTERS, dt.timedelta(hours=1))


def _is(work: Work, id_: uuid.UUID) -> sa.ColumnElement[bool]:
    return sa.and_(Invitation.business_id == work.business_id, Invitation.id == id_)


async def role_name(work: Work, role_id: uuid.UUID) -> str:
    """What a role of this business is called."""
    found = await work.execute(sa.select(Role.name).where(Role.business_id == work.business_id, Role.id == role_id))
    return found.scalar_one_or_none() or ""
