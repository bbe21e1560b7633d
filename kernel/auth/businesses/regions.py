"""Regions and time zones that exist."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import cache
from typing import Final
from zoneinfo import available_timezones

import sqlalchemy as sa
from babel.core import get_global
from babel.numbers import get_territory_currencies
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from kernel.db.tables import Business
from kernel.errors import Invalid
from kernel.money import CURRENCIES
from kernel.work import Work

NO_REGION: Final = "No such region; ISO 3166-1, two capital letters"


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
        raise Invalid.at("/region", NO_REGION)
    if zone not in _zones():
        raise Invalid.at("/zone", "No such time zone; an IANA name such as Africa/Nairobi")


def zone_of(region: str) -> str:
    """A time zone for a region, where none was given: the only one it has, or that of most of its people."""
    if region in _FIRST:
        return _FIRST[region]
    return next(iter(zones_of(region)), "UTC")


@cache
def zones_of(region: str) -> tuple[str, ...]:
    """The time zones of a region, the usual one first; none where the CLDR knows none."""
    known = sorted(zone for zone, where in get_global("zone_territories").items() if where == region)
    return tuple(sorted((zone for zone in known if zone in _zones()), key=lambda zone: zone != _FIRST.get(region)))


@cache
def currency_of(region: str) -> str | None:
    """The currency of a region, None where the CLDR knows none that Duka does."""
    usual = [code for code in get_territory_currencies(region) if code in CURRENCIES]
    return usual[0] if usual else _EURO.get(region)


def usual_currency(region: str) -> str:
    """The currency of a region. Raises Invalid where it has none that is known, or is none."""
    if region not in regions():
        raise Invalid.at("/region", NO_REGION)
    if (found := currency_of(region)) is None:
        raise Invalid.at("/currency", "Name the currency; the region has none that is known")
    return found


_FIRST: Final[Mapping[str, str]] = {
    **{"US": "America/New_York", "CA": "America/Toronto", "MX": "America/Mexico_City", "BR": "America/Sao_Paulo"},
    **{"AR": "America/Argentina/Buenos_Aires", "CL": "America/Santiago", "EC": "America/Guayaquil"},
    **{"AU": "Australia/Sydney", "NZ": "Pacific/Auckland", "ID": "Asia/Jakarta", "MY": "Asia/Kuala_Lumpur"},
    **{"CN": "Asia/Shanghai", "MN": "Asia/Ulaanbaatar", "KZ": "Asia/Almaty", "UZ": "Asia/Tashkent"},
    **{"RU": "Europe/Moscow", "UA": "Europe/Kyiv", "DE": "Europe/Berlin", "ES": "Europe/Madrid"},
    **{"PT": "Europe/Lisbon", "CY": "Asia/Nicosia", "CD": "Africa/Kinshasa", "PS": "Asia/Gaza"},
}
"""Of regions with several time zones that of most of their people."""
_EURO: Final[Mapping[str, str]] = {"BG": "EUR"}
"""Newer than the CLDR at hand: Bulgaria has had the euro since 2026."""
