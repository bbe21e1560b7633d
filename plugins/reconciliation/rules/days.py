"""Days by the clock of who states them, whatever that clock does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from msgspec import Struct


class Bounds(Struct, frozen=True):
    """The instants from which on and before which a day is."""

    since: dt.datetime
    until: dt.datetime


def is_sane(day: dt.date) -> bool:
    """Whether a day is one of a shop: from 1970 to 2199, so that it can be reckoned with in every zone."""
    return 1970 <= day.year < 2200


def day_of(at: dt.datetime, zone: str) -> dt.date:
    """The day on which an instant falls."""
    return at.astimezone(ZoneInfo(zone)).date()


def bounds_of(day: dt.date, zone: str) -> Bounds:
    """Where a day begins and ends; one on which clocks are changed is longer or shorter."""
    return Bounds(_midnight(day, zone), _midnight(day + dt.timedelta(days=1), zone))


def whole_days(since: dt.datetime, until: dt.datetime, zone: str) -> list[dt.date]:
    """The days that lie wholly between two instants."""
    first, last = day_of(since, zone), day_of(until, zone)
    return [one for one in days_between(first, last) if _lies_in(bounds_of(one, zone), since, until)]


def days_between(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    """Every day from one to another, both included; at most 3,700."""
    for place in range(min((last - first).days + 1, 3_700)):
        yield first + dt.timedelta(days=place)


def window_of(
    now: dt.datetime, known_until: dt.datetime | None, zone: str, reaches_back: dt.timedelta
) -> tuple[dt.datetime, dt.datetime]:
    """What to ask a provider for: from the beginning of the day before yesterday, or of the last day that is not known
    whole, as far back as it can be asked, up to now.
    """
    wanted = bounds_of(day_of(now, zone) - dt.timedelta(days=2), zone).since
    if known_until is not None:
        wanted = min(wanted, bounds_of(day_of(known_until, zone), zone).since)
    return max(wanted, now - reaches_back), now


def _midnight(day: dt.date, zone: str) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), ZoneInfo(zone)).astimezone(dt.UTC)


def _lies_in(day: Bounds, since: dt.datetime, until: dt.datetime) -> bool:
    return since <= day.since and day.until <= until
