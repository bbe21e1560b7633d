"""P3, P37: the books of every plugin refuse edits to the application's own role, by privilege and by trigger."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from kernel.audit import Sealer
from kernel.auth.identity import standing_of_business
from kernel.db import Base, Phase
from kernel.registry import Registry
from kernel.testing.box import Box
from kernel.work import Work

OWN = ("kernel_audit", "kernel_audit_seal", "kernel_audit_anchor")


def books(registry: Registry) -> list[sa.Table]:
    prefixes = ("kernel_", *(f"{name}_" for name in registry.plugins))
    return [t for t in Base.metadata.sorted_tables if t.name.startswith(prefixes) and t.info.get("append_only")]


def edits(table: sa.Table, *, is_postgres: bool) -> list[str]:
    column = next(one.name for one in table.c if one.name not in ("business_id", "id"))
    found = [f"UPDATE {table.name} SET {column} = {column}", f"DELETE FROM {table.name}"]
    if is_postgres:
        return [*found, f"TRUNCATE {table.name}", f"ALTER TABLE {table.name} DISABLE TRIGGER ALL"]
    return [*found, f"INSERT OR REPLACE INTO {table.name} SELECT * FROM {table.name}"]


async def filled(box: Box) -> None:
    """Rows in the books of the kernel, so that there is something to edit."""

    async def say(work: Work) -> None:
        work.audit(subject="something:1", reason="to be kept")

    await box.act(say)
    await Sealer(box.deployment, standing_of_business).seal_all()
    await Sealer(box.deployment, standing_of_business).anchor_all()


async def test_the_applications_role_edits_no_book_by_raw_sql(box: Box, registry: Registry) -> None:
    await filled(box)
    is_postgres, tried = box.deployment.database.is_postgres, 0
    assert {table.name for table in books(registry)} >= {*OWN, "probe_stock_move"}
    for table in books(registry):
        for edit in edits(table, is_postgres=is_postgres):
            if not is_postgres and table.name not in OWN:
                continue  # triggers speak of rows, and there are none
            transaction = await box.deployment.database.open(Phase.WRITE, box.shop.id)
            try:
                with pytest.raises(DBAPIError, match=r"append-only|permission denied|must be owner"):
                    await transaction.execute(sa.text(edit))
            finally:
                await transaction.close()
            tried += 1
    assert tried >= 9


async def test_the_owner_of_the_tables_is_refused_by_the_triggers(box: Box, registry: Registry) -> None:
    await filled(box)
    is_postgres = box.deployment.database.is_postgres
    engine = create_async_engine(box.deployment.settings.url)
    try:
        for name in OWN:
            for edit in edits(Base.metadata.tables[name], is_postgres=is_postgres)[: 3 if is_postgres else 2]:
                async with engine.connect() as connection:
                    with pytest.raises(DBAPIError, match="append-only"):
                        await connection.execute(sa.text(edit))
    finally:
        await engine.dispose()


async def test_naming_a_business_for_deletion_gives_the_application_no_right_to_delete(box: Box) -> None:
    if not box.deployment.database.is_postgres:
        pytest.skip("the setting is PostgreSQL's")
    await filled(box)
    transaction = await box.deployment.database.open(Phase.WRITE, box.shop.id)
    try:
        await transaction.execute(sa.select(sa.func.set_config("app.purge", str(box.shop.id), True)))
        with pytest.raises(DBAPIError, match="permission denied"):
            await transaction.execute(sa.text("DELETE FROM kernel_audit"))
    finally:
        await transaction.close()


async def test_every_book_has_its_triggers(box: Box, registry: Registry) -> None:
    is_postgres = box.deployment.database.is_postgres
    names = "SELECT tgname FROM pg_trigger" if is_postgres else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    async with box.deployment.database.writer.connect() as connection:
        found = set((await connection.execute(sa.text(names))).scalars())
    for table in books(registry):
        kinds = ("append_only", "no_truncate") if is_postgres else ("no_update", "no_delete")
        assert {f"{table.name}_{kind}" for kind in kinds} <= found
