"""Gateways in the console: accounts, what a person must decide about money, and operators' switches."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from plugins.console.api import Block, Heading, Listing, Nav, Notice, Page, Refused, Seen, Waiting, Waits, fields_of

PAGE = 50
MANAGE, REVIEW, OPERATOR = "payments.manage_accounts", "payments.review", "operator"
HERE = "/payments"
OFTEN = 3
"""A gateway that failed so often in a row, without answering once, is unwell."""
REVIEWS = Listing(
    "payments.reviews",
    (
        Heading("words", "What it is"),
        Heading("subject", "For"),
        Heading("amount", "Amount", "number"),
        Heading("opened_at", "Since"),
        Heading("state", "State"),
    ),
)


async def _gateways(seen: Seen) -> Mapping[str, Any]:
    gateways, accounts = await asyncio.gather(seen.get(f"{HERE}/gateways"), seen.get(f"{HERE}/accounts", limit=200))
    own = [
        {**one, "accounts": [account for account in accounts["items"] if account["gateway"] == one["name"]]}
        for one in gateways["items"]
    ]
    known = {one["name"] for one in own}
    gone = [account for account in accounts["items"] if account["gateway"] not in known]
    return {"gateways": own, "gone": gone}


async def _new_account(seen: Seen) -> Mapping[str, Any]:
    gateways = (await seen.get(f"{HERE}/gateways"))["items"]
    chosen = next((one for one in gateways if one["name"] == seen.query.get("gateway")), None)
    if chosen is None:
        raise Refused(404, {"title": "There is no such gateway here", "detail": "It may be switched off."})
    on = [one["mode"] for one in chosen["allowed"] if one["is_on"]]
    return {
        "account": None,
        "gateway": chosen,
        "tag": "",
        "title": chosen["title"],
        "mode": seen.query.get("mode") or (on[0] if on else "test"),
        "fields": fields_of(chosen["config_schema"], {}, {}, "config"),
        "locations": await seen.places(),
    }


async def _account(seen: Seen) -> Mapping[str, Any]:
    path = f"{HERE}/accounts/{seen.path['account_id']}"
    (account, tag), gateways = await asyncio.gather(seen.get_tagged(path), seen.get(f"{HERE}/gateways"))
    gateway = next((one for one in gateways["items"] if one["name"] == account["gateway"]), None)
    fields = fields_of(gateway["config_schema"], account["config"], account["secrets"], "config") if gateway else []
    health = [one for one in gateway["health"] if one["account_id"] == account["id"]] if gateway else []
    return {
        "account": account,
        "gateway": gateway,
        "tag": tag,
        "title": account["label"],
        "mode": account["mode"],
        "fields": fields,
        "health": health,
        "locations": await seen.places(),
    }


async def _unwell(seen: Seen) -> Waiting:
    """Accounts that are on and take no money, lack a key, or whose provider does not answer."""
    gateways, accounts = await asyncio.gather(seen.get(f"{HERE}/gateways"), seen.get(f"{HERE}/accounts", limit=200))
    known = {one["name"]: one for one in gateways["items"]}
    found = []
    for account in accounts["items"]:
        why = _why_unwell(seen, account, known.get(account["gateway"])) if account["is_on"] else ""
        if why:
            found.append(Waits(account["label"], f"{HERE}/accounts/{account['id']}", why))
    return Waiting(found)


def _why_unwell(seen: Seen, account: Mapping[str, Any], gateway: Mapping[str, Any] | None) -> str:
    """What ails an account, "" where nothing does."""
    fields = fields_of(gateway["config_schema"], account["config"], account["secrets"], "config") if gateway else []
    if any(one["kind"] == "secret" and one["required"] and not one["is_set"] for one in fields):
        return seen.word("A key is missing")
    if account["unavailable"]:
        return str(account["unavailable"])
    health = [one for one in gateway["health"] if one["account_id"] == account["id"]] if gateway else []
    failing = any(one["failed_in_a_row"] >= OFTEN for one in health)
    return seen.word("The provider does not answer") if failing else ""


async def _reviews(seen: Seen) -> Mapping[str, Any]:
    state = seen.query.get("state", "open")
    asked = {name: seen.query.get(name) for name in ("kind", "cursor")}
    listed = await seen.get(f"{HERE}/reviews", limit=PAGE, state=None if state == "all" else state, **asked)
    return {"listed": listed, "state": state}


async def _review(seen: Seen) -> Mapping[str, Any]:
    review = await seen.get(f"{HERE}/reviews/{seen.path['review_id']}")
    payment = await seen.look(f"{HERE}/payments/{review['payment_id']}") if review["payment_id"] else None
    titles = await seen.titles("/payments/methods")
    return {"review": review, "payment": payment, "titles": titles, "title": review["words"]}


async def _matrix(seen: Seen) -> Mapping[str, Any]:
    mode = "test" if seen.query.get("mode") == "test" else "live"
    switches, fares = await asyncio.gather(
        seen.get("/operating/payments/regions"), seen.get("/operating/payments/fares")
    )
    fare_of = {(one["gateway"], one["region"]): one for one in fares["items"] if one["mode"] == mode}
    here = [one for one in switches["items"] if one["mode"] == mode]
    cells = {
        (one["gateway"], one["region"]): {**one, "fare": fare_of.get((one["gateway"], one["region"]))} for one in here
    }
    regions = sorted({region for _, region in cells})
    titles = {one["gateway"]: one["title"] or one["gateway"] for one in here}
    sums = {
        region: sum(one["payments"] for (_, there), one in fare_of.items() if there == region) for region in regions
    }
    rows = [
        (name, title, [cells.get((name, region)) for region in regions])
        for name, title in sorted(titles.items(), key=lambda pair: pair[1].lower())
    ]
    tills = [one for one in here if one["is_on"]]
    return {"mode": mode, "regions": regions, "rows": rows, "sums": sums, "on": len(tills), "gateways": len(titles)}


async def _switch(seen: Seen) -> Mapping[str, Any]:
    found = await seen.get("/operating/payments/regions")
    where = (seen.path["region"], seen.path["gateway"], seen.path["mode"])
    one = next((one for one in found["items"] if (one["region"], one["gateway"], one["mode"]) == where), None)
    if one is None:
        raise Refused(404, {"title": "No such gateway is offered there"})
    return {"one": one, "title": one["title"] or one["gateway"]}


async def _trials(seen: Seen, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The accounts of the business, or those of one place, each to be tried without moving money."""
    accounts = (await seen.get(f"{HERE}/accounts", limit=200))["items"]
    place = given.get("place", {}).get("id", "")
    here = [one for one in accounts if not place or not one["location_ids"] or place in one["location_ids"]]
    return {"accounts": here, "back": f"/settings/payments{f'?place={place}' if place else ''}"}


BLOCKS: Final = (Block("settings.payments", "trials", "console/trials.html", _trials, MANAGE),)
NAVS: Final = (
    Nav("money", "Gateways", "/payments/gateways", "plug", MANAGE, order=60),
    Nav("money", "Money to decide", "/payments/reviews", "scale", REVIEW, order=50),
    Nav("operator", "Gateways by region", "/payments/operating", "globe", OPERATOR, order=30),
)
PAGES: Final = (
    Page("/gateways", "console/gateways.html", "Payment gateways", MANAGE, _gateways),
    Page("/accounts/new", "console/account.html", "New account", MANAGE, _new_account),
    Page("/accounts/{account_id}", "console/account.html", "Account", MANAGE, _account),
    Page("/reviews", "console/reviews.html", "Money to decide", REVIEW, _reviews, lists=REVIEWS),
    Page("/reviews/{review_id}", "console/review.html", "Money to decide", REVIEW, _review, subject="review"),
    Page("/operating", "console/matrix.html", "Gateways by region", OPERATOR, _matrix),
    Page("/operating/{region}/{gateway}/{mode}", "console/switch.html", "Gateway", OPERATOR, _switch),
)
NOTICES: Final = (
    Notice("unwell", "Gateways that need you", "plug", _unwell, MANAGE, f"{HERE}/gateways", "bad", 15, ("payments",)),
)
