"""Roles: what they may do and how far, side by side and one by one; and where people work."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal

import sqlalchemy as sa
from msgspec import UNSET, Meta, Struct, UnsetType

from kernel.auth.models import Location, Membership, Role, User
from kernel.auth.rights import roles
from kernel.auth.rights.permissions import PERMISSIONS
from kernel.errors import AlreadyExists, InUse, NotFound, PreconditionFailed
from kernel.money import format_micro
from kernel.plugin import Limit, Permission
from kernel.web import SIGNED_IN, command, page, query
from kernel.wire import ListQuery, Name, Page, Reply, Request
from kernel.work import Work

PermissionName = Annotated[str, Meta(max_length=100, pattern=r"\A[a-z0-9_.]+\Z", examples=["sales.discount"])]
Figure = Annotated[
    str,
    Meta(
        pattern=r"\A(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?\Z",
        max_length=19,
        description="A percentage, or an amount in the business's currency, as a decimal string.",
        examples=["10"],
    ),
]
Permissions = Annotated[list[PermissionName], Meta(max_length=1000, examples=[["sales.complete", "sales.see"]])]
Limits = Annotated[
    dict[PermissionName, Figure | None],
    Meta(max_length=200, description="Name → figure; null: no limit.", examples=[{"sales.discount_percent": "10"}]),
]

NeedsFactor = Annotated[
    bool,
    Meta(description="Its people can only set up a second factor here until they have one.", examples=[False]),
]


class RoleIn(Request, frozen=True):
    """A role to add: empty, or as another one is now; permissions and limits named here come on top."""

    name: Name
    copy_of: uuid.UUID | None = None
    permissions: Permissions | None = None
    limits: Limits = {}


class RolePatch(Request, frozen=True):
    """What changes of a role. `permissions` is the whole list; of `limits` those named change."""

    name: Name | UnsetType = UNSET
    permissions: Permissions | UnsetType = UNSET
    limits: Limits | UnsetType = UNSET
    needs_second_factor: NeedsFactor | UnsetType = UNSET


class RoleFacts(Struct, frozen=True):
    """A role, and what it may do with the plugins that are on."""

    id: uuid.UUID
    code: Annotated[str | None, Meta(description="Of a shipped role.", examples=["cashier"])]
    name: Name
    permissions: Permissions
    limits: Limits
    needs_second_factor: NeedsFactor


class RoleName(Struct, frozen=True):
    """A column of the matrix."""

    id: uuid.UUID
    code: str | None
    name: Name


class PermissionRow(Struct, frozen=True):
    """A permission in words, and the roles that hold it."""

    name: PermissionName
    words: Annotated[str, Meta(examples=["Give discounts by hand"])]
    held_by: list[uuid.UUID]


class LimitOfRole(Struct, frozen=True):
    """How far a role may go; null: as far as it likes."""

    role_id: uuid.UUID
    value: Figure | None


class LimitRow(Struct, frozen=True):
    """A limit in words, and how far each role that holds its permission may go."""

    name: PermissionName
    words: Annotated[str, Meta(examples=["Largest discount by hand"])]
    unit: Literal["percent", "amount"]
    bounds: PermissionName
    values: list[LimitOfRole]


class PermissionGroup(Struct, frozen=True):
    """What one plugin lets roles do."""

    plugin: Annotated[str, Meta(examples=["sales"])]
    title: Annotated[str, Meta(examples=["Sales"])]
    permissions: list[PermissionRow]
    limits: list[LimitRow]


class Matrix(Struct, frozen=True):
    """Every role against every permission and limit of what is on."""

    roles: list[RoleName]
    groups: list[PermissionGroup]


class Mine(Struct, frozen=True):
    """What the caller may do, how far, and where; no locations: everywhere."""

    permissions: Permissions
    limits: Limits
    location_ids: list[uuid.UUID] | None


class Workplace(Struct, frozen=True):
    """Where a person works; null: everywhere."""

    user_id: uuid.UUID
    location_ids: list[uuid.UUID] | None


class WorkplacePatch(Request, frozen=True):
    """The locations a person is tied to; null: all."""

    location_ids: Annotated[list[uuid.UUID], Meta(min_length=1, max_length=200)] | None


_roles = sa.select(Role.id, Role.code, Role.name, Role.added, Role.removed, Role.limits, Role.needs_second_factor)


@query("/roles", permission="users.see")
async def list_roles(work: Work, query: ListQuery) -> Page[RoleFacts]:
    """The roles of the business, with what each may do and how far."""
    statement = _roles.where(Role.business_id == work.business_id)
    return await page(work, statement, query, order=[Role.name, Role.id], make=lambda row: _facts(work, row))


@query("/roles/matrix", permission="users.see")
async def show_matrix(work: Work) -> Matrix:
    """Every role against every permission and limit, in words, plugin by plugin."""
    found = await work.execute(_roles.where(Role.business_id == work.business_id).order_by(Role.name, Role.id))
    rows = [_facts(work, row) for row in found]
    registry, enabled = work.deployment.registry, work.standing.enabled
    groups = [_group("kernel", "Business", PERMISSIONS, (), rows)]
    groups += [
        _group(one.name, one.manifest.title, one.manifest.permissions, one.manifest.limits, rows)
        for one in registry.in_order(enabled)
    ]
    return Matrix([RoleName(row.id, row.code, row.name) for row in rows], groups)


@query("/roles/mine", permission=SIGNED_IN)
async def show_mine(work: Work) -> Mine:
    """What the caller may do, how far, and where."""
    actor = work.actor
    declared = work.deployment.registry.limits(work.standing.enabled)
    limits = {one.name: actor.limit(one.name) for one in declared if actor.may(one.bounds)}
    return Mine(
        sorted(actor.permissions or ()),
        {name: None if far is None else format_micro(far) for name, far in limits.items()},
        None if actor.locations is None else sorted(actor.locations),
    )


@query("/roles/{role_id}", permission="users.see")
async def get_role(work: Work, role_id: uuid.UUID) -> Reply[RoleFacts]:
    """One role."""
    role = await work.get(Role, role_id)
    return Reply(_facts(work, role), version=role.version)


@command("POST", "/roles", permission="roles.manage", errors=(AlreadyExists, roles.RoleAbove))
async def add_role(work: Work, data: RoleIn) -> Reply[RoleFacts]:
    """Add a role of the business's own.

    It holds nothing, or what another role holds now; its limits begin at 0. It cannot go beyond the caller's own.
    """
    role = await roles.add_role(work, data.name, data.copy_of, data.permissions, data.limits)
    return Reply(_facts(work, role), version=1, location=f"/api/v1/roles/{role.id}")


@command("PATCH", "/roles/{role_id}", permission="roles.manage", errors=(AlreadyExists, roles.RoleAbove, roles.OwnRole))
async def change_role(work: Work, role_id: uuid.UUID, data: RolePatch) -> Reply[RoleFacts]:
    """Change a role's name, permissions or limits, shipped roles' too, and whether it takes a second factor.

    Its people feel it at their next request. Nobody changes their own role, or one that goes beyond it; that a second
    factor is needed may be said of one's own and of the owners' role too, in a request that says nothing else.
    """
    role = await roles.change_role(
        work,
        role_id,
        None if data.name is UNSET else data.name,
        None if data.permissions is UNSET else data.permissions,
        None if data.limits is UNSET else data.limits,
        None if data.needs_second_factor is UNSET else data.needs_second_factor,
    )
    return Reply(_facts(work, role), version=role.version)


@command("DELETE", "/roles/{role_id}", permission="roles.manage", errors=(InUse, roles.RoleAbove))
async def delete_role(work: Work, role_id: uuid.UUID) -> None:
    """Delete a role of the business's own that nobody has."""
    await roles.delete_role(work, role_id)


@query("/users/{user_id}/locations", permission="users.see")
async def get_workplace(work: Work, user_id: uuid.UUID) -> Reply[Workplace]:
    """The locations a person is tied to."""
    locations, version = await roles.locations_of(work, user_id)
    return Reply(Workplace(user_id, locations), version=version)


@command("PATCH", "/users/{user_id}/locations", permission="users.manage", errors=(roles.RoleAbove, roles.OwnRole))
async def change_workplace(work: Work, user_id: uuid.UUID, data: WorkplacePatch) -> Reply[Workplace]:
    """Tie a person to some locations, or to none in particular.

    They act and see only there, from their next request on. Nobody ties themselves, or reaches beyond where they work.
    `If-Match` is the ETag of this, or of the person.
    """
    before, version = await roles.locations_of(work, user_id)
    work.check_version(version)
    if user_id == work.actor.id:
        raise roles.OwnRole("Nobody changes where they work themselves")
    role_id = sa.select(Membership.role_id).where(
        Membership.business_id == work.business_id, Membership.user_id == user_id
    )
    await roles.refuse_above(work, (await work.execute(role_id)).scalar_one())
    await _check_places(work, data.location_ids)
    for places in (before, data.location_ids):
        roles.refuse_elsewhere(work, places, "/location_ids")
    wanted = None if data.location_ids is None else sorted(map(str, set(data.location_ids)))
    here = sa.and_(Membership.business_id == work.business_id, Membership.user_id == user_id)
    await work.execute(sa.update(Membership).where(here).values(locations=wanted))
    same = sa.and_(User.id == user_id, User.version == version)
    if not (await work.execute(sa.update(User).where(same).values(version=version + 1))).rowcount:
        raise PreconditionFailed
    was = None if before is None else sorted(map(str, before))
    work.changed(Membership, user_id, {"locations": was}, {"locations": wanted})
    work.audit(subject=f"user:{user_id}")
    return Reply(Workplace(user_id, data.location_ids), version=version + 1)


async def _check_places(work: Work, ids: list[uuid.UUID] | None) -> None:
    found = await work.execute(sa.select(Location.id).where(Location.business_id == work.business_id))
    known = set(found.scalars())
    for place, id_ in enumerate(ids or ()):
        if id_ not in known:
            raise NotFound.at(f"/location_ids/{place}", "There is no such location")


def _facts(work: Work, row: Role | sa.Row[tuple[object, ...]]) -> RoleFacts:
    held = roles.held_by(work, row)
    limits = roles.limits_written(work, row)
    return RoleFacts(row.id, row.code, row.name, sorted(held.permissions), limits, bool(row.needs_second_factor))


def _group(
    plugin: str, title: str, permissions: tuple[Permission, ...], limits: tuple[Limit, ...], rows: list[RoleFacts]
) -> PermissionGroup:
    return PermissionGroup(
        plugin,
        title,
        [
            PermissionRow(one.name, one.words, [row.id for row in rows if one.name in row.permissions])
            for one in permissions
        ],
        [
            LimitRow(
                one.name,
                one.words,
                one.unit,
                one.bounds,
                [LimitOfRole(row.id, row.limits[one.name]) for row in rows if one.bounds in row.permissions],
            )
            for one in limits
        ],
    )
