"""A plugin's data leaves the deployment and comes back byte for byte; nothing else is touched, nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import importlib
import uuid
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from kernel.app.portable import FileFault, Reader, arriving
from kernel.app.portable.files import PLUGIN
from kernel.app.portable.reading import UnknownTables, snapshot
from kernel.app.prepare import lineages, prepare
from kernel.app.restore import NotEmpty
from kernel.app.uninstalling import (
    Archived,
    ArchiveStale,
    NotInstalled,
    ReferredTo,
    StillEnabled,
    StillNeeded,
    TornHold,
    archive,
    belongings,
    install,
    purge,
    removing,
    restore,
    uninstall,
)
from kernel.app.uninstalling.shape import shape_of
from kernel.auth import look
from kernel.auth.businesses.switching import disable, enable
from kernel.auth.identity import standing_of_business
from kernel.auth.models import Role
from kernel.db import Phase, new_id
from kernel.db.engine import LOCK_SPACE, WHOLE
from kernel.db.owner import engine_for
from kernel.db.tables import Audit, Business, BusinessPlugin, Epoch, Job, Release, Schedule
from kernel.invariants import broken
from kernel.jobs import Runner
from kernel.migrate import Migrator
from kernel.registry import Registry, load, owner_of
from kernel.settings import Settings
from kernel.testing.box import Box, open_box
from kernel.testing.servers import Postgres
from kernel.work import Work

NAME, KEPT, GOING = "probe_shelf", ("probe_shelf_line", "probe_shelf_paper"), ("probe_shelf_note", "probe_shelf_shade")
NEIGHBOUR = "probe_shelf_extra_slip"
ODD = 'नमस्ते "Duka" \\ \u2028 😀 \t%'
Rows = dict[str, list[str]]


@pytest.fixture(scope="module")
def shelves(registry: Registry) -> Registry:
    """The probes and a plugin that is thrown away, with a neighbour of nearly the same name."""
    packages = [f"kernel.tests.probes.{name}" for name in ("shelf", "shelf_extra")]
    more = [load(importlib.import_module(one).PLUGIN, one, set(registry.plugins)) for one in packages]
    return Registry([*registry.in_order(), *more])


@pytest_asyncio.fixture
async def shelf(box_settings: Settings, shelves: Registry) -> AsyncIterator[Box]:
    """A box with the shelf installed and filled, on for one shop and off again."""
    made = await open_box(box_settings, shelves)
    await prepare(made.deployment)
    await switch(made, enable)
    for shop in made.shops:
        await made.act(fill, shop=shop)
    await made.act(lambda work: later(work, "queued"))
    await switch(made, disable)
    yield made
    faults = await broken(made.deployment)
    await made.close()
    assert not faults, faults


async def switch(box: Box, how: Callable[[Work, str], Awaitable[None]], shop: str = "mama-njeri") -> None:
    await box.act(lambda work: how(work, NAME), phase=Phase.SWITCH, shop=shop)


async def later(work: Work, words: str) -> None:
    work.later("probe_shelf.dust", {"words": words})


async def fill(work: Work) -> None:
    """Values that are easily lost on the way, a note whose key comes before that of the one above it."""
    tables = models()
    at = dt.datetime(2026, 11, 21, 9, 0, 0, 123456, tzinfo=dt.UTC)
    papers = [new_id() for _ in range(3)]
    for number, paper in enumerate(papers):
        row = {"id": paper, "number": 2**62 + number, "words": ODD, "day": at.date(), "at": at if number else None}
        told = {"b": [1, 1.5, None, True], "a": {"z": ODD}} if number else None
        more = {"told": told, "stamp": bytes(range(256)), "rate": Decimal("12345678901234.000001"), "is_final": True}
        work.insert(tables.Paper, {**row, **more})
        work.insert(tables.Line, {"id": new_id(), "paper_id": paper, "words": f"line {number}"})
    await work.flush()
    below, above = sorted(uuid.UUID(int=1000 + n) for n in range(2))
    note = {"business_id": work.business_id, "weight": 7}
    notes = sa.insert(tables.Note)
    await work.execute(notes.values(id=above, words="above", paper_id=papers[0], **note))
    await work.execute(notes.values(id=below, words="below", above_id=above, **note))
    await work.execute(sa.insert(tables.Shade).values(code=str(work.business_id), words=ODD))
    await work.execute(
        sa.insert(sa.table(NEIGHBOUR, *map(sa.column, ("business_id", "id", "words")))).values(
            business_id=sa.literal(work.business_id, sa.Uuid()), id=sa.literal(new_id(), sa.Uuid()), words="a slip"
        )
    )


def models() -> Any:
    return importlib.import_module("kernel.tests.probes.shelf.models")


async def stored(box: Box, *, of: str = "probe_") -> Rows:
    """Every row of the plugins' tables as its database has it, read without the code under test."""
    engine, found = create_async_engine(box.deployment.settings.url), {}
    try:
        async with engine.connect() as connection:
            names = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
            for name in names:
                if name.startswith(of) or name.startswith("kernel_business_plugin"):
                    rows = (await connection.execute(sa.text(f'SELECT * FROM "{name}"'))).all()
                    found[name] = sorted(repr(tuple(row)) for row in rows)
    finally:
        await engine.dispose()
    return found


async def shapes(box: Box) -> dict[str, list[str]]:
    engine = engine_for(box.deployment.settings.url)
    try:
        async with engine.begin() as connection:
            return await shape_of(connection, (*KEPT, *GOING, NEIGHBOUR))
    finally:
        await engine.dispose()


async def run_sql(box: Box, *statements: str) -> None:
    engine = create_async_engine(box.deployment.settings.url)
    try:
        async with engine.begin() as connection:
            for statement in statements:
                await connection.execute(sa.text(statement))
    finally:
        await engine.dispose()


async def release(box: Box) -> tuple[str, int]:
    """The state of the plugin's release, and the deployment's epoch."""

    async def read(work: Work) -> tuple[str, int]:
        state = await work.execute(sa.select(Release.state).where(Release.plugin == NAME))
        epoch = await work.execute(sa.select(Epoch.value).where(Epoch.scope == "deployment"))
        return state.scalar_one(), epoch.scalar_one()

    return await look(box.deployment, None, read)


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


async def fill_one(work: Work) -> uuid.UUID:
    id_ = new_id()
    work.insert(models().Note, {"id": id_, "words": "new", "weight": 1})
    return id_


async def test_an_uninstalled_plugin_is_not_made_again_until_it_is_installed(shelf: Box, tmp_path: Path) -> None:
    await uninstall(shelf.deployment, NAME, tmp_path / "shelf.zip")
    for _ in range(2):
        fresh = await open_box(shelf.deployment.settings, shelf.deployment.found)
        await prepare(fresh.deployment)
        assert fresh.deployment.registry.set_aside[NAME].reason.endswith(
            "`duka plugin install probe_shelf` brings it back"
        )
        assert (await stored(fresh)).keys().isdisjoint(GOING)
        assert (await release(fresh))[0] == "removed"
        migrator = Migrator(shelf.deployment.settings.url, lineages(shelf.deployment.found), "duka_app")
        assert await migrator.upgrade() == [], "not even by who does not know that it was uninstalled"
        await fresh.close()
    with pytest.raises(NotInstalled, match="it was uninstalled"):
        await archive(shelf.deployment, NAME, tmp_path / "again.zip")
    done = await install(shelf.deployment, NAME)
    assert done.migrated == ["probe_shelf_0001", "probe_shelf_0002"]
    assert sorted(done.taken_back) == sorted(KEPT)
    assert (await install(shelf.deployment, NAME)).was_there
    assert (await stored(shelf))["probe_shelf_note"] == []
    await switch(shelf, enable)


async def test_what_the_law_wants_kept_stays_and_nobody_can_write_to_it(shelf: Box, tmp_path: Path) -> None:
    before, made = await stored(shelf), await shapes(shelf)
    done = await uninstall(shelf.deployment, NAME, tmp_path / "shelf.zip")
    assert done.purged.kept == {"probe_shelf_line": 6, "probe_shelf_paper": 6}
    after = await stored(shelf)
    assert {name: after[name] for name in KEPT} == {name: before[name] for name in KEPT}
    copied = "INSERT INTO probe_shelf_line SELECT * FROM probe_shelf_line"
    for deed in ("DELETE FROM probe_shelf_line", "UPDATE probe_shelf_paper SET words = 'x'", copied):
        with pytest.raises(DBAPIError, match=r"under hold|append-only"):
            await run_sql(shelf, deed)
    await install(shelf.deployment, NAME)
    again = await stored(shelf)
    assert {name: again[name] for name in KEPT} == {name: before[name] for name in KEPT}
    assert await shapes(shelf) == made, "no hold is left, and every guard is back"
    assert not [one for one in await stored(shelf, of="duka_") if one.startswith("duka_")]


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


async def test_it_is_refused_while_it_is_on_needed_or_referred_to(shelf: Box, tmp_path: Path, database: str) -> None:
    before, path = await stored(shelf), tmp_path / "shelf.zip"
    await switch(shelf, enable, "sharma-kirana")
    with pytest.raises(StillEnabled, match="is on for sharma-kirana: disable it there first"):
        await uninstall(shelf.deployment, NAME, path)
    await switch(shelf, disable, "sharma-kirana")
    with pytest.raises(StillNeeded, match="probe_till, probe_shelf stand on probe_stock"):
        await uninstall(shelf.deployment, "probe_stock", path)
    with pytest.raises(NotInstalled, match="no code of a plugin nobody"):
        await uninstall(shelf.deployment, "nobody", path)
    kind = "uuid" if database == "postgresql" else "CHAR(32)"
    note = "FOREIGN KEY (business_id, note_id) REFERENCES probe_shelf_note (business_id, id)"
    await run_sql(shelf, f"CREATE TABLE probe_till_pin (business_id {kind}, note_id {kind}, {note})")
    with pytest.raises(ReferredTo, match=r"probe_till_pin\(business_id, note_id\) → probe_shelf_note"):
        await uninstall(shelf.deployment, NAME, path)
    await run_sql(shelf, "DROP TABLE probe_till_pin", "CREATE TABLE probe_shelf_unknown (id integer)")
    with pytest.raises(UnknownTables, match="probe_shelf_unknown"):
        await uninstall(shelf.deployment, NAME, path)
    await run_sql(shelf, "DROP TABLE probe_shelf_unknown")
    assert not path.exists()
    assert (await stored(shelf)).items() >= {k: v for k, v in before.items() if k.startswith("probe_")}.items()


async def test_a_kept_table_that_would_be_torn_is_refused(
    shelf: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removing, "kept_of", lambda _loaded, _known: ["probe_shelf_note"])
    with pytest.raises(TornHold, match=r"probe_shelf_note\(business_id, paper_id\) → probe_shelf_paper"):
        await uninstall(shelf.deployment, NAME, tmp_path / "shelf.zip")
    assert (await release(shelf))[0] == "installed"


async def neighbour_lost(box: Box, path: Path) -> bool:
    """Whether uninstalling took something of the neighbour's with it."""
    before = await stored(box)
    await uninstall(box.deployment, NAME, path)
    return (await stored(box)).get(NEIGHBOUR) != before[NEIGHBOUR]


async def test_a_neighbour_with_nearly_the_same_name_keeps_its_tables(shelf: Box, tmp_path: Path) -> None:
    assert not await neighbour_lost(shelf, tmp_path / "shelf.zip")


async def test_a_purge_that_drops_a_neighbours_table_is_caught(
    shelf: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin: whatever begins with the plugin's name is taken for its own."""
    monkeypatch.setattr(belongings, "_declared", lambda _registry: {})
    monkeypatch.setattr(belongings, "owner_of", lambda table, _names: NAME if table.startswith(NAME) else None)
    await run_sql(shelf, "DROP TABLE probe_shelf_extra_schema")
    assert await neighbour_lost(shelf, tmp_path / "shelf.zip")


async def row_lost(box: Box, path: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Write a row after the archive is made; whether it is neither in the archive nor in the tables afterwards."""
    written: list[uuid.UUID] = []

    async def and_write(*given: Any, **named: Any) -> Archived:
        made = await archive(*given, **named)
        if not written:
            written.append(await box.act(fill_one))
        return made

    monkeypatch.setattr(removing, "archive", and_write)
    await uninstall(box.deployment, NAME, path)
    with contextlib.closing(Reader(path, PLUGIN)) as reader:
        return written[0] not in [row["id"] for rows in reader.batches("probe_shelf_note") for row in rows]


async def test_a_row_written_between_archive_and_purge_is_not_lost(
    shelf: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not await row_lost(shelf, tmp_path / "shelf.zip", monkeypatch)


async def test_a_purge_that_does_not_compare_loses_the_row_and_is_caught(
    shelf: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_given: Any) -> None:
        """The broken twin."""

    monkeypatch.setattr(removing, "compare", nothing)
    assert await row_lost(shelf, tmp_path / "shelf.zip", monkeypatch)


async def test_a_stale_archive_is_refused_and_named_whatever_changed(shelf: Box, tmp_path: Path) -> None:
    path = tmp_path / "shelf.zip"

    async def stale(match: str) -> None:
        with pytest.raises(ArchiveStale, match=match):
            await purge(shelf.deployment, NAME, path)
        assert (await release(shelf))[0] == "installed"
        await archive(shelf.deployment, NAME, path, replace=True)

    await archive(shelf.deployment, NAME, path)
    await run_sql(shelf, "UPDATE probe_shelf_note SET words = 'changed' WHERE words = 'below'")
    await stale("probe_shelf_note: the archive holds rows that have changed")
    await shelf.act(lambda work: later(work, "more"))
    await stale("kernel_job: the archive holds 2 rows, there are 3|kernel_job: the archive holds 1 rows, there are 2")
    await run_sql(shelf, "UPDATE kernel_business_plugin SET settings = '{\"a\": 1}' WHERE plugin = 'probe_shelf'")
    await stale("kernel_business_plugin: the archive holds rows that have changed")
    await purge(shelf.deployment, NAME, path)
    await restore(shelf.deployment, path)


async def torn(box: Box, path: Path, archiving: Callable[..., Awaitable[Any]]) -> int:
    """Archive while papers and their lines are written together; how many lines have no paper in the archive."""
    stop, warm, written = asyncio.Event(), asyncio.Event(), 0

    async def pair(work: Work) -> None:
        nonlocal written
        written += 1
        paper = {"id": new_id(), "number": written, "words": "w", "day": work.now.date(), "at": None, "told": None}
        work.insert(models().Paper, {**paper, "stamp": b"", "rate": Decimal(1), "is_final": False})
        work.insert(models().Line, {"id": new_id(), "paper_id": paper["id"], "words": "w"})

    async def write() -> None:
        while not stop.is_set():
            await box.act(pair)
            if written > 5:
                warm.set()

    task = asyncio.create_task(write())
    await asyncio.wait_for(warm.wait(), 60)
    await archiving(box.deployment, NAME, path)
    stop.set()
    await task
    with contextlib.closing(Reader(path, PLUGIN)) as reader:
        papers = {row["id"] for rows in reader.batches("probe_shelf_paper") for row in rows}
        assert len(papers) > 6
        return sum(row["paper_id"] not in papers for rows in reader.batches("probe_shelf_line") for row in rows)


async def test_an_archive_is_of_one_moment_while_the_shops_write(shelf: Box, tmp_path: Path) -> None:
    assert await torn(shelf, tmp_path / "shelf.zip", archive) == 0


async def test_an_archive_torn_between_its_tables_is_caught(
    shelf: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin: each table is read in a snapshot of its own."""
    module = importlib.import_module("kernel.app.uninstalling.archiving")
    honest = module.rows_of

    async def apart(_connection: Any, share: Any, seen: Any) -> Any:
        await asyncio.sleep(0.2)
        async with module.snapshot(shelf.deployment.settings) as transaction:
            async for batch in honest(transaction.connection, share, seen):
                yield batch

    monkeypatch.setattr(module, "rows_of", apart)
    assert await torn(shelf, tmp_path / "shelf.zip", archive) > 0


async def switched_on_in_the_dark(box: Box, path: Path) -> bool:
    """Enable the plugin in a deed that is still under way while it is purged; whether it ends on without tables."""
    await archive(box.deployment, NAME, path)
    under_way, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(work: Work) -> None:
        await enable(work, NAME)
        under_way.set()
        await go_on.wait()

    deed = asyncio.create_task(box.act(slowly, phase=Phase.SWITCH, shop="sharma-kirana"))
    await under_way.wait()
    purging = asyncio.create_task(purge(box.deployment, NAME, path))
    await asyncio.sleep(1.5)
    go_on.set()
    await asyncio.gather(deed, purging, return_exceptions=True)

    async def on(work: Work) -> bool:
        return work.enabled(NAME)

    return await box.look(on, shop="sharma-kirana") and (await release(box))[0] == "removed"


async def test_a_deed_under_way_that_enables_it_stops_the_purge(shelf: Box, tmp_path: Path) -> None:
    assert not await switched_on_in_the_dark(shelf, tmp_path / "shelf.zip")
    assert "probe_shelf_note" in await stored(shelf)


async def test_a_purge_that_does_not_wait_for_deeds_is_caught(
    shelf: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    """The broken twin, where a lock is needed for it: on SQLite one transaction writes at a time."""

    async def nothing(_connection: Any) -> None:
        """Do not wait."""

    monkeypatch.setattr(removing, "be_alone", nothing)
    assert await switched_on_in_the_dark(shelf, tmp_path / "shelf.zip") is (database == "postgresql")


async def test_a_backup_that_is_under_way_keeps_only_the_purge_waiting(
    shelf: Box, tmp_path: Path, database: str
) -> None:
    async def something(work: Work) -> None:
        work.audit(subject="test:1")

    await archive(shelf.deployment, NAME, tmp_path / "shelf.zip")
    async with snapshot(shelf.deployment.settings) as transaction:
        await transaction.execute(sa.text("SELECT count(*) FROM probe_shelf_note"))
        purging = asyncio.create_task(purge(shelf.deployment, NAME, tmp_path / "shelf.zip"))
        await asyncio.sleep(1.5)
        for _ in range(5):
            await asyncio.wait_for(shelf.act(something), 1.0)
        assert purging.done() == (database == "sqlite")
    await asyncio.wait_for(purging, 30)
    assert (await release(shelf))[0] == "removed"


async def test_deeds_that_write_share_the_lock_of_the_whole_deployment(shelf: Box, database: str) -> None:
    async def held(work: Work) -> list[str]:
        await work.write()
        query = f"SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND classid = {LOCK_SPACE} AND objid = {WHOLE}"
        return list((await work.execute(sa.text(query))).scalars())

    if database == "postgresql":
        assert "ShareLock" in await shelf.act(held)


async def test_a_damaged_or_foreign_archive_is_refused_before_anything_is_done(shelf: Box, tmp_path: Path) -> None:
    path, other = tmp_path / "shelf.zip", tmp_path / "extra.zip"
    await archive(shelf.deployment, NAME, path)
    await archive(shelf.deployment, "probe_shelf_extra", other)
    before = await stored(shelf)
    with pytest.raises(FileFault, match="is no archive of probe_shelf"):
        await purge(shelf.deployment, NAME, other)
    forged = tmp_path / "forged.zip"
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(forged, "w") as made:
        for name in whole.namelist():
            made.writestr(name, whole.read(name).replace(b"below", b"BELOW"))
    with pytest.raises(FileFault, match="probe_shelf_note is not what was written"):
        await purge(shelf.deployment, NAME, forged)
    assert await stored(shelf) == before
    await purge(shelf.deployment, NAME, path)
    gone = await stored(shelf)
    path.write_bytes(path.read_bytes()[:-50])
    for bad in (forged, path):
        with pytest.raises(FileFault):
            await restore(shelf.deployment, bad)
    assert await stored(shelf) == gone
    assert (await release(shelf))[0] == "removed"


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


def test_a_table_belongs_to_the_longest_name_it_begins_with() -> None:
    names = ("kernel", "sales", "sales_extra")
    tables = ("sales_sale", "sales_extra_note", "sales_extras", "kernel_job", "other")
    assert [owner_of(one, names) for one in tables] == ["sales", "sales_extra", "sales", "kernel", None]


def test_the_file_is_only_its_owners_and_is_not_replaced_unasked(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("there")
    with pytest.raises(FileExistsError), arriving(tmp_path / "a"):
        raise AssertionError
