"""Prices: worked examples, the phases of a line, discounts on the document, refusals."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kernel.money import format_price, parse_micro
from plugins.sales.rules import AmountTooLarge, BadAnswer, DiscountTooLarge, price
from plugins.sales.schemas.values import (
    Answer,
    HandDiscount,
    Override,
    PricedCart,
)
from plugins.sales.tests.pricing_cases import (
    ADDED,
    INCLUDED,
    amount_off,
    by_hand,
    cart,
    gst,
    line,
    percent_off,
    priced,
    set_price,
    totals,
    vat,
    written,
)
from plugins.taxes.api import TaxPolicy

# Worked examples

FULL = (line("2", "50.00", by_hand("10")), line("1", "30.00"), line("3", "19.99", by_hand("5")))


def test_the_full_example_taxed_per_line() -> None:
    answer = priced(cart(*FULL, policy=ADDED), document=[amount_off("12.50")])
    assert [written(each.gross - each.discount) for each in answer.lines] == ["83.64", "27.88", "52.95"]
    assert [written(each.tax) for each in answer.lines] == ["13.38", "4.46", "8.47"]
    assert totals(answer) == ("189.97", "25.50", "26.31", "190.78")


def test_the_full_example_taxed_per_document() -> None:
    answer = priced(cart(*FULL, policy=TaxPolicy(False, "document", 2), hand=by_hand(amount="12.50")))
    assert totals(answer) == ("189.97", "25.50", "26.32", "190.79")


def test_the_sale_of_the_api_page() -> None:
    answer = priced(cart(line("2", "380.00"), line("0.750", "133.33", by_hand("10"))))
    assert totals(answer) == ("860.00", "10.00", "117.24", "850.00")
    first = answer.lines[0]
    assert (written(first.net), written(first.tax), format_price(first.unit_price, 2)) == (
        "655.17",
        "104.83",
        "380.00",
    )
    (step,) = first.steps
    assert (step.phase, step.plugin, step.rule, step.before, step.after, step.reason) == (
        "list", "catalog", "retail price", None, "380.00", "retail"
    )  # fmt: skip


@pytest.mark.parametrize("rounding", ["line", "document"])
def test_two_lines_at_5_percent_come_to_145_however_tax_is_rounded(rounding: str) -> None:
    policy = TaxPolicy(True, "line" if rounding == "line" else "document", 2)
    answer = priced(cart(line("1", "90.00", treatment=vat("5")), line("1", "55.00", treatment=vat("5")), policy=policy))
    assert written(answer.total) == "145.00"
    assert written(answer.tax_total) == ("6.91" if rounding == "line" else "6.90")


def test_indian_halves_survive_a_document_discount() -> None:
    asked = cart(line("1", "1300.00", treatment=gst("18")), line("1", "35.00", treatment=gst("5")))
    for each in priced(asked, document=[percent_off("7")]).lines:
        assert each.components[0].amount == each.components[1].amount
        assert each.net + 2 * each.components[0].amount == each.total


def test_a_hundred_percent_off_leaves_nothing_anywhere() -> None:
    answer = priced(cart(line("3", "19.99")), percent_off("100"))
    (only,) = answer.lines
    assert (only.net, only.tax, only.total, answer.total) == (0, 0, 0, 0)
    assert written(only.discount) == "59.97"


def test_a_currency_without_minor_digits_is_priced_in_whole_units() -> None:
    answer = priced(cart(line("3", "33.5"), policy=TaxPolicy(True, "line", 0)))
    assert (answer.total, answer.tax_total) == (101, 14)


def test_an_empty_cart_costs_nothing() -> None:
    assert totals(priced(cart(hand=by_hand("10")), document=[percent_off("5")])) == (
        "0.00",
        "0.00",
        "0.00",
        "0.00",
    )


# Phases of a line


def steps(answer: PricedCart, place: int = 0) -> list[tuple[str, str, str | None, str]]:
    return [(step.phase, step.plugin, step.before, step.after) for step in answer.lines[place].steps]


def test_phases_come_in_their_order_whatever_the_order_of_answers() -> None:
    asked = cart(line("1", "100.00", by_hand("10")), hand=by_hand(amount="1.00"))
    answers = (amount_off("5.00", "coupon"), percent_off("10", "promotion"), set_price("90.00", "customer"))
    answer = priced(asked, *answers, document=[percent_off("50", "coupon"), amount_off("0.90", "customer")])
    assert steps(answer) == [
        ("list", "catalog", None, "100.00"),
        ("customer", "promo", "100.00", "90.00"),
        ("hand", "sales", "90.00", "81.00"),
        ("promotion", "promo", "81.00", "72.90"),
        ("coupon", "promo", "72.90", "67.90"),
        ("document", "promo", "67.90", "67.00"),
        ("document", "sales", "67.00", "66.00"),
        ("document", "promo", "66.00", "33.00"),
    ]
    assert totals(answer)[:2] == ("90.00", "57.00")


def test_within_a_phase_the_order_given_holds() -> None:
    asked = cart(line("1", "100.00"))
    assert written(priced(asked, percent_off("10"), amount_off("10.00")).total) == "80.00"
    assert written(priced(asked, amount_off("10.00"), percent_off("10")).total) == "81.00"


@pytest.mark.parametrize(("answer", "total"), [("90.00", "180.00"), ("110.125", "220.25")])
def test_a_customers_price_goes_up_or_down(answer: str, total: str) -> None:
    found = priced(cart(line("2", "100.00")), set_price(answer, "customer"))
    assert (written(found.total), written(found.discount_total)) == (total, "0.00")
    assert steps(found)[-1] == ("customer", "promo", "100.00", answer)


def test_a_promotional_price_never_raises_and_never_undoes_a_better_discount() -> None:
    assert written(priced(cart(line("1", "100.00")), set_price("110.00")).total) == "100.00"
    asked = cart(line("1", "100.00", by_hand("20")))
    kept = priced(asked, set_price("85.00"))
    assert totals(kept)[:2] == ("100.00", "20.00")
    assert [step.phase for step in kept.lines[0].steps] == ["list", "hand"]
    assert totals(priced(asked, set_price("75.00")))[:2] == ("75.00", "0.00")


def test_an_override_is_the_price_and_further_discounts_come_off_it() -> None:
    asked = cart(line("2", "100.00", by_hand("10"), Override(parse_micro("120.00"), "engraved")))
    answer = priced(asked, percent_off("50", "customer"))
    assert steps(answer)[-2:] == [
        ("hand", "sales", "100.00", "120.00"),
        ("hand", "sales", "240.00", "216.00"),
    ]
    assert totals(answer)[:2] == ("240.00", "24.00")


def test_an_amount_off_is_cut_to_what_is_left_of_the_line() -> None:
    answer = priced(cart(line("1", "30.00"), line("1", "100.00")), amount_off("50.00"))
    assert [written(each.total) for each in answer.lines] == ["0.00", "50.00"]


def test_an_answer_that_changes_nothing_leaves_no_step() -> None:
    asked = cart(line("1", "30.00"))
    answer = priced(asked, percent_off("0"), set_price("30.00"), amount_off("30.00"), amount_off("5.00"))
    assert [step.after for step in answer.lines[0].steps] == ["30.00", "0.00"]


def test_what_a_person_gave_always_leaves_its_step() -> None:
    asked = cart(line("1", "30.00", by_hand("0"), Override(parse_micro("30.00"), "as asked")))
    assert [step.reason for step in priced(asked).lines[0].steps] == ["retail", "as asked", "bruised"]


# Discounts on the document


def test_a_document_discount_is_shared_by_largest_remainder() -> None:
    answer = priced(cart(line("1", "18.00"), line("1", "15.00")), document=[amount_off("5.00")])
    assert [written(each.discount) for each in answer.lines] == ["2.73", "2.27"]


def test_a_document_discount_touches_only_its_lines() -> None:
    asked = cart(line("1", "10.00"), line("1", "20.00"), line("1", "30.00"))
    answer = priced(
        asked,
        document=[
            percent_off("10", lines=(3, 1)),
            amount_off("99.00", lines=(2,)),
            amount_off("1.00", lines=()),
        ],
    )
    assert [written(each.total) for each in answer.lines] == ["9.00", "0.00", "27.00"]


def test_a_cent_of_discount_is_a_step_only_where_it_falls() -> None:
    answer = priced(cart(line("1", "1.00"), line("1", "1.00")), document=[amount_off("0.01")])
    assert [len(each.steps) for each in answer.lines] == [2, 1]


def test_a_document_discount_of_a_plugin_is_cut_to_the_document() -> None:
    answer = priced(cart(line("1", "1.00"), line("1", "2.00")), document=[amount_off("50.00")])
    assert answer.total == 0
    assert all(each.total == 0 for each in answer.lines)


# Refusals


@pytest.mark.parametrize("hand", [by_hand("100.000001"), by_hand(amount="30.01")])
def test_a_cashier_cannot_give_more_than_the_line_or_the_document(hand: HandDiscount) -> None:
    with pytest.raises(DiscountTooLarge) as caught:
        priced(cart(line("1", "99.00"), line("1", "30.00", hand)))
    assert caught.value.line == 2
    with pytest.raises(DiscountTooLarge) as caught:
        priced(cart(line("1", "30.00"), hand=hand))
    assert caught.value.line is None


@pytest.mark.parametrize(
    "answer",
    [
        percent_off("101"),
        replace(percent_off("1"), percent=-1),
        replace(percent_off("1"), percent=10**5000),
        replace(percent_off("1"), percent=True),
        replace(percent_off("1"), percent=float("nan")),
        replace(amount_off("1"), amount=-1),
        replace(amount_off("1"), amount=float("inf")),
        replace(amount_off("1"), amount=None),
        replace(amount_off("1"), amount="1.00"),
        replace(set_price("1"), unit_price=-1),
        replace(set_price("1"), unit_price=10**18),
        replace(set_price("1"), unit_price=1.5),
        replace(amount_off("1"), phase="hand"),
        replace(amount_off("1"), phase=[]),
        replace(amount_off("1"), rule=""),
        replace(amount_off("1"), rule=None),
        replace(amount_off("1"), reason="a\x00b"),
        replace(amount_off("1"), reason="x" * 201),
        {"percent": 10},
        None,
    ],
)
def test_nonsense_from_a_plugin_is_refused_by_name(answer: Answer) -> None:
    for line_answers, cart_answers in (((answer,), ()), ((), (answer,))):
        with pytest.raises(BadAnswer) as caught:
            priced(cart(line("1", "30.00")), *line_answers, document=cart_answers)
        assert caught.value.plugin == "promo"


@pytest.mark.parametrize("lines", [(0,), (3,), (1, 1), (True,), [1], "1"])
def test_an_offer_names_distinct_lines_of_the_cart(lines: tuple[int, ...]) -> None:
    with pytest.raises(BadAnswer):
        priced(cart(line("1", "1.00"), line("1", "1.00")), document=[amount_off("1.00", lines=lines)])


def test_an_answer_keeps_to_its_own_hook() -> None:
    with pytest.raises(BadAnswer):
        priced(cart(line("1", "1.00")), amount_off("1.00", lines=(1,)))
    with pytest.raises(BadAnswer):
        priced(cart(line("1", "1.00")), document=[set_price("0.50")])


def test_answers_and_lines_must_be_of_one_number() -> None:
    with pytest.raises(ValueError, match="shorter"):
        price(cart(line("1", "1.00")), [], [])


@pytest.mark.parametrize("policy", [INCLUDED, ADDED])
def test_a_total_that_cannot_be_stored_is_refused(policy: TaxPolicy) -> None:
    with pytest.raises(AmountTooLarge):
        priced(cart(line("999999999999", "999999999999"), policy=policy))
    with pytest.raises(AmountTooLarge):
        priced(cart(*[line("1", "600000000000")] * 2, policy=policy))


@pytest.mark.parametrize(
    "make",
    [
        lambda: line("0", "1.00"),
        lambda: line("-1", "1.00"),
        lambda: line("1", "-1.00"),
        lambda: Override(-1, "no"),
        lambda: HandDiscount("neither"),
        lambda: HandDiscount("both", 1, 1),
        lambda: HandDiscount("negative", percent=-1),
        lambda: HandDiscount("negative", amount=-1),
        lambda: replace(cart(line("1", "1.00")), exponent=3),
        lambda: replace(cart(line("1", "1.00")), lines=(replace(line("1", "1.00"), line=2),)),
    ],
)
def test_values_that_make_no_sense_cannot_be_made(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=r"must|either"):
        make()
