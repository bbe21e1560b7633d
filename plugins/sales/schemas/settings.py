"""What a business decides about its sales."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from kernel.money import StepMode, UnitPrice
from kernel.wire import set_at
from plugins.payments.api import check_step


class TotalRounding(Struct, frozen=True, forbid_unknown_fields=True):
    """The total of every sale is rounded to a step, however it is paid; the difference is the sale's rounding.

    India: section 170 of the CGST Act, 2017, to whole rupees. A step that no coinage has is a ValueError.
    """

    step: Annotated[UnitPrice, Meta(description="Totals are multiples of it.", examples=["1"])]
    mode: Annotated[StepMode, Meta(examples=["half_up"])] = "half_up"

    def __post_init__(self) -> None:
        check_step(self.step)


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is decided about sales, also for one location. Without a rounding, totals stay as they are.

    below_cost: goods that bring in less than they cost are sold with an approval; with one only where a person lowered
    the price by hand, so that the shop's own offers pass; or by everybody.
    """

    total_rounding: Annotated[
        TotalRounding | None,
        Meta(
            title="Rounding of the total",
            description="Every sale then comes to a multiple of the step, however it is paid.",
        ),
        set_at("deployment", "business", "location"),
    ] = None
    below_cost: Annotated[
        Literal["ask", "ask_by_hand", "allow"],
        Meta(
            title="Sales below cost",
            description="Ask: a second person approves. Ask by hand: only where a person lowered the price."
            " Allow: nobody is asked.",
            examples=["ask_by_hand"],
        ),
        set_at("deployment", "business", "location"),
    ] = "ask"
