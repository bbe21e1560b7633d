"""The till in the browser: what its page is given."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kernel.money import CURRENCIES, mark_of
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

MAY: Final[Mapping[str, str]] = {
    "discount": "sales.discount",
    "override": "sales.override_price",
    "void": "sales.void",
    "customers": "customers.see",
    "newCustomer": "customers.edit",
    "confirm": "payments.confirm",
    "links": "payment_links.make",
}
"""What the till shows or leaves out → the permission it takes."""
PARTS: Final = ("approving", "around", "base", "cart", "coupons", "goods", "keys", "paper", "paying", "pin", "receipt")
"""The scripts that `sell.js` imports, fetched along with it."""
WORDS: Final = (
    *("Online", "No connection", "Sign in again", "Nothing found", "All", "Not known", "One less", "One more", "Name"),
    *("Scan the first thing, or tap it.", "Discount", "Of that, tax", "Tax", "To pay", "Add a customer", "Close"),
    *("Somebody must approve", "Reason", "Take off", "Done", "Customer", "Name or phone", "Quantity", "Try again"),
    *("Without a customer", "New customer", "Phone", "Add", "Set aside", "Empty the cart?", "Empty", "Cancel"),
    *("Carts set aside", "Go on", "Nothing is set aside.", "Under this name", "{count} lines", "Pay", "Back", "Keys"),
    *("It holds no stock; it is priced anew when it is taken up.", "Some of it is no longer sold and was left out."),
    *("Way of paying", "Cash given", "Amount", "Customer's phone", "Reference, if there is one", "Ask for the money"),
    *(
        "Take payment",
        "It was not paid",
        "Only cash gives change.",
        "This reads like a barcode. Close this to add goods.",
        "Then still to pay",
        "The money is still to come",
    ),
    *("Type a smaller amount to split the payment.", "Waiting for the money", "Scan to pay", "Given up", "Not paid"),
    *("The sale is completed by itself as soon as the money is there.", "Open the page of payment"),
    *("Back to the cart", "Has it come? Ask now", "Ask for the money again", "Pay another way", "Give the sale up"),
    *("Serve the next customer meanwhile", "Waiting for their money", "The money is there"),
    *("Change", "Paid", "Print", "Width of the paper", "Details", "New sale", "It has come", "New payment link"),
    *("Its number on the shop's phone", "Coupon", "Code", "Use it", "Already on this cart", "Sold by", "Single"),
    *("Typed, or scanned from what the customer shows.", "Kind of discount", "Price by hand", "Discount by hand"),
    *("Empty: the price of the list.", "Discount on everything", "Offers", "Offers that do not apply yet"),
    "What goes beyond your limit is approved by somebody else when you take the payment.",
    "Alone you may take off up to {percent} %.",
    *("Not enough in stock", "Sell it all the same", "Their e-mail", "Password", "Approve", "Agreed at the till"),
    "If the goods lie before you, the books are wrong: they can be sold all the same, and the stock is counted later.",
    "Or they approve it from where they are: it waits on their screen under Approvals.",
    "Somebody who may do this alone can approve it here. It signs nobody in.",
    *("Who approves", "By e-mail and password instead", "Take the last digit back"),
    *("Code of the second factor", "Refused by {name}", "Nobody answered in time. Go back and try again."),
    *("Scan or search", "Change the last line", "One more of the last line", "One less of the last line"),
    *("Take the last line off", "Before a barcode: three of it. Alone: three of the last line."),
    *("Way of paying, while paying", "While paying: exactly that, then the next sale", "This could not be done"),
    "It is not known whether this was done. Send it again: it will not be done twice.",
)
"""What the till's script says; sent along in the reader's language."""

WAYS: Final = ("Cash", "Bank transfer", "Card", "Other", "Payment link", "M-PESA by QR code")
"""Ways of paying whose names are words."""


async def read_till(seen: Seen) -> Mapping[str, Any]:
    """What the till begins with: its registers, categories, money and words. Raises Refused without a storefront."""
    told, found, categories, mine = await asyncio.gather(
        seen.get("/sales/registers", is_active=True, limit=200),
        seen.get("/locations", kind="storefront", is_active=True, limit=200),
        seen.look("/catalog/categories", limit=30),
        seen.get("/roles/mine"),
    )
    registers, places = told["items"], found["items"]
    names = {one["id"]: one["name"] for one in places}
    tills = [
        one | {"label": f"{one['code']} · {names[one['location_id']]}"}
        for one in registers
        if one["location_id"] in names
    ]
    if not places:
        raise Refused(409, {"title": "There is no storefront yet", "detail": "Add one under settings, then sell."})
    first = next((one for one in tills if not one["is_office"]), tills[0] if tills else None)
    business = seen.business or {}
    config = {
        "business": business["slug"],
        "name": business["name"],
        "mark": mark_of(business["currency"]).replace(" ", "\xa0"),
        "digits": CURRENCIES.get(business["currency"], 2),
        "locale": f"{seen.language}-{business['region']}",
        "zone": business["zone"],
        "notes": NOTES.get(business["currency"], COMMON),
        "register": first["id"] if first else "",
        "location": first["location_id"] if first else places[0]["id"],
        "categories": [(one["id"], one["name"]) for one in (categories or {"items": []})["items"]],
        "alone": mine["limits"].get("sales.discount_percent"),
        "may": {name: seen.may(permission) for name, permission in MAY.items()} | {"coupon": seen.has("discounts")},
        "words": {one: seen.word(one) for one in (*WORDS, *WAYS)},
    }
    return {"config": json.dumps(config), "registers": tills, "parts": PARTS}
