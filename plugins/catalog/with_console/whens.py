"""When a price begins or ends: midnights of the shop that lie ahead, to choose from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from plugins.console.api import Seen

DAYS: Final = 14
MONTHS: Final = 4

Ahead = list[tuple[str, dt.date]]


def days_ahead(seen: Seen) -> Callable[[dt.datetime], Ahead]:
    """Now → the midnights ahead in the shop's zone, for a page that knows what time it is."""
    return partial(midnights, (seen.business or {}).get("zone", "UTC"))


def midnights(zone: str, now: dt.datetime) -> Ahead:
    """The next 14 days and the firsts of months after them, each with the instant at which it begins."""
    place = ZoneInfo(zone)
    today = now.astimezone(place).date()
    days = [today + dt.timedelta(days=ahead) for ahead in range(1, DAYS + 1)]
    month = today.replace(day=1)
    for _ in range(MONTHS):
        month = (month + dt.timedelta(days=32)).replace(day=1)
        if month > days[-1]:
            days.append(month)
    return [(_instant(day, place), day) for day in days]


def _instant(day: dt.date, place: ZoneInfo) -> str:
    at = dt.datetime.combine(day, dt.time.min, place).astimezone(dt.UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
