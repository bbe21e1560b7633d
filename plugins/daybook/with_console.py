"""The day book in the console: a day with its accounts and entries, and expenses."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from kernel.hooks import answers
from plugins.console.api import Heading, Listing, Nav, Page, Seen

SEE: Final = "daybook.see"

EXPENSES: Final = Listing(
    "daybook.expenses",
    (
        Heading("number", "Number"),
        Heading("business_date", "Day"),
        Heading("category", "For", "long"),
        Heading("method", "From"),
        Heading("amount", "Amount", "number"),
        Heading("state", "State"),
    ),
)


@answers
def console_nav() -> Sequence[Nav]:
    """The book, and expenses."""
    return (
        Nav("money", "Day book", "/daybook/days", "book-open", SEE, order=20),
        Nav("money", "Expenses", "/daybook/expenses", "hand-coins", SEE, order=30),
    )


@answers
def console_pages() -> Sequence[Page]:
    """A day, and the expenses."""
    return (
        Page("/days", "console/day.html", "Day book", SEE, _day),
        Page("/expenses", "console/expenses.html", "Expenses", SEE, _expenses, lists=EXPENSES),
    )


async def _day(seen: Seen) -> Mapping[str, Any]:
    """The day asked for; today where it is none."""
    date = _date(seen)
    place = seen.query.get("location_id")
    day, entries, places, titles = await asyncio.gather(
        seen.get(f"/daybook/days/{date}", location_id=place),
        seen.get("/daybook/entries", business_date=date, location_id=place, limit=100, cursor=seen.query.get("cursor")),
        seen.places(),
        seen.titles("/payments/methods"),
    )
    before, after = date - dt.timedelta(days=1), date + dt.timedelta(days=1)
    shown = {"book": day, "listed": entries, "places": places, "names": dict(places), "titles": titles}
    return {**shown, "before": before, "after": after}


async def _expenses(seen: Seen) -> Mapping[str, Any]:
    asked = {name: seen.query.get(name) for name in ("business_date", "location_id", "cursor")}
    listed, places, titles = await asyncio.gather(
        seen.get("/daybook/expenses", limit=50, **asked), seen.places(), seen.titles("/payments/methods")
    )
    reversed_ids = {one["reverses_id"] for one in listed["items"] if one["reverses_id"]}
    return {"listed": listed, "places": places, "titles": titles, "reversed_ids": reversed_ids}


def _date(seen: Seen) -> dt.date:
    try:
        asked = dt.date.fromisoformat(seen.query.get("date", ""))
    except ValueError:
        asked = dt.date.min
    if dt.date.min < asked < dt.date.max:  # beyond them there is no day before, or after
        return asked
    return dt.datetime.now(ZoneInfo((seen.business or {}).get("zone", "UTC"))).date()
