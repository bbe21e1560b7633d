"""A copy of a template is used again only as its template is: for whoever is given it, it is new."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
import sqlalchemy as sa

from kernel.app.build import plugin_routes
from kernel.invariants import broken
from kernel.registry import Registry
from kernel.testing import recycling
from kernel.testing.box import Box
from kernel.testing.checking import faults
from kernel.testing.recycling import Copies, may_find
from kernel.testing.servers import Postgres
from kernel.work import Work

TEMPLATE = "template_goods"
MADE = """
    CREATE TABLE goods (id int PRIMARY KEY, name text NOT NULL, extra jsonb, added timestamptz DEFAULT now());
    CREATE TABLE sold (id int PRIMARY KEY, goods_id int NOT NULL REFERENCES goods (id), what bytea);
    CREATE TABLE "Odd, name" (id int);
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'append only'; END $$;
    CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON sold FOR EACH ROW EXECUTE FUNCTION refuse();
    INSERT INTO goods SELECT i, 'goods ' || i, jsonb_build_object('size', i) FROM generate_series(1, 5) i;
"""
MORE_THAN_ROWS = (
    "ALTER TABLE goods ADD COLUMN more int",
    "ALTER TABLE goods DROP COLUMN extra",
    "ALTER TABLE goods ALTER COLUMN name DROP NOT NULL",
    "ALTER TABLE goods ALTER COLUMN name SET DEFAULT ''",
    "ALTER TABLE goods ADD CHECK (id > 0)",
    "ALTER TABLE goods ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE sold DISABLE TRIGGER kept",
    "CREATE POLICY mine ON goods USING (true)",
    "CREATE TABLE more (id int)",
    "CREATE VIEW more AS SELECT 1 AS one",
    "CREATE INDEX more ON goods (name)",
    "CREATE SCHEMA more",
    "CREATE SEQUENCE more",
    "CREATE TYPE more AS ENUM ('one')",
    "CREATE FUNCTION more() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "DROP TRIGGER kept ON sold",
    "DROP TABLE sold",
    "GRANT SELECT ON goods TO PUBLIC",
    "TRUNCATE sold",
    "ANALYZE goods",
)
TABLES = ("goods", "sold", '"Odd, name"')


@pytest_asyncio.fixture
async def copies(postgres: Postgres) -> AsyncIterator[Copies]:
    await postgres.create_database(TEMPLATE)
    await done(postgres.url(TEMPLATE), MADE)
    with Copies(postgres) as made:
        yield made
    await postgres.drop_database(TEMPLATE)


async def done(url: str, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        if statement.startswith("SELECT"):
            return list(await connection.fetch(statement))
        await connection.execute(statement)
        return []
    finally:
        await connection.close()


async def rows_of(url: str) -> list[list[tuple[object, ...]]]:
    """Every row as it lies there."""
    return [[tuple(row) for row in await done(url, f"SELECT * FROM {table}")] for table in TABLES]


async def test_what_a_test_wrote_is_gone_and_what_it_changed_is_back(copies: Copies) -> None:
    first = copies.take(TEMPLATE)
    as_new = await rows_of(first)
    for deeds in (
        "INSERT INTO goods VALUES (6, 'more'); INSERT INTO sold VALUES (1, 6, 'x')",
        'INSERT INTO "Odd, name" VALUES (1)',
        "UPDATE goods SET name = 'other' WHERE id = 2",
        "DELETE FROM goods WHERE id = 3",
        "DELETE FROM goods WHERE id = 3; INSERT INTO goods VALUES (3, 'in its place')",
        "DELETE FROM goods",
        "UPDATE goods SET name = name",
        "SELECT",
    ):
        await done(first, deeds)
        assert copies.give_back(first)
        assert copies.take(TEMPLATE) == first, "it was not used again"
        assert await rows_of(first) == as_new, deeds


async def test_a_copy_that_is_handed_on_as_it_is_would_be_noticed(
    copies: Copies, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def restore_nothing(copy: object) -> bool:
        return True

    first = copies.take(TEMPLATE)
    as_new = await rows_of(first)
    monkeypatch.setattr(recycling, "_restore", restore_nothing)
    await done(first, "UPDATE goods SET name = 'other' WHERE id = 2")
    assert copies.give_back(first)
    assert await rows_of(copies.take(TEMPLATE)) != as_new


async def test_a_copy_of_which_more_than_rows_was_changed_is_not_used_again(copies: Copies) -> None:
    for deed in MORE_THAN_ROWS:
        url = copies.take(TEMPLATE)
        await done(url, deed)
        assert not copies.give_back(url), deed


async def test_a_table_that_has_grown_is_begun_anew(copies: Copies) -> None:
    first, size = copies.take(TEMPLATE), "SELECT pg_relation_size('sold'), pg_relation_size('goods')"
    as_new, small = await rows_of(first), await done(first, size)
    await done(
        first, "INSERT INTO sold SELECT i, 1, convert_to(repeat('x', 200), 'UTF8') FROM generate_series(1, 900) i"
    )
    assert copies.give_back(first)
    assert copies.take(TEMPLATE) == first
    assert (await rows_of(first), await done(first, size)) == (as_new, small)
    await done(first, "INSERT INTO goods SELECT i, repeat('x', 200) FROM generate_series(6, 900) i")
    assert copies.give_back(first)
    assert copies.take(TEMPLATE) == first, "the table that refers to it was not begun anew with it"
    assert (await rows_of(first), await done(first, size)) == (as_new, small)


async def test_who_is_still_connected_is_thrown_out_and_a_session_that_was_ended_costs_a_copy(copies: Copies) -> None:
    first = copies.take(TEMPLATE)
    forgotten = await asyncpg.connect(first.replace("+asyncpg", ""))
    assert not copies.give_back(first)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)):
        await forgotten.fetchval("SELECT 1")
    second = copies.take(TEMPLATE)
    await done(
        second,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'duka tests'"
        " AND datname = current_database()",
    )
    assert may_find(second, ["SELECT 1 WHERE false"]), "nobody could ask"
    assert not copies.give_back(second)
    assert second != copies.take(TEMPLATE) != first


async def test_a_template_in_which_something_counts_on_is_copied_each_time(copies: Copies, postgres: Postgres) -> None:
    await done(postgres.url(TEMPLATE), "CREATE TABLE counted (id int GENERATED ALWAYS AS IDENTITY)")
    assert not copies.give_back(copies.take(TEMPLATE))


async def test_two_copies_at_once_are_two(copies: Copies) -> None:
    first, second = copies.take(TEMPLATE), copies.take(TEMPLATE)
    await done(first, "DELETE FROM goods")
    assert await rows_of(first) != await rows_of(second)
    assert copies.give_back(first)
    assert copies.give_back(second)


async def test_what_breaks_an_invariant_is_found_as_ever(box: Box) -> None:
    async def queue(work: Work) -> None:
        work.later("probe_till.ring", {})
        await work.flush()
        await work.execute(sa.text("DELETE FROM kernel_job_payload"))

    assert await faults(box.deployment) == []
    await box.act(queue)
    found = await faults(box.deployment)
    assert [one.partition(":")[0] for one in found] == ["every job has its payload"]
    assert found == await broken(box.deployment)
    await box.act(lambda work: work.execute(sa.text("DELETE FROM kernel_job")))


def test_a_route_that_a_test_has_broken_is_whole_in_the_next_box(registry: Registry) -> None:
    async def broken_one() -> None:
        """Answer nothing."""

    first, second, *_ = plugin_routes(registry)
    object.__setattr__(first, "function", broken_one)
    again = plugin_routes(registry)
    assert again[0].function is not broken_one
    assert again[1] is second
