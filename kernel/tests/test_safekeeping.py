"""What operators see of processes, backups and rehearsals, and have done from there."""

from __future__ import annotations

import asyncio
import hashlib
import stat
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec import structs

from kernel.app.backing_up import BACKUPS
from kernel.app.home import manifest_of
from kernel.app.nodes import Beating
from kernel.app.noting import MOST_KEPT, note, notes, one_at_a_time
from kernel.app.plans import NotedRehearsal, rehearsing
from kernel.app.plans.rehearsing import REHEARSALS
from kernel.auth import act
from kernel.db.tables import Epoch
from kernel.migrate import MigrationFailed
from kernel.testing.box import Box
from kernel.work import Work

OPERATING = "/api/v1/operating"
of_no_database = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
"""What a backup holds on either database is proved elsewhere."""


@pytest.fixture
def home(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test's own."""
    settings = box.deployment.settings
    own = structs.replace(settings, home=str(tmp_path), database_url=settings.url)
    monkeypatch.setattr(box.deployment, "settings", own)
    return tmp_path


async def nodes(box: Box) -> list[dict[str, Any]]:
    answer = await box.client("operator").get(f"{OPERATING}/deployment")
    found: list[dict[str, Any]] = answer.json()["nodes"]
    return found


@of_no_database
@pytest.mark.usefixtures("home")
async def test_each_process_says_which_epoch_it_serves(box: Box) -> None:
    worker = Beating(box.deployment, "worker")
    assert await nodes(box) == []
    await worker.beat()
    (one,) = await nodes(box)
    assert (one["kind"], one["pid"], one["epoch"]) == ("worker", worker.pid, box.deployment.heeded)
    assert (one["is_behind"], one["is_silent"], one["is_other"]) == (False, False, False)

    async def raised(work: Work) -> None:
        await work.execute(sa.update(Epoch).where(Epoch.scope == "deployment").values(value=Epoch.value + 1))

    await act(box.deployment, None, raised)
    assert [one["is_behind"] for one in await nodes(box)] == [True]
    await worker.beat()
    assert [one["is_behind"] for one in await nodes(box)] == [False]


@of_no_database
async def test_a_process_that_was_killed_falls_silent_and_one_that_ended_is_gone(box: Box, home: Path) -> None:
    killed, ended = Beating(box.deployment, "server"), Beating(box.deployment, "worker")
    killed.file = home / "nodes" / "killed.json"
    await killed.beat()
    stop = asyncio.Event()
    stop.set()
    await ended.beat()
    await ended.loop(stop)
    box.clock.pass_by(minutes=1)
    assert [(one["kind"], one["is_silent"]) for one in await nodes(box)] == [("server", True)]
    box.clock.pass_by(minutes=10)
    await ended.beat()
    assert [one["kind"] for one in await nodes(box)] == ["worker"], "those that were silent for long are forgotten"


@of_no_database
async def test_a_backup_is_made_and_found_again(box: Box, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    operator = box.client("operator")
    for role in ("owner", "cashier"):
        assert (await box.client(role).post(f"{OPERATING}/backups")).status_code == 403
        assert (await box.client(role).get(f"{OPERATING}/backups")).status_code == 403
    made = (await operator.post(f"{OPERATING}/backups")).json()
    file = Path(made["path"])
    assert file.parent == home / "backups"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert hashlib.sha256(file.read_bytes()).hexdigest() == made["sha256"]
    assert manifest_of(file).rows == made["rows"] > 0
    trail = (await operator.get(f"{OPERATING}/audit")).json()["items"]
    assert trail[0]["deed"] == "operating.make_backup"

    with one_at_a_time(box.deployment.settings, BACKUPS):
        assert (await operator.get(f"{OPERATING}/backups")).json()["is_under_way"] is True
        told = await operator.post(f"{OPERATING}/backups")
        assert (told.status_code, told.json()["code"]) == (409, "deployment-busy")
    full = type("Usage", (), {"free": made["bytes"]})
    monkeypatch.setattr("kernel.app.backing_up.shutil.disk_usage", lambda _path: full)
    told = await operator.post(f"{OPERATING}/backups")
    assert (told.status_code, told.json()["code"]) == (409, "no-room")
    file.unlink()
    listed = (await operator.get(f"{OPERATING}/backups")).json()
    assert (listed["is_under_way"], [one["is_here"] for one in listed["items"]]) == (False, [False])


@of_no_database
@pytest.mark.usefixtures("home")
async def test_a_rehearsal_is_held_and_what_came_of_it_kept(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    operator = box.client("operator")
    assert (await box.client("owner").post(f"{OPERATING}/rehearsals", {})).status_code == 403
    held = (await operator.post(f"{OPERATING}/rehearsals", {"documents": 5})).json()
    assert (held["is_clean"], held["fault"], held["broken"], held["migrated"]) == (True, None, [], [])
    assert held["rows"] > 0
    assert [one["business"] for one in held["priced"]] == ["mama-njeri", "sharma-kirana"]

    async def fails(*_said: Any, **_more: Any) -> None:
        raise MigrationFailed("probe_stock", "there is no such column")

    monkeypatch.setattr(rehearsing, "rehearse", fails)
    failed = (await operator.post(f"{OPERATING}/rehearsals", {})).json()
    assert failed["is_clean"] is False
    assert "no such column" in failed["fault"]
    kept = (await operator.get(f"{OPERATING}/rehearsals")).json()
    assert [one["is_clean"] for one in kept["items"]] == [False, True]


@of_no_database
async def test_of_old_notes_the_newest_are_kept(box: Box, home: Path) -> None:
    (home / "rehearsals.jsonl").write_text('{"of": "another version"}\n')
    one = NotedRehearsal(box.clock(), 0.1, "0.1.0", {}, 0, [], [], [], None, True)
    for number in range(MOST_KEPT + 2):
        note(
            box.deployment.settings, REHEARSALS, NotedRehearsal(one.held_at, number, "", {}, 0, [], [], [], None, True)
        )
    kept = notes(box.deployment.settings, REHEARSALS, NotedRehearsal)
    assert (len(kept), kept[0].took_s, kept[-1].took_s) == (MOST_KEPT, MOST_KEPT + 1, 2)
