"""Where stock stands: the locations of the business, as far as inventory needs them."""

from __future__ import annotations

import datetime as dt
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from msgspec import Struct

from kernel.auth import Location
from kernel.db import Prepared
from kernel.errors import Invalid, NotFound
from kernel.work import Work, business_date

_PLACE = Prepared(
    sa.select(Location.code, Location.name, Location.zone, Location.day_cutoff, Location.is_active).where(
        Location.business_id == sa.bindparam("business_id"), Location.id == sa.bindparam("id")
    )
)


class Place(Struct, frozen=True):
    """A location, and its business day now."""

    id: UUID
    code: str
    name: str
    today: dt.date


async def open_place(work: Work, location_id: UUID) -> Place:
    """The location a document is for. Raises NotFound where there is none, Invalid where it is switched off."""
    row = await work.one(_PLACE, id=location_id)
    if row is None:
        raise NotFound.at("/location_id", "There is no such location")
    if not row.is_active:
        raise Invalid.at("/location_id", f"{row.name} is switched off", code="inactive")
    return Place(location_id, row.code, row.name, business_date(work.now, ZoneInfo(row.zone), row.day_cutoff))
