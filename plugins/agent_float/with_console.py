"""An agent's lines in the console: today by line, customers served, money moved, the day counted and closed."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from kernel.hooks import answers
from plugins.console.api import Nav, Page, Seen

SEE = "agent_float.see"


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
    return {**shown, "date": date, "before": date - step, "after": date + step}


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
    return dt.datetime.now(ZoneInfo((seen.business or {}).get("zone", "UTC"))).date()


def _date(seen: Seen) -> dt.date:
    try:
        return dt.date.fromisoformat(seen.query.get("date", ""))
    except ValueError:
        return _today(seen)
