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
    PercentOff,
    SetPrice,
    Step,
)
from plugins.sales.services.columns import sale_columns, sale_line_columns, take_part

__all__ = [
    "AmountOff",
    "Answer",
    "Applied",
    "CancelledSale",
    "Cart",
    "CompletedSale",
    "HandDiscount",
    "Line",
    "PercentOff",
    "PlacedSale",
    "SaleMoney",
    "SetPrice",
    "SoldLine",
    "Step",
    "VoidedSale",
    "sale_columns",
    "sale_line_columns",
    "take_part",
]
