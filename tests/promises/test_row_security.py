"""P20's second wall, by raw SQL as the application's role: another business's rows are not to be seen or touched.

PostgreSQL alone has it. The tables are those of the metadata, so a new one is tried by itself.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

import asyncpg
import pytest
import sqlalchemy as sa

from kernel.personal import tables_of
from kernel.registry import Registry
from kernel.testing.box import Box
from tests.promises.filling import Filling

MINE, THEIRS = "mama-njeri", "sharma-kirana"


@dataclass
class Tried:
    """What raw SQL came to: statements sent, tables whose rows of one's own were seen, and every hole."""

    statements: int = 0
    seen: set[str] = field(default_factory=set)
    holes: list[str] = field(default_factory=list)


def fenced_tables(registry: Registry) -> list[sa.Table]:
    """The tables of businesses."""
    return [one for one in tables_of(registry) if not one.info.get("global")]


async def try_every_table(box: Box, tables: Iterable[sa.Table]) -> Tried:
    """As the role, acting for one business: read, change, delete, copy and move the other's rows of each table."""
    mine, theirs, tried = box.shops[MINE].id, box.shops[THEIRS].id, Tried()
    connection = await asyncpg.connect(box.deployment.settings.url.replace("+asyncpg", ""))
    try:
        await connection.execute(f"SET ROLE {box.deployment.database.role}")
        for table in tables:
            await _try_table(connection, table.name, mine, theirs, tried)
    finally:
        await connection.close()
    return tried


async def _try_table(
    connection: asyncpg.Connection, table: str, mine: uuid.UUID, theirs: uuid.UUID, tried: Tried
) -> None:
    everything = f'SELECT count(*) FROM "{table}"'
    of_theirs = f"WHERE business_id = '{theirs}'"
    tries = {
        "shows their rows": (mine, f"{everything} {of_theirs}"),
        "shows rows to nobody": (None, everything),
        "changes their rows": (
            mine,
            f"UPDATE \"{table}\" SET business_id = business_id WHERE business_id = '{theirs}'",
        ),
        "deletes their rows": (mine, f'DELETE FROM "{table}" {of_theirs}'),
        "moves a row to them": (mine, f"UPDATE \"{table}\" SET business_id = '{theirs}'"),
        "takes a row for them": (mine, f"INSERT INTO \"{table}\" (business_id) VALUES ('{theirs}')"),
    }
    for what, (business, statement) in tries.items():
        tried.statements += 1
        if touched := await _run(connection, business, statement):
            tried.holes.append(f"{table} {what}: {touched}")
    if await _run(connection, mine, everything):
        tried.seen.add(table)


async def _run(connection: asyncpg.Connection, business: uuid.UUID | None, statement: str) -> int:
    """How many rows a statement saw or touched; none where it was refused. Nothing of it stays."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute("SELECT set_config('app.business', $1, true)", str(business or ""))
        if statement.startswith("SELECT"):
            return int(await connection.fetchval(statement))
        return int((await connection.execute(statement)).rpartition(" ")[2])
    except asyncpg.InsufficientPrivilegeError:
        return 0
    except asyncpg.IntegrityConstraintViolationError:
        return 1  # the fence let it pass; only what the row must hold or be pointed at by stopped it
    finally:
        await transaction.rollback()


@pytest.fixture
def database() -> str:
    """Row-level security is PostgreSQL's."""
    return "postgresql"


async def test_the_role_reaches_no_row_of_another_business_in_any_table(box: Box, registry: Registry) -> None:
    for shop in (MINE, THEIRS):
        await Filling(box, shop).fill()
    tables = fenced_tables(registry)
    tried = await try_every_table(box, tables)
    print(f"{tried.statements} statements on {len(tables)} tables")
    assert not tried.holes, "\n".join(tried.holes)
    assert tried.statements == 6 * len(tables) > 150
    assert tried.seen == {one.name for one in tables}, (
        "one's own rows are seen: the fence was tried, not an empty table"
    )


@pytest.mark.parametrize(
    ("hole", "found"),
    [
        ("ALTER TABLE sales_sale DISABLE ROW LEVEL SECURITY", {"shows their rows", "shows rows to nobody"}),
        ("CREATE POLICY wide ON sales_sale FOR SELECT USING (true)", {"shows their rows", "shows rows to nobody"}),
        ("CREATE POLICY wide ON sales_sale FOR INSERT WITH CHECK (true)", {"takes a row for them"}),
    ],
)
async def test_a_table_whose_fence_has_a_hole_is_found(
    box: Box, registry: Registry, hole: str, found: set[str]
) -> None:
    """The broken twins."""
    await Filling(box, THEIRS).fill()
    owner = await asyncpg.connect(box.deployment.settings.url.replace("+asyncpg", ""))
    try:
        await owner.execute(hole)
    finally:
        await owner.close()
    tried = await try_every_table(box, [one for one in fenced_tables(registry) if one.name == "sales_sale"])
    assert found <= {one.removeprefix("sales_sale ").partition(":")[0] for one in tried.holes}
