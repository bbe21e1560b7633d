"""The public face of the console: what its hooks are answered with."""

from plugins.console.schemas import (
    SECTIONS,
    Action,
    Block,
    Card,
    Column,
    Filter,
    Find,
    Found,
    Heading,
    Listing,
    Nav,
    Notice,
    Page,
    Refused,
    Seen,
    Waiting,
    Waits,
)
from plugins.console.services.charting import DENSE, change, exact, share
from plugins.console.services.schema_fields import fields_of

__all__ = [
    "DENSE",
    "SECTIONS",
    "Action",
    "Block",
    "Card",
    "Column",
    "Filter",
    "Find",
    "Found",
    "Heading",
    "Listing",
    "Nav",
    "Notice",
    "Page",
    "Refused",
    "Seen",
    "Waiting",
    "Waits",
    "change",
    "exact",
    "fields_of",
    "share",
]
