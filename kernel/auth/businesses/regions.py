"""Regions and time zones that exist."""

from __future__ import annotations

import uuid
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import sqlalchemy as sa
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from kernel.db.tables import Business
from kernel.errors import Invalid
from kernel.work import Work


@cache
def regions() -> frozenset[str]:
    """ISO 3166-1 alpha-2 codes of every region that has telephones (source: libphonenumber's region list)."""
    return frozenset(code for codes in COUNTRY_CODE_TO_REGION_CODE.values() for code in codes if code.isalpha())


async def businesses_in(work: Work, region: str) -> list[uuid.UUID]:
    """The ids of the businesses of a region that are open, whatever they have switched on; for jobs above them all."""
    is_open = sa.and_(Business.is_active.is_(True), Business.suspended_at.is_(None), Business.deleting_at.is_(None))
    found = await work.execute(sa.select(Business.id).where(Business.region == region, is_open).order_by(Business.id))
    return list(found.scalars())


@cache
def _zones() -> frozenset[str]:
    return frozenset(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")) | {"UTC"}


def check_place(region: str, zone: str) -> None:
    """Raise Invalid for a region or a time zone that does not exist."""
    if region not in regions():
        raise Invalid.at("/region", "No such region; ISO 3166-1, two capital letters")
    if zone not in _zones():
        raise Invalid.at("/zone", "No such time zone; an IANA name such as Africa/Nairobi")


def zone_of(region: str) -> str:
    """A time zone for a region, where none was given."""
    known = {"KE": "Africa/Nairobi", "IN": "Asia/Kolkata", "TZ": "Africa/Dar_es_Salaam", "UG": "Africa/Kampala"}
    known |= {"GB": "Europe/London", "US": "America/New_York", "RW": "Africa/Kigali", "NG": "Africa/Lagos"}
    zone = known.get(region, "UTC")
    return ZoneInfo(zone).key
