"""What a tender is rounded to: the smallest coin of a currency in a region, or what the business says of a method."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final

from msgspec import Meta, Struct

from kernel.money import MICRO, StepMode, UnitPrice, parse_micro
from kernel.wire import Currency, Region
from plugins.payments.rules import cash_step
from plugins.payments.schemas import Method, MethodCode

REGION_STEPS: Final[Mapping[tuple[str, str], int]] = MappingProxyType(
    {
        ("BE", "EUR"): 5,  # since 2019-12-01: Federal Public Service Economy
        ("FI", "EUR"): 5,  # since 2002-01-01: Bank of Finland
        ("IE", "EUR"): 5,  # since 2015-10-28: Central Bank of Ireland
        ("NL", "EUR"): 5,  # since 2004-09-01: De Nederlandsche Bank
        ("SK", "EUR"): 5,  # since 2022-07-01: National Bank of Slovakia
    }
)
"""Smallest sum in cash, in minor units, where a region's habit or law is coarser than its currency."""


class TenderRounding(Struct, frozen=True, forbid_unknown_fields=True):
    """A method pays in multiples of a step: 0.05 or 1 or 5. The first that fits a payment counts.

    currency, region: where it holds; none: everywhere. A step is 1, 2, 2.5 or 5 with any power of ten, from 0.01 to
    100000 (ValueError otherwise); one finer than the currency's smallest unit rounds nothing.
    """

    method: MethodCode
    step: Annotated[UnitPrice, Meta(examples=["1"])]
    mode: Annotated[StepMode, Meta(examples=["half_up"])] = "half_up"
    currency: Currency | None = None
    region: Region | None = None

    def __post_init__(self) -> None:
        check_step(self.step)


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a business decides about payments. Without an entry only cash is rounded, to the smallest coin."""

    rounding: Annotated[tuple[TenderRounding, ...], Meta(max_length=50, title="Rounding by method")] = ()


class Coin(Struct, frozen=True):
    """What a tender is rounded to: a step in minor units, 1 for nothing; and which way."""

    step: int = 1
    mode: StepMode = "half_up"


class Coins(Struct, frozen=True):
    """What the tenders of a business are rounded to."""

    said: tuple[TenderRounding, ...]
    currency: str
    region: str
    exponent: int

    def of(self, method: Method) -> Coin:
        """What a method is rounded to: as the business says, else to coins where it is cash."""
        for one in self.said:
            if (
                one.method == method.code
                and one.currency in (None, self.currency)
                and one.region in (None, self.region)
            ):
                return Coin(step_of(one.step, self.exponent), one.mode)
        if not method.is_cash:
            return Coin()
        return Coin(REGION_STEPS.get((self.region, self.currency), cash_step(self.currency)))


def check_step(step: str) -> None:
    """Raise ValueError for a step that no coinage has."""
    value = parse_micro(step)
    if not MICRO // 100 <= value <= 100_000 * MICRO or str(value).rstrip("0") not in ("1", "2", "25", "5"):
        raise ValueError(f"a step is 1, 2, 2.5 or 5 with a power of ten, from 0.01 to 100000, not {step}")


def step_of(step: str, exponent: int) -> int:
    """A step in minor units; 1 where it is finer than they are."""
    minor: int = parse_micro(step) * 10**exponent // MICRO
    return max(1, minor)
