"""Businesses and their locations."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Literal

import sqlalchemy as sa
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from kernel.auth.businesses.making import NewBusiness, create_business, free_slug
from kernel.auth.businesses.regions import (
    check_place,
    currency_of,
    regions,
    usual_currency,
    zone_of,
    zones_of,
)
from kernel.auth.models import Location, Membership, User
from kernel.db.tables import Business
from kernel.errors import AlreadyExists, NotFound, PreconditionFailed
from kernel.hooks import location_added
from kernel.web import OPERATOR, SIGNED_IN, command, page, query
from kernel.wire import Code, Currency, Email, Line, ListQuery, Name, Page, Region, Reply, Request, Slug
from kernel.work import Work

Zone = Annotated[str, Meta(max_length=64, description="IANA time zone.", examples=["Africa/Nairobi"])]
Subdivision = Annotated[
    str,
    Meta(
        max_length=10, pattern=r"\A[A-Z0-9-]+\Z", description="State or county, where taxes need it.", examples=["MH"]
    ),
]
CutOff = Annotated[
    str,
    Meta(pattern=r"\A([01][0-9]|2[0-3]):[0-5][0-9]\Z", description="When the business day begins.", examples=["00:00"]),
]


class BusinessIn(Request, frozen=True):
    """A business to make. Its owner must have an account; without one, the caller owns it.

    Without a `slug` one is made from the name; without a currency it is the region's.
    """

    name: Name
    region: Region
    slug: Slug | None = None
    currency: Currency | None = None
    zone: Zone | None = None
    subdivision: Subdivision | None = None
    tax_number: Line | None = None
    owner_email: Email | None = None
    plugins: Annotated[tuple[Code, ...], Meta(max_length=100, examples=[["sales", "inventory"]])] = ()


class RegionOut(Struct, frozen=True):
    """A region that a business can be in, with what is usual there; zones: all it has, the usual one first."""

    code: Region
    currency: Currency | None
    zone: Zone
    zones: Annotated[list[Zone], Meta(examples=[["Africa/Nairobi"]])]


class BusinessPatch(Request, frozen=True):
    """What changes of the business."""

    name: Name | UnsetType = UNSET
    tax_number: Line | UnsetType | None = UNSET
    subdivision: Subdivision | UnsetType | None = UNSET


class BusinessOut(Struct, frozen=True):
    """A business."""

    id: uuid.UUID
    slug: Slug
    name: Name
    region: Region
    subdivision: str | None
    currency: Currency
    zone: Zone
    tax_number: str | None
    epoch: int
    created_at: dt.datetime


class LocationIn(Request, frozen=True):
    """A storefront or warehouse to add."""

    code: Code
    name: Name
    kind: Literal["storefront", "warehouse"]
    zone: Zone | None = None
    subdivision: Subdivision | None = None
    day_cutoff: CutOff = "00:00"


class LocationPatch(Request, frozen=True):
    """What changes of a location. Its kind and region stay."""

    code: Code | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    zone: Zone | UnsetType = UNSET
    subdivision: Subdivision | UnsetType | None = UNSET
    day_cutoff: CutOff | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


class LocationOut(Struct, frozen=True):
    """A storefront or a warehouse."""

    id: uuid.UUID
    code: Code
    name: Name
    kind: Literal["storefront", "warehouse"]
    region: Region
    subdivision: str | None
    zone: Zone
    day_cutoff: CutOff
    is_active: bool


class LocationQuery(ListQuery, frozen=True):
    """Which locations."""

    kind: Literal["storefront", "warehouse"] | None = None
    is_active: bool | None = None


@query("/regions", permission=SIGNED_IN)
async def list_regions(work: Work) -> Page[RegionOut]:
    """The regions that a business can be in, each with its usual currency and time zones."""
    return Page([RegionOut(one, currency_of(one), zone_of(one), list(zones_of(one))) for one in sorted(regions())])


@query("/businesses", permission=SIGNED_IN)
async def list_businesses(work: Work, query: ListQuery) -> Page[BusinessOut]:
    """The caller's businesses."""
    statement = (
        sa.select(*_business_columns)
        .join(Membership, Membership.business_id == Business.id)
        .where(Membership.user_id == work.actor.id, Membership.is_active.is_(True), Business.is_active.is_(True))
    )
    return await page(work, statement, query, order=[Business.slug], make=_business)


@command("POST", "/businesses", permission=OPERATOR, errors=(AlreadyExists,))
async def add_business(work: Work, data: BusinessIn) -> Reply[BusinessOut]:
    """Make a business, with its shipped roles, a first storefront and the plugins named (and what they stand on)."""
    owner = work.actor.id
    if data.owner_email is not None:
        found = await work.execute(sa.select(User.id).where(User.email == data.owner_email.lower()))
        owner = found.scalar_one_or_none()
        if owner is None:
            raise NotFound.at("/owner_email", "Nobody has an account with this e-mail")
    new = NewBusiness(
        data.slug or await free_slug(work, data.name),
        data.name,
        data.region,
        data.currency or usual_currency(data.region),
        data.zone or zone_of(data.region),
        data.subdivision,
        data.tax_number,
    )
    shop = await create_business(work, new, owner_id=owner, plugins=data.plugins)
    row = (await work.execute(sa.select(*_business_columns).where(Business.id == shop.id))).one()
    return Reply(_business(row), version=row.version, location=f"/api/v1/businesses/{shop.id}")


@query("/businesses/{business_id}", permission=SIGNED_IN)
async def get_business(work: Work, business_id: uuid.UUID) -> Reply[BusinessOut]:
    """The business the caller is signed in to."""
    row = await _own_business(work, business_id)
    return Reply(_business(row), version=row.version, living=True)


@command("PATCH", "/businesses/{business_id}", permission="business.manage")
async def change_business(work: Work, business_id: uuid.UUID, data: BusinessPatch) -> Reply[BusinessOut]:
    """Change the business's details."""
    row = await _own_business(work, business_id)
    work.check_version(row.version)
    values = {name: value for name, value in structs.asdict(data).items() if value is not UNSET}
    same = sa.and_(Business.id == business_id, Business.version == row.version)
    if not (await work.execute(sa.update(Business).where(same).values(version=row.version + 1, **values))).rowcount:
        raise PreconditionFailed
    work.audit(subject=f"business:{business_id}")
    work.changed(Business, business_id, row._mapping, values)
    row = await _own_business(work, business_id)
    return Reply(_business(row), version=row.version)


@query("/locations", permission=SIGNED_IN)
async def list_locations(work: Work, query: LocationQuery) -> Page[LocationOut]:
    """The storefronts and warehouses of the business."""
    statement = sa.select(*_location_columns).where(Location.business_id == work.shop.id)
    if query.kind is not None:
        statement = statement.where(Location.kind == query.kind)
    if query.is_active is not None:
        statement = statement.where(Location.is_active.is_(query.is_active))
    return await page(work, statement, query, order=[Location.code, Location.id], make=_location)


@query("/locations/{location_id}", permission=SIGNED_IN)
async def get_location(work: Work, location_id: uuid.UUID) -> Reply[LocationOut]:
    """One location."""
    place = await work.get(Location, location_id)
    return Reply(_location(place), version=place.version)


@command("POST", "/locations", permission="locations.manage", errors=(AlreadyExists,))
async def add_location(work: Work, data: LocationIn) -> Reply[LocationOut]:
    """Add a storefront or a warehouse."""
    shop = work.shop
    zone = data.zone or shop.zone
    check_place(shop.region, zone)
    place = Location(
        code=data.code,
        name=data.name,
        kind=data.kind,
        region=shop.region,
        subdivision=data.subdivision or shop.subdivision,
        zone=zone,
        day_cutoff=_minutes(data.day_cutoff),
        is_active=True,
        version=1,
    )
    work.session.add(place)
    await work.session.flush()
    await work.tell(location_added, work=work, location_id=place.id, kind=place.kind)
    return Reply(_location(place), version=1, location=f"/api/v1/locations/{place.id}")


@command("PATCH", "/locations/{location_id}", permission="locations.manage", errors=(AlreadyExists,))
async def change_location(work: Work, location_id: uuid.UUID, data: LocationPatch) -> Reply[LocationOut]:
    """Change a location. A new zone or cut-off counts from the next sale on."""
    place = await work.get(Location, location_id, to_change=True)
    work.check_version(place.version)
    values = {name: value for name, value in structs.asdict(data).items() if value is not UNSET}
    if "day_cutoff" in values:
        values["day_cutoff"] = _minutes(values["day_cutoff"])
    if "zone" in values:
        check_place(place.region, values["zone"])
    for name, value in values.items():
        setattr(place, name, value)
    place.version += 1
    await work.session.flush()
    return Reply(_location(place), version=place.version)


_business_columns = [
    Business.id,
    Business.slug,
    Business.name,
    Business.region,
    Business.subdivision,
    Business.currency,
    Business.zone,
    Business.tax_number,
    Business.epoch,
    Business.created_at,
    Business.version,
]
_location_columns = [
    Location.id,
    Location.code,
    Location.name,
    Location.kind,
    Location.region,
    Location.subdivision,
    Location.zone,
    Location.day_cutoff,
    Location.is_active,
]


async def _own_business(work: Work, business_id: uuid.UUID) -> sa.Row[tuple[object, ...]]:
    if business_id != work.shop.id:
        raise NotFound
    return (await work.execute(sa.select(*_business_columns).where(Business.id == business_id))).one()


def _business(row: sa.Row[tuple[object, ...]]) -> BusinessOut:
    return BusinessOut(*tuple(row)[:10])  # type: ignore[arg-type]


def _location(place: Location) -> LocationOut:
    cutoff = f"{place.day_cutoff // 60:02d}:{place.day_cutoff % 60:02d}"
    kind: Literal["storefront", "warehouse"] = "storefront" if place.kind == "storefront" else "warehouse"
    return LocationOut(
        place.id, place.code, place.name, kind, place.region, place.subdivision, place.zone, cutoff, place.is_active
    )


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])
