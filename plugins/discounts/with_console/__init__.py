"""Promotions and coupons in the console: drawn up, tried on past sales, activated, ended; codes made and withdrawn."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from kernel.hooks import answers
from plugins.console.api import Heading, Listing, Nav, Page, Seen
from plugins.discounts.with_console import why_not

SEE, EDIT, COUPONS = "discounts.see", "discounts.edit", "discounts.coupons"
STATES: Final = {"draft": ("Draft", ""), "active": ("Active", "ok"), "ended": ("Ended", "info")}
"""State of a promotion → what it is called, and the colour of its pill."""
COUPON_STATES: Final = {
    **{"unused": ("Unused", "ok"), "partly_used": ("Partly used", "ok"), "used_up": ("Used up", "info")},
    **{"expired": ("Expired", "info"), "withdrawn": ("Withdrawn", "bad")},
}
"""The same of a coupon."""
KINDS: Final = {
    "percent": ("Percentage off", "percent", "10 % off rice, or off the whole basket"),
    "amount_off": ("Amount off", "banknote", "50 off each, or once off the basket"),
    "set_price": ("New price", "tag", "another price while it runs"),
    "any_for": ("Any so many for", "layers", "any 3 for 100"),
    "buy_get": ("Buy some, get some", "gift", "buy 2, get 1 free"),
    "cheapest_free": ("Cheapest free", "badge-percent", "of every 3 the cheapest is free"),
    "basket": ("Big basket", "shopping-cart", "from 1,000 on, 5 % off everything"),
    "happy": ("Happy hour", "clock", "20 % off on Fridays from 16:00 to 18:00"),
}
"""What a form is for → its title, its picture, an example."""
DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LASTS: Final = (50, 100, 300)

PROMOTIONS: Final = Listing(
    "discounts.promotions",
    (
        Heading("name", "Name"),
        Heading("words", "What it does"),
        Heading("starts_at", "From"),
        Heading("ends_at", "Until"),
        Heading("state", "State"),
    ),
)
ALL_COUPONS: Final = Listing(
    "discounts.coupons",
    (
        Heading("code", "Code"),
        Heading("promotion", "Promotion"),
        Heading("remaining", "Left", "number"),
        Heading("expires_at", "Good until"),
        Heading("state", "State"),
    ),
)


@answers
def console_nav() -> Sequence[Nav]:
    """Where promotions and coupons are."""
    return (
        Nav("goods", "Promotions", "/discounts/promotions", "badge-percent", SEE, order=50),
        Nav("goods", "Coupons", "/discounts/coupons", "ticket", COUPONS, order=55),
    )


@answers
def console_pages() -> Sequence[Page]:
    """Promotions, one of them, its form and its trial; coupons, one of them, and new ones."""
    return (
        Page("/promotions", "console/promotions.html", "Promotions", SEE, _list, lists=PROMOTIONS),
        Page("/promotions/new", "console/promotion_form.html", "New promotion", EDIT, _new),
        Page("/promotions/{promotion_id}", "console/promotion.html", "Promotion", SEE, _one, subject="promotion"),
        Page("/promotions/{promotion_id}/change", "console/promotion_form.html", "Change promotion", EDIT, _change),
        Page("/promotions/{promotion_id}/try", "console/trial.html", "Try on past sales", EDIT, _trial),
        Page("/why-not", "console/why_not.html", "Why not?", SEE, why_not.read),
        Page("/coupons", "console/coupons.html", "Coupons", COUPONS, _coupons, lists=ALL_COUPONS),
        Page("/coupons/new", "console/new_coupons.html", "New coupons", EDIT, _new_coupons),
        Page("/coupons/{coupon_id}", "console/coupon.html", "Coupon", COUPONS, _coupon),
    )


async def _list(seen: Seen) -> Mapping[str, Any]:
    asked = {name: seen.query.get(name) for name in ("state", "kind", "cursor")}
    listed = await seen.get("/discounts/promotions", limit=50, **asked)
    return {"listed": listed, "states": STATES, "kinds": KINDS}


async def _one(seen: Seen) -> Mapping[str, Any]:
    path = f"/discounts/promotions/{seen.path['promotion_id']}"
    (promotion, tag), goods = await asyncio.gather(seen.get_tagged(path), _goods(seen))
    coupons = None
    if promotion["by_coupon"] and seen.may(COUPONS):
        coupons = await seen.get("/discounts/coupons", promotion_id=promotion["id"], limit=10)
    named = _named(promotion, goods)
    shown = {"promotion": promotion, "tag": tag, "named": named, "coupons": coupons, "title": promotion["name"]}
    ends = _local(seen, promotion["ends_at"])
    return {**shown, "states": STATES, "days": DAYS, "ends": ends, "can_change": promotion["kind"] in KINDS}


async def _new(seen: Seen) -> Mapping[str, Any]:
    asked = seen.query.get("kind", "")
    goods = await _goods(seen) if asked in KINDS else ([], [])
    return {"promotion": None, "tag": "", "kind": asked if asked in KINDS else "", **_form(seen, goods)}


async def _change(seen: Seen) -> Mapping[str, Any]:
    path = f"/discounts/promotions/{seen.path['promotion_id']}"
    (promotion, tag), goods = await asyncio.gather(seen.get_tagged(path), _goods(seen))
    times = {"starts": _local(seen, promotion["starts_at"]), "ends": _local(seen, promotion["ends_at"])}
    return {"promotion": promotion, "tag": tag, "kind": promotion["kind"], **_form(seen, goods), **times}


async def _trial(seen: Seen) -> Mapping[str, Any]:
    promotion_id = seen.path["promotion_id"]
    last = int(seen.query["last"]) if seen.query.get("last") in {str(one) for one in LASTS} else 100
    promotion, told = await asyncio.gather(
        seen.get(f"/discounts/promotions/{promotion_id}"),
        seen.post("/discounts/simulate", {"promotion_ids": [promotion_id], "last": last}),
    )
    return {"promotion": promotion, "told": told, "last": last, "lasts": [(one, str(one)) for one in LASTS]}


async def _coupons(seen: Seen) -> Mapping[str, Any]:
    asked = {name: value for name in ("promotion_id", "batch_id", "state") if (value := seen.query.get(name))}
    code = seen.query.get("q", "").strip()
    said = {"code": code if len(code) > 2 else None, "cursor": seen.query.get("cursor")}
    listed, promotions = await asyncio.gather(
        seen.get("/discounts/coupons", limit=50, **said, **asked), _by_coupon(seen)
    )
    shown = {"listed": listed, "promotions": promotions, "names": dict(promotions), "coupon_states": COUPON_STATES}
    return {**shown, "asked_query": urlencode(asked), "is_filtered": bool(asked)}


async def _new_coupons(seen: Seen) -> Mapping[str, Any]:
    return {"promotions": await _by_coupon(seen), "zone": _zone(seen)}


async def _coupon(seen: Seen) -> Mapping[str, Any]:
    coupon, tag = await seen.get_tagged(f"/discounts/coupons/{seen.path['coupon_id']}")
    promotion = await seen.look(f"/discounts/promotions/{coupon['promotion_id']}")
    shown = {"coupon": coupon, "tag": tag, "promotion": promotion, "title": coupon["code"]}
    shown["coupon_states"] = COUPON_STATES
    return {**shown, "zone": _zone(seen), "expires": _local(seen, coupon["expires_at"])}


async def _by_coupon(seen: Seen) -> list[tuple[str, str]]:
    found = await seen.get("/discounts/promotions", limit=200)
    return [(one["id"], one["name"]) for one in found["items"] if one["by_coupon"]]


async def _goods(seen: Seen) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    if not seen.may("catalog.see"):
        return [], []
    products, categories = await asyncio.gather(
        seen.get("/catalog/products", limit=200, sort="name"), seen.get("/catalog/categories", limit=200)
    )
    return (
        [(one["id"], one["name"]) for one in products["items"]],
        [(one["id"], one["name"]) for one in categories["items"]],
    )


def _form(seen: Seen, goods: tuple[list[tuple[str, str]], list[tuple[str, str]]]) -> dict[str, Any]:
    products, categories = goods
    lists = {"products": products, "categories": categories, "kinds": KINDS, "days": DAYS}
    return {**lists, "zone": _zone(seen), "starts": "", "ends": ""}


def _named(promotion: Mapping[str, Any], goods: tuple[list[tuple[str, str]], list[tuple[str, str]]]) -> list[str]:
    """The goods of a promotion by name."""
    known = dict([*goods[0], *goods[1]])
    of = promotion["goods"] or {}
    ids = [*of.get("product_ids", ()), *of.get("category_ids", ()), *of.get("brand_ids", ())]
    return [*(known.get(one, one[:8]) for one in ids), *of.get("tags", ())]


def _zone(seen: Seen) -> str:
    return str((seen.business or {}).get("zone") or "UTC")


def _local(seen: Seen, moment: str | None) -> str:
    """A moment as a field of day and time has it, by the shop's clock."""
    if not moment:
        return ""
    return dt.datetime.fromisoformat(moment).astimezone(ZoneInfo(_zone(seen))).strftime("%Y-%m-%dT%H:%M")
