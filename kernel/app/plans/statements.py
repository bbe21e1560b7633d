"""The SQL of pending migrations, as it would run, and what each statement does to a table that is in use."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import Script

from kernel.app.plans.values import Effect, Revision, Statement
from kernel.app.prepare import lineages
from kernel.migrate import Migrator
from kernel.work import Deployment

_KINDS: tuple[tuple[str, Effect], ...] = (
    (r"CREATE (UNIQUE )?INDEX CONCURRENTLY\b.* ON (?P<table>\S+)", "short"),
    (r"CREATE (UNIQUE )?INDEX\b.* ON (?P<table>\S+)", "blocks-writes"),
    (r"ALTER TABLE (?P<table>\S+) DROP COLUMN\b", "loses-data"),
    (r"DROP TABLE (?P<table>\S+)", "loses-data"),
    (r"(DELETE FROM|TRUNCATE) (?P<table>\S+)", "loses-data"),
    (r"ALTER TABLE (?P<table>\S+) ALTER COLUMN \S+ TYPE\b", "rewrites"),
    (r"ALTER TABLE (?P<table>\S+) ADD COLUMN\b(?=.*\bDEFAULT\b)(?=.*(random|uuid|clock_timestamp)\w*\()", "rewrites"),
    (r"ALTER TABLE (?P<table>\S+) ALTER COLUMN \S+ SET NOT NULL", "blocks-writes"),
    (r"ALTER TABLE (?P<table>\S+) ADD (CONSTRAINT|CHECK|FOREIGN|UNIQUE|PRIMARY)\b(?!.*NOT VALID)", "blocks-writes"),
    (r"UPDATE (?P<table>\S+) SET\b", "blocks-writes"),
    (r"ALTER TABLE (?P<table>\S+) ", "short"),
    (r"CREATE TRIGGER\b.* ON (?P<table>\S+)", "short"),
    (r"(CREATE|GRANT|COMMENT|DO|SELECT|INSERT INTO|ALTER INDEX|DROP INDEX)\b", "none"),
)


async def pending_revisions(deployment: Deployment, name: str | None = None) -> list[Revision]:
    """The revisions that the next start would run, of one plugin or of all, in their order."""
    url = deployment.settings.migrations_database_url or deployment.settings.url
    migrator = Migrator(url, lineages(deployment.registry), deployment.database.role)
    scripts = [(lineage, script) for lineage, script in await migrator.pending_scripts() if name in (None, lineage)]
    return told_revisions(migrator, scripts)


def told_revisions(migrator: Migrator, scripts: Iterable[tuple[str, Script]]) -> list[Revision]:
    """Revisions with the statements they would run, in their order."""
    made: set[str] = set()
    return [_told(migrator, lineage, script, made) for lineage, script in scripts]


def judged(sql: str, made: set[str]) -> Statement:
    """A statement with what it does; `made` grows by the tables it makes, to which nothing can happen."""
    flat = " ".join(sql.split())
    if found := re.match(r"CREATE TABLE (IF NOT EXISTS )?(?P<table>[\w\".]+)", flat, re.IGNORECASE):
        made.add(found["table"])
        return Statement(sql, "none")
    for pattern, effect in _KINDS:
        if found := re.match(pattern, flat, re.IGNORECASE):
            table = found.groupdict().get("table")
            if table is None or table.rstrip("(") in made:
                return Statement(sql, "none")
            return Statement(sql, effect, table)
    return Statement(sql, "unknown")


def _told(migrator: Migrator, lineage: str, script: Script, made: set[str]) -> Revision:
    said, is_whole = _rendered(migrator, lineage, script)
    statements = [judged(one, made) for one in said]
    return Revision(script.revision, (script.doc or "").partition("\n")[0], statements, is_whole)


def _rendered(migrator: Migrator, lineage: str, script: Script) -> tuple[list[str], bool]:
    """The statements as Alembic writes them without a connection; those before it needed one, if it needs one."""
    folder, buffer = migrator.lineages[lineage].script(), io.StringIO()
    dialect = "postgresql" if migrator.url.startswith("postgresql") else "sqlite"

    def steps(_current: Any, _context: Any) -> Any:
        return folder._upgrade_revs(script.revision, str(script.down_revision or "base"))

    with EnvironmentContext(Config(), folder, fn=steps, as_sql=True) as environment:
        environment.configure(
            dialect_name=dialect,
            version_table=migrator.lineages[lineage].version_table,
            literal_binds=True,
            output_buffer=buffer,
            render_as_batch=False,
            transactional_ddl=False,
            duka_role=migrator.role,
        )
        try:
            environment.run_migrations()
            is_whole = True
        except Exception:  # a revision that looks at rows first needs a database
            is_whole = False
    return list(_statements(buffer.getvalue(), migrator.lineages[lineage].version_table)), is_whole


def _statements(text: str, version_table: str) -> Iterable[str]:
    """The statements of a script, without comments and Alembic's own bookkeeping."""
    plain = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    for one in re.split(r";\n\n?", plain):
        sql = one.strip().rstrip(";")
        if sql and version_table not in sql:
            yield sql
