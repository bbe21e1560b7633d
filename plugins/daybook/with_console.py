"""The day book in the console: a day with its accounts and entries, and expenses."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kernel.hooks import answers
from kernel.money import exponent, format_amount, parse_amount
from plugins.console.api import Heading, Listing, Nav, Page, Seen

SEE: Final = "daybook.see"

MOVED: Final = {"opening": "Opening", "received": "In", "paid": "Out", "closing": "Closing"}
"""Figure of an account on a day → what it is called."""
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
        seen.get("/daybook/entries", business_date=date, location_id=place, limit=200, cursor=seen.query.get("cursor")),
        seen.places(),
        seen.titles("/payments/methods"),
    )
    before, after = date - dt.timedelta(days=1), date + dt.timedelta(days=1)
    shown = {"book": day, "listed": entries, "places": places, "names": dict(places), "titles": titles}
    digits = exponent(day["currency"])
    kept = parse_amount(day["sales_total"], digits) - parse_amount(day["voids_total"], digits)
    sums = [(label, _sum(day["accounts"], name, digits)) for name, label in MOVED.items()]
    more = {"kept": format_amount(kept, digits), "together": sums, "first": date.replace(day=1)}
    return {**shown, **more, "before": before, "after": after}


async def _expenses(seen: Seen) -> Mapping[str, Any]:
    asked = {name: seen.query.get(name) for name in ("business_date", "location_id", "cursor")}
    listed, places, titles = await asyncio.gather(
        seen.get("/daybook/expenses", limit=50, **asked), seen.places(), seen.titles("/payments/methods")
    )
    return {"listed": listed, "places": places, "titles": titles}


def _sum(accounts: Sequence[Mapping[str, Any]], name: str, digits: int) -> str:
    """All accounts together."""
    return format_amount(sum(parse_amount(one[name], digits) for one in accounts), digits)


def _date(seen: Seen) -> dt.date:
    try:
        asked = dt.date.fromisoformat(seen.query.get("date", ""))
    except ValueError:
        asked = dt.date.min
    if dt.date.min < asked < dt.date.max:  # beyond them there is no day before, or after
        return asked
    return seen.clock.date()
