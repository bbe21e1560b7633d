"""A plugin that was uninstalled comes back byte for byte, into what is there now, or not at all."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from kernel.app.portable import FileFault
from kernel.app.prepare import lineages
from kernel.app.restore import NotEmpty
from kernel.app.uninstalling import (
    StillEnabled,
    archive,
    install,
    purge,
    restore,
    uninstall,
)
from kernel.auth import look
from kernel.auth.businesses.switching import disable, enable
from kernel.auth.identity import standing_of_business
from kernel.auth.models import Role
from kernel.db import new_id
from kernel.db.tables import Audit, Business, BusinessPlugin, Job, Schedule
from kernel.jobs import Runner
from kernel.migrate import Migrator
from kernel.settings import Settings
from kernel.testing.box import Box
from kernel.testing.servers import Postgres
from kernel.tests.shelves import (
    GOING,
    KEPT,
    NAME,
    NEIGHBOUR,
    fill_one,
    models,
    release,
    run_sql,
    shapes,
    stored,
    switch,
)
from kernel.work import Work


async def test_a_plugin_comes_back_with_every_row_and_its_tables_as_they_were(shelf: Box, tmp_path: Path) -> None:
    before, made, (_, epoch) = await stored(shelf), await shapes(shelf), await release(shelf)
    done = await uninstall(shelf.deployment, NAME, tmp_path / "shelf.zip")
    assert done.purged.dropped == {"probe_shelf_note": 4, "probe_shelf_shade": 2}
    gone = await stored(shelf)
    assert gone.keys().isdisjoint(GOING)
    assert gone[NEIGHBOUR] == before[NEIGHBOUR]
    assert (await release(shelf)) == ("removed", epoch + 1)
    assert NAME not in shelf.deployment.registry.plugins
    back = await restore(shelf.deployment, tmp_path / "shelf.zip")
    assert (back.differing, back.left_out, back.migrated) == ({}, {}, [])
    assert await stored(shelf) == before
    assert await shapes(shelf) == made
    assert await release(shelf) == ("installed", epoch + 2)
    await switch(shelf, enable)
    assert await Runner(shelf.deployment, _standing).run_due() >= 1
    assert sum("queued" in one for one in (await stored(shelf))["probe_shelf_note"]) == 1, "its job came back with it"


async def test_its_books_refuse_edits_again_and_shops_see_only_their_own(
    shelf: Box, tmp_path: Path, database: str
) -> None:
    await uninstall(shelf.deployment, NAME, tmp_path / "shelf.zip")
    await restore(shelf.deployment, tmp_path / "shelf.zip")
    for deed in ("DELETE FROM probe_shelf_line", "UPDATE probe_shelf_paper SET words = 'x'"):
        with pytest.raises(DBAPIError, match="append-only"):
            await run_sql(shelf, deed)
    if database == "postgresql":

        async def count(work: Work) -> int:
            return len((await work.execute(sa.text("SELECT 1 FROM probe_shelf_note"))).all())

        assert await shelf.look(count) == 2
    assert (await shelf.act(fill_one)).int


async def test_kept_rows_that_are_not_those_of_the_archive_stop_a_restore(shelf: Box, tmp_path: Path) -> None:
    await uninstall(shelf.deployment, NAME, tmp_path / "shelf.zip")
    await install(shelf.deployment, NAME)
    papers = await stored(shelf)

    async def write(work: Work) -> None:
        paper = (await work.execute(sa.select(models().Paper.id).limit(1))).scalar_one()
        work.insert(models().Line, {"id": new_id(), "paper_id": paper, "words": "since"})

    await shelf.act(write)
    await uninstall(shelf.deployment, NAME, tmp_path / "later.zip")
    with pytest.raises(NotEmpty, match="probe_shelf_line is kept for the law, and is not what the archive holds"):
        await restore(shelf.deployment, tmp_path / "shelf.zip")
    await restore(shelf.deployment, tmp_path / "later.zip")
    assert len((await stored(shelf))["probe_shelf_line"]) == len(papers["probe_shelf_line"]) + 1


async def test_a_target_with_rows_is_not_restored_into(shelf: Box, tmp_path: Path) -> None:
    path = tmp_path / "shelf.zip"
    await archive(shelf.deployment, NAME, path)
    before = await stored(shelf)
    with pytest.raises(NotEmpty, match=r"holds [246] rows already"):
        await restore(shelf.deployment, path)
    assert (await stored(shelf), (await release(shelf))[0]) == (before, "installed")
    await purge(shelf.deployment, NAME, path)
    await install(shelf.deployment, NAME)
    await switch(shelf, enable)
    with pytest.raises(StillEnabled, match="mama-njeri"):
        await restore(shelf.deployment, path)
    await switch(shelf, disable)
    with pytest.raises(NotEmpty, match=r"probe_shelf_(line|paper) holds 6 rows already"):
        await restore(shelf.deployment, path)


async def test_an_archive_of_older_tables_is_restored_into_those_and_then_upgraded(shelf: Box, tmp_path: Path) -> None:
    first, path = tmp_path / "first.zip", tmp_path / "old.zip"
    await uninstall(shelf.deployment, NAME, first)
    clear = [f"DROP TABLE {name}" for name in (*KEPT, "probe_shelf_schema")]
    await run_sql(shelf, *clear, "UPDATE kernel_release SET state = 'installed' WHERE plugin = 'probe_shelf'")
    settings = shelf.deployment.settings
    migrator = Migrator(settings.url, lineages(shelf.deployment.found), "duka_app")
    await migrator.upgrade({NAME: "probe_shelf_0001"})
    await run_sql(shelf, "UPDATE kernel_epoch SET value = value + 1 WHERE scope = 'deployment'")
    shop = shelf.shop.id.hex if settings.url.startswith("sqlite") else str(shelf.shop.id)
    note = f"INSERT INTO probe_shelf_note (business_id, id, words) VALUES ('{shop}', '{shop}', 'old')"
    await run_sql(shelf, note)
    done = await uninstall(shelf.deployment, NAME, path)
    assert done.archive.manifest.schema[NAME] == "probe_shelf_0001"
    back = await restore(shelf.deployment, path)
    assert (back.migrated, back.differing) == (["probe_shelf_0002"], {})
    notes = (await stored(shelf))["probe_shelf_note"]
    assert len(notes) == 1
    assert notes[0].endswith(", 1)")
    assert (await release(shelf))[0] == "installed"


async def test_rows_of_a_business_that_was_deleted_since_stay_out(shelf: Box, tmp_path: Path) -> None:
    await uninstall(shelf.deployment, NAME, tmp_path / "shelf.zip")
    await run_sql(shelf, *(f"DROP TABLE {name}" for name in (*KEPT, "probe_shelf_schema")))

    async def bury(work: Work) -> None:
        gone = {"deleted_at": work.now, "deleting_at": work.now, "is_active": False}
        await work.execute(sa.update(Business).where(Business.id == shelf.other.id).values(gone))

    await shelf.act(bury)
    back = await restore(shelf.deployment, tmp_path / "shelf.zip")
    assert back.left_out == {"sharma-kirana": 8}
    assert len((await stored(shelf))["probe_shelf_note"]) == 2


async def test_businesses_that_never_were_here_are_refused(shelf: Box, tmp_path: Path) -> None:
    await uninstall(shelf.deployment, NAME, tmp_path / "shelf.zip")
    await run_sql(shelf, "UPDATE kernel_business SET slug = 'renamed' WHERE slug = 'sharma-kirana'")
    with pytest.raises(FileFault, match="businesses that are not here: sharma-kirana"):
        await restore(shelf.deployment, tmp_path / "shelf.zip")


async def test_what_of_the_kernels_tables_is_the_plugins_goes_with_it_and_grants_stay(
    shelf: Box, tmp_path: Path
) -> None:
    async def grant(work: Work) -> None:
        here = sa.and_(Role.business_id == work.business_id, Role.code == "cashier")
        await work.execute(sa.update(Role).where(here).values(added=["probe_shelf.see"]))
        switches = sa.and_(BusinessPlugin.business_id == work.business_id, BusinessPlugin.plugin == NAME)
        await work.execute(sa.update(BusinessPlugin).where(switches).values(settings={"z": 1, "a": "é"}))

    async def left(work: Work) -> tuple[int, int, int, list[str], Any]:
        jobs = len((await work.execute(sa.select(Job.id).where(Job.plugin == NAME))).all())
        schedules = len((await work.execute(sa.select(Schedule.job).where(Schedule.job.startswith(NAME)))).all())
        said = sa.select(BusinessPlugin.settings).where(
            BusinessPlugin.business_id == work.business_id, BusinessPlugin.plugin == NAME
        )
        switches = (await work.execute(said)).scalars().all()
        role = sa.select(Role.added).where(Role.business_id == work.business_id, Role.code == "cashier")
        return jobs, schedules, len(switches), (await work.execute(role)).scalar_one(), next(iter(switches), None)

    await shelf.act(grant)
    before = await shelf.look(left)
    assert before[0] >= 1
    await uninstall(shelf.deployment, NAME, tmp_path / "shelf.zip")
    assert await shelf.look(left) == (0, 0, 0, ["probe_shelf.see"], None)
    assert "probe_shelf.see" not in (await shelf.client("cashier").get("/api/v1/auth/me")).text
    await restore(shelf.deployment, tmp_path / "shelf.zip")
    assert await shelf.look(left) == before


async def test_every_step_is_in_the_deployments_own_trail(shelf: Box, tmp_path: Path) -> None:
    await uninstall(shelf.deployment, NAME, tmp_path / "shelf.zip")
    await restore(shelf.deployment, tmp_path / "shelf.zip")

    async def read(work: Work) -> list[tuple[str, Any]]:
        own = sa.and_(Audit.business_id == work.business_id, Audit.subject == f"plugin:{NAME}")
        rows = await work.execute(sa.select(Audit.deed, Audit.facts).where(own).order_by(Audit.at, Audit.id))
        return [(row.deed, row.facts) for row in rows.all()]

    trail = await look(shelf.deployment, None, read)
    assert [deed for deed, _ in trail] == ["plugin uninstall", "plugin restore"]
    assert trail[0][1]["rows"]["probe_shelf_note"] == 4
    assert trail[0][1]["kept"] == sorted(KEPT)


async def test_a_login_bound_by_row_level_security_uninstalls_and_restores_every_row(
    shelf: Box, tmp_path: Path, database: str, postgres: Postgres
) -> None:
    if database == "sqlite":
        return  # it has no logins
    name = sa.make_url(shelf.deployment.settings.url).database
    owner = f"owner_{name}"
    await run_sql(
        shelf,
        f"CREATE ROLE {owner} LOGIN NOSUPERUSER NOBYPASSRLS CREATEROLE",
        f"GRANT duka_app TO {owner}",
        f"GRANT ALL ON SCHEMA public TO {owner}",
        f"DO $$ DECLARE t record; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        f" LOOP EXECUTE 'ALTER TABLE ' || quote_ident(t.tablename) || ' OWNER TO {owner}'; END LOOP; END $$",
        f"DO $$ BEGIN IF to_regprocedure('duka_append_only()') IS NOT NULL THEN"
        f" ALTER FUNCTION duka_append_only() OWNER TO {owner}; END IF; END $$",
    )
    before, made = await stored(shelf), await shapes(shelf)
    settings = shelf.deployment.settings
    shelf.deployment.settings = _as_login(settings, owner)
    path = tmp_path / "shelf.zip"
    done = await uninstall(shelf.deployment, NAME, path)
    assert done.purged.dropped["probe_shelf_note"] == 4
    back = await restore(shelf.deployment, path)
    shelf.deployment.settings = settings
    assert back.differing == {}
    assert await stored(shelf) == before
    assert {k: [one for one in v if "grant" not in one] for k, v in (await shapes(shelf)).items()} == {
        k: [one for one in v if "grant" not in one] for k, v in made.items()
    }


def _as_login(settings: Settings, login: str) -> Settings:
    url = sa.make_url(settings.url).set(username=login).render_as_string(hide_password=False)
    return msgspec.structs.replace(settings, migrations_database_url=url)


async def _standing(transaction: Any, business: uuid.UUID) -> Any:
    return await standing_of_business(transaction, business)
