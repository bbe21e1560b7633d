"""Making a business: its shipped roles, its owner, its first places and plugins."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa

from kernel import money
from kernel.auth.businesses.regions import check_place
from kernel.auth.businesses.switching import enable_first
from kernel.auth.models import Location, Membership, Role, User
from kernel.auth.rights.permissions import ROLE_NAMES
from kernel.db import new_id
from kernel.db.tables import Business, BusinessPlugin
from kernel.errors import Invalid
from kernel.jobs import set_schedules
from kernel.mail import plain_email
from kernel.work import Shop, Work

_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?\Z")


class Place(msgspec.Struct, frozen=True):
    """A location to make. day_cutoff: minutes after midnight."""

    code: str
    name: str
    kind: str
    zone: str = ""
    day_cutoff: int = 0
    subdivision: str | None = None


class NewBusiness(msgspec.Struct, frozen=True):
    """A business to make."""

    slug: str
    name: str
    region: str
    currency: str
    zone: str
    subdivision: str | None = None
    tax_number: str | None = None


async def create_business(
    work: Work, new: NewBusiness, *, owner_id: uuid.UUID | None, plugins: Iterable[str], places: Sequence[Place] = ()
) -> Shop:
    """Make a business; the deed goes on inside it. Raises Invalid for a bad slug, currency, region or zone."""
    if not _SLUG.match(new.slug):
        raise Invalid.at("/slug", "1 to 40 lower-case letters, digits and hyphens")
    if new.currency not in money.CURRENCIES:
        raise Invalid.at("/currency", "No such currency; ISO 4217, three capital letters")
    check_place(new.region, new.zone)
    shop = Shop(new_id(), new.slug, new.name, new.region, new.subdivision, new.currency, new.zone, new.tax_number)
    await work.execute(
        sa.insert(Business).values(
            id=shop.id,
            slug=new.slug,
            name=new.name,
            region=new.region,
            subdivision=new.subdivision,
            currency=new.currency,
            zone=new.zone,
            tax_number=new.tax_number,
            created_at=work.now,
        )
    )
    await work.enter_business(shop, frozenset())
    roles = await _make_roles(work)
    if owner_id is not None:
        await add_member(work, owner_id, roles["owner"])
    for place in places or (Place("main", "Main shop", "storefront"),):
        await _make_place(work, shop, place)
    await set_schedules(work, "kernel", shop.zone)
    await enable_first(work, plugins, shop.zone)
    work.audit(subject=f"business:{shop.id}")
    return shop


def slug_of(name: str) -> str:
    """A short name for addresses and files: `Mama Njeri's` → `mama-njeri-s`; `shop` where nothing of it is ASCII."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:36].strip("-") or "shop"


async def free_slug(work: Work, name: str) -> str:
    """The slug of a name, with a number behind it where businesses have it already."""
    base, number = slug_of(name), 1
    found = await work.execute(sa.select(Business.slug).where(Business.slug.startswith(base, autoescape=True)))
    taken, slug = set(found.scalars()), base
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    return slug


async def enter(work: Work, business_id: uuid.UUID) -> bool:
    """Let a deed that began above all businesses go on in one; False if that one is closed."""
    columns = [getattr(Business, name) for name in Shop.__struct_fields__]
    found = await work.execute(sa.select(*columns).where(Business.id == business_id, Business.is_active.is_(True)))
    row = found.one_or_none()
    if row is None:
        return False
    shop = Shop(*tuple(row))
    await work.enter_business(shop, frozenset())
    enabled = sa.select(BusinessPlugin.plugin).where(
        BusinessPlugin.business_id == business_id, BusinessPlugin.state == "enabled"
    )
    await work.enter_business(shop, frozenset((await work.execute(enabled)).scalars()))
    return True


async def add_member(work: Work, user_id: uuid.UUID, role_id: uuid.UUID) -> None:
    """Give a user a role in this business; whoever is tied to locations ties those they add to the same ones."""
    own = work.actor.locations
    places = None if own is None else sorted(map(str, own))
    await work.execute(
        sa.insert(Membership).values(
            business_id=work.business_id,
            user_id=user_id,
            role_id=role_id,
            is_active=True,
            joined_at=work.now,
            locations=places,
        )
    )


async def make_user(work: Work, *, email: str, name: str, password_hash: str, is_operator: bool = False) -> uuid.UUID:
    """Make an account. The e-mail is kept in lower case."""
    id_ = new_id()
    await work.execute(
        sa.insert(User).values(
            id=id_,
            email=plain_email(email),
            name=name,
            password_hash=password_hash,
            is_active=True,
            is_operator=is_operator,
            created_at=work.now,
            version=1,
        )
    )
    return id_


async def role_named(work: Work, code: str) -> uuid.UUID:
    """The id of a shipped role of this business."""
    found = await work.execute(sa.select(Role.id).where(Role.business_id == work.business_id, Role.code == code))
    id_: uuid.UUID = found.scalar_one()
    return id_


async def _make_roles(work: Work) -> dict[str, uuid.UUID]:
    roles = {code: new_id() for code in ROLE_NAMES}
    for code, id_ in roles.items():
        await work.execute(
            sa.insert(Role).values(
                business_id=work.business_id, id=id_, code=code, name=ROLE_NAMES[code], added=[], removed=[], version=1
            )
        )
    return roles


async def _make_place(work: Work, shop: Shop, place: Place) -> None:
    zone = place.zone or shop.zone
    check_place(shop.region, zone)
    await work.execute(
        sa.insert(Location).values(
            business_id=shop.id,
            id=new_id(),
            code=place.code,
            name=place.name,
            kind=place.kind,
            region=shop.region,
            subdivision=place.subdivision or shop.subdivision,
            zone=zone,
            day_cutoff=place.day_cutoff,
            is_active=True,
            version=1,
        )
    )
