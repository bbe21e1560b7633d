"""The public face of the console: what its hooks are answered with."""

from plugins.console.schemas import (
    SECTIONS,
    Action,
    Block,
    Card,
    Column,
    Find,
    Found,
    Nav,
    Page,
    Refused,
    Seen,
)
from plugins.console.services.schema_fields import fields_of

__all__ = [
    "SECTIONS",
    "Action",
    "Block",
    "Card",
    "Column",
    "Find",
    "Found",
    "Nav",
    "Page",
    "Refused",
    "Seen",
    "fields_of",
]
