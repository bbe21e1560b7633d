"""Which price is in force, as a table and as properties; prices changed by a rule."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.money import MICRO, parse_micro
from plugins.catalog.rules.prices import (
    SCOPES,
    Based,
    Buying,
    Listed,
    ListFacts,
    OwnPrice,
    choose,
    in_force,
    not_reached,
    order_of,
    own_price,
    price_changed,
    why_not,
    words_of,
)

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
HERE, ELSEWHERE, HOTELS, GRACE, CARTON = (UUID(int=n) for n in range(1, 6))
_ids = itertools.count(100)
OF = {"location": "location_id", "group": "group_id", "customer": "customer_id"}
NAMED = {"location": HERE, "group": HOTELS, "customer": GRACE}
BUYING = Buying(NOON, "retail", "KES", True, HERE, GRACE, HOTELS)
OWN = OwnPrice(100 * MICRO, 90 * MICRO)
IN_CARTON = OwnPrice(100 * MICRO, 90 * MICRO, CARTON, "Carton of 12", 12 * MICRO)


def a_list(scope: str = "everybody", **said: Any) -> ListFacts:
    named = {OF[scope]: NAMED[scope]} if scope in OF else {}
    whom = {"location_id": None, "group_id": None, "customer_id": None} | named
    usual = {"channel": None, "currency": "KES", "prices_include_tax": True, "starts_at": None, "ends_at": None}
    return ListFacts(
        **{"id": UUID(int=next(_ids)), "name": scope, "scope": scope, "is_active": True, **whom, **usual, **said}
    )


def a_row(price: int, of: ListFacts | str = "everybody", least: int = 0, **said: Any) -> Listed:
    usual = {"id": UUID(int=next(_ids)), "pack_id": None, "starts_at": NOON - HOUR}
    facts = a_list(of) if isinstance(of, str) else of
    return Listed(list=facts, min_quantity=least * MICRO, price=price * MICRO, **(usual | said))


def chosen(rows: list[Listed], own: OwnPrice = OWN, channel: str = "retail", quantity: int = 1) -> int:
    return choose(rows, own, channel, quantity * MICRO).price // MICRO


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"is_active": False}, "It is switched off"),
        ({"starts_at": NOON + HOUR}, "It has not begun"),
        ({"ends_at": NOON}, "It is over"),
        ({"channel": "wholesale"}, "It is for wholesale"),
        ({"currency": "UGX"}, "It is in UGX"),
        ({"prices_include_tax": False}, "It counts tax otherwise than the business"),
        ({"scope": "location", "location_id": ELSEWHERE}, "It is for another location"),
        ({"scope": "group", "group_id": None}, "It is for another group of customers"),
        ({"scope": "customer", "customer_id": ELSEWHERE}, "It is for another customer"),
        ({"starts_at": NOON, "ends_at": NOON + HOUR, "channel": "retail"}, None),
    ],
)
def test_a_list_says_why_it_is_not_in_force(said: dict[str, Any], reason: str | None) -> None:
    assert why_not(a_list(**said), BUYING) == reason


@pytest.mark.parametrize(
    ("rows", "quantity", "price"),
    [
        ([], 1, 100),
        ([a_row(95)], 1, 95),
        ([a_row(105)], 1, 105),
        ([a_row(80), a_row(95, "location")], 1, 95),
        ([a_row(80, "location"), a_row(95, "group")], 1, 95),
        ([a_row(80, "group"), a_row(95, "customer")], 1, 95),
        ([a_row(95), a_row(90, least=12)], 11, 95),
        ([a_row(95), a_row(90, least=12)], 12, 90),
        ([a_row(70, least=12), a_row(95, "customer")], 12, 95),
        ([a_row(70, "customer", least=12), a_row(95)], 11, 95),
        ([a_row(90, starts_at=NOON - 2 * HOUR), a_row(95)], 1, 95),
        ([a_row(90, a_list(starts_at=NOON - HOUR / 2)), a_row(95)], 1, 90),
        ([a_row(90, id=UUID(int=8)), a_row(95, id=UUID(int=9))], 1, 95),
        ([a_row(50, pack_id=CARTON)], 12, 100),
    ],
)
def test_of_several_prices_one_wins(rows: list[Listed], quantity: int, price: int) -> None:
    for order in itertools.permutations(rows):
        assert chosen(list(order), quantity=quantity) == price


@pytest.mark.parametrize(
    ("rows", "own_pack", "cartons", "price"),
    [
        ([], None, 1, 1200),
        ([], 1100, 1, 1100),
        ([a_row(95)], None, 1, 1140),
        ([a_row(95)], 1100, 1, 1100),
        ([a_row(1050, pack_id=CARTON)], 1100, 1, 1050),
        ([a_row(1050, pack_id=CARTON), a_row(80, least=12)], None, 1, 1050),
        ([a_row(1050, pack_id=CARTON), a_row(80, "customer")], None, 1, 960),
        ([a_row(1050, pack_id=CARTON, least=2), a_row(95, least=24)], None, 1, 1200),
        ([a_row(1050, pack_id=CARTON, least=2), a_row(95, least=24)], None, 2, 1050),
    ],
)
def test_a_pack_has_its_own_price_or_follows_the_unit(
    rows: list[Listed], own_pack: int | None, cartons: int, price: int
) -> None:
    pack_price = None if own_pack is None else own_pack * MICRO
    own = OwnPrice(100 * MICRO, 90 * MICRO, CARTON, "Carton of 12", 12 * MICRO, pack_price)
    assert chosen(rows, own, quantity=12 * cartons) == price


def test_without_a_list_the_channel_decides_and_the_reason_says_so() -> None:
    assert own_price(OWN, "wholesale").price == 90 * MICRO
    assert own_price(OwnPrice(100, None), "wholesale").rule == "retail"
    won = choose([a_row(80, a_list("group", name="Hotels"), 12)], OWN, "retail", 12 * MICRO)
    assert (won.rule, won.reason) == ("Hotels", "price list of the customer's group, from 12, since 2026-11-21 11:00Z")


@st.composite
def some_rows(draw: st.DrawFn) -> list[Listed]:
    """Rows of few lists, quantities and instants, so that they tie as often as they can."""
    begins = st.sampled_from((None, NOON - HOUR, NOON + HOUR))
    lists = [a_list(draw(st.sampled_from(SCOPES)), starts_at=draw(begins)) for _ in range(draw(st.integers(1, 4)))]
    return [
        a_row(
            draw(st.integers(0, 50)),
            draw(st.sampled_from(lists)),
            draw(st.sampled_from((0, 1, 12))),
            pack_id=draw(st.sampled_from((None, CARTON))),
            starts_at=NOON - HOUR * draw(st.integers(1, 2)),
        )
        for _ in range(draw(st.integers(0, 6)))
    ]


@given(some_rows(), st.integers(1, 30), st.booleans(), st.randoms(use_true_random=False))
def test_the_choice_is_total_does_not_look_at_the_order_and_takes_the_greatest_that_fits(
    rows: list[Listed], quantity: int, in_pack: bool, shuffled: random.Random
) -> None:
    own = IN_CARTON if in_pack else OWN
    wanted = quantity * MICRO
    rows = [one for one in rows if why_not(one.list, BUYING) is None]
    assert {one.list.id for one in rows} == {one.id for one in in_force([row.list for row in rows], BUYING)}
    won = choose(rows, own, "retail", wanted)
    again = list(rows)
    shuffled.shuffle(again)
    assert choose(again, own, "retail", wanted) == won
    fitting = [one for one in rows if not_reached(one, own, wanted) is None]
    assert (won.row is None) == (not fitting)
    assert len({order_of(one, own) for one in rows}) == len(rows)
    if won.row is not None:
        losers = [one for one in fitting if one.id != won.row.id]
        assert all(order_of(one, own) < order_of(won.row, own) for one in losers)
        assert all(SCOPES.index(one.list.scope) >= SCOPES.index(won.row.list.scope) for one in losers)


# Lists that are based on others


def off(percent: int, of: ListFacts | str, scope: str = "everybody", **said: Any) -> ListFacts:
    """A list so many percent below another, or below the products' own prices of a channel."""
    base = {"based_on": of} if isinstance(of, str) else {"based_on_id": of.id}
    return a_list(scope, percent=-percent * MICRO, **base, **said)


HOTEL_LIST = a_list("group", name="Hotels")
CHEAPER = off(10, HOTEL_LIST)


@pytest.mark.parametrize(
    ("rows", "based", "quantity", "price"),
    [
        ([], [Based(off(12, "retail"))], 1, 88),
        ([], [Based(off(10, "wholesale"))], 1, 81),
        ([], [Based(off(-5, "retail"))], 1, 105),
        ([], [Based(off(100, "retail"))], 1, 0),
        ([a_row(95)], [Based(off(12, "retail", "group"))], 1, 88),
        ([a_row(95, "customer")], [Based(off(12, "retail", "group"))], 1, 95),
        ([a_row(95)], [Based(off(12, "retail"))], 1, 95),
        ([a_row(95)], [Based(off(12, "retail", starts_at=NOON - HOUR / 2))], 1, 88),
        ([a_row(95, CHEAPER)], [Based(CHEAPER, HOTEL_LIST, (a_row(80, HOTEL_LIST),))], 1, 95),
        ([a_row(95, CHEAPER, 12)], [Based(CHEAPER, HOTEL_LIST, (a_row(80, HOTEL_LIST),))], 1, 72),
        ([a_row(95, CHEAPER, 12)], [Based(CHEAPER, HOTEL_LIST, (a_row(80, HOTEL_LIST),))], 12, 95),
        ([], [Based(CHEAPER, HOTEL_LIST, (a_row(80, HOTEL_LIST), a_row(70, HOTEL_LIST, 12)))], 12, 63),
        ([], [Based(CHEAPER, HOTEL_LIST)], 1, 100),
        ([], [Based(CHEAPER, HOTEL_LIST, (), Based(off(50, "retail")))], 1, 45),
        ([], [Based(off(10, a_list(currency="UGX")), a_list(currency="UGX"), (a_row(80),))], 1, 100),
        ([], [Based(off(30, "retail", id=UUID(int=8))), Based(off(20, "retail", id=UUID(int=9)))], 1, 80),
    ],
    ids=["off retail", "off wholesale", "dearer", "free", "a group goes before", "a customer goes before",
         "a row of before", "in force later", "its own row", "not reached", "reached", "of the base by quantity",
         "the base has none", "two deep", "another currency", "the newer"],
)  # fmt: skip
def test_a_list_takes_its_prices_from_another_and_takes_its_place_among_lists(
    rows: list[Listed], based: list[Based], quantity: int, price: int
) -> None:
    for order in itertools.permutations(based):
        assert choose(rows, OWN, "retail", quantity * MICRO, order).price == price * MICRO


def test_what_is_taken_from_another_is_rounded_once_and_says_whence() -> None:
    fives = off(12, "wholesale", name="Dealers", round_to=5 * MICRO)
    won = choose([], OWN, "retail", MICRO, [Based(fives)])
    assert (won.price, won.rule, won.list) == (80 * MICRO, "Dealers", fives)
    assert won.reason == "price list of everybody: 12 % less than the wholesale price"
    assert choose([], IN_CARTON, "retail", 12 * MICRO, [Based(fives)]).price == 950 * MICRO
    assert words_of(CHEAPER, HOTEL_LIST) == "10 % less than Hotels"
    assert [words_of(off(n, "retail"), None) for n in (0, -5)] == [
        "as the retail price",
        "5 % more than the retail price",
    ]


@given(some_rows(), st.integers(1, 30), st.randoms(use_true_random=False))
def test_lists_that_are_based_on_others_never_tie_and_do_not_look_at_the_order(
    rows: list[Listed], quantity: int, shuffled: random.Random
) -> None:
    lists = {row.list.id: row.list for row in rows}.values()
    based = [Based(off(10, one, one.scope), one, tuple(row for row in rows if row.list is one)) for one in lists]
    won = choose(rows, OWN, "retail", quantity * MICRO, based)
    again = list(based)
    shuffled.shuffle(again)
    assert choose(rows[::-1], OWN, "retail", quantity * MICRO, again) == won
    if won.list is not None and won.row is None:
        (mine,) = [one for one in based if one.list is won.list]
        before = choose(mine.rows, OWN, "retail", quantity * MICRO)
        assert won.price == price_changed(before.price, -10 * MICRO, 0, 1)


# Changes by a rule


@pytest.mark.parametrize(
    ("price", "percent", "amount", "step", "after"),
    [
        ("100", "5", "0", "0.5", "105"),
        ("99.99", "5", "0", "0.5", "105"),
        ("380", "-12", "0", "5", "335"),
        ("101", "2.5", "0", "0.5", "103.5"),
        ("10", "0", "-12", "0.01", "0"),
        ("0.25", "0", "0", "0.5", "0.5"),
        ("0.24", "0", "0", "0.5", "0"),
        ("33.333333", "10", "0.5", "0.000001", "37.166666"),
        ("33.333335", "10", "0", "0.000001", "36.666669"),
    ],
)
def test_a_price_is_changed_by_a_percentage_and_an_amount_and_rounded_once(
    price: str, percent: str, amount: str, step: str, after: str
) -> None:
    price_, percent_, amount_, step_, after_ = (parse_micro(one) for one in (price, percent, amount, step, after))
    assert price_changed(price_, percent_, amount_, step_) == after_
