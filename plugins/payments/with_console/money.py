"""Payments and refunds in the console: listed, looked into, asked about, confirmed and given back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from plugins.console.api import Card, Heading, Listing, Nav, Notice, Page, Seen, Waiting, Waits
from plugins.payments.schemas.states import OPEN_STATES, PAYMENT_STATES

SEE, REVIEW = "payments.see", "payments.review"
PAYMENTS: Final = Listing(
    "payments.payments",
    (
        Heading("subject", "For"),
        Heading("taken_at", "When"),
        Heading("method", "How"),
        Heading("reference", "Reference", "long"),
        Heading("place", "Place"),
        Heading("state", "State"),
        Heading("amount", "Amount", "number"),
    ),
)


async def _list(seen: Seen) -> Mapping[str, Any]:
    names = ("method", "state", "business_date", "location_id", "cursor")
    asked = {name: seen.query.get(name) for name in names}
    listed, titles, places = await asyncio.gather(
        seen.get("/payments/payments", limit=50, **asked), seen.titles("/payments/methods"), seen.places()
    )
    return {"listed": listed, "titles": titles, "places": places, "names": dict(places), "states": PAYMENT_STATES}


async def _one(seen: Seen) -> Mapping[str, Any]:
    payment, places, titles = await asyncio.gather(
        seen.get(f"/payments/payments/{seen.path['payment_id']}"), seen.places(), seen.titles("/payments/methods")
    )
    place = dict(places).get(payment["location_id"], "–")
    shown = {"payment": payment, "place": place, "titles": titles, "states": PAYMENT_STATES}
    return {**shown, "is_open": payment["status"] in OPEN_STATES, "title": payment["subject_number"]}


async def _refunds(seen: Seen) -> Mapping[str, Any]:
    asked = {name: seen.query.get(name) for name in ("business_date", "method", "location_id", "cursor")}
    listed, places, titles = await asyncio.gather(
        seen.get("/payments/refunds", limit=50, **asked), seen.places(), seen.titles("/payments/methods")
    )
    return {"listed": listed, "places": places, "titles": titles}


async def _waiting(seen: Seen) -> Mapping[str, Any]:
    return {"listed": await seen.get("/payments/reviews", state="open", limit=6)}


async def _to_decide(seen: Seen) -> Waiting:
    found = await seen.get("/payments/reviews", state="open", limit=6, include_total=True)
    items = [
        Waits(
            seen.word(one["words"]),
            f"/payments/reviews/{one['id']}",
            one["subject_number"] or "",
            one["amount"] or "",
            one["currency"] or "",
        )
        for one in found["items"]
    ]
    return Waiting(items, found["total"])


NAVS: Final = (Nav("money", "Payments", "/payments/payments", "credit-card", SEE, order=10),)
PAGES: Final = (
    Page("/payments", "console/payments.html", "Payments", SEE, _list, lists=PAYMENTS),
    Page("/payments/{payment_id}", "console/payment.html", "Payment", SEE, _one, subject="payment"),
    Page("/refunds", "console/refunds.html", "Money given back", SEE, _refunds),
)
CARDS: Final = (
    Card("reviews", "Money to decide", "console/reviews_card.html", _waiting, REVIEW, "m", 50, "/payments/reviews"),
)
NOTICES: Final = (Notice("reviews", "Money to decide", "scale", _to_decide, REVIEW, "/payments/reviews", "warn", 20),)
