"""Tables that the law wants kept: they stay under hold, read-only, when their plugin goes, and are its own again after.

Held, no statement of any login changes them, but the deletion of a whole business. To bring the plugin back its
revisions must run on empty ground: so the rows step aside into copies, and back into the new tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.app.portable.reading import Known
from kernel.app.uninstalling.belongings import references
from kernel.app.uninstalling.faults import TornHold
from kernel.app.uninstalling.ground import is_postgres

_COPY = "duka_kept_"
_UNDER_HOLD = (
    "CREATE OR REPLACE FUNCTION duka_under_hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " IF TG_OP = 'DELETE' THEN IF OLD.business_id::text = current_setting('app.purge', true) THEN RETURN OLD; END IF;"
    " END IF; RAISE EXCEPTION '% is under hold', TG_TABLE_NAME USING ERRCODE = '42501'; END $$"
)


async def refuse_torn(connection: AsyncConnection, held: Iterable[str], going: Iterable[str]) -> None:
    """Raise TornHold where a table that is kept refers to one that goes."""
    kept = set(held)
    torn = [path for table, path in await references(connection, going) if table in kept]
    if torn:
        raise TornHold(
            f"Kept tables refer to such that would go: {', '.join(torn)}; the manifest must name both fiscal"
        )


async def hold(connection: AsyncConnection, tables: Iterable[str], role: str) -> None:
    """Make tables read-only, whoever asks."""
    for table in tables:
        for statement in _on_postgres(table, role) if is_postgres(connection) else _on_sqlite(table):
            await connection.exec_driver_sql(statement)


async def held_among(connection: AsyncConnection, tables: Sequence[Known]) -> list[str]:
    """Which of some tables are under hold."""
    query = "SELECT tgname FROM pg_trigger" if is_postgres(connection) else "SELECT name FROM sqlite_master"
    found = set((await connection.exec_driver_sql(query)).scalars())
    return [one.table.name for one in tables if _trigger(one.table.name) in found]


async def step_aside(connection: AsyncConnection, plugin: str, held: Sequence[str]) -> str | None:
    """Copy what is held and drop it, so that the plugin's revisions can run.

    Returns the revision at which it was held, also where an earlier try has got so far; None if nothing was.
    """
    revision = f"{plugin}_schema"
    if held:
        for table in (*held, revision):
            if is_postgres(connection) and table != revision:
                await connection.exec_driver_sql(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
            await connection.exec_driver_sql(f"CREATE TABLE {_COPY}{table} AS SELECT * FROM {table}")  # noqa: S608 - as below
        await drop(connection, (*held, revision))
    if not await _is_there(connection, f"{_COPY}{revision}"):
        return None
    number: str = (await connection.exec_driver_sql(f"SELECT version_num FROM {_COPY}{revision}")).scalar_one()  # noqa: S608 - as below
    return number


async def step_back(connection: AsyncConnection, plugin: str, tables: Sequence[Known]) -> list[str]:
    """Bring the copies back into the tables that the revisions have made. Returns the tables."""
    found = [one for one in tables if await _is_there(connection, f"{_COPY}{one.table.name}")]
    for one in found:
        table, columns = one.table.name, ", ".join(f'"{name}"' for name in one.columns)
        forced = is_postgres(connection) and one.tenant
        if forced:
            await connection.exec_driver_sql(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        into = f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {_COPY}{table}"  # noqa: S608 - names of tables
        await connection.exec_driver_sql(into)
        if forced:
            await connection.exec_driver_sql(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    revision = f"{_COPY}{plugin}_schema"
    if await _is_there(connection, revision):
        await drop(connection, (*(f"{_COPY}{one.table.name}" for one in found), revision))
    return [str(one.table.name) for one in found]


async def drop(connection: AsyncConnection, tables: Sequence[str]) -> None:
    """Drop tables, together; PostgreSQL refuses while anything else refers to one of them."""
    if is_postgres(connection) and tables:
        await connection.exec_driver_sql(f"DROP TABLE {', '.join(tables)}")
    elif tables:
        for table in tables:
            await connection.exec_driver_sql(f'DROP TABLE "{table}"')


def _trigger(table: str) -> str:
    return f"{table}_hold"


def _on_postgres(table: str, role: str) -> list[str]:
    said = [
        _UNDER_HOLD,
        f"CREATE TRIGGER {_trigger(table)} BEFORE INSERT OR UPDATE OR DELETE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION duka_under_hold()",
        f"CREATE TRIGGER {table}_hold_truncate BEFORE TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION duka_under_hold()",
    ]
    return [*said, f"REVOKE INSERT, UPDATE, DELETE ON {table} FROM {role}"] if role else said


def _on_sqlite(table: str) -> list[str]:
    refusal = f"BEGIN SELECT RAISE(ABORT, '{table} is under hold'); END"
    names = {"INSERT": _trigger(table), "UPDATE": f"{table}_hold_update", "DELETE": f"{table}_hold_delete"}
    return [f"CREATE TRIGGER {name} BEFORE {deed} ON {table} {refusal}" for deed, name in names.items()]


async def _is_there(connection: AsyncConnection, table: str) -> bool:
    return await connection.run_sync(lambda sync: sa.inspect(sync).has_table(table))
