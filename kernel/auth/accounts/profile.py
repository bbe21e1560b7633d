"""An account's password, e-mail address and profile, as its person changes them."""

from __future__ import annotations

import uuid

import msgspec
import sqlalchemy as sa

from kernel.auth.businesses.invitations import drop_all_waiting
from kernel.auth.limits import account_key, forget_tries
from kernel.auth.models import User
from kernel.auth.secrets.mail_tokens import LinkNotValid, end_link_tokens, use_link_token
from kernel.auth.signing_in.devices import forget_devices
from kernel.auth.signing_in.sessions import end_all
from kernel.auth.telling import tell_of_change
from kernel.errors import AlreadyExists, NotFound, PreconditionFailed, Unauthenticated
from kernel.mail import plain_email
from kernel.work import Work


class Own(msgspec.Struct, frozen=True):
    """One's own account. language and phone are None until given."""

    id: uuid.UUID
    name: str
    email: str
    is_email_verified: bool
    language: str | None
    phone: str | None
    version: int


async def own_account(work: Work) -> Own:
    """The caller's account."""
    found = await work.execute(
        sa.select(
            User.id,
            User.name,
            User.email,
            User.email_verified_at.is_not(None),
            User.language,
            User.phone,
            User.version,
        ).where(User.id == work.actor.id)
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound
    return Own(*tuple(row))


async def stored_password(work: Work) -> str:
    """The hash of the caller's password."""
    found = await work.execute(sa.select(User.password_hash).where(User.id == work.actor.id))
    hashed: str | None = found.scalar_one_or_none()
    if hashed is None:
        raise Unauthenticated
    return hashed


async def change_own(work: Work, version: int, changes: dict[str, str | None]) -> None:
    """Change what a person says of themselves. Raises PreconditionFailed when somebody was faster."""
    same = sa.and_(User.id == work.actor.id, User.version == version)
    changed = await work.execute(sa.update(User).where(same).values(version=version + 1, **changes))
    if not changed.rowcount:
        raise PreconditionFailed
    work.audit(subject=f"user:{work.actor.id}", changed=sorted(changes))


async def change_password(work: Work, old_hash: str, new_hash: str) -> None:
    """Set a password whose predecessor was just proved; ends every other sign-in.

    Raises Unauthenticated if it was changed in between.
    """
    user_id = work.actor.id
    if user_id is None or not await _set_password(work, user_id, new_hash, User.password_hash == old_hash):
        raise Unauthenticated
    await end_all(work, user_id, besides=work.actor.session_id)


async def reset_password(work: Work, token: str, new_hash: str) -> None:
    """Set a password by a mailed link: proves the address, ends every sign-in, forgets every device.

    A place that waited for a first password is gone with that password: the invitation to it is accepted or not.

    Raises LinkNotValid, also when the address has changed since the link was mailed.
    """
    link = await use_link_token(work, "password_reset", token)
    mine = sa.and_(User.email == link.email, User.is_active.is_(True))
    if link.user_id is None or not await _set_password(work, link.user_id, new_hash, mine):
        raise LinkNotValid
    proved = sa.update(User).where(User.id == link.user_id, User.email_verified_at.is_(None))
    await work.execute(proved.values(email_verified_at=work.now))
    await end_all(work, link.user_id)
    await forget_devices(work, link.user_id)
    await drop_all_waiting(work, link.user_id)
    await forget_tries(work, account_key("login", link.email))


async def verify_email(work: Work, token: str) -> None:
    """Mark an address as proved. Raises LinkNotValid."""
    link = await use_link_token(work, "email_verify", token)
    mine = sa.and_(User.id == link.user_id, User.email == link.email)
    proved = await work.execute(sa.update(User).where(mine).values(email_verified_at=work.now))
    if not proved.rowcount:
        raise LinkNotValid
    work.audit(subject=f"user:{link.user_id}")


async def confirm_new_email(work: Work, token: str) -> None:
    """Take the new address, and tell the old one. Raises LinkNotValid, AlreadyExists if it was taken meanwhile."""
    link = await use_link_token(work, "email_change", token)
    email = plain_email(link.email)
    known = await work.execute(sa.select(User.id).where(User.email == email))
    if known.first() is not None:
        raise AlreadyExists("This address belongs to an account")
    old = await work.execute(sa.select(User.email).where(User.id == link.user_id, User.is_active.is_(True)))
    was = old.scalar_one_or_none()
    if was is None or link.user_id is None:
        raise LinkNotValid
    values = {"email": email, "email_verified_at": work.now, "version": User.version + 1}
    await work.execute(sa.update(User).where(User.id == link.user_id).values(values))
    await end_link_tokens(work, "password_reset", user_id=link.user_id)
    work.later("kernel.mail", {"kind": "email_changed", "user_id": str(link.user_id), "email": was})
    work.audit(subject=f"user:{link.user_id}")


async def _set_password(work: Work, user_id: uuid.UUID, new_hash: str, still: sa.ColumnElement[bool]) -> bool:
    values = {"password_hash": new_hash, "password_changed_at": work.now}
    changed = await work.execute(sa.update(User).where(User.id == user_id, still).values(values))
    if not changed.rowcount:
        return False
    await end_link_tokens(work, "password_reset", user_id=user_id)
    tell_of_change(work, user_id, "password_changed")
    work.audit(subject=f"user:{user_id}")
    return True
