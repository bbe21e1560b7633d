"""PR6: a partial return works the offers out again for what is kept; all returns together give what was paid."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from kernel.money import MICRO, format_amount, parse_micro, round_ratio
from plugins.discounts.rules import returning
from plugins.discounts.rules.returning import Bought, Kept, after_return, all_kept
from plugins.discounts.schemas.terms import Offer
from plugins.discounts.tests.offer_cases import a_cart, cart_of, priced, the_offers
from plugins.discounts.tests.test_oracle import cases
from plugins.sales.api import Cart


def bought(cart: Cart, offers: list[Offer]) -> Bought:
    """A cart as it was sold with some offers."""
    found = priced(cart, offers)
    off = [sum(amount for plugin, _, amount in line.taken if plugin == "discounts") for line in found.lines]
    rules = {rule for line in found.lines for plugin, rule, _ in line.taken if plugin == "discounts"}
    acted = tuple(offer for offer in offers if offer.name in rules)
    return Bought(cart, tuple(line.gross - line.discount for line in found.lines), tuple(off), acted)


@pytest.mark.parametrize(
    ("offers", "cart", "returns", "given_back"),
    [
        ("10 % off tea", "rice 3 × 100", ["1", "1", "1"], "100.00, 100.00, 100.00"),
        ("10 % off rice", "rice 3 × 33.34", ["1", "2"], "30.01, 60.01"),
        ("buy 2 get 1 rice", "rice 3 × 100", ["1", "1", "1"], "0.00, 100.00, 100.00"),
        ("buy 2 get 1 rice", "rice 3 × 100", ["2", "1"], "100.00, 100.00"),
        ("buy 2 get 1 rice", "rice 6 × 100", ["3", "1"], "200.00, 0.00"),
        ("any 3 soap for 100", "lux:soap 3 × 60", ["1", "1", "1"], "0.00, 40.00, 60.00"),
        ("rice from 3 5 % from 6 10 %", "rice 6 × 100", ["3", "1"], "255.00, 85.00"),
        ("50 off all from 500", "rice 1 × 380, tea 1 × 120", ["0, 1", "1"], "70.00, 380.00"),
        ("10 % off all", "rice 2 × 380, tea 1 × 120", ["1, 1", "1"], "450.00, 342.00"),
        ("buy 2 rice get 1 tea", "rice 2 × 100, tea 1 × 120", ["1", "1", "0, 1"], "0.00, 80.00, 120.00"),
        ("buy 1 get 1 rice", "rice 1 × 100, rice 1 × 100", ["1", "0, 1"], "0.00, 100.00"),
    ],
)
def test_a_return_gives_back_what_the_goods_that_are_kept_do_not_cost(
    offers: str, cart: str, returns: list[str], given_back: str
) -> None:
    """Returns are quantities line by line, the last ones left out being 0."""
    sale = bought(a_cart(cart), the_offers(offers))
    kept, found = all_kept(sale), []
    for said in returns:
        back = [parse_micro(one.strip()) for one in said.split(",")]
        after = after_return(sale, kept, back + [0] * (len(sale.paid) - len(back)))
        found.append(format_amount(kept.worth - after.worth, 2))
        kept = after
    assert found == given_back.split(", ")


def some_of(rng: random.Random, kept: Kept) -> list[int]:
    """A return of something that is there."""
    whole = [rng.choice([0, left, MICRO * rng.randint(0, left // MICRO)]) for left in kept.quantities]
    return whole if any(whole) else list(kept.quantities)


def faults(count: int) -> list[str]:
    """What is wrong with random returns of random sales, until everything is back."""
    rng, found = random.Random(7), []
    for number, (cart, offers) in enumerate(cases(count, seed=23)):
        sale = bought(cart, offers)
        kept, given = all_kept(sale), [0] * len(sale.paid)
        while any(kept.quantities):
            after = after_return(sale, kept, some_of(rng, kept))
            if not 0 <= kept.worth - after.worth <= kept.worth or min(after.amounts) < 0:
                found.append(f"{number}: {kept} → {after}")
            given = [sum(one) for one in zip(given, kept.amounts, (-left for left in after.amounts), strict=True)]
            kept = after
        if tuple(given) != sale.paid or kept.worth:
            found.append(f"{number}: {given} given back of {sale.paid}")
        if after_return(sale, all_kept(sale), all_kept(sale).quantities).worth:
            found.append(f"{number}: something is left of all at once")
    return found


def test_whatever_is_returned_in_whatever_pieces_no_return_takes_and_all_give_what_was_paid() -> None:
    assert faults(400) == []


@pytest.mark.prove
def test_ten_thousand_sales_are_returned_to_the_last_cent() -> None:
    assert faults(10_000) == []


def test_a_rule_that_trusts_what_is_kept_to_cost_less_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: it never looks whether goods that lost their offer cost more than was paid."""
    monkeypatch.setattr(returning, "_at_most", lambda worth, amounts: amounts)
    assert faults(200)


def test_the_order_of_scanning_changes_no_return() -> None:
    rng = random.Random(3)
    for cart, offers in cases(200, seed=31):
        order = rng.sample(range(len(cart.lines)), len(cart.lines))
        turned = cart_of([replace(cart.lines[place], line=number) for number, place in enumerate(order, 1)])
        sale, other = bought(cart, offers), bought(turned, offers)
        product = rng.choice(cart.lines).product_id
        worths = []
        for one in (sale, other):
            back = [line.quantity if line.product_id == product else 0 for line in one.cart.lines]
            worths.append(after_return(one, all_kept(one), back).worth)
        assert worths[0] == worths[1]


def test_without_offers_a_line_gives_back_its_share_as_it_is_rounded_over_all_returns() -> None:
    """r(L * (R + q) / Q) less r(L * R / Q): L was paid for Q, R was back already, q comes back."""
    rng = random.Random(5)
    for _ in range(300):
        quantity, cents = rng.randint(1, 9), rng.randint(0, 5000)
        sale = bought(a_cart(f"rice {quantity} × {cents // 100}.{cents % 100:02d}"), [])
        sale = Bought(sale.cart, (cents,), (0,), ())
        kept, gone = all_kept(sale), 0
        while gone < quantity:
            some = rng.randint(1, quantity - gone)
            after = after_return(sale, kept, [some * MICRO])
            expected = round_ratio(cents * (gone + some), quantity) - round_ratio(cents * gone, quantity)
            assert kept.worth - after.worth == expected
            kept, gone = after, gone + some


def test_more_than_is_kept_is_not_returned() -> None:
    sale = bought(a_cart("rice 2 × 100"), [])
    for wrong in (3 * MICRO, -MICRO):
        with pytest.raises(ValueError, match="no more"):
            after_return(sale, all_kept(sale), [wrong])
    assert after_return(sale, all_kept(sale), [0]) == all_kept(sale)
