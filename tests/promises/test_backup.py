"""A backup is of one moment and comes back equal into either database; a damaged one is refused before a row."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import signal
import stat
import subprocess
import sys
import time
import tracemalloc
import uuid
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import IO, Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from kernel import VERSION
from kernel.app.backup import NothingThere, write_backup
from kernel.app.portable import FileFault, Manifest, Reader, Writer, arriving
from kernel.app.portable.files import BACKUP
from kernel.app.portable.reading import UnknownTables, known_tables, revisions, rows_of, snapshot
from kernel.app.prepare import lineages
from kernel.app.restore import NotEmpty, restore
from kernel.audit import Sealer
from kernel.auth import act
from kernel.auth.identity import standing_of_business
from kernel.auth.models import Limit
from kernel.db import Base, new_id
from kernel.db.tables import Approval, Audit, Idempotency
from kernel.migrate import Migrator
from kernel.settings import Settings
from kernel.testing.box import Box
from kernel.testing.served import environment_of
from kernel.testing.servers import Postgres
from kernel.work import Deployment, Work
from tests.promises.copies import DATABASES, backed_up, deployed, empty_database, every_row, table_names
from tests.promises.till import Till
from tests.proving import ON_POSTGRES, ON_SQLITE

ODD = 'नमस्ते "Duka" \\ \u2028 😀 é e\u0301 \t%'
FAR = dt.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC)


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Callable[[], Postgres]:
    """The run's PostgreSQL server, started only where it is needed."""
    return lambda: request.getfixturevalue("postgres")


async def a_month_of_oddities(till: Till) -> None:
    """Sales, voids, and rows with values that are easily lost on the way."""
    for _ in range(2):
        await till.sell(till.cart({"quantity": "2"}))
    sold = await till.sell(till.cart({"quantity": "3"}))
    assert sold.status_code == 201, sold.text
    voided = await till.box.client("owner", till.shop).post(
        f"/api/v1/sales/sales/{sold.json()['id']}/void", {"reason": ODD}
    )
    assert voided.status_code == 200, voided.text

    async def write(work: Work) -> None:
        facts: dict[str, Any] = {"b": [1, 1.5, 2**53 + 1, -0.25, None, True], "a": {"z": ODD, "y": {}}, "": "empty"}
        work.audit(subject="odd:1", reason=ODD, **facts)
        key = {"business_id": work.business_id, "principal": new_id(), "route": "POST /x", "key": ODD}
        answer = {"request_hash": bytes(range(256)), "status": 201, "body": "{}", "created_at": work.now}
        await work.execute(sa.insert(Idempotency).values(**key, **answer))
        waiting = {"action": "sales.discount", "amount": -(2**63), "digest": "d", "words": ODD, "deed": "d"}
        asked = {"requested_by": new_id(), "requested_by_name": ODD, "requested_at": work.now, "state": "waiting"}
        work.insert(Approval, {"id": new_id(), **waiting, **asked, "expires_at": FAR})
        work.insert(Approval, {"id": new_id(), **(waiting | {"amount": 2**63 - 1}), **asked, "expires_at": work.now})

        below, above = sorted(uuid.UUID(int=1000 + n) for n in range(2))  # the child's key comes first
        shelf = {"business_id": work.business_id, "name": ODD, "version": 1}
        categories = Base.metadata.tables["catalog_category"]
        await work.execute(sa.insert(categories).values(id=above, path=above.hex, **shelf))
        await work.execute(
            sa.insert(categories).values(id=below, parent_id=above, path=f"{above.hex}/{below.hex}", **shelf)
        )

    await till.box.act(write, shop=till.shop)
    await Sealer(till.box.deployment, standing_of_business).seal_all()


@pytest.mark.parametrize("target", DATABASES)
async def test_every_row_comes_back_equal_in_either_database(
    one_till: Till, target: str, tmp_path: Path, server: Callable[[], Postgres]
) -> None:
    await a_month_of_oddities(one_till)
    box = one_till.box
    path = await backed_up(box.deployment, tmp_path / "a.duka")
    async with empty_database(target, tmp_path, server) as settings, deployed(box, settings) as other:
        done = await restore(other, path)
        assert done.is_sound, (done.broken, done.chains)
        assert await every_row(settings.url) == await every_row(box.deployment.settings.url)
        again = await backed_up(other, tmp_path / "b.duka")
        with zipfile.ZipFile(path) as first, zipfile.ZipFile(again) as second:
            for name in first.namelist():
                if name != "manifest.json":
                    assert first.read(name) == second.read(name), name
        sealed = {one.business: one.sealed for one in done.chains}
        assert sealed["mama-njeri"] > 5


async def test_a_restored_deployment_goes_on_selling_and_its_books_refuse_edits(
    one_till: Till, tmp_path: Path, database: str, server: Callable[[], Postgres]
) -> None:
    await one_till.sell(one_till.cart())
    path = await backed_up(one_till.box.deployment, tmp_path / "a.duka")
    async with empty_database(database, tmp_path, server) as settings, deployed(one_till.box, settings) as other:
        await restore(other, path)
        restored = Till(Box(other, one_till.box.shops, one_till.box.people), one_till.shop, one_till.place, {})
        restored.by_name = one_till.by_name
        sold = await restored.sell(restored.cart())
        assert (sold.status_code, sold.json()["number"]) == (201, "O1-2026-000002")
        engine = create_async_engine(settings.url)
        for deed in ("DELETE FROM kernel_audit", "UPDATE sales_line SET quantity = 1"):
            async with engine.connect() as connection:
                with pytest.raises(DBAPIError, match="append-only"):
                    await connection.execute(sa.text(deed))
        await engine.dispose()


async def torn_backup(deployment: Deployment, file: IO[bytes]) -> Manifest:
    """The broken twin: every table from a snapshot of its own."""
    writer = Writer(file)
    async with snapshot(deployment.settings) as transaction:
        tables = await known_tables(transaction, deployment.registry)
        schema = await revisions(transaction.connection)
    for known in tables:
        async with snapshot(deployment.settings) as transaction:
            await writer.table(
                known.table.name, known.columns, rows_of(transaction, known, sa.true()), tenant=known.tenant
            )
        await asyncio.sleep(0.02)
    manifest = Manifest(
        format=BACKUP, duka=VERSION, made_at=deployment.clock(), schema=schema, plugins={}, tables=writer.tables
    )
    writer.finish(manifest)
    return manifest


async def restored_faults(till: Till, settings: Settings, path: Path) -> list[str]:
    """What is wrong with a backup that was brought back; its refusal counts."""
    async with deployed(till.box, settings) as other:
        try:
            done = await restore(other, path)
        except (LookupError, DBAPIError) as fault:
            return [str(fault)]
        return [*done.broken, *(one.first.words for one in done.chains if one.first)]


PACE_S = 0.1


async def backed_up_while_selling(till: Till, path: Path, write: object) -> tuple[int, int]:
    """Take a backup while four tills sell as fast as they can; returns how many sales there were before and after."""
    stop, warm, sold = asyncio.Event(), asyncio.Event(), 0

    async def sell() -> None:
        nonlocal sold
        while not stop.is_set():
            answer = await till.sell(till.cart({}, {"product_id": till.by_name["BREAD"]}))
            assert answer.status_code == 201, answer.text
            sold += 1
            if sold == 10:
                warm.set()
            await asyncio.sleep(PACE_S)  # what is sold is to be brought back as well

    tasks = [asyncio.create_task(sell()) for _ in range(4)]
    await asyncio.wait_for(warm.wait(), 60)
    before = sold
    await backed_up(till.box.deployment, path, write)  # type: ignore[arg-type]
    stop.set()
    await asyncio.gather(*tasks)
    return before, sold


async def test_a_backup_taken_while_sales_are_made_is_of_one_moment(
    one_till: Till, tmp_path: Path, database: str, server: Callable[[], Postgres]
) -> None:
    path = tmp_path / "a.duka"
    before, after = await backed_up_while_selling(one_till, path, write_backup)
    held = Reader(path, BACKUP).manifest.tables["sales_sale"].rows
    assert before <= held <= after
    async with empty_database(database, tmp_path, server) as settings:
        assert await restored_faults(one_till, settings, path) == []


@ON_POSTGRES
async def test_a_backup_torn_between_its_tables_is_caught(
    one_till: Till, tmp_path: Path, database: str, server: Callable[[], Postgres]
) -> None:
    before, after = await backed_up_while_selling(one_till, tmp_path / "a.duka", torn_backup)
    assert after > before + 4, "nothing was sold meanwhile, so nothing was torn"
    async with empty_database(database, tmp_path, server) as settings:
        assert await restored_faults(one_till, settings, tmp_path / "a.duka")


async def test_a_flipped_byte_is_refused_and_named_before_a_row_is_written(
    one_till: Till, tmp_path: Path, database: str, server: Callable[[], Postgres]
) -> None:
    path = await backed_up(one_till.box.deployment, tmp_path / "a.duka")
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("tables/kernel_role.jsonl")
    middle = entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 2
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    async with empty_database(database, tmp_path, server) as settings, deployed(one_till.box, settings) as other:
        with pytest.raises(FileFault, match="kernel_role"):
            await restore(other, path)
        assert await every_row(settings.url) == {}, "not even a table may be there"
        path.write_bytes(whole[:-100])
        with pytest.raises(FileFault):
            await restore(other, path)


async def test_wherever_a_byte_is_flipped_the_file_is_refused_or_reads_the_same(one_till: Till, tmp_path: Path) -> None:
    path = await backed_up(one_till.box.deployment, tmp_path / "a.duka")
    whole, right = path.read_bytes(), read(path)
    refused = 0
    for at in range(3, len(whole), max(1, len(whole) // 150)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        found = read(path)
        assert isinstance(found, FileFault) or found == right, at
        if isinstance(found, FileFault):
            assert str(path) in str(found)
            refused += 1
    assert refused > 100


def read(path: Path) -> dict[str, list[dict[str, Any]]] | FileFault:
    """All rows of a file, or why it is refused."""
    try:
        with contextlib.closing(Reader(path, BACKUP)) as reader:
            return {name: [row for rows in reader.batches(name) for row in rows] for name in reader.manifest.tables}
    except FileFault as fault:
        return fault


async def test_a_table_swapped_for_another_of_the_same_make_is_refused(one_till: Till, tmp_path: Path) -> None:
    path = await backed_up(one_till.box.deployment, tmp_path / "a.duka")
    forged = tmp_path / "b.duka"
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(forged, "w") as other:
        for name in archive.namelist():
            held = archive.read(name)
            other.writestr(name, held.replace(b'"is_operator":false', b'"is_operator":true'))
    with pytest.raises(FileFault, match="kernel_user is not what was written"):
        Reader(forged, BACKUP).verify()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(forged, "w") as other:
        for name in archive.namelist()[1:]:
            other.writestr(name, archive.read(name))
    with pytest.raises(FileFault, match="not what its manifest lists"):
        Reader(forged, BACKUP)
    forged.write_bytes(b"no zip at all")
    with pytest.raises(FileFault, match="no whole file"):
        Reader(forged, BACKUP)


async def test_a_database_with_rows_is_not_restored_into(one_till: Till, tmp_path: Path) -> None:
    path = await backed_up(one_till.box.deployment, tmp_path / "a.duka")
    before = await every_row(one_till.box.deployment.settings.url)
    with pytest.raises(NotEmpty, match="kernel_business"):
        await restore(one_till.box.deployment, path)
    assert await every_row(one_till.box.deployment.settings.url) == before


async def test_a_backup_of_a_newer_release_is_refused_and_of_a_missing_plugin_too(
    one_till: Till, tmp_path: Path, server: Callable[[], Postgres]
) -> None:
    for schema, words in (({"kernel": "kernel_9999"}, "newer"), ({"loyalty": "loyalty_0001"}, "not installed")):
        path = tmp_path / f"{words}.duka"
        with arriving(path) as file:
            said = Manifest(format=BACKUP, duka="9.0", made_at=FAR, schema=schema, plugins={}, tables={})
            Writer(file).finish(said)
        async with empty_database("sqlite", tmp_path, server) as settings, deployed(one_till.box, settings) as other:
            with pytest.raises(FileFault, match=words):
                await restore(other, path)
            assert await every_row(settings.url) == {}


async def test_a_backup_of_an_older_release_comes_back_and_is_migrated(
    one_till: Till, tmp_path: Path, database: str, server: Callable[[], Postgres]
) -> None:
    box = one_till.box
    async with empty_database(database, tmp_path, server) as old, deployed(box, old) as before:
        await Migrator(old.url, lineages(box.deployment.registry), before.database.role).upgrade(
            {"kernel": "kernel_0002"}
        )
        engine = create_async_engine(old.url)
        async with engine.begin() as connection:
            user = "INSERT INTO kernel_user (id, email, name, password_hash, created_at)"
            user += " VALUES (:id, 'a@b.c', 'A', '', :at)"
            id_ = new_id() if database == "postgresql" else new_id().hex
            await connection.execute(sa.text(user), {"id": id_, "at": box.clock().replace(tzinfo=None)})
        await engine.dispose()
        path = await backed_up(before, tmp_path / "old.duka")
    async with empty_database(database, tmp_path, server) as settings, deployed(box, settings) as after:
        done = await restore(after, path)
        assert "kernel_0006" in done.migrated
        assert done.is_sound
        assert [row[1] for row in (await every_row(settings.url))["kernel_user"]]


async def test_a_table_that_no_plugin_knows_is_not_left_out_in_silence(
    one_till: Till, tmp_path: Path, database: str
) -> None:
    engine = create_async_engine(one_till.box.deployment.settings.url)
    async with engine.begin() as connection:
        await connection.execute(sa.text("CREATE TABLE sales_loyalty (id integer PRIMARY KEY)"))
    with pytest.raises(UnknownTables, match="sales_loyalty"):
        await backed_up(one_till.box.deployment, tmp_path / "a.duka")
    assert list(tmp_path.glob("*a.duka*")) == []
    with arriving(tmp_path / "a.duka") as file:
        manifest = await write_backup(one_till.box.deployment, file, leave_out=True)
    assert manifest.tables["kernel_business"].rows == 2
    async with engine.begin() as connection:
        await connection.execute(sa.text("DROP TABLE sales_loyalty"))
    await engine.dispose()


async def test_a_login_bound_by_row_level_security_backs_up_and_restores_every_row(
    one_till: Till, tmp_path: Path, database: str, postgres: Postgres
) -> None:
    if database == "sqlite":
        return  # it has no logins; the box comes twice
    await a_month_of_oddities(one_till)
    path = await backed_up(one_till.box.deployment, tmp_path / "a.duka")
    await postgres._execute("CREATE ROLE plain LOGIN CREATEROLE")
    await postgres._execute("CREATE DATABASE plain OWNER plain")
    url = postgres.url("plain").replace("postgres@", "plain@")
    settings = Settings(home=str(tmp_path), database_url=url, database_role="plain_app", secret_key="s" * 40)
    async with deployed(one_till.box, settings) as other:
        assert (await restore(other, path)).is_sound
        again = await backed_up(other, tmp_path / "b.duka")
        assert Reader(again, BACKUP).manifest.tables == Reader(path, BACKUP).manifest.tables
        async with snapshot(settings) as transaction:
            blind = [
                known for known in await known_tables(transaction, other.registry) if known.table.name == "sales_line"
            ]
            assert [batch async for batch in rows_of(transaction, blind[0], sa.true())] == []
    await postgres.drop_database("plain")


async def test_a_restore_that_breaks_off_leaves_no_row_and_can_be_done_again(
    one_till: Till, tmp_path: Path, database: str, server: Callable[[], Postgres]
) -> None:
    path = await backed_up(one_till.box.deployment, tmp_path / "a.duka")

    class PulledPlug(BaseException):
        pass

    async with empty_database(database, tmp_path, server) as settings, deployed(one_till.box, settings) as other:
        for broken_at in (1, 20, 56):
            steps = iter(range(1000))

            def pull(what: str, _rows: int, _total: int | None, at: int = broken_at) -> None:
                if what == "restoring" and next(steps) == at:  # noqa: B023 - called before the next round
                    raise PulledPlug

            with pytest.raises(PulledPlug):
                await restore(other, path, progress=pull)
            assert not any((await every_row(settings.url)).values())
        assert (await restore(other, path)).is_sound


def duka(settings: Settings, *words: str) -> subprocess.Popen[bytes]:
    """The command line, as its own process."""
    command = [sys.executable, "-W", "ignore", "-c", "from kernel.cli import main; main()", *words]
    return subprocess.Popen(command, env=environment_of(settings), stderr=subprocess.PIPE, stdout=subprocess.PIPE)


async def wait_for(there: Callable[[], Awaitable[bool]], process: subprocess.Popen[bytes]) -> None:
    """Until it is so, or the process has ended by itself."""
    end = time.monotonic() + 60
    while process.poll() is None and not await there() and time.monotonic() < end:  # noqa: ASYNC110 - of another process
        await asyncio.sleep(0.02)


@ON_POSTGRES
async def test_ctrl_c_leaves_no_half_of_a_backup_and_no_half_of_a_restore(
    one_till: Till, box_settings: Settings, tmp_path: Path, database: str, server: Callable[[], Postgres]
) -> None:
    for _ in range(5):
        await one_till.sell(one_till.cart())
    path, folder = tmp_path / "out" / "a.duka", tmp_path / "out"
    folder.mkdir()
    backing = duka(box_settings, "backup", str(path))

    async def being_written() -> bool:
        return any(folder.iterdir())

    await wait_for(being_written, backing)
    backing.send_signal(signal.SIGTERM)  # as good as Ctrl-C
    _, said = backing.communicate(timeout=60)
    assert (backing.returncode, b"Stopped" in said) in ((1, True), (0, False)), said
    assert [one.name for one in folder.iterdir()] == (["a.duka"] if backing.returncode == 0 else [])
    path.unlink(missing_ok=True)
    await backed_up(one_till.box.deployment, path)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    async with empty_database(database, tmp_path, server) as settings:
        restoring = duka(settings, "restore", str(path))

        async def being_restored() -> bool:
            return "kernel_user" in await table_names(settings.url)

        await wait_for(being_restored, restoring)
        restoring.send_signal(signal.SIGINT)
        _, said = restoring.communicate(timeout=60)
        assert (restoring.returncode, b"Stopped" in said) in ((1, True), (0, False)), said
        rows = await every_row(settings.url)
        assert not any(rows.values()) or rows == await every_row(one_till.box.deployment.settings.url)


async def test_a_backup_never_replaces_a_file_unless_it_is_told_to(one_till: Till, tmp_path: Path) -> None:
    path = await backed_up(one_till.box.deployment, tmp_path / "a.duka")
    held = path.read_bytes()
    with pytest.raises(FileExistsError, match="--replace"):
        await backed_up(one_till.box.deployment, path)
    assert path.read_bytes() == held
    with arriving(path, replace=True) as file:
        await write_backup(one_till.box.deployment, file)
    assert Reader(path, BACKUP).manifest.rows > 0
    with pytest.raises(FileNotFoundError):
        await backed_up(one_till.box.deployment, tmp_path / "no" / "folder.duka")


async def test_a_backup_holds_the_whole_trail_of_the_deployment_itself(one_till: Till, tmp_path: Path) -> None:
    reader = Reader(await backed_up(one_till.box.deployment, tmp_path / "a.duka"), BACKUP)
    owners = {row["business_id"] for rows in reader.batches(Audit.__tablename__) for row in rows}
    assert {uuid.UUID(int=0), one_till.box.shop.id, one_till.box.other.id} == owners


@ON_SQLITE
@pytest.mark.parametrize(("few", "many"), [(4000, 10000), pytest.param(4000, 16000, marks=pytest.mark.prove)])
async def test_many_rows_take_no_more_memory_than_few(
    one_till: Till, tmp_path: Path, database: str, server: Callable[[], Postgres], few: int, many: int
) -> None:
    box, peaks = one_till.box, []
    for number, rows in enumerate((few, many)):
        await many_rows(box, number, rows)
        path = tmp_path / f"{rows}.duka"
        async with empty_database(database, tmp_path, server) as settings, deployed(box, settings) as other:
            tracemalloc.start()
            try:
                await backed_up(box.deployment, path)
                await restore(other, path)
                peaks.append(tracemalloc.get_traced_memory()[1])
            finally:
                tracemalloc.stop()
    more_rows = (many - few) * 1000
    print(f"peaks in bytes: {peaks}")
    assert peaks[1] - peaks[0] < more_rows / 2, f"{peaks}: held in memory at once they would take {more_rows} more"


async def many_rows(box: Box, number: int, rows: int) -> None:
    """Rows of a thousand characters each."""
    said = [{"key": f"{number} {row} {'x' * 1000}", "window_ends": box.clock(), "count": row} for row in range(rows)]

    async def write(work: Work) -> None:
        await work.execute(sa.insert(Limit), said)

    await act(box.deployment, None, write)


async def test_a_backup_of_the_wrong_database_is_refused(
    one_till: Till, tmp_path: Path, database: str, server: Callable[[], Postgres]
) -> None:
    async with empty_database(database, tmp_path, server) as settings, deployed(one_till.box, settings) as other:
        with pytest.raises(NothingThere, match="no tables"):
            await backed_up(other, tmp_path / "a.duka")
    assert list(tmp_path.glob("*a.duka*")) == []
