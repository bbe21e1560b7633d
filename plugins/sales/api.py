"""What other plugins may use of sales: the values that prices are made of, sales as they are told, and as tables."""

from __future__ import annotations

from plugins.sales.schemas.told import CancelledSale, CompletedSale, PlacedSale, SaleMoney, SoldLine, VoidedSale
from plugins.sales.schemas.values import (
    AmountOff,
    Answer,
    Applied,
    Cart,
    HandDiscount,
    Line,
    LinesOff,
    Missed,
    PercentOff,
    PricedCart,
    SetPrice,
    Step,
)
from plugins.sales.services.columns import has_bought, sale_columns, sale_line_columns, take_part
from plugins.sales.services.foreseeing import Replayed, replay

__all__ = [
    "AmountOff",
    "Answer",
    "Applied",
    "CancelledSale",
    "Cart",
    "CompletedSale",
    "HandDiscount",
    "Line",
    "LinesOff",
    "Missed",
    "PercentOff",
    "PlacedSale",
    "PricedCart",
    "Replayed",
    "SaleMoney",
    "SetPrice",
    "SoldLine",
    "Step",
    "VoidedSale",
    "has_bought",
    "replay",
    "sale_columns",
    "sale_line_columns",
    "take_part",
]
