"""What plugins put into the console, and what their pages are given to read."""

from plugins.console.schemas.contributions import (
    SECTIONS,
    Action,
    Block,
    Card,
    Column,
    Find,
    Found,
    Nav,
    Page,
)
from plugins.console.schemas.seen import Elsewhere, Refused, Seen

__all__ = [
    "SECTIONS",
    "Action",
    "Block",
    "Card",
    "Column",
    "Elsewhere",
    "Find",
    "Found",
    "Nav",
    "Page",
    "Refused",
    "Seen",
]
