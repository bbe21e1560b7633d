"""Schema changes: one Alembic lineage and version table per plugin, all pending revisions sorted across plugins.

A revision file names what it needs of other lineages in `requires = ("catalog_0001",)`. Alembic is driven directly,
under one lock; consecutive revisions of a plugin share one transaction.
"""

from kernel.migrate.migrator import KERNEL, Lineage, MigrationFailed, Migrator
from kernel.migrate.tables import global_table, protect_books, tenant_table

__all__ = ["KERNEL", "Lineage", "MigrationFailed", "Migrator", "global_table", "protect_books", "tenant_table"]
