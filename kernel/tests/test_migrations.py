"""Migrations: a fresh database has what the models say; a failure leaves nothing; two upgraders do not collide."""

from __future__ import annotations

import asyncio
import itertools
import textwrap
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from kernel.app.build import open_deployment
from kernel.app.prepare import lineages, prepare
from kernel.auth import act, look
from kernel.auth.businesses.making import NewBusiness, create_business, make_user
from kernel.db.tables import Epoch, Release, Series
from kernel.invariants import broken
from kernel.migrate import KERNEL, Lineage, MigrationFailed, Migrator
from kernel.plugin import Plugin
from kernel.registry import Loaded, Registry
from kernel.settings import Settings
from kernel.testing.box import SECRET
from kernel.testing.servers import Postgres
from kernel.work import Work

Fold = Callable[..., Lineage]
_numbers = itertools.count(1)


@pytest_asyncio.fixture
async def url(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """An empty database."""
    if database == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'empty.sqlite3'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = f"empty_{next(_numbers)}"
    yield await server.create_database(name)
    await server.drop_database(name)


@pytest.fixture
def lineage(tmp_path: Path) -> Fold:
    """Write a lineage: lineage("aa", first="CREATE …", second=("INSERT …", "bb_first"))."""

    def write(name: str, **revisions: str | tuple[str, ...]) -> Lineage:
        folder = tmp_path / name / "migrations"
        folder.mkdir(parents=True)
        before: str | None = None
        for revision, said in revisions.items():
            sql, *needs = (said,) if isinstance(said, str) else said
            number = f"{name}_{revision}"
            (folder / f"{number}.py").write_text(
                textwrap.dedent(f"""
                    from alembic import op
                    revision, down_revision, requires = {number!r}, {before!r}, {tuple(needs)!r}
                    def upgrade():
                        for statement in {sql!r}.split(";"):
                            op.execute(statement)
                """)
            )
            before = number
        return Lineage(name, folder)

    return write


async def tables_of(url: str) -> set[str]:
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        names = await connection.run_sync(lambda sync: set(sa.inspect(sync).get_table_names()))
    await engine.dispose()
    return names


async def test_a_fresh_install_has_exactly_what_the_models_say(url: str, registry: Registry) -> None:
    migrator = Migrator(url, lineages(registry), "duka_app")
    kernels = [one.revision for one in reversed(list(KERNEL.script().walk_revisions()))]
    assert await migrator.pending() == [*kernels, "probe_stock_0001"]
    assert await migrator.upgrade() == [*kernels, "probe_stock_0001"]
    assert await migrator.pending() == []
    assert await migrator.upgrade() == []
    assert await migrator.differences() == []


async def test_a_difference_between_models_and_database_is_seen(url: str, registry: Registry) -> None:
    migrator = Migrator(url, lineages(registry), "")
    await migrator.upgrade()
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(sa.text("ALTER TABLE probe_stock_move DROP COLUMN amount"))
    await engine.dispose()
    assert any("amount" in found for found in await migrator.differences())


async def test_a_column_of_another_type_is_seen(url: str, registry: Registry) -> None:
    migrator = Migrator(url, lineages(registry), "")
    await migrator.upgrade()
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(sa.text("ALTER TABLE probe_stock_move DROP COLUMN amount"))
        await connection.execute(sa.text("ALTER TABLE probe_stock_move ADD COLUMN amount TEXT NOT NULL DEFAULT ''"))
    await engine.dispose()
    assert any("modify_type" in found and "amount" in found for found in await migrator.differences())


async def test_revisions_run_after_what_they_require_of_other_plugins(url: str, lineage: Fold) -> None:
    first = lineage("aa", one="CREATE TABLE aa_x (id int)", two=("INSERT INTO bb_x VALUES (1)", "bb_two"))
    second = lineage("bb", one="CREATE TABLE bb_x (id int)", two=("INSERT INTO aa_x VALUES (1)", "aa_one"))
    migrator = Migrator(url, [first, second], "")
    done = await migrator.upgrade()
    assert sorted(done) == ["aa_one", "aa_two", "bb_one", "bb_two"]
    assert done.index("bb_two") < done.index("aa_two")
    assert done.index("aa_one") < done.index("bb_two")


async def test_revisions_that_require_one_another_in_a_circle_are_refused(url: str, lineage: Fold) -> None:
    first = lineage("aa", one=("SELECT 1", "bb_one"))
    second = lineage("bb", one=("SELECT 1", "aa_one"))
    with pytest.raises(MigrationFailed, match="circle"):
        await Migrator(url, [first, second], "").upgrade()


async def test_a_revision_that_requires_what_nobody_has_is_refused(url: str, lineage: Fold) -> None:
    lacking = lineage("aa", one=("CREATE TABLE aa_x (id int)", "bb_seven"))
    with pytest.raises(MigrationFailed, match="requires bb_seven"):
        await Migrator(url, [lacking], "").upgrade()
    assert "aa_x" not in await tables_of(url)


async def test_a_failed_revision_leaves_nothing_of_its_plugin_and_all_of_the_others(url: str, lineage: Fold) -> None:
    good = lineage("aa", one="CREATE TABLE aa_x (id int)")
    bad = lineage("bb", one="CREATE TABLE bb_x (id int)", two="CREATE TABLE bb_y (id int);SELECT * FROM nowhere")
    migrator = Migrator(url, [good, bad], "")
    with pytest.raises(MigrationFailed) as told:
        await migrator.upgrade()
    assert told.value.plugin == "bb"
    assert "nowhere" in told.value.reason
    found = await tables_of(url)
    assert "aa_x" in found
    assert not {name for name in found if name.startswith("bb_") and name != "bb_schema"}
    assert await migrator.pending() == ["bb_one", "bb_two"]


async def test_two_upgraders_at_once_run_each_revision_once(url: str, lineage: Fold) -> None:
    some = [
        lineage(name, one=f"CREATE TABLE {name}_x (id int)", two=f"INSERT INTO {name}_x VALUES (1)")
        for name in ("aa", "bb", "cc")
    ]
    done = await asyncio.gather(*(Migrator(url, some, "").upgrade() for _ in range(4)))
    assert sorted(itertools.chain(*done)) == sorted(
        f"{name}_{r}" for name in ("aa", "bb", "cc") for r in ("one", "two")
    )
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        assert [
            (await connection.execute(sa.text(f"SELECT count(*) FROM {n}_x"))).scalar() for n in ("aa", "bb", "cc")
        ] == [1] * 3
    await engine.dispose()


def made_of(lineage: Lineage, *, depends: tuple[str, ...] = ()) -> Loaded:
    return Loaded(Plugin(lineage.name, "1.0", "x", "x", depends=depends), lineage.name, lineage.folder.parent)


async def test_a_plugin_whose_migration_fails_is_set_aside_with_those_on_it(
    url: str, lineage: Fold, tmp_path: Path
) -> None:
    plugins = [
        made_of(lineage("aa", one="CREATE TABLE aa_x (id int)")),
        made_of(lineage("bb", one="SELECT * FROM nowhere")),
        made_of(lineage("cc", one=("CREATE TABLE cc_x (id int)", "bb_one")), depends=("bb",)),
    ]
    settings = Settings(home=str(tmp_path), database_url=url, secret_key=SECRET, platform_owner_email="Boss@x.example")
    deployment = open_deployment(settings, registry=Registry(plugins))

    async def known(work: Work) -> tuple[dict[str, str], int]:
        releases = {
            row.plugin: row.state for row in (await work.execute(sa.select(Release.plugin, Release.state))).all()
        }
        return releases, (await work.execute(sa.select(Epoch.value).where(Epoch.scope == "deployment"))).scalar_one()

    said = await prepare(deployment)
    assert any("set aside bb" in line for line in said)
    assert list(deployment.registry.plugins) == ["aa"]
    assert deployment.registry.set_aside["cc"].reason == "needs bb, which was set aside"
    releases, epoch = await look(deployment, None, known)
    assert releases == {"aa": "installed", "bb": "quarantined", "cc": "quarantined"}
    await prepare(deployment)
    assert await look(deployment, None, known) == (releases, epoch), "nothing changed, so the epoch stays"
    assert {"aa_x", "kernel_user"} <= await tables_of(url)
    assert "cc_x" not in await tables_of(url)
    await deployment.database.dispose()


async def test_a_kernel_that_cannot_migrate_stops_the_start(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=str(tmp_path), database_url=url, secret_key=SECRET)
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(sa.text("CREATE TABLE kernel_user (id int)"))
    await engine.dispose()
    deployment = open_deployment(settings, registry=Registry([]))
    with pytest.raises(MigrationFailed, match="kernel"):
        await prepare(deployment)
    await deployment.database.dispose()
    assert await tables_of(url) - {"kernel_schema"} == {"kernel_user"}


async def test_the_platforms_owner_becomes_operator(url: str, tmp_path: Path) -> None:
    settings = Settings(home=str(tmp_path), database_url=url, secret_key=SECRET, platform_owner_email="Boss@x.example")
    deployment = open_deployment(settings, registry=Registry([]))
    await prepare(deployment)

    async def make(work: Work) -> None:
        for name in ("boss", "other"):
            await make_user(work, email=f"{name}@x.example", name=name, password_hash="x")

    await act(deployment, None, make)
    await prepare(deployment)

    async def operators(work: Work) -> list[str]:
        return list((await work.execute(sa.text("SELECT email FROM kernel_user WHERE is_operator"))).scalars())

    assert await look(deployment, None, operators) == ["boss@x.example"]
    await deployment.database.dispose()


async def test_a_new_revision_holds_what_the_models_have_more(url: str, tmp_path: Path, registry: Registry) -> None:
    await Migrator(url, [KERNEL], "").upgrade()
    fresh = Lineage("probe_stock", tmp_path / "fresh" / "migrations")
    fresh.folder.mkdir(parents=True)
    migrator = Migrator(url, [KERNEL, fresh], "")
    path = await migrator.write_revision("probe_stock", "First tables")
    assert path is not None
    text = path.read_text()
    assert 'tenant_table("probe_stock_move", append_only=True)' in text
    assert "global_table" not in text
    assert await migrator.upgrade() == ["probe_stock_0001"]
    assert await migrator.write_revision("probe_stock", "Nothing") is None
    assert await migrator.differences() == []


@pytest_asyncio.fixture
async def modest(postgres: Postgres) -> AsyncIterator[str]:
    """A database owned by a login that is no superuser: what a hosting company gives."""
    name = f"modest_{next(_numbers)}"
    await postgres.create_database(name)
    root = await asyncpg.connect(host=str(postgres.socket_dir), port=_port(postgres), user="postgres", database=name)
    await root.execute(f"CREATE ROLE {name} LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS")
    await root.execute(f"ALTER DATABASE {name} OWNER TO {name}")
    await root.execute(f"ALTER SCHEMA public OWNER TO {name}")
    url = sa.make_url(postgres.url(name)).set(username=name)
    yield url.render_as_string(hide_password=False)
    await root.execute(f"REASSIGN OWNED BY {name} TO postgres")
    await root.execute(f"DROP OWNED BY {name}")
    await root.close()
    await postgres.drop_database(name)


def _port(postgres: Postgres) -> int:
    return int(str(sa.make_url(postgres.url("postgres")).query.get("port", 5432)))


async def test_a_modest_login_installs_serves_and_checks(modest: str, tmp_path: Path, registry: Registry) -> None:
    settings = Settings(home=str(tmp_path), database_url=modest, secret_key=SECRET, database_role="modest_role")
    deployment = open_deployment(settings, registry=registry)
    await prepare(deployment)

    async def make(work: Work, slug: str) -> None:
        owner = await make_user(work, email=f"{slug}@x.example", name=slug, password_hash="x")
        new = NewBusiness(slug, slug, "KE", "KES", "Africa/Nairobi")
        await create_business(work, new, owner_id=owner, plugins=registry.plugins)
        work.later("probe_till.ring", {})

    for slug in ("one", "two"):
        await act(deployment, None, lambda work, slug=slug: make(work, slug))  # type: ignore[misc]
    assert await broken(deployment) == []
    assert await Migrator(modest, lineages(registry), "").differences() == []
    await deployment.database.dispose()


async def test_a_modest_login_still_sees_what_is_broken(modest: str, tmp_path: Path, registry: Registry) -> None:
    settings = Settings(home=str(tmp_path), database_url=modest, secret_key=SECRET, database_role="modest_role")
    deployment = open_deployment(settings, registry=registry)
    await prepare(deployment)

    async def make(work: Work) -> None:
        new = NewBusiness("one", "one", "KE", "KES", "Africa/Nairobi")
        await create_business(work, new, owner_id=None, plugins=registry.plugins)
        work.insert(Series, {"series": "x", "last": 1})
        work.later("probe_till.ring", {})
        await work.flush()
        await work.execute(sa.text("DELETE FROM kernel_job_payload"))

    await act(deployment, None, make)
    assert [line.partition(":")[0] for line in await broken(deployment)] == ["every job has its payload"]
    await deployment.database.dispose()
