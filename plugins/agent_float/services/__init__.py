"""What an agent does: keeps lines, serves customers, moves money between lines, closes days."""

from plugins.agent_float.services.closing import close_day, closing_out
from plugins.agent_float.services.exporting import export_entries
from plugins.agent_float.services.lines import add_line, change_line, find_line, list_lines
from plugins.agent_float.services.noting import capital, commission, reverse, serve, transfer
from plugins.agent_float.services.reading import find_transaction, list_closings, list_entries, list_transactions
from plugins.agent_float.services.reporting import read_day, read_days

__all__ = [
    "add_line",
    "capital",
    "change_line",
    "close_day",
    "closing_out",
    "commission",
    "export_entries",
    "find_line",
    "find_transaction",
    "list_closings",
    "list_entries",
    "list_lines",
    "list_transactions",
    "read_day",
    "read_days",
    "reverse",
    "serve",
    "transfer",
]
