"""Payments and refunds in the console: listed, looked into, asked about, confirmed and given back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from plugins.console.api import Card, Nav, Page, Seen
from plugins.payments.schemas.states import OPEN_STATES, PAYMENT_STATES

SEE, REVIEW = "payments.see", "payments.review"


async def _list(seen: Seen) -> Mapping[str, Any]:
    names = ("method", "state", "business_date", "location_id", "cursor")
    asked = {name: seen.query.get(name) for name in names}
    listed, methods, places = await asyncio.gather(
        seen.get("/payments/payments", limit=50, **asked), seen.get("/payments/methods"), seen.places()
    )
    titles = {one["code"]: one["title"] for one in methods["items"]}
    return {"listed": listed, "titles": titles, "places": places, "names": dict(places), "states": PAYMENT_STATES}


async def _one(seen: Seen) -> Mapping[str, Any]:
    payment = await seen.get(f"/payments/payments/{seen.path['payment_id']}")
    places = dict(await seen.places())
    shown = {"payment": payment, "place": places.get(payment["location_id"], "–"), "states": PAYMENT_STATES}
    return {**shown, "is_open": payment["status"] in OPEN_STATES, "title": payment["subject_number"]}


async def _refunds(seen: Seen) -> Mapping[str, Any]:
    return {"listed": await seen.get("/payments/refunds", limit=50, cursor=seen.query.get("cursor"))}


async def _waiting(seen: Seen) -> Mapping[str, Any]:
    return {"listed": await seen.get("/payments/reviews", state="open", limit=6)}


NAVS: Final = (Nav("money", "Payments", "/payments/payments", "credit-card", SEE, order=10),)
PAGES: Final = (
    Page("/payments", "console/payments.html", "Payments", SEE, _list),
    Page("/payments/{payment_id}", "console/payment.html", "Payment", SEE, _one),
    Page("/refunds", "console/refunds.html", "Money given back", SEE, _refunds),
)
CARDS: Final = (
    Card("reviews", "Money to decide", "console/reviews_card.html", _waiting, REVIEW, "m", 25, "/payments/reviews"),
)
