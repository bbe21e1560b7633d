"""A plugin's data leaves the deployment; nothing else is touched, and what the law wants kept stays."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from kernel.app.portable.reading import UnknownTables, snapshot
from kernel.app.prepare import lineages, prepare
from kernel.app.uninstalling import (
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
    uninstall,
)
from kernel.auth.businesses.switching import disable, enable
from kernel.db import Phase
from kernel.db.engine import LOCK_SPACE, WHOLE
from kernel.migrate import Migrator
from kernel.registry import owner_of
from kernel.testing.box import Box, open_box
from kernel.tests.shelves import GOING, KEPT, NAME, NEIGHBOUR, release, run_sql, shapes, stored, switch
from kernel.work import Work


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


async def switched_on_in_the_dark(box: Box, path: Path, patience_s: float = 1.5) -> bool:
    """Enable the plugin in a deed that is still under way while it is purged; whether it ends on without tables.

    patience_s: how long the deed waits for the purge, which waits for the deed if it is done right.
    """
    await archive(box.deployment, NAME, path)
    under_way, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(work: Work) -> None:
        await enable(work, NAME)
        under_way.set()
        await go_on.wait()

    deed = asyncio.create_task(box.act(slowly, phase=Phase.SWITCH, shop="sharma-kirana"))
    await under_way.wait()
    purging = asyncio.create_task(purge(box.deployment, NAME, path))
    await asyncio.wait([purging], timeout=patience_s)
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
    needs_a_lock = database == "postgresql"
    patience_s = 60 if needs_a_lock else 1.5
    assert await switched_on_in_the_dark(shelf, tmp_path / "shelf.zip", patience_s) is needs_a_lock


async def test_a_backup_that_is_under_way_keeps_only_the_purge_waiting(
    shelf: Box, tmp_path: Path, database: str
) -> None:
    async def something(work: Work) -> None:
        work.audit(subject="test:1")

    await archive(shelf.deployment, NAME, tmp_path / "shelf.zip")
    async with snapshot(shelf.deployment.settings) as transaction:
        await transaction.execute(sa.text("SELECT count(*) FROM probe_shelf_note"))
        purging = asyncio.create_task(purge(shelf.deployment, NAME, tmp_path / "shelf.zip"))
        await asyncio.wait({purging}, timeout=60 if database == "sqlite" else 1.5)
        for _ in range(5):
            await asyncio.wait_for(shelf.act(something), 60)
        assert purging.done() == (database == "sqlite")
    await asyncio.wait_for(purging, 120)
    assert (await release(shelf))[0] == "removed"


async def test_deeds_that_write_share_the_lock_of_the_whole_deployment(shelf: Box, database: str) -> None:
    async def held(work: Work) -> list[str]:
        await work.write()
        query = f"SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND classid = {LOCK_SPACE} AND objid = {WHOLE}"
        return list((await work.execute(sa.text(query))).scalars())

    if database == "postgresql":
        assert "ShareLock" in await shelf.act(held)


def test_a_table_belongs_to_the_longest_name_it_begins_with() -> None:
    names = ("kernel", "sales", "sales_extra")
    tables = ("sales_sale", "sales_extra_note", "sales_extras", "kernel_job", "other")
    assert [owner_of(one, names) for one in tables] == ["sales", "sales_extra", "sales", "kernel", None]
