"""The pure rules of sales: what a cart costs and how tenders settle it. No I/O, no models, no framework."""

from __future__ import annotations

from plugins.sales.rules.answers import BadAnswer
from plugins.sales.rules.pricing import AmountTooLarge, Begun, DiscountTooLarge, begin, finish, price
from plugins.sales.rules.tender import BadTender, OffStep, Overpaid, round_total, settle

__all__ = [
    "AmountTooLarge",
    "BadAnswer",
    "BadTender",
    "Begun",
    "DiscountTooLarge",
    "OffStep",
    "Overpaid",
    "begin",
    "finish",
    "price",
    "round_total",
    "settle",
]
