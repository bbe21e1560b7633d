"""Who is calling: one query for the person, the sign-in, the role, the business, its epochs and what is switched on.

An API key and a registered till are one query too: of the key with its maker, of the till with its business.
"""

from __future__ import annotations

import datetime as dt
import hmac
import uuid
from typing import Any

import sqlalchemy as sa

from kernel.auth.credentials import ApiKey, SecondFactor, Till
from kernel.auth.models import Membership, Role, SignIn, SupportAccess, User
from kernel.auth.rights.permissions import TILL, Rights, not_in_person
from kernel.auth.secrets.bearer import Bearer, KeyClaims, TillClaims
from kernel.auth.secrets.tokens import Claims
from kernel.db import Prepared, Transaction, joined
from kernel.db.tables import Business, BusinessPlugin, Epoch, Trip
from kernel.errors import Unauthenticated
from kernel.work import NO_BUSINESS, SYSTEM, Actor, Epochs, Shop, Standing

OPERATOR = frozenset({"operator"})
"""What an operator holds above all businesses; inside a business, only what a role there gives."""
NEVER_BY_SUPPORT = frozenset({"users.manage", "roles.manage", "keys.manage", "tills.manage", "support.grant"})
"""What nobody does who is only let in for a while, whatever the role: make ways in that outlast it."""

_DRAINS = "!"
"""Marks what is on and draining among what is on; no plugin's name has it."""
_is_on = sa.or_(BusinessPlugin.state == "enabled", BusinessPlugin.state == "draining")
_enabled = (
    sa.select(joined(BusinessPlugin.plugin + sa.case((BusinessPlugin.state == "draining", _DRAINS), else_="")))
    .where(BusinessPlugin.business_id == sa.bindparam("business_id"), _is_on)
    .scalar_subquery()
    .label("enabled")
)
_tripped = (
    sa.select(joined(Trip.plugin + ":" + Trip.hook))
    .where(Trip.business_id == sa.bindparam("business_id"), Trip.tripped_at.is_not(None))
    .scalar_subquery()
    .label("tripped")
)
_business: list[Any] = [
    Business.id.label("business_id"),
    Business.slug,
    Business.name,
    Business.region,
    Business.subdivision,
    Business.currency,
    Business.zone,
    Business.tax_number,
    Business.epoch,
    Business.configuration,
    Business.is_active.label("business_is_active"),
    Business.suspended_at,
    sa.select(Epoch.value).where(Epoch.scope == "deployment").scalar_subquery().label("deployment_epoch"),
    sa.select(Epoch.value)
    .where(Epoch.scope == sa.literal("region:").concat(Business.region))
    .scalar_subquery()
    .label("region_epoch"),
    _enabled,
    _tripped,
]
_person: list[Any] = [
    User.id.label("user_id"),
    User.name.label("user_name"),
    User.is_operator,
    Membership.is_active.label("is_member"),
    Membership.locations,
    Role.code,
    Role.added,
    Role.removed,
    Role.limits,
]
_its_role = sa.and_(Role.business_id == Membership.business_id, Role.id == Membership.role_id)
_elsewhere = sa.or_(
    SignIn.till_id.is_(None),
    sa.and_(SignIn.till_business_id == sa.bindparam("business_id"), Till.id.is_not(None), Till.revoked_at.is_(None)),
)
"""A sign-in by password, or one by PIN in the till's own business while the till is registered."""
_lacks_factor = sa.and_(
    Role.needs_second_factor.is_(True),
    SignIn.till_id.is_(None),
    ~sa.exists().where(SecondFactor.user_id == User.id, SecondFactor.confirmed_at.is_not(None)),
)
"""A sign-in by password of somebody who must have a second factor here and has none; a PIN is good at its till."""
_IDENTITY = Prepared(
    sa.select(
        *_person,
        _lacks_factor.label("must_enrol"),
        SignIn.till_id,
        SupportAccess.role_id.label("support_role_id"),
        SupportAccess.ends_at.label("support_ends_at"),
        SupportAccess.revoked_at.label("support_revoked_at"),
        *_business,
    )
    .select_from(User)
    .join(SignIn, SignIn.user_id == User.id)
    .outerjoin(Till, sa.and_(Till.business_id == SignIn.till_business_id, Till.id == SignIn.till_id))
    .outerjoin(Business, Business.id == sa.bindparam("business_id"))
    .outerjoin(Membership, sa.and_(Membership.business_id == Business.id, Membership.user_id == User.id))
    .outerjoin(SupportAccess, sa.and_(SupportAccess.business_id == Business.id, User.is_operator.is_(True)))
    .outerjoin(
        Role,
        sa.and_(
            Role.business_id == Business.id,
            Role.id == sa.case((Membership.is_active.is_(True), Membership.role_id), else_=SupportAccess.role_id),
        ),
    )
    .where(
        User.id == sa.bindparam("user_id"),
        User.is_active.is_(True),
        SignIn.id == sa.bindparam("sign_in_id"),
        SignIn.revoked_at.is_(None),
        _elsewhere,
    )
)
_KEY = Prepared(
    sa.select(*_person, ApiKey.name.label("key_name"), ApiKey.scopes, ApiKey.hash, *_business)
    .select_from(ApiKey)
    .join(Business, Business.id == ApiKey.business_id)
    .join(User, User.id == ApiKey.created_by)
    .join(Membership, sa.and_(Membership.business_id == ApiKey.business_id, Membership.user_id == User.id))
    .join(Role, _its_role)
    .where(
        ApiKey.business_id == sa.bindparam("business_id"),
        ApiKey.id == sa.bindparam("key_id"),
        ApiKey.revoked_at.is_(None),
        sa.or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > sa.bindparam("at")),
        User.is_active.is_(True),
        Membership.is_active.is_(True),
        Business.is_active.is_(True),
    )
)
_TILL = Prepared(
    sa.select(Till.name.label("till_name"), Till.hash, *_business)
    .select_from(Till)
    .join(Business, Business.id == Till.business_id)
    .where(
        Till.business_id == sa.bindparam("business_id"),
        Till.id == sa.bindparam("till_id"),
        Till.revoked_at.is_(None),
        Business.is_active.is_(True),
    )
)
_BUSINESS = Prepared(sa.select(*_business).where(Business.id == sa.bindparam("business_id")))
_EPOCH = Prepared(sa.select(Epoch.value).where(Epoch.scope == "deployment"))


async def identify(
    transaction: Transaction, claims: Bearer, rights: Rights, now: dt.datetime | None = None
) -> Standing:
    """The standing of whoever bears a token, as of this moment. Raises Unauthenticated.

    now: the moment against which support access is held; without it nobody is let in by it.
    """
    if isinstance(claims, KeyClaims):
        return await _identify_key(transaction, claims, rights)
    if isinstance(claims, TillClaims):
        return await _identify_till(transaction, claims)
    return await _identify_person(transaction, claims, rights, now)


async def _identify_person(
    transaction: Transaction, claims: Claims, rights: Rights, now: dt.datetime | None
) -> Standing:
    row = await transaction.one(
        _IDENTITY, user_id=claims.user_id, sign_in_id=claims.sign_in_id, business_id=claims.business_id
    )
    supporting = row is not None and not row.is_member and _is_let_in(row, now)
    here = row is not None and row.business_is_active and (row.is_member or supporting)
    if row is None or (claims.business_id is not None and not here):
        raise Unauthenticated("This sign-in has ended")
    enabled, draining = _enabled_in(row)
    read_only = supporting and row.support_role_id is None
    code = "owner" if read_only else row.code
    held = rights.of(code, row.added or (), row.removed or (), enabled) if here else frozenset()
    limits = rights.limits_of(code, row.limits or {}, enabled) if here else {}
    if supporting:
        held -= NEVER_BY_SUPPORT
    if row.till_id is not None:
        held = not_in_person(held, at_till=True)
    elif row.is_operator:
        held |= OPERATOR
    is_operator = row.is_operator and row.till_id is None
    if row.must_enrol:
        held, is_operator = frozenset(), False
    actor = Actor(
        row.user_id,
        row.user_name,
        held,
        is_operator,
        claims.sign_in_id,
        till_id=row.till_id,
        supporting=supporting,
        limits=limits,
        locations=_places(row),
    )
    suspended = row.suspended_at is not None
    return Standing(
        *(actor, _shop(row), enabled, _epochs(row)),
        suspended=suspended,
        read_only=read_only,
        must_enrol=bool(row.must_enrol),
        tripped=_tripped_in(row),
        draining=draining,
    )


async def _identify_key(transaction: Transaction, claims: KeyClaims, rights: Rights) -> Standing:
    """A key holds those of its scopes that its maker holds today, as far as they do; nothing that takes a person."""
    row = await transaction.one(_KEY, business_id=claims.business_id, key_id=claims.key_id, at=claims.at)
    if row is None or not hmac.compare_digest(bytes(row.hash), claims.hash):
        raise Unauthenticated("The key is not valid, or not any more")
    enabled, draining = _enabled_in(row)
    held = not_in_person(rights.of(row.code, row.added, row.removed, enabled)) & frozenset(row.scopes)
    limits = rights.limits_of(row.code, row.limits, enabled)
    actor = Actor(claims.key_id, row.key_name, held, key_id=claims.key_id, limits=limits, locations=_places(row))
    suspended = row.suspended_at is not None
    ground = (actor, _shop(row), enabled, _epochs(row))
    return Standing(*ground, suspended=suspended, tripped=_tripped_in(row), draining=draining)


async def _identify_till(transaction: Transaction, claims: TillClaims) -> Standing:
    """A device without a person: it may ask who works here and sign them in, no more."""
    row = await transaction.one(_TILL, business_id=claims.business_id, till_id=claims.till_id)
    if row is None or not hmac.compare_digest(bytes(row.hash), claims.hash):
        raise Unauthenticated("This till is not registered, or not any more")
    actor = Actor(None, row.till_name, frozenset({TILL}), till_id=claims.till_id)
    suspended = row.suspended_at is not None
    enabled, draining = _enabled_in(row)
    return Standing(actor, _shop(row), enabled, _epochs(row), suspended=suspended, draining=draining)


async def standing_of_business(transaction: Transaction, business_id: uuid.UUID, actor: Actor = SYSTEM) -> Standing:
    """The standing of a job, a seed or a command line that acts for a business, or for none. Raises LookupError."""
    if business_id == NO_BUSINESS:
        return await standing_above(transaction, actor)
    row = await transaction.one(_BUSINESS, business_id=business_id)
    if row is None:
        raise LookupError(f"there is no business {business_id}")
    enabled, draining = _enabled_in(row)
    return Standing(
        actor,
        _shop(row),
        enabled,
        _epochs(row),
        suspended=row.suspended_at is not None,
        tripped=_tripped_in(row),
        draining=draining,
    )


async def standing_above(transaction: Transaction, actor: Actor) -> Standing:
    """The standing of whoever acts on the deployment itself, or is not signed in."""
    row = await transaction.one(_EPOCH)
    return Standing(actor, None, frozenset(), Epochs(row.value if row else 1, 1, 0))


def _enabled_in(row: Any) -> tuple[frozenset[str], frozenset[str]]:
    """What is on, and what of it is draining."""
    marked = frozenset((row.enabled or "").split(",")) - {""}
    if _DRAINS not in (row.enabled or ""):
        return marked, frozenset()
    return frozenset(one.removesuffix(_DRAINS) for one in marked), frozenset(
        one.removesuffix(_DRAINS) for one in marked if one.endswith(_DRAINS)
    )


def _tripped_in(row: Any) -> frozenset[tuple[str, str]]:
    """Plugin and hook of what is left out."""
    pairs = (one.partition(":") for one in row.tripped.split(",")) if row.tripped else ()
    return frozenset((plugin, hook) for plugin, _, hook in pairs)


def _places(row: Any) -> frozenset[uuid.UUID] | None:
    """The locations someone works at, None for all."""
    return None if row.locations is None else frozenset(map(uuid.UUID, row.locations))


def _is_let_in(row: Any, now: dt.datetime | None) -> bool:
    """Whether the business has let operators in, and they are."""
    if now is None or not row.is_operator or row.support_ends_at is None:
        return False
    return row.support_revoked_at is None and bool(now < row.support_ends_at)


def _shop(row: Any) -> Shop | None:
    if row.business_id is None:
        return None
    return Shop(
        row.business_id, row.slug, row.name, row.region, row.subdivision, row.currency, row.zone, row.tax_number
    )


def _epochs(row: Any) -> Epochs:
    return Epochs(row.deployment_epoch or 1, row.region_epoch or 1, row.epoch or 0, row.configuration or 0)
