"""How tenders settle a total: cash in coins, change, mixed tenders, refunds that mirror sales."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kernel.money import StepMode, format_amount, parse_amount
from plugins.sales.rules import BadTender, OffStep, Overpaid, round_total, settle
from plugins.sales.schemas.values import Settlement, Tender


def cash(amount: str, tendered: str | None = None, step: str = "0.01") -> Tender:
    handed = None if tendered is None else parse_amount(tendered, 2)
    return Tender("cash", parse_amount(amount, 2), handed, True, parse_amount(step, 2))


def card(amount: str) -> Tender:
    return Tender("card", parse_amount(amount, 2))


def settled(total: str, *tenders: Tender) -> dict[str, str]:
    """The figures of a settlement, written out."""
    found = settle(parse_amount(total, 2), tenders)
    names = ("rounding", "paid", "change", "balance_due")
    return {name: format_amount(getattr(found, name), 2) for name in names}


def figures(rounding: str, paid: str, change: str = "0.00", balance_due: str = "0.00") -> dict[str, str]:
    return {"rounding": rounding, "paid": paid, "change": change, "balance_due": balance_due}


@pytest.mark.parametrize(
    ("total", "tender", "expected"),
    [
        ("850.00", cash("850.00", "1000.00"), figures("0.00", "850.00", "150.00")),
        ("1.98", cash("2.00", step="0.05"), figures("0.02", "2.00")),
        ("1.98", cash("1.98", step="0.05"), figures("0.02", "2.00")),
        ("1.98", cash("1.98", "5.00", step="0.05"), figures("0.02", "2.00", "3.00")),
        ("-1.98", cash("-2.00", step="0.05"), figures("-0.02", "-2.00")),
        ("0.02", cash("0.02", step="0.05"), figures("-0.02", "0.00")),
        ("633.30", cash("633.00", step="1.00"), figures("-0.30", "633.00")),
        ("633.30", cash("633.30", step="1.00"), figures("-0.30", "633.00")),
        ("633.30", cash("633.30", "650.00", step="1.00"), figures("-0.30", "633.00", "17.00")),
        ("230.89", cash("230.90", step="0.05"), figures("0.01", "230.90")),
        ("7.50", cash("8.00", step="1.00"), figures("0.50", "8.00")),
        ("251.00", cash("1000.00"), figures("0.00", "251.00", "749.00")),
        ("251.00", cash("500.00", "1000.00"), figures("0.00", "251.00", "749.00")),
        ("0.00", cash("100.00"), figures("0.00", "0.00", "100.00")),
    ],
)
def test_cash_is_rounded_to_coins_and_gives_change(total: str, tender: Tender, expected: dict[str, str]) -> None:
    assert settled(total, tender) == expected


def test_only_what_cash_must_pay_is_rounded() -> None:
    assert settled("633.30", card("600.10"), cash("33.20", step="1.00")) == figures("-0.20", "633.10")
    assert settled("633.30", card("633.30")) == figures("0.00", "633.30")
    assert settled("633.30", cash("100.00", step="1.00"), card("533.30")) == figures("0.00", "633.30")


def test_each_tender_keeps_its_own_change() -> None:
    found = settle(10000, [card("40.00"), cash("10.00", "20.00"), cash("50.00", "100.00")])
    assert [(each.amount, each.tendered, each.change) for each in found.tenders] == [
        (4000, None, 0),
        (1000, 2000, 1000),
        (5000, 10000, 5000),
    ]


def test_cash_beyond_what_is_due_is_change_of_the_later_tender() -> None:
    found = settle(10000, [cash("80.00"), cash("50.00")])
    assert [(each.amount, each.tendered, each.change) for each in found.tenders] == [
        (8000, 8000, 0),
        (2000, 5000, 3000),
    ]


@pytest.mark.parametrize(
    ("total", "tenders", "expected"),
    [
        ("100.00", (cash("60.00"),), figures("0.00", "60.00", balance_due="40.00")),
        ("100.00", (), figures("0.00", "0.00", balance_due="100.00")),
        ("100.00", (card("99.99"),), figures("0.00", "99.99", balance_due="0.01")),
        ("633.30", (cash("600.00", step="1.00"),), figures("-0.30", "600.00", balance_due="33.00")),
        ("633.50", (cash("633.50", "633.50", step="1.00"),), figures("0.50", "633.50", balance_due="0.50")),
        ("633.50", (cash("633.70", step="1.00"),), figures("0.50", "633.70", balance_due="0.30")),
        ("100.00", (cash("60.00", "100.00"),), figures("0.00", "60.00", "40.00", "40.00")),
    ],
)
def test_too_little_leaves_a_balance(total: str, tenders: tuple[Tender, ...], expected: dict[str, str]) -> None:
    assert settled(total, *tenders) == expected


def test_the_coarsest_step_of_several_cash_tenders_counts() -> None:
    assert settled("9.97", cash("5.00", step="0.05"), cash("5.00", step="1.00")) == figures("0.03", "10.00")


@pytest.mark.parametrize(
    "tenders", [(card("100.01"),), (card("60.00"), card("40.01")), (cash("50.00"), card("100.01"))]
)
def test_only_cash_may_exceed_what_is_due(tenders: tuple[Tender, ...]) -> None:
    with pytest.raises(Overpaid) as caught:
        settle(10000, tenders)
    assert (caught.value.method, caught.value.excess) == ("card", 1)


@pytest.mark.parametrize(
    ("total", "tender"),
    [
        (100, card("-1.00")),
        (0, cash("-1.00")),
        (-100, cash("1.00")),
        (100, cash("1.00", "0.99")),
        (100, replace(cash("1.00"), step=0)),
        (100, replace(card("1.00"), tendered=200)),
    ],
)
def test_a_tender_that_contradicts_itself_is_refused(total: int, tender: Tender) -> None:
    with pytest.raises(BadTender):
        settle(total, [tender])


def whole(amount: str, step: str = "1.00") -> Tender:
    return Tender("mpesa", parse_amount(amount, 2), step=parse_amount(step, 2))


def down(tender: Tender) -> Tender:
    return replace(tender, mode="down")


@pytest.mark.parametrize(
    ("total", "tenders", "expected"),
    [
        ("1.95", (down(cash("1.95", step="0.05")),), figures("0.00", "1.95")),
        ("-1.95", (down(cash("-1.95", step="0.05")),), figures("0.00", "-1.95")),
        ("7.50", (down(cash("8.00", step="1.00")),), figures("-0.50", "7.00", "1.00")),
        ("7.50", (down(cash("7.50", step="1.00")),), figures("-0.50", "7.00")),
        ("-7.50", (down(cash("-7.50", step="1.00")),), figures("0.50", "-7.00")),
        ("633.30", (whole("633.00"),), figures("-0.30", "633.00")),
        ("633.30", (whole("633.30"),), figures("-0.30", "633.00")),
        ("633.50", (whole("634.00"),), figures("0.50", "634.00")),
        ("-633.50", (whole("-634.00"),), figures("-0.50", "-634.00")),
        ("633.30", (whole("600.00"), card("33.30")), figures("0.00", "633.30")),
        ("633.30", (card("600.10"), whole("33.00")), figures("-0.20", "633.10")),
        ("633.30", (whole("600.00"), cash("33.30", step="0.50")), figures("0.20", "633.50")),
        ("633.30", (whole("600.00"),), figures("-0.30", "600.00", balance_due="33.00")),
        ("12.50", (whole("10.00", "5.00"), whole("2.50")), figures("2.50", "15.00")),
    ],
)
def test_a_tender_in_steps_is_rounded_alone_and_exact_beside_cash(
    total: str, tenders: tuple[Tender, ...], expected: dict[str, str]
) -> None:
    assert settled(total, *tenders) == expected


@pytest.mark.parametrize(
    "tenders", [(whole("33.30"), cash("600.00")), (whole("600.50"),), (whole("33.30"), whole("600.00"))]
)
def test_an_amount_that_a_tender_in_steps_cannot_pay_is_refused(tenders: tuple[Tender, ...]) -> None:
    with pytest.raises(OffStep) as caught:
        settle(63330, tenders)
    assert (caught.value.method, caught.value.step) == ("mpesa", 100)


def test_a_tender_in_steps_gives_no_change() -> None:
    with pytest.raises(Overpaid) as caught:
        settle(63330, [whole("634.00")])
    assert caught.value.excess == 100


@pytest.mark.parametrize(
    ("total", "step", "mode", "rounded"),
    [("19.44", "1.00", "half_up", "19.00"), ("19.54", "1.00", "half_up", "20.00"),
     ("-19.54", "1.00", "half_up", "-20.00"),
     ("19.54", "1.00", "down", "19.00"), ("-19.54", "1.00", "down", "-19.00"), ("19.50", "1.00", "half_up", "20.00")],
)  # fmt: skip
def test_a_total_is_rounded_for_every_tender(total: str, step: str, mode: StepMode, rounded: str) -> None:
    amount = parse_amount(total, 2)
    assert amount + round_total(amount, parse_amount(step, 2), mode) == parse_amount(rounded, 2)


TENDERS = st.lists(
    st.one_of(
        st.builds(Tender, st.just("card"), st.integers(0, 3000)),
        st.builds(
            lambda amount, more, step: Tender("cash", amount, None if more is None else amount + more, True, step),
            st.integers(0, 5000),
            st.none() | st.integers(0, 5000),
            st.sampled_from([1, 5, 10, 50, 100]),
        ),
    ),
    max_size=4,
)


def tried(total: int, tenders: list[Tender]) -> Settlement | None:
    try:
        return settle(total, tenders)
    except Overpaid:
        return None


@given(st.integers(0, 10_000), TENDERS)
def test_a_settlement_adds_up(total: int, tenders: list[Tender]) -> None:
    found = tried(total, tenders)
    exact = sum(each.amount for each in tenders if not each.is_cash)
    if found is None:
        assert exact > total
        return
    steps = [each.step for each in tenders if each.is_cash]
    assert total + found.rounding == found.paid + found.balance_due
    assert 2 * abs(found.rounding) <= max(steps, default=0)
    assert not steps or (total - exact + found.rounding) % max(steps) == 0
    assert found.balance_due >= 0
    assert found.paid == sum(each.amount for each in found.tenders)
    assert found.change == sum(each.change for each in found.tenders)
    for asked, each in zip(tenders, found.tenders, strict=True):
        assert each.method == asked.method
        assert each.amount >= 0
        assert each.change >= 0
        if asked.is_cash:
            assert each.tendered == each.amount + each.change
            assert asked.tendered in (None, each.tendered)
        else:
            assert (each.amount, each.tendered, each.change) == (asked.amount, None, 0)


@given(st.integers(1, 10_000), TENDERS)
def test_a_refund_mirrors_its_sale(total: int, tenders: list[Tender]) -> None:
    turned = [
        replace(each, amount=-each.amount, tendered=None if each.tendered is None else -each.tendered)
        for each in tenders
    ]
    sale, refund = tried(total, tenders), tried(-total, turned)
    assert (sale is None) == (refund is None)
    if sale is not None and refund is not None:
        assert (refund.rounding, refund.paid, refund.change, refund.balance_due) == (
            -sale.rounding, -sale.paid, -sale.change, -sale.balance_due
        )  # fmt: skip
        assert [(each.amount, each.change) for each in refund.tenders] == [
            (-each.amount, -each.change) for each in sale.tenders
        ]


@given(st.integers(0, 10_000), st.sampled_from([1, 5, 100]))
def test_cash_of_exactly_the_total_always_settles_it(total: int, step: int) -> None:
    found = settle(total, [Tender("cash", total, None, True, step)])
    assert (found.balance_due, found.change) == (0, 0)
    assert found.paid % step == 0


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.sampled_from([1, 5, 100]))
def test_a_full_refund_returns_what_was_paid(total: int, by_card: int, step: int) -> None:
    by_card = min(by_card, total)
    sale = settle(total, [Tender("card", by_card), Tender("cash", total - by_card, None, True, step)])
    back = [
        Tender("card", -sale.tenders[0].amount),
        Tender("cash", -sale.tenders[1].amount, None, True, step),
    ]
    refund = settle(-total, back)
    assert (refund.paid, refund.rounding, refund.balance_due) == (-sale.paid, -sale.rounding, 0)


ROUNDED = st.lists(
    st.builds(
        lambda kind, amount, step, mode: Tender(kind, amount * step, None, kind == "cash", step, mode),
        st.sampled_from(["cash", "mpesa", "card"]),
        st.integers(0, 60),
        st.sampled_from([1, 5, 10, 50, 100]),
        st.sampled_from(["half_up", "down"]),
    ),
    max_size=3,
)


@given(st.integers(1, 10_000), ROUNDED)
def test_steps_and_modes_of_any_tender_add_up_and_mirror(total: int, tenders: list[Tender]) -> None:
    found = tried(total, tenders)
    turned = tried(-total, [replace(each, amount=-each.amount) for each in tenders])
    assert (found is None) == (turned is None)
    if found is None or turned is None:
        return
    assert total + found.rounding == found.paid + found.balance_due
    assert abs(found.rounding) < max((each.step for each in tenders), default=1)
    assert all(settled.amount % asked.step == 0 for asked, settled in zip(tenders, found.tenders, strict=True)) or any(
        asked.is_cash for asked in tenders
    )
    assert (turned.rounding, turned.paid, turned.change) == (-found.rounding, -found.paid, -found.change)


@given(st.integers(1, 10_000), st.sampled_from([1, 5, 100]), st.sampled_from(["half_up", "down"]))
def test_a_tender_in_steps_of_exactly_the_total_always_settles_it(total: int, step: int, mode: StepMode) -> None:
    found = settle(total, [Tender("mpesa", total, None, False, step, mode)])
    assert (found.balance_due, found.paid % step) == (0, 0)
    assert settle(-total, [Tender("mpesa", -found.paid, None, False, step, mode)]).balance_due == 0
