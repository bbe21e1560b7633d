"""Fields that a business gives its products, customers and whatever else takes them; no table is altered for it.

The values stand with their owner, in a JSON column; beside it a table of keys answers filters (`kernel.db.custom`).
"""

from kernel.custom.beside import SideField, side_fields
from kernel.custom.fields import all_fields, custom_fields, entities
from kernel.custom.filtering import FEW, CustomFilter, Shape, conditions, custom_filter
from kernel.custom.keeping import (
    changed_of_many,
    changed_values,
    declare_keys,
    known_ids,
    new_values,
    shown_values,
    write_keys,
)
from kernel.custom.offered import Choice, ListFilter, OfferedFilter, offered_filters
from kernel.custom.values import Field, Value, WrongValue, key_of, read_text, read_value, written

__all__ = [
    "FEW",
    "Choice",
    "CustomFilter",
    "Field",
    "ListFilter",
    "OfferedFilter",
    "Shape",
    "SideField",
    "Value",
    "WrongValue",
    "all_fields",
    "changed_of_many",
    "changed_values",
    "conditions",
    "custom_fields",
    "custom_filter",
    "declare_keys",
    "entities",
    "key_of",
    "known_ids",
    "new_values",
    "offered_filters",
    "read_text",
    "read_value",
    "shown_values",
    "side_fields",
    "write_keys",
    "written",
]
