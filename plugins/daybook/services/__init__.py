"""The use cases of the day book."""

from plugins.daybook.services.catching_up import JOB, begin_catching_up, catch_up, count_missing
from plugins.daybook.services.entering import enter, note_expense, reverse_expense
from plugins.daybook.services.events import Event, payment_event, refund_event, sale_event, void_event
from plugins.daybook.services.exporting import export_entries
from plugins.daybook.services.reading import list_entries, list_expenses, read_day

__all__ = [
    "JOB",
    "Event",
    "begin_catching_up",
    "catch_up",
    "count_missing",
    "enter",
    "export_entries",
    "list_entries",
    "list_expenses",
    "note_expense",
    "payment_event",
    "read_day",
    "refund_event",
    "reverse_expense",
    "sale_event",
    "void_event",
]
