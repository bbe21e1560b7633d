"""Carts and offers for tests, written as people say them."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable
from typing import Any, Final

from kernel.money import MICRO, format_amount, parse_amount, parse_micro
from plugins.discounts.listeners import price_cart
from plugins.discounts.schemas.terms import (
    AmountOff,
    AnyFor,
    Bundle,
    BuyGet,
    CheapestFree,
    Effect,
    Goods,
    NewPrice,
    Offer,
    Offers,
    Part,
    PercentOff,
    Terms,
    Tier,
    Tiers,
    When,
)
from plugins.sales.api import Cart, Line, PricedCart
from plugins.sales.hooks import Facts
from plugins.sales.testing import bare_cart, bare_line, priced_with

NOON: Final = dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC)
_SPACE: Final = uuid.UUID(int=7)
NAMES: Final = ("beans", "geisha", "imperial", "lux", "rice", "soda", "tea")


def id_of(name: str) -> uuid.UUID:
    """The id of a product or a category by name; products in the order of the alphabet."""
    return uuid.UUID(int=1 + NAMES.index(name)) if name in NAMES else uuid.uuid5(_SPACE, name)


def a_line(number: int, name: str, quantity: str, price: str, category: str = "", *tags: str) -> Line:
    """A line of a product, in a category and with tags if it has some."""
    return bare_line(number, id_of(name), name, quantity, price, (id_of(category),) if category else (), tags)


def a_cart(text: str) -> Cart:
    """`lux:soap 2 × 60, tea 1 × 120`."""
    lines = []
    for number, one in enumerate(text.split(","), 1):
        found = re.fullmatch(r"(\w+)(?::(\w+))? ([0-9.]+) × ([0-9.]+)", one.strip())
        assert found, one
        name, category, quantity, price = found.groups()
        lines.append(a_line(number, name, quantity, price, category or ""))
    return cart_of(lines)


def cart_of(lines: list[Line]) -> Cart:
    """A cart of some lines, at noon."""
    return bare_cart(lines, NOON)


def _cents(text: str) -> int:
    return parse_amount(text, 2)


def _tiers(text: str) -> tuple[Tier, ...]:
    found = re.findall(r"from (\d+) (\d+) %", text)
    return tuple(Tier(parse_micro(least), percent=parse_micro(percent)) for least, percent in found)


def _bundle(text: str) -> tuple[Part, ...]:
    return tuple(Part(id_of(name), int(count)) for name, count in re.findall(r"(\w+) (\d+)", text))


_SAID: Final[dict[str, Callable[..., tuple[Effect, str | None]]]] = {
    r"([\d.]+) % off (\w+)": lambda n, on: (PercentOff(parse_micro(n)), on),
    r"([\d.]+) off each (\w+)": lambda n, on: (AmountOff(_cents(n)), on),
    r"([\d.]+) off all": lambda n: (AmountOff(_cents(n)), "all"),
    r"(\w+) at ([\d.]+)": lambda on, n: (NewPrice(parse_micro(n)), on),
    r"buy (\d+) get (\d+) (\w+)": lambda x, y, on: (BuyGet(int(x), int(y)), on),
    r"buy (\d+) get (\d+) (\w+) half": lambda x, y, on: (BuyGet(int(x), int(y), 50 * MICRO), on),
    r"buy (\d+) (\w+) get (\d+) (\w+)": lambda x, on, y, to: (BuyGet(int(x), int(y), gets=_goods(to)), on),
    r"any (\d+) (\w+) for ([\d.]+)": lambda n, on, price: (AnyFor(int(n), _cents(price)), on),
    r"cheapest of (\d+) (\w+) free": lambda n, on: (CheapestFree(int(n)), on),
    r"bundle (.+) for ([\d.]+)": lambda parts, n: (Bundle(_bundle(parts), amount=_cents(n)), None),
    r"bundle (.+) for ([\d.]+) % less": lambda parts, n: (Bundle(_bundle(parts), percent=parse_micro(n)), None),
    r"(\w+) (from \d+ \d+ %.*)": lambda on, tiers: (Tiers(_tiers(tiers)), on),
    r"(\w+) together (from \d+ \d+ %.*)": lambda on, tiers: (Tiers(_tiers(tiers), together=True), on),
}


def _goods(name: str) -> Goods:
    return Goods(product_ids=(id_of(name),)) if name in NAMES else Goods(category_ids=(id_of(name),))


def an_offer(text: str, number: int = 1) -> Offer:
    """`any 3 soap for 100 ! ^5 #a +b from 500 most 2`."""
    when: dict[str, Any] = {}
    if found := re.search(r" from ([\d.]+)$", text):
        when["least_amount"] = _cents(found[1])
    if most := re.search(r" most (\d+)", text):
        when["most_units"] = parse_micro(most[1])
    priority = re.search(r"\^(\d+)", text)
    label, joins = re.search(r"#(\w+)", text), tuple(re.findall(r"\+(\w)\b", text))
    said = re.sub(r" ((from|most) [\d.]+$|most \d+|\^\d+|#\w+|!|\+\w\b)", "", text).strip()
    for pattern, make in _SAID.items():
        if matched := re.fullmatch(pattern, said):
            effect, on = make(*matched.groups())
            goods = None if on in (None, "all") else _goods(str(on))
            terms = Terms(effect, goods, When(**when), label=label[1] if label else "", joins=joins or None)
            return Offer(uuid.UUID(int=number), text, int(priority[1]) if priority else 0, "!" in text, terms)
    raise ValueError(f"not an offer: {text}")


def the_offers(text: str) -> list[Offer]:
    """Offers with semicolons between them, the older first."""
    return [an_offer(one.strip(), number) for number, one in enumerate(text.split(";"), 1)]


def priced(cart: Cart, offers: list[Offer]) -> PricedCart:
    """A cart priced with some offers, all the way through sales."""
    facts = Facts((Offers(tuple(offers)),))
    return priced_with(cart, "discounts", lambda amounts: price_cart(cart, amounts, facts))


def totals(cart: PricedCart) -> list[str]:
    """What each line costs."""
    return [format_amount(line.total, 2) for line in cart.lines]
