"""Brings a database up to date: finds pending revisions, sorts them across plugins, runs them, writes new ones."""

from __future__ import annotations

import contextlib
import itertools
import textwrap
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata, produce_migrations, render_python_code
from alembic.config import Config
from alembic.operations.ops import CreateTableOp
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from kernel.db import Base
from kernel.db.engine import LOCK_SPACE
from kernel.db.owner import engine_for
from kernel.db.tables import Release
from kernel.registry import owner_of


@dataclass(frozen=True)
class Lineage:
    """The revisions of one plugin (or of the kernel)."""

    name: str
    folder: Path

    @property
    def version_table(self) -> str:
        """Where its current revision is kept."""
        return f"{self.name}_schema"

    def script(self) -> ScriptDirectory:
        """Its revisions, read from disk."""
        config = Config()
        config.set_main_option("script_location", str(self.folder))
        config.set_main_option("version_locations", str(self.folder))
        config.set_main_option("path_separator", "newline")
        return ScriptDirectory.from_config(config)


KERNEL = Lineage("kernel", Path(__file__).parents[1] / "migrations")


class MigrationFailed(RuntimeError):
    """A plugin's revision failed; nothing of its transaction is left."""

    def __init__(self, plugin: str, reason: str) -> None:
        super().__init__(f"{plugin}: {reason}")
        self.plugin, self.reason = plugin, reason


class Migrator:
    """Brings a database to the newest revisions of some lineages.

    Those of plugins that were uninstalled are left alone, but for the one named in `bringing_back`.
    neighbours: plugins whose tables are none of these lineages', though they may begin with the name of one.
    """

    def __init__(
        self,
        url: str,
        lineages: Sequence[Lineage],
        role: str,
        *,
        bringing_back: str = "",
        neighbours: Iterable[str] = (),
    ) -> None:
        self.url, self.role, self._bringing_back, self._neighbours = url, role, bringing_back, set(neighbours)
        self.lineages = {one.name: one for one in lineages}

    async def upgrade(self, only_to: Mapping[str, str] | None = None) -> list[str]:
        """Run all pending revisions; returns their ids. Raises MigrationFailed.

        only_to: lineage → the revision to stop at; lineages that it does not name stay as they are.
        """
        engine = engine_for(self.url)
        done: list[str] = []
        try:
            if engine.dialect.name == "postgresql" and self.role:
                await _ensure_role(engine, self.role)
            async with _locked(engine) as connection:
                pending = await connection.run_sync(self._pending)
            if only_to is not None:
                wanted = self._up_to(only_to)
                pending = [one for one in pending if one[1].revision in wanted]
            for name, group in itertools.groupby(pending, key=lambda named: named[0]):
                revisions = [script.revision for _, script in group]
                done += await self._run_group(engine, name, revisions)
            if engine.dialect.name == "postgresql" and self.role:
                async with _locked(engine) as connection:
                    await self._let_versions_be_read(connection)
        finally:
            await engine.dispose()
        return done

    async def _let_versions_be_read(self, connection: AsyncConnection) -> None:
        """Let the role see at which revisions the database stands: a server is ready only at the newest."""
        for lineage in self.lineages.values():
            table = lineage.version_table
            seen = f"has_table_privilege('{self.role}', '{table}', 'SELECT')"
            await connection.exec_driver_sql(
                f"DO $$ BEGIN IF to_regclass('{table}') IS NOT NULL AND NOT {seen}"
                f" THEN GRANT SELECT ON {table} TO {self.role}; END IF; END $$"
            )

    async def pending(self) -> list[str]:
        """The revisions that have not run yet."""
        return [script.revision for _, script in await self.pending_scripts()]

    async def pending_scripts(self) -> list[tuple[str, Script]]:
        """The revisions that have not run yet, each with its lineage, in the order in which they would."""
        engine = engine_for(self.url)
        try:
            async with engine.connect() as connection:
                return await connection.run_sync(self._pending)
        finally:
            await engine.dispose()

    async def differences(self) -> list[str]:
        """What the models say and the database does not, or the other way round."""
        engine = engine_for(self.url)
        try:
            async with engine.connect() as connection:
                return await connection.run_sync(self._differences)
        finally:
            await engine.dispose()

    async def write_revision(self, name: str, words: str) -> Path | None:
        """Write the next revision of a lineage from what its models have and the database lacks. None if nothing."""
        engine = engine_for(self.url)
        try:
            async with engine.connect() as connection:
                return await connection.run_sync(lambda sync: self._write_revision(sync, self.lineages[name], words))
        finally:
            await engine.dispose()

    async def _run_group(self, engine: AsyncEngine, name: str, revisions: list[str]) -> list[str]:
        try:
            async with _locked(engine) as connection:
                return await connection.run_sync(lambda sync: self._run(sync, self.lineages[name], revisions))
        except Exception as fault:
            raise MigrationFailed(name, f"{type(fault).__name__}: {fault}") from fault

    def _run(self, connection: sa.Connection, lineage: Lineage, revisions: list[str]) -> list[str]:
        script = lineage.script()
        done: list[str] = []
        if lineage.name in self._removed(connection):  # since the pending ones were read
            return done
        for revision in revisions:
            if revision in self._applied(connection, lineage, script):
                continue

            def steps(current: Any, _context: Any, target: str = revision) -> Any:
                return script._upgrade_revs(target, current)

            with EnvironmentContext(Config(), script, fn=steps) as environment:
                environment.configure(
                    connection=connection,
                    version_table=lineage.version_table,
                    render_as_batch=connection.dialect.name == "sqlite",
                    transaction_per_migration=False,
                    duka_role=self.role,
                )
                environment.run_migrations()
            done.append(revision)
        return done

    def _pending(self, connection: sa.Connection) -> list[tuple[str, Script]]:
        waiting: dict[str, tuple[str, Script]] = {}
        known: set[str] = set()
        removed = self._removed(connection)
        for lineage in self.lineages.values():
            if lineage.name in removed:
                continue
            script = lineage.script()
            applied = self._applied(connection, lineage, script)
            for revision in reversed(list(script.walk_revisions())):
                known.add(revision.revision)
                if revision.revision not in applied:
                    waiting[revision.revision] = (lineage.name, revision)
        _check_requirements(waiting, known)
        return _sorted(waiting)

    def _removed(self, connection: sa.Connection) -> set[str]:
        """The plugins that were uninstalled: their tables are not made again because their code is still there."""
        if not sa.inspect(connection).has_table(Release.__tablename__):
            return set()
        rows = connection.execute(sa.select(Release.plugin).where(Release.state == "removed"))
        return set(rows.scalars()) - {self._bringing_back}

    def _up_to(self, revisions: Mapping[str, str]) -> set[str]:
        return {
            one.revision
            for name, head in revisions.items()
            for one in self.lineages[name].script().iterate_revisions(head, "base")
        }

    def _applied(self, connection: sa.Connection, lineage: Lineage, script: ScriptDirectory) -> set[str]:
        context = MigrationContext.configure(connection, opts={"version_table": lineage.version_table})
        heads = context.get_current_heads()
        return {one.revision for head in heads for one in script.iterate_revisions(head, "base")} if heads else set()

    def _context(self, connection: sa.Connection, lineage: Lineage | None = None) -> MigrationContext:
        wanted_names = {lineage.name} if lineage else self.lineages.keys()
        names = self.lineages.keys() | self._neighbours
        versions = {one.version_table for one in self.lineages.values()}

        def ours(name: str | None, kind: str, _parents: Any) -> bool:
            if kind != "table" or name is None:
                return kind != "table"
            return owner_of(name, names) in wanted_names and name not in versions

        def wanted(_thing: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
            return ours(name, kind, None)

        return MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": ours,
                "include_object": wanted,
                "render_item": _render_item,
                "target_metadata": Base.metadata,
            },
        )

    def _differences(self, connection: sa.Connection) -> list[str]:
        return [str(found) for found in compare_metadata(self._context(connection), Base.metadata)]

    def _write_revision(self, connection: sa.Connection, lineage: Lineage, words: str) -> Path | None:
        migration = produce_migrations(self._context(connection, lineage), Base.metadata)
        if migration.upgrade_ops is None or migration.upgrade_ops.is_empty():
            return None
        up = render_python_code(migration.upgrade_ops, render_item=_render_item)
        made = [one.table_name for one in migration.upgrade_ops.ops if isinstance(one, CreateTableOp)]
        lineage.folder.mkdir(exist_ok=True)
        known = [one.revision for one in lineage.script().walk_revisions()]
        number = f"{lineage.name}_{len(known) + 1:04d}"
        path = lineage.folder / f"{number}.py"
        path.write_text(_revision_text(words, number, known[0] if known else None, up, made))
        return path


def _sorted(waiting: dict[str, tuple[str, Script]]) -> list[tuple[str, Script]]:
    """Each revision after its own predecessor and after what it requires of other lineages."""
    order: list[tuple[str, Script]] = []
    placed: set[str] = set()
    while len(order) < len(waiting):
        ready = [r for r in waiting if r not in placed and not needs_of(waiting[r][1]) & (waiting.keys() - placed)]
        if not ready:
            raise MigrationFailed(next(iter(waiting.values()))[0], "revisions require one another in a circle")
        same = [r for r in ready if order and waiting[r][0] == order[-1][0]]
        chosen = (same or ready)[0]
        placed.add(chosen)
        order.append(waiting[chosen])
    return order


def _check_requirements(waiting: dict[str, tuple[str, Script]], known: set[str]) -> None:
    for name, script in waiting.values():
        if missing := sorted(needs_of(script) - known):
            raise MigrationFailed(name, f"{script.revision} requires {', '.join(missing)}, which no plugin here has")


def needs_of(script: Script) -> set[str]:
    """The revisions that must have run before one: its predecessor, and what it requires of others."""
    before = script.down_revision
    own: Iterable[str] = (before,) if isinstance(before, str) else (before or ())
    return {*own, *getattr(script.module, "requires", ())}


@contextlib.asynccontextmanager
async def _locked(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK_SPACE + 1}, 0)")
        yield connection
        if engine.dialect.name == "sqlite":
            broken = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all()
            if broken:
                raise RuntimeError(f"a foreign key would be left hanging: {broken[:3]}")


async def _ensure_role(engine: AsyncEngine, role: str) -> None:
    """Make the role that transactions switch to: no login, no ownership, no bypass."""
    async with engine.begin() as connection:
        await connection.exec_driver_sql(
            f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN NOBYPASSRLS; EXCEPTION WHEN duplicate_object OR unique_violation"
            f" THEN NULL; END $$"
        )
        await connection.exec_driver_sql(
            f"DO $$ BEGIN IF NOT pg_has_role(current_user, '{role}', 'SET') THEN GRANT {role} TO CURRENT_USER; END IF;"
            f" EXCEPTION WHEN unique_violation THEN NULL; END $$"
            if await _server_version(connection) >= 160000
            else f"DO $$ BEGIN IF NOT pg_has_role(current_user, '{role}', 'MEMBER') THEN GRANT {role} TO CURRENT_USER;"
            f" END IF; EXCEPTION WHEN unique_violation THEN NULL; END $$"
        )
        await connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA public TO {role}")


async def _server_version(connection: AsyncConnection) -> int:
    return int((await connection.exec_driver_sql("SHOW server_version_num")).scalar_one())


def _render_item(kind: str, item: Any, _context: Any) -> Any:
    if kind != "type":
        return False
    name = type(item).__name__
    return {"DateTimeUTC": "Moment", "JSON": "Json"}.get(name, False)


def _revision_text(words: str, number: str, before: str | None, up: str, made: list[str]) -> str:
    lines = []
    for name in made:
        table = Base.metadata.tables[name]
        if table.info.get("global"):
            lines.append(f'global_table("{name}")')
        else:
            lines.append(f'tenant_table("{name}"{", append_only=True" if table.info.get("append_only") else ""})')
    steps = "\n".join(line for line in up.splitlines() if "# ###" not in line and not line.strip().startswith("info="))
    steps = steps.replace("sa.text('1')", "sa.true()").replace("sa.text('0')", "sa.false()")
    body = textwrap.indent(textwrap.dedent(steps).strip(), "    ")
    protection = textwrap.indent("\n".join(lines), "    ")
    types = ", ".join(name for name in ("Json", "Moment") if f" {name}," in body)
    tables = ", ".join(name for name in ("global_table", "tenant_table") if name in protection)
    imports = f"from kernel.db import {types}\n" if types else ""
    imports += f"from kernel.migrate import {tables}\n" if tables else ""
    return (
        f'"""{words}."""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\n{imports}\n'
        f'revision = "{number}"\ndown_revision = {before!r}\nrequires: tuple[str, ...] = ()\n\n\n'
        f'def upgrade() -> None:\n    """{words}."""\n{body}\n{protection}\n'
    )
