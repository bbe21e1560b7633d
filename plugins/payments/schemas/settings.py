"""What a business decides about payments, and what its tenders are rounded to."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from kernel.money import StepMode, UnitPrice
from kernel.wire import Currency, Region, set_at
from plugins.payments.rules import cash_step, check_step, step_of
from plugins.payments.schemas.values import Method, MethodCode


class TenderRounding(Struct, frozen=True, forbid_unknown_fields=True):
    """A method pays in multiples of a step: 0.05 or 1 or 5. The first that fits a payment counts.

    currency, region: where it holds; none: everywhere. A step is 1, 2, 2.5 or 5 with any power of ten, from 0.01 to
    100000 (ValueError otherwise); one finer than the currency's smallest unit rounds nothing.
    """

    method: MethodCode
    step: Annotated[UnitPrice, Meta(description="What is paid comes in multiples of it.", examples=["1"])]
    mode: Annotated[StepMode, Meta(examples=["half_up"])] = "half_up"
    currency: Currency | None = None
    region: Region | None = None

    def __post_init__(self) -> None:
        check_step(self.step)


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is decided about payments. Without an entry only cash is rounded, to the smallest coin."""

    rounding: Annotated[
        tuple[TenderRounding, ...],
        Meta(
            max_length=50,
            title="Rounding by method",
            description="Where the smallest coins are rare: what is owed that way becomes the nearest step.",
        ),
        set_at("deployment", "business", "location"),
    ] = ()
    is_practice: Annotated[
        bool,
        Meta(title="Only for practice: test accounts of gateways take payments, in production too"),
        set_at("deployment", "business"),
    ] = False


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
        return Coin(cash_step(self.currency, self.region))
