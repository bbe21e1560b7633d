"""What plugins put into the console, and what their pages are given to read."""

from plugins.console.schemas.contributions import (
    SECTIONS,
    Action,
    Block,
    Card,
    Column,
    Filter,
    Find,
    Found,
    Nav,
    Notice,
    Page,
    Waiting,
    Waits,
)
from plugins.console.schemas.listing import Heading, Listing, ListSeen
from plugins.console.schemas.seen import Elsewhere, Refused, Seen, part

__all__ = [
    "SECTIONS",
    "Action",
    "Block",
    "Card",
    "Column",
    "Elsewhere",
    "Filter",
    "Find",
    "Found",
    "Heading",
    "ListSeen",
    "Listing",
    "Nav",
    "Notice",
    "Page",
    "Refused",
    "Seen",
    "Waiting",
    "Waits",
    "part",
]
