"""What a tender is rounded to: the coins of a region, or what the business says; steps that no coinage has."""

from __future__ import annotations

import pytest

from kernel.money import MICRO
from plugins.payments.rules import step_of
from plugins.payments.schemas.settings import Coin, Coins, Settings, TenderRounding
from plugins.payments.schemas.values import Method

CASH, MPESA = Method("cash", "Cash", "cash"), Method("mpesa", "M-Pesa", "other")


def coins(currency: str, region: str, *said: TenderRounding, exponent: int = 2) -> Coins:
    return Coins(said, currency, region, exponent)


@pytest.mark.parametrize(
    ("currency", "region", "step"),
    [("KES", "KE", 1), ("TZS", "TZ", 100), ("CHF", "CH", 5), ("EUR", "FI", 5), ("EUR", "DE", 1), ("INR", "IN", 1)],
)
def test_cash_is_rounded_to_the_coins_of_its_region_and_nothing_else_is(currency: str, region: str, step: int) -> None:
    found = coins(currency, region)
    assert (found.of(CASH), found.of(MPESA)) == (Coin(step), Coin())


def test_the_business_says_how_its_methods_are_rounded_in_a_currency_and_region() -> None:
    said = (
        TenderRounding("cash", "5", "down", "KES"),
        TenderRounding("mpesa", "1", region="KE"),
        TenderRounding("cash", "10"),
    )
    kenya, uganda = coins("KES", "KE", *said), coins("UGX", "UG", *said, exponent=0)
    assert (kenya.of(CASH), kenya.of(MPESA)) == (Coin(500, "down"), Coin(100))
    assert (uganda.of(CASH), uganda.of(MPESA)) == (Coin(10), Coin())


@pytest.mark.parametrize(
    ("step", "exponent", "minor"), [("0.05", 2, 5), ("1", 2, 100), ("0.5", 0, 1), ("2.5", 3, 2500)]
)
def test_a_step_finer_than_the_currency_rounds_nothing(step: str, exponent: int, minor: int) -> None:
    assert step_of(step, exponent) == minor


@pytest.mark.parametrize("step", ["0", "0.001", "0.03", "7", "200000", "15"])
def test_a_step_that_no_coinage_has_is_refused(step: str) -> None:
    with pytest.raises(ValueError, match="a step is 1, 2"):
        TenderRounding("cash", step)


def test_nothing_said_rounds_by_coins_alone() -> None:
    assert Settings().rounding == ()
    assert MICRO // 100 == 10_000, "the smallest step is a hundredth"
