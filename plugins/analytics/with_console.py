"""Reports in the console: the page with chart and table, and the cards of the dashboard."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from kernel.hooks import answers
from plugins.console.api import Card, Nav, Page, Seen

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
PERIODS: Final = {"today": "Today", "7": "7 days", "30": "30 days", "month": "This month", "90": "90 days"}


@answers
def console_nav() -> Sequence[Nav]:
    """The reports."""
    return (Nav("reports", "Reports", "/analytics/sales", "chart-column", "analytics.see", order=10),)


@answers
def console_pages() -> Sequence[Page]:
    """One page for every way of adding up."""
    return (Page("/sales", "console/report.html", "Reports", "analytics.see", _report),)


@answers
def console_cards() -> Sequence[Card]:
    """Today, by the hour, and how it was paid."""
    see = "analytics.see"
    return (
        Card(
            "today", "Sales today", "console/today.html", _today, see, "l", 10, "/analytics/sales?period=today&by=hour"
        ),
        Card(
            "hours",
            "Sales by hour",
            "console/hours.html",
            _hours,
            see,
            "m",
            20,
            "/analytics/sales?period=today&by=hour",
        ),
        Card(
            "methods", "How it was paid", "console/methods.html", _methods, see, "m", 30, "/analytics/sales?by=method"
        ),
        Card("days", "Last 14 days", "console/days.html", _days, see, "m", 40, "/analytics/sales?by=day"),
        Card(
            "products",
            "Best sellers this week",
            "console/best.html",
            _best,
            see,
            "m",
            50,
            "/analytics/sales?by=product",
        ),
    )


async def _report(seen: Seen) -> Mapping[str, Any]:
    by = seen.query.get("by", "day") if seen.query.get("by", "day") in BYS else "day"
    first, last = _period(seen)
    place = seen.query.get("location_id")
    report = await _read(seen, by, first, last, place)
    places = await seen.places(kind="storefront")
    shown = {"report": report, "by": by, "bys": BYS, "periods": PERIODS, "first": first, "last": last}
    return shown | {"places": places, "bars": _bars(report)}


async def _today(seen: Seen) -> Mapping[str, Any]:
    """Today so far, beside the whole of the same day a week before."""
    today = _now(seen).date()
    week = today - dt.timedelta(days=7)
    now, before = await asyncio.gather(_read(seen, "day", today, today), _read(seen, "day", week, week))
    return {"today": now, "before": before, "change": _change(now["total"], before["total"])}


async def _hours(seen: Seen) -> Mapping[str, Any]:
    today = _now(seen).date()
    week = today - dt.timedelta(days=7)
    now, before = await asyncio.gather(_read(seen, "hour", today, today), _read(seen, "hour", week, week))
    sums = [{row["label"]: float(row["total"]) for row in one["rows"]} for one in (now, before)]
    labels = sorted({*sums[0], *sums[1]})
    return {"rows": [(label, [sums[0].get(label, 0)]) for label in labels], "report": now}


async def _methods(seen: Seen) -> Mapping[str, Any]:
    today = _now(seen).date()
    return {"report": await _read(seen, "method", today - dt.timedelta(days=6), today)}


async def _days(seen: Seen) -> Mapping[str, Any]:
    today = _now(seen).date()
    first = today - dt.timedelta(days=13)
    report = await _read(seen, "day", first, today)
    sums = {row["key"]: float(row["total"]) for row in report["rows"]}
    days = [first + dt.timedelta(days=more) for more in range(14)]
    return {"rows": [(str(one.day), [sums.get(str(one), 0)]) for one in days], "report": report}


async def _best(seen: Seen) -> Mapping[str, Any]:
    today = _now(seen).date()
    report = await _read(seen, "product", today - dt.timedelta(days=6), today)
    return {"rows": report["rows"][:6], "top": max((float(row["total"]) for row in report["rows"]), default=0)}


async def _read(seen: Seen, by: str, first: dt.date, last: dt.date, place: str | None = None) -> Any:
    return await seen.get("/analytics/sales", by=by, from_date=first, to_date=last, location_id=place)


def _period(seen: Seen) -> tuple[dt.date, dt.date]:
    """The period that is asked for; the last thirty days where it is none."""
    today = _now(seen).date()
    try:
        first, last = (dt.date.fromisoformat(seen.query[name]) for name in ("from_date", "to_date"))
        return first, last
    except (KeyError, ValueError):
        pass
    asked = seen.query.get("period", "30")
    if asked == "today":
        return today, today
    if asked == "month":
        return today.replace(day=1), today
    return today - dt.timedelta(days=int(asked) - 1 if asked in PERIODS else 29), today


def _bars(report: Mapping[str, Any]) -> list[tuple[str, list[float]]]:
    """What the chart shows: all days of the period, or the first of what has no order."""
    rows = [(row["label"], [max(0.0, float(row["total"]))]) for row in report["rows"]]
    if report["by"] != "day":
        return rows[:24]
    sums = dict(rows)
    first, last = (dt.date.fromisoformat(report[name]) for name in ("from_date", "to_date"))
    days = [str(first + dt.timedelta(days=more)) for more in range((last - first).days + 1)]
    return [(one[8:], sums.get(one, [0.0])) for one in days]


def _change(now: str, before: str) -> str:
    """By how many per cent more or less; nothing where there was nothing before."""
    if not float(before):
        return ""
    return f"{(float(now) - float(before)) / float(before) * 100:+.0f} %"


def _now(seen: Seen) -> dt.datetime:
    return dt.datetime.now(ZoneInfo((seen.business or {}).get("zone", "UTC")))
