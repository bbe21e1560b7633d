"""The till in the browser: what its page is given."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kernel.money import CURRENCIES
from plugins.console.api import Refused, Seen

NOTES: Final[Mapping[str, Sequence[int]]] = {
    "KES": (50, 100, 200, 500, 1000),
    "TZS": (500, 1000, 2000, 5000, 10000),
    "UGX": (1000, 2000, 5000, 10000, 20000, 50000),
    "INR": (10, 20, 50, 100, 200, 500),
    "GBP": (5, 10, 20, 50),
}
"""The notes people pay with. Source: the central banks' lists of notes in circulation, November 2026."""
COMMON: Final = (5, 10, 20, 50, 100)

WORDS: Final = (
    *("Online", "No connection", "Sign in again", "Nothing found", "All", "Not known", "One less", "One more"),
    *("Scan the first thing, or tap it.", "Discount", "Of that, tax", "To pay", "Add a customer", "Close", "Quantity"),
    *("Somebody must approve", "Discount in %", "Reason", "Take off", "Done", "Choose", "Customer", "Name or phone"),
    *("Without a customer", "Set aside", "Empty the cart?", "Carts set aside", "Go on", "Nothing is set aside.", "Pay"),
    *("Way of paying", "Cash given", "Amount", "Customer's phone", "Reference, if there is one", "Ask for the money"),
    *("Take payment", "Ask somebody who may to approve it, then try again.", "Back", "Try again", "It was not paid"),
    *("Waiting for the money", "Scan to pay", "Given up", "Not paid", "Back to the cart", "Has it come? Ask now"),
    *("Ask for the money again", "Pay another way", "Give the sale up", "Change", "Paid", "Print", "Details"),
    *("New sale", "Rounding", "Total", "Thank you!", "Its number on the shop's phone", "It has come"),
    *("Coupon", "Code", "Use it", "Already on this cart"),
    "It is not known whether this was done. Send it again: it will not be done twice.",
)
"""What the till's script says; sent along in the reader's language."""


async def read_till(seen: Seen) -> Mapping[str, Any]:
    """What the till begins with: its registers, categories, money and words. Raises Refused without a storefront."""
    registers = (await seen.get("/sales/registers", is_active=True, limit=200))["items"]
    places = (await seen.get("/locations", kind="storefront", is_active=True, limit=200))["items"]
    names = {one["id"]: one["name"] for one in places}
    tills = [
        one | {"label": f"{one['code']} · {names[one['location_id']]}"}
        for one in registers
        if one["location_id"] in names
    ]
    if not places:
        raise Refused(409, {"title": "There is no storefront yet", "detail": "Add one under settings, then sell."})
    first = next((one for one in tills if not one["is_office"]), tills[0] if tills else None)
    categories = await seen.look("/catalog/categories", limit=30)
    business = seen.business or {}
    config = {
        "business": business["slug"],
        "name": business["name"],
        "currency": business["currency"],
        "digits": CURRENCIES.get(business["currency"], 2),
        "locale": f"{seen.language}-{business['region']}",
        "notes": NOTES.get(business["currency"], COMMON),
        "register": first["id"] if first else "",
        "location": first["location_id"] if first else places[0]["id"],
        "categories": [(one["id"], one["name"]) for one in (categories or {"items": []})["items"]],
        "may": {
            **{"discount": seen.may("sales.discount"), "void": seen.may("sales.void")},
            **{"coupon": seen.has("discounts")},
        },
        "words": {one: seen.word(one) for one in WORDS},
    }
    return {"config": json.dumps(config), "registers": tills}
