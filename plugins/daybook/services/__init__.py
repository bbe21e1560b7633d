"""The use cases of the day book."""

from plugins.daybook.services.entering import Event, enter, note_expense, reverse_expense
from plugins.daybook.services.reading import list_entries, list_expenses, read_day

__all__ = ["Event", "enter", "list_entries", "list_expenses", "note_expense", "read_day", "reverse_expense"]
