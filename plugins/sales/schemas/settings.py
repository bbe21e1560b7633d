"""What a business decides about its sales."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from kernel.money import StepMode, UnitPrice
from plugins.payments.api import check_step


class TotalRounding(Struct, frozen=True, forbid_unknown_fields=True):
    """The total of every sale is rounded to a step, however it is paid; the difference is the sale's rounding.

    India: section 170 of the CGST Act, 2017, to whole rupees. A step that no coinage has is a ValueError.
    """

    step: Annotated[UnitPrice, Meta(examples=["1"])]
    mode: Annotated[StepMode, Meta(examples=["half_up"])] = "half_up"

    def __post_init__(self) -> None:
        check_step(self.step)


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a business decides about its sales. Without a rounding, totals stay as they are."""

    total_rounding: Annotated[TotalRounding | None, Meta(title="Rounding of the total")] = None
