"""The tables of reconciliation."""

from plugins.reconciliation.models.books import Deposit, Difference, Posting
from plugins.reconciliation.models.statements import Import, ImportPart, Line, Match, Source, StatedDay

__all__ = [
    "Deposit",
    "Difference",
    "Import",
    "ImportPart",
    "Line",
    "Match",
    "Posting",
    "Source",
    "StatedDay",
]
