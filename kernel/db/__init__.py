"""The database floor: tables' base, prepared statements, transactions on PostgreSQL and SQLite."""

from kernel.db.base import (
    Base,
    Flag,
    Json,
    Moment,
    Owned,
    Versioned,
    new_id,
    owned_key,
)
from kernel.db.engine import Database, Phase, Transaction
from kernel.db.faults import Trouble, trouble_of
from kernel.db.prepared import Prepared, among, joined

__all__ = [
    "Base",
    "Database",
    "Flag",
    "Json",
    "Moment",
    "Owned",
    "Phase",
    "Prepared",
    "Transaction",
    "Trouble",
    "Versioned",
    "among",
    "joined",
    "new_id",
    "owned_key",
    "trouble_of",
]
