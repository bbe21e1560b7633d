"""People in the data: everything about one of them handed out, or taken away.

The kernel knows no plugin's tables: it walks what their columns declare (`kernel.db.personal`).
"""

from kernel.personal.again import Tombstone, find_again, tombstones
from kernel.personal.erasing import Former, bury, erase_person, former_values, wipe
from kernel.personal.exporting import archive, check_there
from kernel.personal.places import Place, places_of, tables_of, unreached
from kernel.personal.wire import EraseRequest, Erasure

__all__ = [
    "EraseRequest",
    "Erasure",
    "Former",
    "Place",
    "Tombstone",
    "archive",
    "bury",
    "check_there",
    "erase_person",
    "find_again",
    "former_values",
    "places_of",
    "tables_of",
    "tombstones",
    "unreached",
    "wipe",
]
