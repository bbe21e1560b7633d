"""What operators have done for safety: backups, and rehearsals of an upgrade on a copy; each noted, one at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from msgspec import Meta, Struct, structs

from kernel.app.backing_up import (
    BACKUPS,
    FailedBackup,
    NoRoom,
    NotedBackup,
    NotWritten,
    backups_of,
    keep_backup,
    kept_now,
)
from kernel.app.backup import NothingThere
from kernel.app.noting import is_under_way
from kernel.app.plans import NotedRehearsal, apart, hold_rehearsal, rehearsals_of
from kernel.app.plans.rehearsing import REHEARSALS
from kernel.app.portable.reading import UnknownTables
from kernel.app.routes.deployed_plugins import LONGEST_S
from kernel.app.uninstalling import Busy
from kernel.auth import act
from kernel.auth.identity import OPERATOR as OPERATORS
from kernel.errors import DukaError
from kernel.migrate import MigrationFailed
from kernel.web import OPERATOR, Scene, flow, query
from kernel.wire import Request
from kernel.work import Deployment, Origin, Work

T = TypeVar("T")


class BackupOut(NotedBackup, frozen=True):
    """A backup that was made. is_here: the file is still where it was put, on the machine that answers."""

    is_here: bool


class BackupsOut(Struct, frozen=True):
    """The backups that are known below this home, whoever made them, the newest first. folder: where new ones go.

    state: `late`, none was made in time; `broken`, the last that was begun failed. keep: which are kept, "" for all.
    every_hours: how often one is made by itself, 0 for never. due_at: when the next.
    """

    folder: Annotated[str, Meta(examples=["/var/lib/duka/backups"])]
    is_under_way: Annotated[bool, Meta(description="One is being made at this moment.")]
    items: list[BackupOut]
    state: Literal["ok", "late", "broken"]
    keep: Annotated[str, Meta(examples=["7 daily, 4 weekly"])]
    every_hours: Annotated[int, Meta(ge=0, examples=[24])]
    due_at: dt.datetime | None
    failed: FailedBackup | None


class RehearsalsOut(Struct, frozen=True):
    """The rehearsals that are known below this home, whoever held them, the newest first."""

    is_under_way: Annotated[bool, Meta(description="One is being held at this moment.")]
    items: list[NotedRehearsal]


class RehearsalIn(Request, frozen=True):
    """How thoroughly to rehearse."""

    documents: Annotated[
        int, Meta(ge=1, le=100_000, description="How many of each business's newest are priced again.", examples=[1000])
    ] = 1000


@query("/operating/backups", permission=OPERATOR)
async def list_backups(work: Work) -> BackupsOut:
    """The backups that were made from this home, by the command line or here, and whether one is being made."""
    settings = work.deployment.settings
    kept = kept_now(settings, work.now)
    return BackupsOut(
        str(settings.home_path / BACKUPS),
        is_under_way(settings, BACKUPS),
        [_told(one) for one in backups_of(settings)],
        state=kept.state,
        keep=settings.keep_backups,
        every_hours=settings.backup_every_hours,
        due_at=kept.due_at,
        failed=kept.failed,
    )


@flow(
    "POST",
    "/operating/backups",
    permission=OPERATOR,
    errors=(Busy, NoRoom, NotWritten, NothingThere, UnknownTables),
    longest_s=LONGEST_S,
)
async def make_backup(scene: Scene) -> BackupOut:
    """Back all of the database up into a file below home, while the shops sell on; without the secret key.

    It is read back, and then those are deleted that need not be kept (`DUKA_KEEP_BACKUPS`).

    The file is for the deployment's keepers: nothing of it can be fetched here. What is under way when the caller has
    gone, or the time is over, goes on to its end.
    """
    return await _apart(scene, "operating.make_backup", _back_up, lambda done: f"backup:{done.name}")


@query("/operating/rehearsals", permission=OPERATOR)
async def list_rehearsals(work: Work) -> RehearsalsOut:
    """What came of rehearsals, held by the command line or here, and whether one is being held."""
    settings = work.deployment.settings
    return RehearsalsOut(is_under_way(settings, REHEARSALS), rehearsals_of(settings))


@flow("POST", "/operating/rehearsals", permission=OPERATOR, errors=(Busy,), longest_s=LONGEST_S)
async def rehearse_upgrade(scene: Scene, data: RehearsalIn) -> NotedRehearsal:
    """Run the pending migrations on a copy of the database, and price the newest documents again there.

    The copy is an embedded database in a temporary folder of this machine; the shops sell on. A migration that fails
    on the copy is what came of it (`fault`), and no refusal. Nothing of what stands inside a business is answered.
    """

    async def hold(own: Deployment) -> NotedRehearsal:
        try:
            await hold_rehearsal(own, data.documents)
        except Busy:
            raise
        except (DukaError, MigrationFailed):  # noted, and answered as what came of it
            pass
        return rehearsals_of(own.settings)[0]

    return await _apart(scene, "operating.rehearse_upgrade", hold, lambda done: f"rehearsal:{done.version}")


async def _back_up(own: Deployment) -> BackupOut:
    return _told(await keep_backup(own))


def _told(one: NotedBackup) -> BackupOut:
    return BackupOut(**structs.asdict(one), is_here=Path(one.path).is_file())


async def _apart(
    scene: Scene, deed: str, run: Callable[[Deployment], Awaitable[T]], subject_of: Callable[[T], str]
) -> T:
    """Do what takes its time beside the requests, and leave in the trail who had it done."""
    standing, visit = scene.standing, scene.visit
    actor = structs.replace(standing.actor, permissions=OPERATORS)
    origin = Origin(deed, visit.request_id, visit.address)
    await scene.pause()

    async def carry_out(own: Deployment) -> T:
        done = await run(own)

        async def trace(work: Work) -> None:
            work.audit(subject=subject_of(done))

        await act(own, None, trace, deed=deed, actor=actor, origin=origin)
        return done

    return await apart(scene.deployment, carry_out)
