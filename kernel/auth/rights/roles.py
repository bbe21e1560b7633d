"""Editing roles: what they may do and how far; never beyond what the editor holds."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from kernel.auth.models import Membership, Role, User
from kernel.auth.rights.permissions import Rights, written_limit
from kernel.db import new_id
from kernel.errors import Conflict, Forbidden, InUse, Invalid, NotFound
from kernel.money import format_micro, parse_micro
from kernel.plugin import Limit
from kernel.work import Work


class LastOwner(Conflict):
    """Nobody would be left who owns the business."""

    code, title = "last-owner", "A business keeps at least one owner"


class RoleAbove(Forbidden):
    """The role may do what the person's own may not, or do it further."""

    code, title = "role-above", "This role goes beyond your own"


class OwnRole(Forbidden):
    """Nobody changes what they may do themselves."""

    code, title = "own-role", "Nobody changes their own role"


class Held(msgspec.Struct, frozen=True):
    """What a role comes to with the plugins that are on: permissions, and limits scaled by MICRO (None: no limit)."""

    permissions: frozenset[str]
    limits: Mapping[str, int | None]


def held_by(work: Work, role: Any) -> Held:
    """What a role's row comes to now."""
    rights, enabled = Rights(work.deployment.registry), work.standing.enabled
    return Held(
        rights.of(role.code, role.added, role.removed, enabled), rights.limits_of(role.code, role.limits, enabled)
    )


async def refuse_above(work: Work, role_id: uuid.UUID, pointer: str = "/role_id") -> None:
    """Nobody hands out, or touches, a role that goes beyond their own. Raises RoleAbove, Invalid for an unknown one."""
    found = await work.execute(
        sa.select(Role.code, Role.added, Role.removed, Role.limits).where(
            Role.business_id == work.business_id, Role.id == role_id
        )
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound.at(pointer, "There is no such role")
    refuse_beyond(work, held_by(work, row))


def refuse_beyond(work: Work, held: Held) -> None:
    """Raise RoleAbove unless the actor holds every permission, and may go as far with each that has a limit."""
    actor = work.actor
    if actor.permissions is None:
        return
    if beyond := what_goes_beyond(work, held, Held(actor.permissions, actor.limits)):
        raise RoleAbove(beyond)


def what_goes_beyond(work: Work, held: Held, own: Held) -> str | None:
    """In words, what a role may do that another may not, or may do further; None if there is nothing."""
    if missing := sorted(held.permissions - own.permissions):
        return f"That role may do what yours may not: {', '.join(missing[:3])}"
    for limit in work.deployment.registry.limits(work.standing.enabled):
        far = own.limits.get(limit.name, 0)
        if limit.bounds in held.permissions and far is not None and goes_beyond(held.limits.get(limit.name, 0), far):
            return f"That role may go further than yours: {limit.name} above {format_micro(far)}"
    return None


def goes_beyond(value: int | None, limit: int) -> bool:
    """Whether a value, None for no limit, is above a limit."""
    return value is None or value > limit


async def keep_an_owner(work: Work, but: uuid.UUID) -> None:
    """Raise LastOwner unless an active owner is left beside one person.

    Holds the owners' role to the end of the deed: of two owners who demote each other at once, one is refused.
    """
    owners = sa.and_(Role.business_id == work.business_id, Role.code == "owner")
    role_id = (await work.execute(sa.select(Role.id).where(owners).with_for_update())).scalar_one()
    left = await work.execute(
        sa.select(Membership.user_id)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.business_id == work.business_id,
            Membership.role_id == role_id,
            Membership.is_active.is_(True),
            User.is_active.is_(True),
            Membership.user_id != but,
        )
        .limit(1)
    )
    if left.first() is None:
        raise LastOwner


async def is_owner(work: Work, user_id: uuid.UUID) -> bool:
    """Whether a member is an owner here."""
    found = await work.execute(
        sa.select(Role.code)
        .join(Membership, sa.and_(Membership.business_id == Role.business_id, Membership.role_id == Role.id))
        .where(Role.business_id == work.business_id, Membership.user_id == user_id)
    )
    return found.scalar_one_or_none() == "owner"


async def add_role(
    work: Work,
    name: str,
    copy_of: uuid.UUID | None,
    permissions: Iterable[str] | None,
    limits: Mapping[str, str | None] | None,
) -> Role:
    """Add a role of the business's own. What is copied is what the other role comes to now, by value."""
    role = Role(id=new_id(), code=None, name=name, added=[], removed=[], limits={}, version=1)
    if copy_of is not None:
        other = await work.session.get(Role, (work.business_id, copy_of))
        if other is None:
            raise NotFound.at("/copy_of", "There is no such role")
        held = held_by(work, other)
        role.added = sorted(held.permissions)
        role.limits = {limit: None if far is None else format_micro(far) for limit, far in held.limits.items()}
    _set_permissions(work, role, permissions)
    _set_limits(work, role, limits)
    refuse_beyond(work, held_by(work, role))
    work.session.add(role)
    await work.session.flush()
    work.audit(subject=f"role:{role.id}")
    return role


async def change_role(
    work: Work,
    role_id: uuid.UUID,
    name: str | None,
    permissions: Iterable[str] | None,
    limits: Mapping[str, str | None] | None,
    needs_second_factor: bool | None = None,
) -> Role:
    """Edit a role; its people feel it at their next request. Raises NotFound, OwnRole, RoleAbove, Invalid.

    That a second factor is needed may be said of any role, the owners' and one's own too.
    """
    says_more = not (name is None and permissions is None and limits is None)
    role = await _to_change(work, role_id, own=needs_second_factor is not None and not says_more)
    work.check_version(role.version)
    if role.code == "owner" and (says_more or needs_second_factor is None):
        raise Forbidden("The owners' role holds everything and stays as it is")
    if name is not None:
        role.name = name
    _set_permissions(work, role, permissions)
    _set_limits(work, role, limits)
    if needs_second_factor is not None:
        role.needs_second_factor = needs_second_factor
    refuse_beyond(work, held_by(work, role))
    role.version += 1
    await work.session.flush()
    work.audit(subject=f"role:{role_id}")
    return role


async def delete_role(work: Work, role_id: uuid.UUID) -> None:
    """Delete a role of the business's own that nobody has. Raises NotFound, InUse, OwnRole, RoleAbove."""
    role = await _to_change(work, role_id)
    if role.code is not None:
        raise InUse("A shipped role stays; take its permissions instead")
    has = sa.select(Membership.user_id).where(Membership.business_id == work.business_id, Membership.role_id == role_id)
    if (await work.execute(has.limit(1))).first() is not None:
        raise InUse("People have this role; give them another first")
    work.audit(subject=f"role:{role_id}")
    await work.session.delete(role)
    await work.session.flush()


async def _to_change(work: Work, role_id: uuid.UUID, *, own: bool = False) -> Role:
    """A role that the actor may change. own: what changes may be changed of one's own too."""
    role = await work.get(Role, role_id, to_change=True)
    mine = sa.select(Membership.role_id).where(
        Membership.business_id == work.business_id, Membership.user_id == work.actor.id
    )
    if not own and (await work.execute(mine)).scalar_one_or_none() == role_id:
        raise OwnRole
    refuse_beyond(work, held_by(work, role))
    return role


def _set_permissions(work: Work, role: Role, wanted: Iterable[str] | None) -> None:
    """Make a role hold exactly these of the plugins that are on; what lies dormant of others stays as it is."""
    if wanted is None:
        return
    rights, enabled = Rights(work.deployment.registry), work.standing.enabled
    there = {one.name for one in rights.declared(enabled)}
    named = list(wanted)
    for place, name in enumerate(named):
        if name not in there:
            raise Invalid.at(f"/permissions/{place}", f"There is no permission {name} here", code="not-found")
    shipped = rights.shipped(role.code, enabled)
    role.added = sorted({name for name in role.added if name not in there} | (set(named) - shipped))
    role.removed = sorted({name for name in role.removed if name not in there} | (shipped & there) - set(named))


def _set_limits(work: Work, role: Role, wanted: Mapping[str, str | None] | None) -> None:
    """Set the limits named; the others stay."""
    known = {limit.name: limit for limit in work.deployment.registry.limits(work.standing.enabled)}
    changed = dict(role.limits)
    for name, value in (wanted or {}).items():
        if name not in known:
            raise Invalid.at(f"/limits/{name}", f"There is no limit {name} here", code="not-found")
        changed[name] = None if value is None else format_micro(parse_micro(value))
    role.limits = changed


def limits_written(work: Work, role: Any) -> dict[str, str | None]:
    """A role's limits as decimal strings, None for no limit."""
    limits: list[Limit] = work.deployment.registry.limits(work.standing.enabled)
    return {limit.name: written_limit(limit, role.code, role.limits) for limit in limits}


async def locations_of(work: Work, user_id: uuid.UUID) -> tuple[list[uuid.UUID] | None, int]:
    """The locations a member works at, None for all, and the version of their account. Raises NotFound."""
    found = await work.execute(
        sa.select(Membership.locations, User.version)
        .join(User, User.id == Membership.user_id)
        .where(Membership.business_id == work.business_id, Membership.user_id == user_id)
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound
    return (None if row.locations is None else [uuid.UUID(one) for one in row.locations]), row.version


def refuse_elsewhere(work: Work, locations: Iterable[uuid.UUID] | None, pointer: str) -> None:
    """Nobody ties a person to places beyond their own, or touches one who works beyond them. Raises RoleAbove."""
    own = work.actor.locations
    if own is not None and (locations is None or not own.issuperset(locations)):
        fault = "That reaches beyond the locations you work at"
        raise RoleAbove(f"{fault} ({pointer})" if pointer else fault)
