"""Backups below home: read back before they have a name, pruned afterwards, made in time, told where they are not."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from kernel.app import backing_up, backing_up_in_time
from kernel.app.backing_up import NotWritten, keep_backup, kept_now, prune
from kernel.app.backups_kept import Keep
from kernel.app.portable import FileFault
from kernel.testing.box import Box

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
MOMENTS = st.lists(st.integers(0, 400 * 24).map(lambda hours: NOON - dt.timedelta(hours=hours)), unique=True)
KEEPS = st.builds(Keep, st.integers(0, 9), st.integers(0, 9))


@pytest.fixture
def home(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test's own, where a backup is due each day and two days are kept."""
    settings = box.deployment.settings
    own = structs.replace(
        settings, home=str(tmp_path), database_url=settings.url, backup_every_hours=24, keep_backups="2 daily"
    )
    monkeypatch.setattr(box.deployment, "settings", own)
    return tmp_path


def files(home: Path) -> list[str]:
    return sorted(one.name for one in (home / "backups").iterdir())


def named(at: dt.datetime) -> str:
    return f"duka-{at:%Y%m%dT%H%M%S}.duka"


async def told(box: Box) -> dict[str, Any]:
    answer: httpx.Response = await box.client("operator").get("/api/v1/operating/backups")
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(
    ("text", "keep"),
    [("", Keep()), ("7 daily", Keep(7)), ("4 weekly", Keep(0, 4)), ("7 daily, 4 weekly", Keep(7, 4))],
)
def test_what_is_kept_is_said_in_words(text: str, keep: Keep) -> None:
    assert Keep.read(text) == keep


@pytest.mark.parametrize("text", ["7", "0 daily", "daily", "7 daily,4 weekly", "1 daily, 2 daily", ", ", "7 monthly"])
def test_what_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="7 daily, 4 weekly"):
        Keep.read(text)


@given(MOMENTS, KEEPS)
def test_the_newest_is_always_kept_and_no_more_than_was_said(made: list[dt.datetime], keep: Keep) -> None:
    kept = keep.of(made)
    assert kept <= set(made)
    assert not made or max(made) in kept
    if not keep.is_all:
        assert len(kept) <= max(1, keep.daily + keep.weekly)
        assert len({at.date() for at in kept}) >= min(keep.daily, len({at.date() for at in made}))
    assert keep.of(kept) == kept, "what was kept once is kept when asked again at once"


async def test_old_ones_go_after_the_new_one_was_read_back_and_strange_files_stay(box: Box, home: Path) -> None:
    for _ in range(4):
        await keep_backup(box.deployment)
        (home / "backups" / "by-hand.duka").touch()
        box.clock.pass_by(minutes=24 * 60)
    now = box.clock.now
    days = [named(now - dt.timedelta(days=days)) for days in (2, 1)]
    assert files(home) == ["by-hand.duka", *days]
    listed = await told(box)
    assert [one["is_here"] for one in listed["items"]] == [True, True, False, False]
    assert (listed["keep"], listed["every_hours"], listed["state"]) == ("2 daily", 24, "ok")


async def test_one_that_is_not_whole_gets_no_name_costs_no_other_and_is_told(
    box: Box, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await keep_backup(box.deployment, keep=Keep(1))
    box.clock.pass_by(minutes=60)

    def damaged(*_said: Any) -> str:
        raise FileFault("it is not what was written")

    with monkeypatch.context() as patched:
        patched.setattr(backing_up, "_read_back", damaged)
        answer = await box.client("operator").post("/api/v1/operating/backups")
        assert answer.status_code >= 400
        with pytest.raises(FileFault):
            await keep_backup(box.deployment, keep=Keep(1))
    assert files(home) == [first.name]
    listed = await told(box)
    assert (listed["state"], listed["failed"]["fault"]) == ("broken", "FileFault")
    health = await box.http.get("/health/ready")
    assert (health.status_code, health.json()["checks"]["backups"]) == (200, "broken"), "told, and stops no selling"
    box.clock.pass_by(minutes=60)
    second = await keep_backup(box.deployment, keep=Keep(1))
    assert files(home) == [second.name]
    assert (await told(box))["state"] == "ok"


async def test_killed_between_making_and_pruning_nothing_is_lost_and_the_next_one_prunes(
    box: Box, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [await keep_backup(box.deployment, keep=Keep())]

    class Killed(BaseException):
        """The process is no more."""

    def killed(*_said: Any) -> None:
        raise Killed

    for place in ("prune", "note_backup"):
        box.clock.pass_by(minutes=24 * 60)
        with monkeypatch.context() as patched:
            patched.setattr(backing_up, place, killed)
            with pytest.raises(Killed):
                await keep_backup(box.deployment)
    assert len(files(home)) == 3
    assert made[0].name in files(home)
    box.clock.pass_by(minutes=24 * 60)
    last = await keep_backup(box.deployment)
    assert files(home) == [named(box.clock.now - dt.timedelta(days=1)), last.name]


async def test_the_new_one_stays_though_the_clock_went_back(box: Box, home: Path) -> None:
    later = home / "backups" / named(box.clock.now + dt.timedelta(days=400))
    later.parent.mkdir()
    later.touch()
    made = await keep_backup(box.deployment, keep=Keep(1))
    assert files(home) == [made.name, later.name]


def test_the_proof_fails_where_the_newest_is_not_spared(tmp_path: Path) -> None:
    """The broken twin: pruned by times alone, the backup that was just made goes."""
    new, later = (tmp_path / named(NOON + dt.timedelta(days=days)) for days in (0, 400))
    new.touch()
    later.touch()
    prune(tmp_path, later, Keep(1))
    assert not new.exists()


async def test_one_is_made_when_it_is_due_and_told_when_it_is_late(
    box: Box, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = box.deployment.settings
    assert kept_now(settings, box.clock.now).state == "late"
    made = await backing_up_in_time.make_if_due(box.deployment)
    assert made is not None
    trail = (await box.client("operator").get("/api/v1/operating/audit")).json()["items"]
    assert (trail[0]["deed"], trail[0]["subject"]) == ("kernel.make_backup", f"backup:{made.name}")
    assert await backing_up_in_time.make_if_due(box.deployment) is None
    box.clock.pass_by(minutes=24 * 60)
    assert kept_now(settings, box.clock.now).state == "ok"
    assert backing_up_in_time.is_due(box.deployment)
    box.clock.pass_by(minutes=13 * 60)
    assert (await told(box))["state"] == "late"

    def fails(*_said: Any) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(backing_up, "_check_room", fails)
        with pytest.raises(NotWritten, match="no space"):
            await backing_up_in_time.make_if_due(box.deployment)
    assert not backing_up_in_time.is_due(box.deployment), "not again at once"
    box.clock.pass_by(minutes=15)
    assert await backing_up_in_time.make_if_due(box.deployment) is not None
    assert files(home)[-1] == named(box.clock.now)


async def test_what_keeps_a_backup_from_the_disk_is_named_and_told(box: Box, home: Path) -> None:
    (home / "backups").write_text("a file where a folder should be")
    refused = await box.client("operator").post("/api/v1/operating/backups")
    assert (refused.status_code, refused.json()["code"]) == (409, "backup-not-written")
    said = f"Nothing can be written to {home / 'backups'}: File exists"
    assert refused.json()["detail"] == said
    failed = (await told(box))["failed"]
    assert (failed["fault"], failed["said"]) == ("NotWritten", said)


async def test_figures_tell_how_old_the_newest_is_and_how_many_failed_since(box: Box, home: Path) -> None:
    async def figures() -> tuple[float, float]:
        box.app.figures._outbox_at = -10.0
        lines = (await box.http.get("/metrics")).text.splitlines()
        found = dict(line.split(" ") for line in lines if line.startswith("duka_backup"))
        return float(found["duka_backup_age_seconds"]), float(found["duka_backups_failed"])

    assert await figures() == (math.inf, 0)
    await keep_backup(box.deployment)
    box.clock.pass_by(minutes=60)
    assert await figures() == (3600, 0)
    (home / "backups").rename(home / "away")
    (home / "backups").touch()
    for failures in (1, 2):
        with pytest.raises(NotWritten):
            await keep_backup(box.deployment)
        assert await figures() == (3600, failures)
    (home / "backups").unlink()
    await keep_backup(box.deployment)
    assert await figures() == (0, 0)
