"""Which promotions act on a line, and what each took off it."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.money import MICRO
from plugins.discounts import rules
from plugins.discounts.schemas import Kind, Offer, Offers

RICE, FOOD, ROOT = UUID(int=1), UUID(int=2), UUID(int=3)
KINDS: tuple[Kind, ...] = ("percent", "amount_off", "set_price")


def an_offer(number: int, kind: Kind = "percent", value: int = 10 * MICRO, **fields: Any) -> Offer:
    facts = {"priority": 0, "exclusive": False} | fields
    return Offer(UUID(int=number), f"Offer {number}", kind, value, **facts)


def on_rice(*offers: Offer, own_price: int = 380 * MICRO) -> Offers:
    return Offers({RICE: offers}, {}, {RICE: (own_price,)})


def names(found: list[Offer]) -> list[str]:
    return [offer.name for offer in found]


def test_offers_act_by_priority_then_by_age() -> None:
    offers = on_rice(an_offer(3, priority=5), an_offer(2), an_offer(1), an_offer(4, priority=9))
    found = rules.chosen(offers, RICE, (), 380 * MICRO)
    assert names(found) == ["Offer 4", "Offer 3", "Offer 1", "Offer 2"]


def test_an_exclusive_offer_that_comes_first_acts_alone() -> None:
    offers = on_rice(an_offer(1), an_offer(2, priority=5, exclusive=True), an_offer(3, priority=1))
    assert names(rules.chosen(offers, RICE, (), 380 * MICRO)) == ["Offer 2"]


def test_an_exclusive_offer_that_comes_later_does_not_join_others() -> None:
    offers = on_rice(an_offer(1, priority=5), an_offer(2, exclusive=True), an_offer(3))
    assert names(rules.chosen(offers, RICE, (), 380 * MICRO)) == ["Offer 1", "Offer 3"]


def test_an_offer_on_a_category_reaches_what_lies_below_it() -> None:
    offers = Offers({}, {ROOT: (an_offer(1),), FOOD: (an_offer(2, priority=1),)}, {})
    assert names(rules.chosen(offers, RICE, (FOOD, ROOT), 380 * MICRO)) == ["Offer 2", "Offer 1"]
    assert rules.chosen(offers, RICE, (UUID(int=9),), 380 * MICRO) == []


def test_a_set_price_passes_by_a_line_sold_in_packs() -> None:
    offers = on_rice(an_offer(1, "set_price", 350 * MICRO), an_offer(2))
    assert names(rules.chosen(offers, RICE, (), 380 * MICRO)) == ["Offer 1", "Offer 2"]
    assert names(rules.chosen(offers, RICE, (), 12 * 380 * MICRO)) == ["Offer 2"]


def test_an_exclusive_set_price_that_does_not_fit_a_pack_stops_nobody() -> None:
    offers = on_rice(an_offer(1, "set_price", 350 * MICRO, exclusive=True, priority=9), an_offer(2))
    assert names(rules.chosen(offers, RICE, (), 12 * 380 * MICRO)) == ["Offer 2"]


offers_st = st.lists(
    st.builds(
        an_offer,
        st.integers(1, 8),
        st.sampled_from(KINDS),
        st.integers(0, 100 * MICRO),
        priority=st.integers(0, 3),
        exclusive=st.booleans(),
    ),
    max_size=6,
    unique_by=lambda offer: offer.id,
)


@given(offers_st, st.randoms(use_true_random=False))
def test_the_order_in_which_offers_are_found_changes_nothing(found: list[Offer], rng: random.Random) -> None:
    split = rng.randint(0, len(found))
    shuffled = rng.sample(found, len(found))
    one = Offers({RICE: tuple(found[:split])}, {FOOD: tuple(found[split:])}, {RICE: (MICRO,)})
    other = Offers({RICE: tuple(shuffled[:split])}, {FOOD: tuple(shuffled[split:])}, {RICE: (MICRO,)})
    both = [rules.chosen(offers, RICE, (FOOD,), MICRO) for offers in (one, other)]
    assert both[0] == both[1]


@given(offers_st)
def test_two_offers_act_together_only_if_both_allow_it(found: list[Offer]) -> None:
    acting = rules.chosen(on_rice(*found, own_price=MICRO), RICE, (), MICRO)
    assert len(acting) <= 1 or not any(offer.exclusive for offer in acting)
    assert bool(acting) == bool(found)


@pytest.mark.parametrize(
    ("value", "quantity", "off"),
    [(2000, 3 * MICRO, 6000), (333, MICRO // 2, 167), (1, 499_999, 0), (1, 500_000, 1), (333, 1_500_000, 500)],
)
def test_an_amount_off_each_unit_is_rounded_once(value: int, quantity: int, off: int) -> None:
    assert rules.amount_off(value, quantity, 2) == off


def test_an_amount_off_never_passes_what_a_line_can_cost() -> None:
    assert rules.amount_off(10**14 - 1, 10**18 - 1, 2) == 10**14


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("percent", "12.5", 12_500_000),
        ("percent", "100", 100 * MICRO),
        ("amount_off", "20.00", 2000),
        ("set_price", "350.125", 350_125_000),
        ("set_price", "0", 0),
    ],
)
def test_a_value_is_read_in_the_unit_of_its_kind(kind: Kind, text: str, value: int) -> None:
    assert rules.parse_value(kind, text, 2) == value
    assert rules.parse_value(kind, rules.format_value(kind, value, 2), 2) == value


@pytest.mark.parametrize(
    ("kind", "text"), [("percent", "100.000001"), ("percent", "0"), ("amount_off", "0.00"), ("amount_off", "1.005")]
)
def test_a_value_that_does_not_fit_its_kind_is_refused(kind: Kind, text: str) -> None:
    with pytest.raises(rules.BadValue):
        rules.parse_value(kind, text, 2)


def test_nothing_leads_out_of_the_end() -> None:
    assert rules.after("draft", "activate") == "active"
    assert rules.after("active", "end") == rules.after("draft", "end") == "ended"
    assert rules.after("active", "activate") is rules.after("ended", "activate") is rules.after("ended", "end") is None


def test_the_reason_says_what_the_offer_does() -> None:
    assert rules.reason(an_offer(1), 2, "KES") == "10 % off"
    assert rules.reason(an_offer(1, "amount_off", 2000), 2, "KES") == "KES 20.00 off each"
    assert rules.reason(an_offer(1, "set_price", 350 * MICRO), 2, "KES") == "KES 350.00 each"
