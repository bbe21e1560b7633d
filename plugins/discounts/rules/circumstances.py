"""Whether an offer is for a customer, an hour and a place at all; if not, why, in words for a cashier."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from plugins.discounts.schemas.terms import Circumstances, Terms, When

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY_MINUTES: Final = 24 * 60


def closed_because(terms: Terms, here: Circumstances) -> str:
    """Why it is not for this cart, or nothing."""
    return next(_reasons(terms, here), "")


def _reasons(terms: Terms, here: Circumstances) -> Iterator[str]:
    when = terms.when
    if when.location_ids and here.location_id not in when.location_ids:
        yield "not at this shop"
    if when.channels and here.channel not in when.channels:
        yield f"for {' and '.join(when.channels)} only"
    if not _is_hour(when, here):
        yield f"only {hours(when)}"
    if here.customer_id is None and (when.group_ids or terms.per_customer is not None):
        yield "for a customer who is named"
    if when.group_ids and here.group_id not in when.group_ids:
        yield "for another group of customers"
    if when.first_purchase and here.has_bought:
        yield "for a first purchase"


def hours(when: When) -> str:
    """Its days and hours in words: `Monday, Friday from 16:00 to 18:00`."""
    days = ", ".join(DAYS[day - 1] for day in when.days) or "every day"
    if when.from_time is None and when.until_time is None:
        return days
    return f"{days} from {clock(when.from_time or 0)} to {clock(when.until_time or _DAY_MINUTES)}"


def clock(minutes: int) -> str:
    """Minutes of the day as a clock shows them."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _is_hour(when: When, here: Circumstances) -> bool:
    """From the first minute up to, not including, the last; after midnight a night still belongs to its evening."""
    begin, end = when.from_time or 0, when.until_time or _DAY_MINUTES
    now, day = here.local.hour * 60 + here.local.minute, here.local.isoweekday()
    if begin >= end:
        is_evening = now >= begin
        if not is_evening and now >= end:
            return False
        day = day if is_evening else (day - 2) % 7 + 1
    elif not begin <= now < end:
        return False
    return not when.days or day in when.days
