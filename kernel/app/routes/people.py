"""The people of a business and their roles."""

from __future__ import annotations

import uuid
from typing import Annotated

import sqlalchemy as sa
from msgspec import UNSET, Meta, Struct, UnsetType

from kernel.auth.businesses import add_member, make_user
from kernel.auth.models import Membership, Role, SignIn, User
from kernel.auth.passwords import hash_password
from kernel.auth.roles import is_owner, keep_an_owner, locations_of, refuse_above, refuse_elsewhere
from kernel.errors import AlreadyExists, Forbidden, NotFound, PreconditionFailed
from kernel.web import Scene, command, flow, page, query
from kernel.wire import Email, ListQuery, Name, Page, Reply, Request
from kernel.work import Work


class NewUser(Request, frozen=True):
    """A person to add to the business, with their first password."""

    email: Email
    name: Name
    password: Annotated[str, Meta(min_length=10, max_length=200, examples=["a long first password"])]
    role_id: uuid.UUID


class UserPatch(Request, frozen=True):
    """What changes of a member."""

    name: Name | UnsetType = UNSET
    role_id: uuid.UUID | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


class Member(Struct, frozen=True):
    """A person who works here."""

    id: uuid.UUID
    name: Name
    email: Email
    role_id: uuid.UUID
    role: Name
    is_active: bool


class UserQuery(ListQuery, frozen=True):
    """Which people."""

    is_active: bool | None = None


_members = (
    sa.select(
        User.id,
        User.name,
        User.email,
        Role.id.label("role_id"),
        Role.name.label("role"),
        Membership.is_active,
        User.version,
    )
    .join(Membership, Membership.user_id == User.id)
    .join(Role, sa.and_(Role.business_id == Membership.business_id, Role.id == Membership.role_id))
)


@query("/users", permission="users.see")
async def list_users(work: Work, query: UserQuery) -> Page[Member]:
    """The people who work here."""
    statement = _members.where(Membership.business_id == work.business_id)
    if query.is_active is not None:
        statement = statement.where(Membership.is_active.is_(query.is_active))
    return await page(work, statement, query, order=[User.email, User.id], make=_member)


@query("/users/{user_id}", permission="users.see")
async def get_user(work: Work, user_id: uuid.UUID) -> Reply[Member]:
    """One person who works here."""
    row = await _row(work, user_id)
    return Reply(_member(row), version=row.version)


@flow("POST", "/users", permission="users.manage", status=201, errors=(AlreadyExists,))
async def add_user(scene: Scene, data: NewUser) -> Reply[Member]:
    """Add a person. An account that exists already joins with its own password."""
    hashed = await hash_password(data.password)
    return await scene.deed(lambda work: _add(work, data, hashed))


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
    if isinstance(data.is_active, bool):
        await work.execute(sa.update(Membership).where(here).values(is_active=data.is_active))
    if isinstance(data.name, str):
        await _refuse_if_shared(work, user_id)
        await work.execute(sa.update(User).where(User.id == user_id).values(name=data.name))
    same = sa.and_(User.id == user_id, User.version == row.version)
    if not (await work.execute(sa.update(User).where(same).values(version=row.version + 1))).rowcount:
        raise PreconditionFailed
    if data.is_active is False:
        alone = sa.select(sa.func.count()).where(Membership.user_id == user_id, Membership.is_active.is_(True))
        if not (await work.execute(alone)).scalar_one():
            await work.execute(sa.update(SignIn).where(SignIn.user_id == user_id).values(revoked_at=work.now))
    work.audit(subject=f"user:{user_id}")
    row = await _row(work, user_id)
    return Reply(_member(row), version=row.version)


async def _add(work: Work, data: NewUser, hashed: str) -> Reply[Member]:
    await refuse_above(work, data.role_id)
    found = await work.execute(sa.select(User.id).where(User.email == data.email.lower()))
    user_id = found.scalar_one_or_none()
    if user_id is None:
        user_id = await make_user(work, email=data.email, name=data.name, password_hash=hashed)
    await add_member(work, user_id, data.role_id)
    work.audit(subject=f"user:{user_id}")
    row = await _row(work, user_id)
    return Reply(_member(row), version=row.version, location=f"/api/v1/users/{user_id}")


async def _refuse_if_shared(work: Work, user_id: uuid.UUID) -> None:
    """An account of several businesses is its person's alone: none of them renames it."""
    elsewhere = sa.select(Membership.user_id).where(
        Membership.user_id == user_id, Membership.business_id != work.business_id
    )
    if (await work.execute(elsewhere)).first() is not None:
        raise Forbidden("Only the person themselves can change their name")


async def _row(work: Work, user_id: uuid.UUID) -> sa.Row[tuple[uuid.UUID, str, str, uuid.UUID, str, bool, int]]:
    found = await work.execute(_members.where(Membership.business_id == work.business_id, User.id == user_id))
    row = found.one_or_none()
    if row is None:
        raise NotFound
    return row


def _member(row: sa.Row[tuple[uuid.UUID, str, str, uuid.UUID, str, bool, int]]) -> Member:
    return Member(row.id, row.name, row.email, row.role_id, row.role, row.is_active)
