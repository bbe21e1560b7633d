"""The people of a business and their roles."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any

import sqlalchemy as sa
from msgspec import UNSET, Meta, Struct, UnsetType

from kernel.app.routes.account import Password
from kernel.app.routes.invitations import InvitationFacts, one_invitation
from kernel.auth.accounts.housekeeping import IDLE_AFTER, end_if_nowhere, last_seen
from kernel.auth.businesses.invitations import Offer, invite
from kernel.auth.models import Membership, Role, User
from kernel.auth.rights.roles import is_owner, keep_an_owner, locations_of, refuse_above, refuse_elsewhere
from kernel.auth.secrets.passwords import hash_password
from kernel.errors import AlreadyExists, Forbidden, NotFound, PreconditionFailed, RateLimited
from kernel.web import command, page, query
from kernel.wire import Email, ListQuery, Name, Page, Reply, Request
from kernel.work import Work


class NewUser(Request, frozen=True):
    """A person to add to the business, with a first password to hand to them."""

    email: Email
    name: Name
    password: Password
    role_id: uuid.UUID


class UserPatch(Request, frozen=True):
    """What changes of a member."""

    name: Name | UnsetType = UNSET
    role_id: uuid.UUID | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


class Member(Struct, frozen=True):
    """A person who works here. last_seen_at: their last sign-in or refresh in this business."""

    id: uuid.UUID
    name: Name
    email: Email
    role_id: uuid.UUID
    role: Name
    is_active: bool
    last_seen_at: dt.datetime | None
    is_idle: Annotated[bool, Meta(description="Not seen for 90 days, or never since they joined that long ago.")]


class UserQuery(ListQuery, frozen=True):
    """Which people."""

    is_active: bool | None = None
    is_idle: bool | None = None


_members = (
    sa.select(
        User.id,
        User.name,
        User.email,
        Role.id.label("role_id"),
        Role.name.label("role"),
        Membership.is_active,
        Membership.seen_at,
        last_seen().label("seen"),
        User.version,
    )
    .join(Membership, Membership.user_id == User.id)
    .join(Role, sa.and_(Role.business_id == Membership.business_id, Role.id == Membership.role_id))
    .where(Membership.pending_until.is_(None))
)


@query("/users", permission="users.see")
async def list_users(work: Work, query: UserQuery) -> Page[Member]:
    """The people who work here."""
    statement = _members.where(Membership.business_id == work.business_id)
    if query.is_active is not None:
        statement = statement.where(Membership.is_active.is_(query.is_active))
    if query.is_idle is not None:
        idle = last_seen() <= work.now - IDLE_AFTER
        statement = statement.where(idle if query.is_idle else sa.not_(idle))
    return await page(work, statement, query, order=[User.email, User.id], make=lambda row: _member(work, row))


@query("/users/{user_id}", permission="users.see")
async def get_user(work: Work, user_id: uuid.UUID) -> Reply[Member]:
    """One person who works here."""
    row = await _row(work, user_id)
    return Reply(_member(work, row), version=row.version)


@command("POST", "/users", permission="users.manage", read_first=True, errors=(AlreadyExists, RateLimited))
async def add_user(work: Work, data: NewUser) -> Reply[InvitationFacts]:
    """Invite a person with a first password, which you hand to them.

    They work here from their first sign-in on. Who has an account already keeps their own password and accepts the
    invitation instead; the answer does not tell which it is.
    """
    hashed = await hash_password(data.password)
    await work.write()
    id_ = await invite(work, Offer(data.email, data.role_id, data.name), first_password_hash=hashed)
    return Reply(await one_invitation(work, id_), location=f"/api/v1/users/invitations/{id_}")


@command("PATCH", "/users/{user_id}", permission="users.manage")
async def change_user(work: Work, user_id: uuid.UUID, data: UserPatch) -> Reply[Member]:
    """Change a person's name or role here, or switch them off."""
    row = await _row(work, user_id)
    work.check_version(row.version)
    await refuse_above(work, row.role_id)
    if user_id == work.actor.id and (data.role_id is not UNSET or data.is_active is False):
        raise Forbidden("Nobody changes their own role or switches themselves off")
    refuse_elsewhere(work, (await locations_of(work, user_id))[0], "")
    leaves = data.role_id not in (UNSET, row.role_id) or data.is_active is False
    if leaves and await is_owner(work, user_id):
        await keep_an_owner(work, but=user_id)
    here = sa.and_(Membership.business_id == work.business_id, Membership.user_id == user_id)
    if isinstance(data.role_id, uuid.UUID):
        await refuse_above(work, data.role_id)
        await work.execute(sa.update(Membership).where(here).values(role_id=data.role_id))
        work.changed(Membership, user_id, {"role_id": row.role_id}, {"role_id": data.role_id})
    if isinstance(data.is_active, bool):
        await work.execute(sa.update(Membership).where(here).values(is_active=data.is_active))
        work.changed(Membership, user_id, {"is_active": row.is_active}, {"is_active": data.is_active})
    if isinstance(data.name, str):
        await _refuse_if_shared(work, user_id)
        await work.execute(sa.update(User).where(User.id == user_id).values(name=data.name))
        work.changed(User, user_id, {"name": row.name}, {"name": data.name})
    same = sa.and_(User.id == user_id, User.version == row.version)
    if not (await work.execute(sa.update(User).where(same).values(version=row.version + 1))).rowcount:
        raise PreconditionFailed
    if data.is_active is False:
        await end_if_nowhere(work, user_id)
    work.audit(subject=f"user:{user_id}")
    row = await _row(work, user_id)
    return Reply(_member(work, row), version=row.version)


async def _refuse_if_shared(work: Work, user_id: uuid.UUID) -> None:
    """An account of several businesses is its person's alone: none of them renames it."""
    elsewhere = sa.select(Membership.user_id).where(
        Membership.user_id == user_id, Membership.business_id != work.business_id
    )
    if (await work.execute(elsewhere)).first() is not None:
        raise Forbidden("Only the person themselves can change their name")


async def _row(work: Work, user_id: uuid.UUID) -> sa.Row[*tuple[Any, ...]]:
    found = await work.execute(_members.where(Membership.business_id == work.business_id, User.id == user_id))
    row = found.one_or_none()
    if row is None:
        raise NotFound
    return row


def _member(work: Work, row: sa.Row[*tuple[Any, ...]]) -> Member:
    idle = row.seen <= work.now - IDLE_AFTER
    return Member(row.id, row.name, row.email, row.role_id, row.role, row.is_active, row.seen_at, idle)
