"""An agent's lines in the console: today by line, customers served, money moved, the day counted and closed."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from kernel.hooks import answers
from plugins.console.api import Nav, Notice, Page, Seen, Waiting, Waits

SEE, CLOSE = "agent_float.see", "agent_float.close"
MOVES = ("deposits", "withdrawals", "transfers", "commission", "capital", "reversals")


@answers
def console_nav() -> Sequence[Nav]:
    """Where an agent's day is."""
    return (Nav("money", "Agent float", "/agent_float/day", "smartphone", SEE, order=35),)


@answers
def console_pages() -> Sequence[Page]:
    """The day by line, serving, moving, closing, what was noted, and the lines."""
    return (
        Page("/day", "console/float_day.html", "Agent float", SEE, _day),
        Page("/serve", "console/serve.html", "Deposit or withdrawal", "agent_float.serve", _lines),
        Page("/move", "console/move.html", "Move money", "agent_float.move", _lines),
        Page("/close", "console/close.html", "Close the day", "agent_float.close", _close),
        Page(
            "/transactions/{transaction_id}",
            "console/float_transaction.html",
            "Transaction",
            SEE,
            _transaction,
            subject="agent_float.transaction",
        ),
        Page("/lines", "console/float_lines.html", "Lines", "agent_float.manage", _lines),
    )


@answers
def console_notices() -> Sequence[Notice]:
    """Lines whose day nobody counted."""
    to = "/agent_float/close"
    return (Notice("unclosed", "Days not closed", "calendar-days", _unclosed, CLOSE, to, "warn", 35),)


async def _unclosed(seen: Seen) -> Waiting:
    """Lines that moved yesterday and were not closed; closing them today makes good for it."""
    yesterday = _today(seen) - dt.timedelta(days=1)
    told, lines = await asyncio.gather(
        seen.get(f"/agent_float/days/{yesterday}"), seen.get("/agent_float/lines", limit=200)
    )
    closed = {one["id"] for one in lines["items"] if (one["closed_through"] or "") >= str(yesterday)}
    rows = [one for one in told["lines"] if one["kind"] != "bank" and one["line_id"] not in closed and _moved(one)]
    word = seen.word("Not counted since yesterday")
    return Waiting([Waits(one["name"], "/agent_float/close", word) for one in rows])


def _moved(line: Mapping[str, Any]) -> bool:
    """Whether anything moved on a line that day."""
    return any(Decimal(line[name]) for name in MOVES)


async def _day(seen: Seen) -> Mapping[str, Any]:
    date, place = _date(seen), seen.query.get("location_id")
    told, places, noted = await asyncio.gather(
        seen.get(f"/agent_float/days/{date}", location_id=place),
        seen.places(),
        seen.get(
            "/agent_float/transactions",
            **{"business_date": date, "location_id": place, "limit": 50, "cursor": seen.query.get("cursor")},
        ),
    )
    is_edge = date in (dt.date.min, dt.date.max)
    step = dt.timedelta(days=0 if is_edge else 1)
    shown = {"told": told, "places": places, "noted": noted, "is_today": date == _today(seen)}
    shown["others"] = {one["line_id"]: _other(one) for one in told["lines"]}
    return {**shown, "date": date, "before": date - step, "after": date + step}


def _other(line: Mapping[str, Any]) -> str:
    """What moved on a line that day by capital, by differences at closing, and by what was taken back."""
    return str(sum(Decimal(line[name]) for name in ("capital", "variance", "reversals")))


async def _lines(seen: Seen) -> Mapping[str, Any]:
    found, places = await asyncio.gather(seen.get("/agent_float/lines", limit=200), seen.places())
    rows = found["items"]
    used = [one for one in rows if one["is_active"]]
    return {
        "rows": rows,
        "places": places,
        "names": dict(places),
        "cash": [one for one in used if one["kind"] == "cash"],
        "floats": [one for one in used if one["kind"] == "float"],
        "all": used,
    }


async def _close(seen: Seen) -> Mapping[str, Any]:
    found = await seen.get("/agent_float/lines", limit=200, location_id=seen.query.get("location_id"))
    today = str(_today(seen))
    rows = [one for one in found["items"] if one["is_active"] and one["kind"] != "bank"]
    return {"rows": [one for one in rows if (one["closed_through"] or "") < today]}


async def _transaction(seen: Seen) -> Mapping[str, Any]:
    found, lines = await asyncio.gather(
        seen.get(f"/agent_float/transactions/{seen.path['transaction_id']}"), seen.get("/agent_float/lines", limit=200)
    )
    return {"one": found, "names": {line["id"]: line["name"] for line in lines["items"]}, "title": found["number"]}


def _today(seen: Seen) -> dt.date:
    return seen.clock.date()


def _date(seen: Seen) -> dt.date:
    try:
        return dt.date.fromisoformat(seen.query.get("date", ""))
    except ValueError:
        return _today(seen)
