"""Which letter says what: one job writes them all. A link's token is made in the job and only its hash is kept."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from kernel.auth.businesses.invitations import role_name
from kernel.auth.models import Invitation, User
from kernel.auth.secrets.mail_tokens import LIVES, Link, Purpose, make_link_token
from kernel.auth.telling import Change
from kernel.jobs import Call, job
from kernel.mail import Letter, deliver, plain_email, write
from kernel.work import Work

PAGES: dict[Purpose, str] = {
    "password_reset": "password",
    "email_verify": "email",
    "email_change": "new-email",
    "invitation": "join",
}
"""Pages that mailed links lead to. The token stands in the fragment, which no server is sent and no log keeps."""

CHANGES: dict[Change, str] = {
    "password_changed": "forgot",
    **dict.fromkeys(("second_factor_on", "second_factor_off", "recovery_codes_renewed"), "security"),
    **dict.fromkeys(("pin_changed", "pin_removed"), "security"),
    **dict.fromkeys(("key_made", "key_ended"), "keys"),
    "support_entered": "support",
}
"""Pages that letters about changes lead to; such a link holds no token."""


@job("kernel.mail")
async def mail(work: Work, payload: Mapping[str, Any]) -> Call | None:
    """Write one letter, and send it after the commit; nothing if it has lost its sense meanwhile."""
    letter = await _WRITERS[payload["kind"]](work, payload)
    if letter is None:
        return None
    return deliver(work.deployment.settings, write(work.deployment.settings, letter))


async def _password_reset(work: Work, payload: Mapping[str, Any]) -> Letter | None:
    person = await _person(work, User.email == plain_email(payload["email"]))
    if person is None:
        return None
    link = Link(person.id, None, None, person.email, was_mailed=True)
    facts = {"name": person.name, "hours": _hours("password_reset")}
    return Letter("password_reset", person.email, facts, await _link(work, "password_reset", link), person.language)


async def _of_change(work: Work, payload: Mapping[str, Any]) -> Letter | None:
    """What somebody signs in with has changed: see `kernel.auth.telling`."""
    person = await _person(work, User.id == uuid.UUID(payload["user_id"]))
    if person is None:
        return None
    shop = work.standing.shop
    facts = {"name": person.name, "at": payload["at"], "thing": payload.get("thing", "")}
    link = f"{work.deployment.settings.public_address}/console/{CHANGES[payload['kind']]}"
    return Letter(payload["kind"], person.email, facts | {"business": shop.name if shop else ""}, link, person.language)


async def _email_verify(work: Work, payload: Mapping[str, Any]) -> Letter | None:
    person = await _person(work, User.id == uuid.UUID(payload["user_id"]))
    if person is None or person.email_verified_at is not None:
        return None
    link = Link(person.id, None, None, person.email, was_mailed=True)
    facts = {"name": person.name, "hours": _hours("email_verify")}
    return Letter("email_verify", person.email, facts, await _link(work, "email_verify", link), person.language)


async def _email_change(work: Work, payload: Mapping[str, Any]) -> Letter | None:
    person = await _person(work, User.id == uuid.UUID(payload["user_id"]))
    email = plain_email(payload["email"])
    if person is None or await _person(work, User.email == email):
        return None
    link = Link(person.id, None, None, email, was_mailed=True)
    facts = {"name": person.name, "hours": _hours("email_change")}
    return Letter("email_change", email, facts, await _link(work, "email_change", link), person.language)


async def _email_changed(work: Work, payload: Mapping[str, Any]) -> Letter | None:
    person = await _person(work, User.id == uuid.UUID(payload["user_id"]))
    if person is None:
        return None
    return Letter("email_changed", payload["email"], {"name": person.name, "masked": masked(person.email)})


async def _invitation(work: Work, payload: Mapping[str, Any]) -> Letter | None:
    id_ = uuid.UUID(payload["invitation_id"])
    found = await work.execute(
        sa.select(Invitation.email, Invitation.role_id, Invitation.invited_by_name).where(
            Invitation.business_id == work.business_id,
            Invitation.id == id_,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > work.now,
        )
    )
    row = found.one_or_none()
    if row is None:
        return None
    facts = {
        "inviter": row.invited_by_name,
        "business": work.shop.name,
        "role": await role_name(work, row.role_id),
        "days": str(LIVES["invitation"].days),
    }
    link = Link(None, work.business_id, id_, row.email, was_mailed=True)
    return Letter("invitation", row.email, facts, await _link(work, "invitation", link))


async def _welcome(work: Work, payload: Mapping[str, Any]) -> Letter | None:
    person = await _person(work, User.id == uuid.UUID(payload["user_id"]))
    if person is None:
        return None
    role = await role_name(work, uuid.UUID(payload["role_id"]))
    facts = {"name": person.name, "business": work.shop.name, "role": role}
    return Letter("welcome", person.email, facts, work.deployment.settings.public_address, person.language)


_WRITERS: dict[str, Callable[[Work, Mapping[str, Any]], Awaitable[Letter | None]]] = {
    "password_reset": _password_reset,
    "email_verify": _email_verify,
    "email_change": _email_change,
    "email_changed": _email_changed,
    "invitation": _invitation,
    "welcome": _welcome,
    **dict.fromkeys(CHANGES, _of_change),
}


class _Person(msgspec.Struct, frozen=True):
    id: uuid.UUID
    name: str
    email: str
    language: str | None
    email_verified_at: Any


async def _person(work: Work, whose: sa.ColumnElement[bool]) -> _Person | None:
    columns = (User.id, User.name, User.email, User.language, User.email_verified_at)
    row = (await work.execute(sa.select(*columns).where(whose, User.is_active.is_(True)))).one_or_none()
    return _Person(*tuple(row)) if row else None


async def _link(work: Work, purpose: Purpose, link: Link) -> str:
    token = await make_link_token(work, purpose, link)
    return f"{work.deployment.settings.public_address}/console/{PAGES[purpose]}#{token}"


def _hours(purpose: Purpose) -> str:
    return str(int(LIVES[purpose].total_seconds() // 3600))


def masked(email: str) -> str:
    """An address as its former owner may see it: `w…@shop.example`."""
    name, _, host = email.rpartition("@")
    return f"{name[:1]}…@{host}"
