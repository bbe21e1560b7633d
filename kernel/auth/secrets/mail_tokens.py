"""Tokens of mailed links: known by their hash, for one purpose, good for one use, short-lived."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from kernel.auth.models import MailToken
from kernel.errors import DukaError
from kernel.work import Work

Purpose = Literal["password_reset", "email_verify", "email_change", "invitation"]
LIVES: dict[Purpose, dt.timedelta] = {
    "password_reset": dt.timedelta(hours=1),
    "email_verify": dt.timedelta(hours=48),
    "email_change": dt.timedelta(hours=24),
    "invitation": dt.timedelta(days=7),
}


class LinkNotValid(DukaError):
    """The token of a mailed link is unknown, used, expired or meant for something else: one answer for all."""

    status, code, title = 422, "link-not-valid", "This link is not valid any more"


class Link(msgspec.Struct, frozen=True):
    """What a token stands for."""

    user_id: uuid.UUID | None
    business_id: uuid.UUID | None
    invitation_id: uuid.UUID | None
    email: str
    was_mailed: bool


async def make_link_token(work: Work, purpose: Purpose, link: Link) -> str:
    """A new token; those made before for the same purpose and person (or invitation) are dead."""
    await end_link_tokens(work, purpose, user_id=link.user_id, invitation_id=link.invitation_id)
    token = f"m_{secrets.token_urlsafe(32)}"
    row = msgspec.structs.asdict(link) | {"expires_at": work.now + LIVES[purpose], "purpose": purpose}
    await work.execute(sa.insert(MailToken).values(hash=_hash(token), **row))
    return token


async def use_link_token(work: Work, purpose: Purpose, token: str) -> Link:
    """Use a token up. Raises LinkNotValid."""
    used = await work.execute(
        sa.update(MailToken).where(*_alive(work, purpose, token)).values(used_at=work.now).returning(*_COLUMNS)
    )
    return _link(used.one_or_none())


async def read_link_token(work: Work, purpose: Purpose, token: str) -> Link:
    """What a token stands for, without using it. Raises LinkNotValid."""
    found = await work.execute(sa.select(*_COLUMNS).where(*_alive(work, purpose, token)))
    return _link(found.one_or_none())


async def end_link_tokens(
    work: Work, purpose: Purpose, *, user_id: uuid.UUID | None = None, invitation_id: uuid.UUID | None = None
) -> None:
    """Make the tokens of a person, or of an invitation, worthless."""
    whose = MailToken.invitation_id == invitation_id if invitation_id else MailToken.user_id == user_id
    await work.execute(sa.delete(MailToken).where(MailToken.purpose == purpose, whose))


def _alive(work: Work, purpose: Purpose, token: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        MailToken.hash == _hash(token),
        MailToken.purpose == purpose,
        MailToken.used_at.is_(None),
        MailToken.expires_at > work.now,
    )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


_COLUMNS = [getattr(MailToken, name) for name in Link.__struct_fields__]


def _link(row: sa.Row[*tuple[Any, ...]] | None) -> Link:
    if row is None:
        raise LinkNotValid
    return Link(*tuple(row))
