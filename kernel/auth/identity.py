"""Who is calling: one query for the person, the sign-in, the role, the business, its epochs and what is switched on."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from kernel.auth.models import Membership, Role, SignIn, User
from kernel.auth.permissions import Rights
from kernel.auth.tokens import Claims
from kernel.db import Prepared, Transaction, joined
from kernel.db.tables import Business, BusinessPlugin, Epoch
from kernel.errors import Unauthenticated
from kernel.work import SYSTEM, Actor, Epochs, Shop, Standing

OPERATOR = frozenset({"operator"})
"""What an operator holds above all businesses; inside a business, only what a role there gives."""

_enabled = (
    sa.select(joined(BusinessPlugin.plugin))
    .where(BusinessPlugin.business_id == sa.bindparam("business_id"), BusinessPlugin.state == "enabled")
    .scalar_subquery()
    .label("enabled")
)
_business = [
    Business.id.label("business_id"),
    Business.slug,
    Business.name,
    Business.region,
    Business.subdivision,
    Business.currency,
    Business.zone,
    Business.epoch,
    Business.is_active.label("business_is_active"),
    sa.select(Epoch.value).where(Epoch.scope == "deployment").scalar_subquery().label("deployment_epoch"),
    sa.select(Epoch.value)
    .where(Epoch.scope == sa.literal("region:").concat(Business.region))
    .scalar_subquery()
    .label("region_epoch"),
    _enabled,
]
_IDENTITY = Prepared(
    sa.select(
        User.id.label("user_id"),
        User.name.label("user_name"),
        User.is_operator,
        Membership.is_active.label("is_member"),
        Membership.locations,
        Role.code,
        Role.added,
        Role.removed,
        Role.limits,
        *_business,
    )
    .select_from(User)
    .join(SignIn, SignIn.user_id == User.id)
    .outerjoin(Business, Business.id == sa.bindparam("business_id"))
    .outerjoin(Membership, sa.and_(Membership.business_id == Business.id, Membership.user_id == User.id))
    .outerjoin(Role, sa.and_(Role.business_id == Membership.business_id, Role.id == Membership.role_id))
    .where(
        User.id == sa.bindparam("user_id"),
        User.is_active.is_(True),
        SignIn.id == sa.bindparam("sign_in_id"),
        SignIn.revoked_at.is_(None),
    )
)
_BUSINESS = Prepared(sa.select(*_business).where(Business.id == sa.bindparam("business_id")))
_EPOCH = Prepared(sa.select(Epoch.value).where(Epoch.scope == "deployment"))


async def identify(transaction: Transaction, claims: Claims, rights: Rights) -> Standing:
    """The standing of a token's bearer, as of this moment. Raises Unauthenticated."""
    row = await transaction.one(
        _IDENTITY, user_id=claims.user_id, sign_in_id=claims.sign_in_id, business_id=claims.business_id
    )
    if row is None or (claims.business_id is not None and not (row.business_is_active and row.is_member)):
        raise Unauthenticated("This sign-in has ended")
    enabled = frozenset((row.enabled or "").split(",")) - {""}
    held = rights.of(row.code, row.added or (), row.removed or (), enabled) if row.is_member else frozenset()
    limits = rights.limits_of(row.code, row.limits or {}, enabled) if row.is_member else {}
    if row.is_operator:
        held |= OPERATOR
    places = None if row.locations is None else frozenset(map(uuid.UUID, row.locations))
    actor = Actor(row.user_id, row.user_name, held, row.is_operator, claims.sign_in_id, limits=limits, locations=places)
    return Standing(actor, _shop(row), enabled, _epochs(row))


async def standing_of_business(transaction: Transaction, business_id: uuid.UUID, actor: Actor = SYSTEM) -> Standing:
    """The standing of a job, a seed or a command line that acts for a business. Raises LookupError."""
    row = await transaction.one(_BUSINESS, business_id=business_id)
    if row is None:
        raise LookupError(f"there is no business {business_id}")
    return Standing(actor, _shop(row), frozenset((row.enabled or "").split(",")) - {""}, _epochs(row))


async def standing_above(transaction: Transaction, actor: Actor) -> Standing:
    """The standing of whoever acts on the deployment itself, or is not signed in."""
    row = await transaction.one(_EPOCH)
    return Standing(actor, None, frozenset(), Epochs(row.value if row else 1, 1, 0))


def _shop(row: Any) -> Shop | None:
    if row.business_id is None:
        return None
    return Shop(row.business_id, row.slug, row.name, row.region, row.subdivision, row.currency, row.zone)


def _epochs(row: Any) -> Epochs:
    return Epochs(row.deployment_epoch or 1, row.region_epoch or 1, row.epoch or 0)
