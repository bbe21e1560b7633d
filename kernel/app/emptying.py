"""Dropping all that Duka has in a database: every table of every lineage, in one transaction."""

from __future__ import annotations

import sqlalchemy as sa

from kernel.app.portable.reading import revisions
from kernel.db.owner import engine_for
from kernel.settings import Settings


async def drop_everything(settings: Settings) -> list[str]:
    """Drop the tables; returns their names. What else is in the database stays."""
    engine = engine_for(settings.migrations_database_url or settings.url)
    try:
        async with engine.begin() as connection:
            prefixes = tuple(f"{name}_" for name in await revisions(connection))
            names = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
            ours = sorted(name for name in names if name.startswith(prefixes))
            if connection.dialect.name == "postgresql" and ours:
                await connection.exec_driver_sql(f"DROP TABLE {', '.join(ours)} CASCADE")
            else:
                for name in ours:
                    await connection.exec_driver_sql(f'DROP TABLE "{name}"')
            return ours
    finally:
        await engine.dispose()
