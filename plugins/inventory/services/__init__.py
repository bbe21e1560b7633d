"""The use cases of inventory: goods taken in and corrected, stock moved for others, levels and moves looked up."""

from plugins.inventory.services.documents import adjust_stock, receive_goods
from plugins.inventory.services.reading import (
    get_adjustment,
    get_receipt,
    list_adjustments,
    list_levels,
    list_low_stock,
    list_moves,
    list_receipts,
    stock_of,
)
from plugins.inventory.services.stock import available, knowingly, move_stock

__all__ = [
    "adjust_stock",
    "available",
    "get_adjustment",
    "get_receipt",
    "knowingly",
    "list_adjustments",
    "list_levels",
    "list_low_stock",
    "list_moves",
    "list_receipts",
    "move_stock",
    "receive_goods",
    "stock_of",
]
