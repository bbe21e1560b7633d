"""Inviting people to a business, and taking up an invitation."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Literal

import sqlalchemy as sa
from msgspec import Meta, Struct

from kernel.app.routes.account import LinkToken, Password, count_link
from kernel.auth.businesses import invitations
from kernel.auth.businesses.invitations import AccountExists, Offer
from kernel.auth.businesses.making import enter
from kernel.auth.models import Invitation, Role, User
from kernel.auth.secrets.mail_tokens import Link, LinkNotValid, read_link_token
from kernel.auth.secrets.passwords import hash_password
from kernel.errors import AlreadyExists, NotFound, RateLimited
from kernel.web import IN_PERSON, PUBLIC, Scene, command, flow, page, query
from kernel.wire import Email, ListQuery, Name, Page, Reply, Request, Slug
from kernel.work import Work

State = Literal["open", "accepted", "revoked", "expired"]


class NewInvitation(Request, frozen=True):
    """Whom to invite, and as what. location_ids: where they will work; empty for everywhere."""

    email: Email
    role_id: uuid.UUID
    name: Name | None = None


class InvitationFacts(Struct, frozen=True):
    """An invitation. It looks the same whether the person has an account already."""

    id: uuid.UUID
    email: Email
    name: Name | None
    role_id: uuid.UUID
    role: Name
    state: State
    invited_by: Name
    created_at: dt.datetime
    expires_at: dt.datetime


class InvitationQuery(ListQuery, frozen=True):
    """Which invitations."""

    state: State | None = None


class Code(Struct, frozen=True):
    """What to hand to the invited person; shown this once."""

    code: Annotated[str, Meta(examples=["m_7tZ1mT0V6cQ4yJbK"])]
    expires_at: dt.datetime


class Acceptance(Request, frozen=True):
    """The token of the invitation, and the account to make."""

    token: LinkToken
    name: Name
    password: Password


class Shown(Request, frozen=True):
    """The token of an invitation."""

    token: LinkToken


class Invited(Struct, frozen=True):
    """What an invitation offers, to whoever holds its token."""

    business: Slug
    business_name: Name
    role: Name
    email: Email
    has_account: Annotated[bool, Meta(description="Sign in and join, rather than making an account.")]


class Joined(Struct, frozen=True):
    """Where one works now; sign in there, or switch to it."""

    business: Slug
    email: Email


@query("/users/invitations", permission="users.see")
async def list_invitations(work: Work, query: InvitationQuery) -> Page[InvitationFacts]:
    """The people who were invited."""
    statement = _invitations(work)
    if query.state is not None:
        statement = statement.where(_state(work) == query.state)
    return await page(work, statement, query, order=[Invitation.id], make=_facts, descending=True)


@query("/users/invitations/{invitation_id}", permission="users.see")
async def get_invitation(work: Work, invitation_id: uuid.UUID) -> InvitationFacts:
    """One invitation."""
    return await one_invitation(work, invitation_id)


@command("POST", "/users/invitations", permission="users.manage", errors=(AlreadyExists, RateLimited))
async def invite(work: Work, data: NewInvitation) -> Reply[InvitationFacts]:
    """Invite a person by mail.

    The answer does not tell whether the person has an account already. Nobody invites above their own role.
    """
    id_ = await invitations.invite(work, Offer(data.email, data.role_id, data.name))
    return Reply(await one_invitation(work, id_), location=f"/api/v1/users/invitations/{id_}")


@command(
    "POST", "/users/invitations/{invitation_id}/resend", permission="users.manage", status=200, errors=(RateLimited,)
)
async def resend_invitation(work: Work, invitation_id: uuid.UUID) -> InvitationFacts:
    """Mail an invitation again, for a new term; links sent before are dead."""
    await invitations.resend(work, invitation_id)
    return await one_invitation(work, invitation_id)


@flow("POST", "/users/invitations/{invitation_id}/code", permission="users.manage")
async def hand_over_invitation(scene: Scene, invitation_id: uuid.UUID) -> Code:
    """Make a code to hand to the invited person oneself, where there is no mail. It is shown once and kept nowhere."""

    async def make(work: Work) -> Code:
        code = await invitations.hand_over(work, invitation_id)
        return Code(code, work.now + invitations.LIFE)

    return await scene.deed(make)


@command("DELETE", "/users/invitations/{invitation_id}", permission="users.manage")
async def revoke_invitation(work: Work, invitation_id: uuid.UUID) -> None:
    """Take an invitation back."""
    await invitations.revoke(work, invitation_id)


@flow("POST", "/auth/invitations/show", permission=PUBLIC, errors=(LinkNotValid, RateLimited))
async def show_invitation(scene: Scene, data: Shown) -> Invited:
    """What an invitation offers, by the token of its link."""
    await count_link(scene)
    return await scene.deed(lambda work: _show(work, data.token))


@flow(
    "POST", "/auth/invitations/accept", permission=PUBLIC, status=201, errors=(LinkNotValid, AccountExists, RateLimited)
)
async def accept_invitation(scene: Scene, data: Acceptance) -> Joined:
    """Accept an invitation by making an account. Who has one signs in and joins instead."""
    await count_link(scene)
    hashed = await hash_password(data.password)

    async def accept(work: Work) -> Joined:
        link = await invitations.accept_as_new(work, data.token, data.name, hashed)
        return _joined(work, link)

    return await scene.deed(accept)


@flow("POST", "/auth/invitations/join", permission=IN_PERSON, errors=(LinkNotValid,))
async def join(scene: Scene, data: Shown) -> Joined:
    """Accept an invitation with the account one is signed in to."""

    async def accept(work: Work) -> Joined:
        link = await invitations.accept_as_known(work, data.token)
        return _joined(work, link)

    return await scene.deed(accept)


async def one_invitation(work: Work, id_: uuid.UUID) -> InvitationFacts:
    """An invitation of this business. Raises NotFound."""
    row = (await work.execute(_invitations(work).where(Invitation.id == id_))).one_or_none()
    if row is None:
        raise NotFound
    return _facts(row)


def _invitations(work: Work) -> sa.Select[*tuple[object, ...]]:
    return (
        sa.select(
            Invitation.id,
            Invitation.email,
            Invitation.name,
            Invitation.role_id,
            Role.name.label("role"),
            _state(work).label("state"),
            Invitation.invited_by_name,
            Invitation.created_at,
            Invitation.expires_at,
        )
        .join(Role, sa.and_(Role.business_id == Invitation.business_id, Role.id == Invitation.role_id))
        .where(Invitation.business_id == work.business_id)
    )


def _state(work: Work) -> sa.Case[str]:
    return sa.case(
        (Invitation.accepted_at.is_not(None), "accepted"),
        (Invitation.revoked_at >= Invitation.expires_at, "expired"),
        (Invitation.revoked_at.is_not(None), "revoked"),
        (Invitation.expires_at <= work.now, "expired"),
        else_="open",
    )


def _facts(row: sa.Row[tuple[object, ...]]) -> InvitationFacts:
    return InvitationFacts(*tuple(row)[: len(InvitationFacts.__struct_fields__)])  # type: ignore[arg-type]


async def _show(work: Work, token: str) -> Invited:
    link = await read_link_token(work, "invitation", token)
    if link.business_id is None or link.invitation_id is None or not await enter(work, link.business_id):
        raise LinkNotValid
    known = (await work.execute(sa.select(User.id).where(User.email == link.email))).first()
    found = await work.execute(_invitations(work).where(Invitation.id == link.invitation_id))
    row = found.one_or_none()
    if row is None or row.state != "open":
        raise LinkNotValid
    return Invited(work.shop.slug, work.shop.name, row.role, link.email, known is not None)


def _joined(work: Work, link: Link) -> Joined:
    return Joined(work.shop.slug, link.email)
