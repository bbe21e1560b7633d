"""The archive of a plugin's data is whole and of one moment, or nothing is purged by it and nothing restored."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import uuid
import zipfile
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kernel.app.portable import FileFault, Reader, arriving
from kernel.app.portable.files import PLUGIN
from kernel.app.uninstalling import (
    Archived,
    ArchiveStale,
    archive,
    purge,
    removing,
    restore,
    uninstall,
)
from kernel.db import new_id
from kernel.testing.box import Box
from kernel.tests.shelves import NAME, fill_one, later, models, release, run_sql, stored
from kernel.work import Work


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


def test_the_file_is_only_its_owners_and_is_not_replaced_unasked(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("there")
    with pytest.raises(FileExistsError), arriving(tmp_path / "a"):
        raise AssertionError
