"""The SQL of pending migrations, seen before it runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kernel.app.plans.statements import judged, pending_revisions
from kernel.app.prepare import lineages
from kernel.migrate import Migrator
from kernel.settings import Settings
from kernel.testing.box import SECRET, Box


@pytest.mark.parametrize(
    ("sql", "effect", "table"),
    [
        ("CREATE TABLE a_b (id UUID)", "none", None),
        ("CREATE INDEX ix ON a_c (id)", "blocks-writes", "a_c"),
        ("CREATE INDEX ix ON a_b (id)", "none", None),
        ("CREATE INDEX CONCURRENTLY ix ON a_c (id)", "short", "a_c"),
        ("ALTER TABLE a_c ADD COLUMN n BIGINT DEFAULT 0 NOT NULL", "short", "a_c"),
        ("ALTER TABLE a_c ADD COLUMN n UUID DEFAULT gen_random_uuid()", "rewrites", "a_c"),
        ("ALTER TABLE a_c ALTER COLUMN n TYPE TEXT", "rewrites", "a_c"),
        ("ALTER TABLE a_c ALTER COLUMN n SET NOT NULL", "blocks-writes", "a_c"),
        ("ALTER TABLE a_c ADD CONSTRAINT ck CHECK (n > 0)", "blocks-writes", "a_c"),
        ("ALTER TABLE a_c ADD CONSTRAINT ck CHECK (n > 0) NOT VALID", "short", "a_c"),
        ("ALTER TABLE a_c\nDROP COLUMN n", "loses-data", "a_c"),
        ("DROP TABLE a_c", "loses-data", "a_c"),
        ("UPDATE a_c SET n = 1", "blocks-writes", "a_c"),
        ("GRANT SELECT ON a_c TO duka_app", "none", None),
        ("VACUUM FULL", "unknown", None),
    ],
)
def test_a_statement_is_told_by_what_it_does_to_a_table_in_use(sql: str, effect: str, table: str | None) -> None:
    made = {"a_b"}
    said = judged(sql, made)
    assert (said.effect, said.table) == (effect, table)


def test_nothing_happens_to_a_table_that_is_only_being_made() -> None:
    made: set[str] = set()
    judged("CREATE TABLE a_b (id UUID)", made)
    assert judged("ALTER TABLE a_b ADD COLUMN n BIGINT", made).effect == "none"


async def test_what_is_pending_is_shown_in_the_words_of_the_database_and_not_run(box: Box) -> None:
    assert await pending_revisions(box.deployment) == []
    migrator = Migrator(box.deployment.settings.url, lineages(box.deployment.registry), box.deployment.database.role)
    assert await migrator.pending() == []


async def test_on_an_empty_database_everything_is_pending(box: Box, tmp_path: Path) -> None:
    empty = replace(box.deployment, settings=Settings(home=str(tmp_path / "empty"), secret_key=SECRET))
    empty.settings.home_path.mkdir()
    revisions = await pending_revisions(empty, "probe_stock")
    assert [one.revision for one in revisions][:1] == ["probe_stock_0001"]
    made = "\n".join(one.sql for one in revisions[0].statements)
    assert "CREATE TABLE probe_stock_level" in made
    assert "probe_stock_schema" not in made
    assert {one.effect for one in revisions[0].statements} == {"none"}
    assert await pending_revisions(empty, "probe_stock") == revisions, "showing it runs nothing"
