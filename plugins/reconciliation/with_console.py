"""Reconciliation in the console: days, what does not agree and what is decided about it, statements taken in."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from kernel.hooks import answers
from plugins.console.api import Card, Heading, Listing, Nav, Notice, Page, Seen, Waiting, Waits, part

SEE, MANAGE = "reconciliation.see", "reconciliation.manage"
KINDS: Final = {
    "missing_here": "Nobody here knows it",
    "missing_there": "Not stated",
    "amount_diff": "Another amount",
    "fee_diff": "Another fee",
    "duplicate": "Stated twice",
    "refund_here": "A refund nobody made",
    "settlement_diff": "A payout that does not add up",
    "restated": "Stated again in another amount",
}
"""Kind of difference → what it is called."""
STATES: Final = {"open": ("Open", "warn"), "resolved": ("Decided", "ok"), "cleared": ("Cleared by itself", "info")}
RESOLUTIONS: Final = {
    "claim": "Put the money onto an open sale",
    "record_fee": "The provider kept it: book it as a fee",
    "accept": "Book it as over or short",
    "write_off": "Write it off as lost",
    "unidentified": "Keep it as money of somebody not known yet",
    "not_ours": "It is not our money",
    "dismiss": "There is nothing to book",
}
"""Resolution → what it does."""
IMPORTS: Final = {
    "checking": ("Being read", "warn"),
    "checked": ("Ready to take in", "info"),
    "applying": ("Being taken in", "warn"),
    "applied": ("Taken in", "ok"),
}


COLUMNS: Final = {
    "date": "Date",
    "time": "Time, where it stands by itself",
    "number": "The provider's number",
    "reference": "Our reference",
    "amount": "Amount, with its sign",
    "credit": "Paid in",
    "debit": "Paid out",
    "fee": "Fee",
    "tax": "Tax on the fee",
    "net": "Net",
    "payer": "Payer",
    "words": "Words",
    "kind": "Kind",
    "state": "State",
    "settlement": "Payout it belongs to",
    "settlement_number": "The bank's number of the payout",
    "balance": "Balance",
    "currency": "Currency",
}
"""What a column of a file may say → what it is called."""
PLAIN: Final[Mapping[str, Any]] = {
    **{"header_row": 1, "date_order": "dmy", "decimal": ".", "swaps_sign": False, "rrn_in_words": False, "kinds": {}},
}
"""A layout with nothing particular."""

DIFFERENCES: Final = Listing(
    "reconciliation.differences",
    (
        Heading("kind", "What"),
        Heading("source", "Source"),
        Heading("day", "Day"),
        Heading("amount", "Amount", "number"),
        Heading("state", "State"),
    ),
    empties=("state",),
)
SETTLEMENTS: Final = Listing(
    "reconciliation.settlements",
    (
        Heading("number", "Number"),
        Heading("source", "Source"),
        Heading("days", "Days"),
        Heading("gross", "Gross", "number"),
        Heading("kept", "Kept", "number"),
        Heading("net", "Net", "number"),
        Heading("paid_out", "Paid out", "number"),
        Heading("arrived", "Arrived", "number"),
        Heading("state", "State"),
    ),
)
DEPOSITS: Final = Listing(
    "reconciliation.deposits",
    (
        Heading("reference", "Slip"),
        Heading("source", "Bank"),
        Heading("business_date", "Business day"),
        Heading("place", "Place"),
        Heading("by", "By"),
        Heading("amount", "Amount", "number"),
        Heading("state", "State"),
    ),
)
LINES: Final = Listing(
    "reconciliation.lines",
    (
        Heading("number", "Number", "long"),
        Heading("source", "Source"),
        Heading("occurred_at", "When"),
        Heading("gross", "Gross", "number"),
        Heading("fee", "Fee", "number"),
        Heading("net", "Net", "number"),
        Heading("outcome", "What came of it"),
    ),
)


@answers
def console_nav() -> Sequence[Nav]:
    """Where the days and the differences are."""
    return (
        Nav("money", "Reconciliation", "/reconciliation/days", "git-compare", SEE, order=40),
        Nav("money", "Differences", "/reconciliation/differences", "scale", SEE, order=45),
    )


@answers
def console_pages() -> Sequence[Page]:
    """Days, the truth of one, differences, settlements, sources and their files."""
    return (
        Page("/days", "console/recon_day.html", "Reconciliation", SEE, _day),
        Page("/truth", "console/truth.html", "Is the money there?", SEE, _truth),
        Page("/differences", "console/differences.html", "Differences", SEE, _differences, lists=DIFFERENCES),
        Page(
            "/differences/{difference_id}",
            "console/difference.html",
            "Difference",
            SEE,
            _difference,
            subject="difference",
        ),
        Page("/settlements", "console/settlements.html", "Settlements", SEE, _settlements, lists=SETTLEMENTS),
        Page("/sources", "console/sources.html", "Who states money", SEE, _sources),
        Page("/sources/{source_id}", "console/source.html", "Source", SEE, _source, subject="source"),
        Page("/sources/{source_id}/layout", "console/file_layout.html", "How its files are read", MANAGE, _layout),
        Page("/deposits", "console/deposits.html", "Cash taken to the bank", SEE, _deposits, lists=DEPOSITS),
        Page("/imports/{statement_id}", "console/import.html", "Statement", SEE, _import, subject="statement"),
        Page("/lines", "console/statement_lines.html", "Lines of statements", SEE, _lines, lists=LINES),
    )


@answers
def console_cards() -> Sequence[Card]:
    """Differences that wait for a decision."""
    return (
        Card(
            *("differences", "Differences", "console/differences_card.html", _waiting, "reconciliation.resolve"),
            *("m", 52, "/reconciliation/differences?state=open"),
        ),
    )


@answers
def console_notices() -> Sequence[Notice]:
    """The same, for the bell."""
    return (
        Notice(
            *("differences", "Differences", "git-compare", _to_decide, "reconciliation.resolve"),
            *("/reconciliation/differences?state=open", "warn", 30),
        ),
    )


async def _to_decide(seen: Seen) -> Waiting:
    found = await seen.get("/reconciliation/differences", state="open", limit=6, include_total=True)
    items = [
        Waits(
            *(seen.word(KINDS[one["kind"]]), f"/reconciliation/differences/{one['id']}", str(one["day"])),
            *(one["amount"], one["currency"]),
        )
        for one in found["items"]
    ]
    return Waiting(items, found["total"])


async def _day(seen: Seen) -> Mapping[str, Any]:
    date = _date(seen)
    report, settled = await asyncio.gather(
        seen.get(f"/reconciliation/days/{date}", source_id=seen.query.get("source_id")),
        seen.get("/reconciliation/settlements", since=date - min(dt.timedelta(days=14), date - dt.date.min)),
    )
    week = {"week_before": date - min(dt.timedelta(days=6), date - dt.date.min)}
    return {"report": report, "settled": settled["items"][:6], **_around(date), **week}


async def _truth(seen: Seen) -> Mapping[str, Any]:
    date = _date(seen)
    told, places, titles = await asyncio.gather(
        seen.get(f"/reconciliation/truth/{date}", location_id=seen.query.get("location_id")),
        seen.places(),
        seen.titles("/payments/methods"),
    )
    return {"told": told, "places": places, "names": dict(places), "titles": titles, **_around(date)}


async def _differences(seen: Seen) -> Mapping[str, Any]:
    asked = {name: seen.query.get(name) for name in ("source_id", "kind", "day", "cursor")}
    state = seen.query.get("state", "open")
    listed, sources = await asyncio.gather(
        seen.get("/reconciliation/differences", limit=50, state=state, **asked), _named(seen)
    )
    shown = {"listed": listed, "sources": sources, "names": dict(sources), "state": state}
    return {**shown, "kinds": KINDS, "states": STATES}


async def _difference(seen: Seen) -> Mapping[str, Any]:
    whole, sources = await asyncio.gather(
        seen.get(f"/reconciliation/differences/{seen.path['difference_id']}"), _named(seen)
    )
    found = whole["difference"]
    may = [one for one in found["resolutions"] if one != "write_off" or seen.may("reconciliation.write_off")]
    shown = {"whole": whole, "one": found, "source": dict(sources).get(found["source_id"], "–"), "offered": may}
    return {**shown, "kinds": KINDS, "states": STATES, "resolutions": RESOLUTIONS}


async def _waiting(seen: Seen) -> Mapping[str, Any]:
    return {"listed": await seen.get("/reconciliation/differences", state="open", limit=6), "kinds": KINDS}


async def _settlements(seen: Seen) -> Mapping[str, Any]:
    asked = {name: seen.query.get(name) for name in ("source_id", "since")}
    listed, sources = await asyncio.gather(seen.get("/reconciliation/settlements", **asked), _named(seen))
    return {"listed": listed, "sources": sources, "names": dict(sources)}


async def _sources(seen: Seen) -> Mapping[str, Any]:
    listed, places = await asyncio.gather(seen.get("/reconciliation/sources", limit=200), seen.places())
    return {"listed": listed, "places": places, "methods": await _methods(seen)}


async def _source(seen: Seen) -> Mapping[str, Any]:
    source_id = seen.path["source_id"]
    (source, tag), files, methods = await asyncio.gather(
        seen.get_tagged(f"/reconciliation/sources/{source_id}"),
        seen.get("/reconciliation/imports", source_id=source_id, limit=20),
        _methods(seen),
    )
    shown = {"source": source, "tag": tag, "files": files, "methods": methods, "states": IMPORTS}
    return {**shown, "title": source["name"]}


async def _layout(seen: Seen) -> Mapping[str, Any]:
    """As the source keeps it; else as a file of it was read."""
    (source, tag), file = await asyncio.gather(
        seen.get_tagged(f"/reconciliation/sources/{seen.path['source_id']}"),
        _none() if not seen.query.get("file") else seen.look(f"/reconciliation/imports/{part(seen.query['file'])}"),
    )
    layout = (file or {}).get("layout") or source["layout"] or {"columns": {}}
    return {"source": source, "tag": tag, "read": {**PLAIN, **layout}, "columns": COLUMNS, "title": source["name"]}


async def _deposits(seen: Seen) -> Mapping[str, Any]:
    asked = {name: seen.query.get(name) for name in ("location_id", "business_date", "cursor")}
    listed, sources, places = await asyncio.gather(
        seen.get("/reconciliation/deposits", limit=50, **asked),
        seen.get("/reconciliation/sources", is_on=True, limit=200),
        seen.places(),
    )
    banks = [(one["id"], one["name"]) for one in sources["items"] if one["is_bank"]]
    back = {one["reverses_id"] for one in listed["items"] if one["reverses_id"]}
    shown = {"listed": listed, "banks": banks, "places": places, "names": dict(places), "back": back}
    return {**shown, "today": _date(seen), "sources": {one["id"]: one["name"] for one in sources["items"]}}


async def _none() -> None:
    """Nothing was asked for."""


async def _import(seen: Seen) -> Mapping[str, Any]:
    told, sources = await asyncio.gather(seen.get(f"/reconciliation/imports/{seen.path['statement_id']}"), _named(seen))
    return {"file": told, "source": dict(sources).get(told["source_id"], "–"), "states": IMPORTS}


async def _lines(seen: Seen) -> Mapping[str, Any]:
    names = ("source_id", "outcome", "day", "money_key", "cursor")
    asked = {name: seen.query.get(name) for name in names}
    listed, sources = await asyncio.gather(seen.get("/reconciliation/lines", limit=50, **asked), _named(seen))
    return {"listed": listed, "sources": sources, "names": dict(sources)}


async def _named(seen: Seen) -> list[tuple[str, str]]:
    found = await seen.get("/reconciliation/sources", limit=200)
    return [(one["id"], one["name"]) for one in found["items"]]


async def _methods(seen: Seen) -> list[tuple[str, str]]:
    return list((await seen.titles("/payments/methods")).items())


def _date(seen: Seen) -> dt.date:
    try:
        return dt.date.fromisoformat(seen.query.get("date", ""))
    except ValueError:
        return dt.datetime.now(ZoneInfo((seen.business or {}).get("zone", "UTC"))).date()


def _around(date: dt.date) -> dict[str, Any]:
    if not dt.date.min < date < dt.date.max:
        return {"date": date, "before": date, "after": date}
    return {"date": date, "before": date - dt.timedelta(days=1), "after": date + dt.timedelta(days=1)}
