"""What a cart must cost, worked out apart from Duka: in fractions, from the prices and rates that are stored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from kernel.db import Base
from kernel.testing.box import Box

MICRO, CENTS = 10**6, 100
DAY = "2026-11-21"


class TooMuch(Exception):
    """A discount takes more than there is."""


@dataclass(frozen=True)
class Good:
    """A stored product: its prices, and the percentages that its price includes."""

    name: str
    price: Fraction
    wholesale: Fraction | None
    decimals: int
    rates: tuple[Fraction, ...]


@dataclass(frozen=True)
class Bill:
    """What a cart comes to, in minor units: each line's (gross, amount, tax), and the sums."""

    lines: tuple[tuple[int, int, int], ...]

    @property
    def sums(self) -> dict[str, str]:
        """The sums as an answer writes them."""
        gross, total, tax = (sum(line[place] for line in self.lines) for place in range(3))
        figures = {"subtotal": gross, "discount_total": gross - total, "tax_total": tax, "total": total}
        return {name: text(value) for name, value in figures.items()}


async def stored_goods(box: Box, shop: str) -> dict[str, Good]:
    """Every product of a shop by its id, read with the database's own login."""
    product, rate, kind = (Base.metadata.tables[name] for name in ("catalog_product", "taxes_rate", "taxes_class"))
    mine = box.shops[shop].id
    engine = create_async_engine(box.deployment.settings.url)
    try:
        async with engine.connect() as connection:
            goods = (await connection.execute(sa.select(product).where(product.c.business_id == mine))).all()
            kinds = (await connection.execute(sa.select(kind).where(kind.c.business_id == mine))).all()
            rates = (await connection.execute(sa.select(rate).where(rate.c.business_id == mine))).all()
    finally:
        await engine.dispose()
    usual = next((one.id for one in kinds if one.is_default), None)
    now = {
        one.class_id: one.components
        for one in rates
        if str(one.valid_from) <= DAY and (one.valid_to is None or str(one.valid_to) >= DAY)
    }
    return {
        str(one.id): Good(
            one.name,
            Fraction(one.price, MICRO),
            None if one.wholesale_price is None else Fraction(one.wholesale_price, MICRO),
            {"piece": 0, "kg": 3}[one.unit],
            tuple(Fraction(part["rate"], MICRO) for part in now.get(one.tax_class_id or usual, ())),
        )
        for one in goods
    }


def bill(body: Mapping[str, Any], goods: Mapping[str, Good]) -> Bill:
    """What the cart of a request costs. Raises TooMuch."""
    gross = [_gross(line, goods[line["product_id"]], body.get("channel", "retail")) for line in body["lines"]]
    amounts = [each - _off(line.get("discount"), each) for line, each in zip(body["lines"], gross, strict=True)]
    shares = split(_off(body.get("discount"), sum(amounts)), amounts)
    amounts = [amount - share for amount, share in zip(amounts, shares, strict=True)]
    taxes = [
        included_tax(amount, goods[line["product_id"]].rates)
        for line, amount in zip(body["lines"], amounts, strict=True)
    ]
    return Bill(tuple(zip(gross, amounts, taxes, strict=True)))


def _gross(line: Mapping[str, Any], good: Good, channel: str) -> int:
    price = good.wholesale if channel == "wholesale" and good.wholesale is not None else good.price
    if line.get("unit_price") is not None:
        price = Fraction(line["unit_price"])
    return nearest(Fraction(line.get("quantity", "1")) * price * CENTS)


def _off(discount: Mapping[str, Any] | None, base: int) -> int:
    if discount is None:
        return 0
    if discount.get("percent") is not None:
        off = nearest(base * Fraction(discount["percent"]) / 100)
    else:
        off = int(Fraction(discount["amount"]) * CENTS)
    if off > base:
        raise TooMuch
    return off


def included_tax(amount: int, rates: Sequence[Fraction]) -> int:
    """The tax in an amount: one rate, or halves that are each rounded alike."""
    if not rates:
        return 0
    return len(rates) * nearest(amount * rates[0] / (100 + sum(rates)))


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Shares by largest remainder; of equals the first takes the unit."""
    if not total:
        return [0] * len(weights)
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    shares = [math.floor(one) for one in exact]
    by_rest = sorted(range(len(exact)), key=lambda at: (shares[at] - exact[at], at))
    for at in by_rest[: total - sum(shares)]:
        shares[at] += 1
    return shares


def nearest(value: Fraction) -> int:
    """Half up; no amount here is below zero."""
    return math.floor(value + Fraction(1, 2))


def text(minor: int) -> str:
    """Minor units as an answer writes them."""
    return f"{minor // CENTS}.{minor % CENTS:02d}"
