"""What other plugins may use of inventory: moving stock by their own documents, and what is available."""

from __future__ import annotations

from plugins.inventory.errors import OutOfStock
from plugins.inventory.schemas import Document, Goods, MoveKind
from plugins.inventory.services import available, move_stock

__all__ = ["Document", "Goods", "MoveKind", "OutOfStock", "available", "move_stock"]
