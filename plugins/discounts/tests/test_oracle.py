"""Random carts and offers agree to the cent with an oracle in fractions; no order of scanning changes anything."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from kernel.money import MICRO, format_micro
from plugins.discounts.rules import sets
from plugins.discounts.schemas.terms import (
    HUNDRED,
    AmountOff,
    AnyFor,
    Bundle,
    BuyGet,
    CheapestFree,
    Effect,
    Goods,
    NewPrice,
    Offer,
    Part,
    PercentOff,
    Terms,
    Tier,
    Tiers,
    When,
)
from plugins.discounts.tests.offer_cases import NAMES, a_line, cart_of, id_of, priced
from plugins.discounts.tests.oracle import taken_off
from plugins.sales.api import Cart

FEW, MANY = 2_000, 100_000
CATEGORIES = ("soap", "food")
TAGS = ("local", "new")


def cases(count: int, seed: int = 11) -> Iterator[tuple[Cart, list[Offer]]]:
    """Carts of up to eight lines with up to four offers."""
    rng = random.Random(seed)
    for _ in range(count):
        lines = []
        for number in range(1, rng.randint(1, 8) + 1):
            name = rng.choice(NAMES[:4])
            quantity = rng.randint(1, 6) * MICRO + (rng.random() < 0.15) * rng.randint(1, 999) * 1000
            price = rng.choice(["10", "33.33", "60", "99.99", f"{rng.randint(0, 200)}.{rng.randint(0, 99):02d}"])
            category, tags = CATEGORIES[NAMES.index(name) % 2], TAGS[: NAMES.index(name)]
            lines.append(a_line(number, name, format_micro(quantity), price, category, *tags))
        yield cart_of(lines), [_an_offer(rng, number) for number in range(1, rng.randint(1, 4) + 1)]


def _an_offer(rng: random.Random, number: int) -> Offer:
    effect = _an_effect(rng)
    when = When(
        least_quantity=rng.choice([0, 0, 0, 3 * MICRO]), least_amount=rng.choice([0, 0, 0, 100_00]) * rng.randint(1, 3)
    )
    goods = _some_goods(rng) if rng.random() < 0.75 or isinstance(effect, NewPrice) else None
    if isinstance(effect, Bundle):
        goods, when = None, When()
    if goods is None and isinstance(effect, PercentOff | AmountOff):
        when = When(least_amount=when.least_amount)
    elif isinstance(effect, PercentOff | AmountOff | NewPrice | Tiers) and rng.random() < 0.4:
        when = replace(when, most_units=rng.choice([MICRO, 2 * MICRO, 3_500_000]))
    joins = rng.choice([None, None, None, ("a",), ("a", "b")])
    terms = Terms(effect, goods, when, label=rng.choice("ab"), joins=joins)
    return Offer(uuid.UUID(int=number), f"Offer {number}", rng.randint(0, 2), rng.random() < 0.15, terms)


def _some_goods(rng: random.Random) -> Goods:
    if rng.random() < 0.4:
        return Goods(category_ids=(id_of(rng.choice(CATEGORIES)),))
    if rng.random() < 0.3:
        return Goods(tags=(rng.choice(TAGS),), product_ids=(id_of(NAMES[0]),) if rng.random() < 0.5 else ())
    return Goods(product_ids=tuple(id_of(name) for name in rng.sample(NAMES[:4], rng.randint(1, 2))))


def _an_effect(rng: random.Random) -> Effect:
    percent = rng.choice([HUNDRED, 50 * MICRO, 10 * MICRO, rng.randint(1, HUNDRED)])
    amount, most = rng.randint(1, 150_00), rng.choice([None, None, None, 1, 2])
    count = rng.randint(2, 4)
    kinds: list[Effect] = [
        PercentOff(percent),
        AmountOff(amount),
        NewPrice(rng.randint(0, 120) * MICRO),
        BuyGet(rng.randint(1, 3), rng.randint(1, 2), percent, None, most),
        BuyGet(rng.randint(1, 3), rng.randint(1, 2), percent, _some_goods(rng), most),
        AnyFor(count, amount, most),
        CheapestFree(count, rng.randint(1, count - 1), percent, most),
        Tiers((Tier(2 * MICRO, percent=5 * MICRO), Tier(5 * MICRO, amount=rng.randint(1, 20_00))), rng.random() < 0.5),
        Bundle(tuple(Part(id_of(name), rng.randint(1, 2)) for name in rng.sample(NAMES[:4], 2)), amount, None, most),
        Bundle(tuple(Part(id_of(name), rng.randint(1, 2)) for name in rng.sample(NAMES[:4], 2)), None, percent, most),
    ]
    return rng.choice(kinds)


def disagreements(count: int) -> tuple[int, int]:
    """How many carts cost something else than the oracle says or add up wrongly; and how many were made cheaper."""
    wrong = cheaper = 0
    rng = random.Random(5)
    for cart, offers in cases(count):
        found, expected = priced(cart, offers), taken_off(cart, offers)
        totals = [line.total for line in found.lines]
        order = rng.sample(range(len(totals)), len(totals))
        lines = [replace(cart.lines[place], line=number) for number, place in enumerate(order, 1)]
        again = priced(cart_of(lines), rng.sample(offers, len(offers)))
        adds_up = found.total == sum(totals) == found.subtotal - found.discount_total and min(totals) >= 0
        same = sorted((cart.lines[place].product_id, totals[place]) for place in range(len(totals)))
        moved = sorted((line.product_id, cost.total) for line, cost in zip(lines, again.lines, strict=True))
        if totals != expected or not adds_up or same != moved or (found.total, found.tax_total) != (
            again.total, again.tax_total
        ):  # fmt: skip
            wrong += 1
            if os.environ.get("SHOW_OFFERS"):
                print(cart.lines, offers, totals, expected, same == moved)
        cheaper += found.discount_total > 0
    return wrong, cheaper


def test_two_thousand_carts_agree_with_the_oracle_to_the_cent() -> None:
    wrong, cheaper = disagreements(FEW)
    assert wrong == 0
    assert cheaper > FEW / 3


@pytest.mark.prove
def test_a_hundred_thousand_carts_agree_with_the_oracle_to_the_cent() -> None:
    assert disagreements(MANY)[0] == 0


def test_an_engine_that_uses_units_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = sets.Found.add

    def forgets(self: sets.Found, off: sets.Units, *_used: sets.Units) -> None:
        honest(self, off)
        self.used = dict.fromkeys(off, 0)

    monkeypatch.setattr(sets.Found, "add", forgets)
    assert disagreements(300)[0] > 0


def test_an_engine_that_depends_on_the_order_of_scanning_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugins.discounts.rules.sets.dearest_first", list)
    assert disagreements(300)[0] > 0
