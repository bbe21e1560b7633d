"""Reports in the console: the page with chart and table, and the cards of the dashboard."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from kernel.hooks import answers
from kernel.money import exponent, format_amount, parse_amount, round_ratio
from plugins.analytics.services.reporting import MOST_ROWS
from plugins.console.api import DENSE, Action, Card, Nav, Page, Seen, change, exact, share

BYS: Final = {
    "day": "By day",
    "weekday": "By day of the week",
    "hour": "By hour",
    "product": "By product",
    "method": "By way of paying",
    "cashier": "By cashier",
    "location": "By place",
}
"""Ways to add up → what they are called."""
PERIODS: Final = {
    **{"today": "Today", "7": "7 days", "30": "30 days", "month": "This month"},
    **{"last_month": "Last month", "90": "90 days"},
    "365": "12 months",
}
CATEGORIES: Final = {
    "standard": "Standard",
    "reduced": "Reduced",
    "zero": "Zero-rated",
    "exempt": "Exempt",
    "out_of_scope": "Out of scope",
}
"""Category of tax → what it is called."""
SOLD: Final = ("sales", "payments")
"""Where what the cards show changes."""
_BY_PRODUCT: Final = "/analytics/sales?by=product&period=7"


@answers
def console_nav() -> Sequence[Nav]:
    """The reports, and what a month ends with."""
    return (
        Nav("reports", "Reports", "/analytics/sales", "chart-column", "analytics.see", order=10),
        Nav("reports", "Month's end", "/analytics/month", "calendar-days", "analytics.see", order=20),
    )


@answers
def console_pages() -> Sequence[Page]:
    """One page for every way of adding up, and one for whoever closes a month."""
    return (
        Page("/sales", "console/report.html", "Reports", "analytics.see", _report),
        Page("/month", "console/month.html", "Month's end", "analytics.see", _month),
    )


@answers
def console_actions() -> Sequence[Action]:
    """From the sales to what a month ends with, and to its files."""
    return (Action("sales.sales", "month", "Month's end", "/analytics/month", "calendar-days", "analytics.see"),)


@answers
def console_cards() -> Sequence[Card]:
    """Today, by the hour, and how it was paid."""
    see, by = "analytics.see", "/analytics/sales?period=today&by={}".format
    return (
        Card("today", "Sales today", "console/today.html", _today, see, "l", 10, by("hour"), SOLD),
        Card("hours", "Sales by hour", "console/hours.html", _hours, see, "m", 20, by("hour"), SOLD),
        Card("days", "Last 14 days", "console/days.html", _days, see, "m", 22, "/analytics/sales?by=day", SOLD),
        Card("best", "Best sellers this week", "console/best.html", _best, see, "m", 32, _BY_PRODUCT, SOLD),
        Card("methods", "How it was paid", "console/methods.html", _methods, see, "m", 42, by("method"), SOLD),
    )


async def _report(seen: Seen) -> Mapping[str, Any]:
    by = seen.query.get("by", "day") if seen.query.get("by", "day") in BYS else "day"
    first, last = _period(seen)
    place = seen.query.get("location_id")
    report, places, titles = await asyncio.gather(
        _read(seen, by, first, last, place),
        seen.places(kind="storefront"),
        seen.titles("/payments/methods") if by == "method" else _nothing(),
    )
    shown = {
        "report": report,
        "most": MOST_ROWS,
        "by": by,
        "bys": BYS,
        "periods": PERIODS,
        "first": first,
        "last": last,
    }
    bars = [(seen.word(titles.get(label, label)), values) for label, values in _bars(report)]
    return shown | {"titles": titles, "places": places, "bars": bars, "is_dense": by == "day" and len(bars) > DENSE}


async def _month(seen: Seen) -> Mapping[str, Any]:
    """What was sold, what came in and the taxes of a period, the month before where none is asked for."""
    first, last = _period(seen, "last_month")
    place = seen.query.get("location_id")
    asked = {"from_date": first, "to_date": last, "location_id": place}
    sold, money, taxes, places, titles = await asyncio.gather(
        _read(seen, "day", first, last, place),
        _read(seen, "method", first, last, place),
        seen.get("/sales/tax-totals", **asked) if seen.may("sales.see") else _nothing(),
        seen.places(kind="storefront"),
        seen.titles("/payments/methods"),
    )
    return {
        **{"sold": sold, "money_in": money, "taxes": taxes, "places": places, "titles": titles},
        **{"net": _net(sold), "categories": CATEGORIES, "bys": BYS},
        **{"first": first, "last": last, "periods": {name: PERIODS[name] for name in ("month", "last_month")}},
        "asked": urlencode({name: value for name, value in asked.items() if value}),
    }


async def _today(seen: Seen) -> Mapping[str, Any]:
    """Today so far, beside the same day a week before: up to the same hour, and the whole of it."""
    (now, before), past = await asyncio.gather(_beside(seen), _fortnight(seen))
    digits = exponent(now["currency"])
    hour = seen.clock.hour
    by_now = [parse_amount(row["total"], digits) for row in before["rows"] if int(row["key"]) <= hour]
    then = format_amount(sum(by_now), digits)
    return {"today": now, "before": before, "then": then, "past": past, "change": change(now["total"], then)}


async def _fortnight(seen: Seen) -> Mapping[str, list[str]]:
    """Total, count and average of each of the last fourteen days, oldest first; the average only of days with sales."""
    report = await _last_days(seen)
    rows, digits = {row["key"]: row for row in report["rows"]}, exponent(report["currency"])
    found = [rows.get(day, {"total": "0", "count": 0}) for day, _ in _bars(report)]
    sold = [(parse_amount(row["total"], digits), row["count"]) for row in found if row["count"]]
    return {
        "total": [row["total"] for row in found],
        "count": [str(row["count"]) for row in found],
        "average": [format_amount(round_ratio(total, count), digits) for total, count in sold],
    }


async def _last_days(seen: Seen) -> Any:
    today = seen.clock.date()
    return await _read(seen, "day", today - dt.timedelta(days=13), today)


async def _hours(seen: Seen) -> Mapping[str, Any]:
    """Hour by hour from the first to the last in which anything was sold, today or a week before."""
    reports = await _beside(seen)
    sums = [{int(row["key"]): row["total"] for row in one["rows"]} for one in reports]
    hours = sorted({*sums[0], *sums[1]})
    span = range(hours[0], hours[-1] + 1) if hours else range(0)
    return {"rows": [(f"{hour:02}", [sums[0].get(hour, "0")]) for hour in span], "report": reports[0]}


async def _beside(seen: Seen) -> tuple[Any, Any]:
    """The hours of today, and those of the same day a week before."""
    today = seen.clock.date()
    week = today - dt.timedelta(days=7)
    return await asyncio.gather(_read(seen, "hour", today, today), _read(seen, "hour", week, week))


async def _methods(seen: Seen) -> Mapping[str, Any]:
    today = seen.clock.date()
    report, titles = await asyncio.gather(_read(seen, "method", today, today), seen.titles("/payments/methods"))
    most = max((row["total"] for row in report["rows"]), key=exact, default="0")
    return {"rows": [(row, share(row["total"], most)) for row in report["rows"]], "titles": titles}


async def _days(seen: Seen) -> Mapping[str, Any]:
    report = await _last_days(seen)
    return {"rows": [(str(int(day[8:])), sums) for day, sums in _bars(report)], "report": report}


async def _best(seen: Seen) -> Mapping[str, Any]:
    today = seen.clock.date()
    report = await _read(seen, "product", today - dt.timedelta(days=6), today)
    rows = report["rows"][:6]
    return {"rows": [(row, share(row["total"], rows[0]["total"])) for row in rows]}


async def _read(seen: Seen, by: str, first: dt.date, last: dt.date, place: str | None = None) -> Any:
    return await seen.get("/analytics/sales", by=by, from_date=first, to_date=last, location_id=place)


async def _nothing() -> Mapping[str, Any]:
    return {}


def _net(report: Mapping[str, Any]) -> str:
    """What was sold, without its tax."""
    digits = exponent(report["currency"])
    return format_amount(parse_amount(report["total"], digits) - parse_amount(report["tax"], digits), digits)


def _period(seen: Seen, otherwise: str = "30") -> tuple[dt.date, dt.date]:
    """The period that is asked for; a usual one where it is none."""
    today = seen.clock.date()
    try:
        first, last = (dt.date.fromisoformat(seen.query[name]) for name in ("from_date", "to_date"))
        return first, last
    except (KeyError, ValueError):
        pass
    asked = seen.query.get("period", otherwise)
    if asked == "today":
        return today, today
    if asked == "month":
        return today.replace(day=1), today
    if asked == "last_month":
        return month_before(today)
    return today - dt.timedelta(days=int(asked) - 1 if asked in PERIODS else 29), today


def month_before(day: dt.date) -> tuple[dt.date, dt.date]:
    """The first and the last day of the month before a day's."""
    last = day.replace(day=1) - dt.timedelta(days=1)
    return last.replace(day=1), last


def _bars(report: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """What the chart shows: all days of the period, or the first of what has no order."""
    rows = [(row["label"], [row["total"]]) for row in report["rows"]]
    if report["by"] != "day":
        return rows[:24]
    sums = dict(rows)
    first, last = (dt.date.fromisoformat(report[name]) for name in ("from_date", "to_date"))
    days = [str(first + dt.timedelta(days=more)) for more in range((last - first).days + 1)]
    return [(one, sums.get(one, ["0"])) for one in days]
