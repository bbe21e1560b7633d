"""The database floor: tables' base, prepared statements, transactions on PostgreSQL and SQLite."""

from kernel.db.base import (
    CONFIGURATION,
    Base,
    Flag,
    Json,
    Moment,
    Owned,
    Versioned,
    is_configuration,
    new_id,
    owned_key,
)
from kernel.db.engine import Database, Phase, Transaction
from kernel.db.faults import Trouble, trouble_of
from kernel.db.inside import Inside
from kernel.db.prepared import Configured, Prepared, Rows, among, gathered, joined
from kernel.db.upserting import upsert

__all__ = [
    "CONFIGURATION",
    "Base",
    "Configured",
    "Database",
    "Flag",
    "Inside",
    "Json",
    "Moment",
    "Owned",
    "Phase",
    "Prepared",
    "Rows",
    "Transaction",
    "Trouble",
    "Versioned",
    "among",
    "gathered",
    "is_configuration",
    "joined",
    "new_id",
    "owned_key",
    "trouble_of",
    "upsert",
]
