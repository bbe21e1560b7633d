"""P37: the audit trail is sealed row by row, by one sealer at a time, and anchored day by day."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import random
import uuid
from pathlib import Path

import pytest
import sqlalchemy as sa

from kernel.audit import GRACE, Report, anchor_day, read_anchor_file, seal, verify
from kernel.audit.anchors import anchor_file
from kernel.audit.canonical import canonical, made_at
from kernel.auth import look
from kernel.errors import AlreadyExists
from kernel.settings import Settings
from kernel.testing.box import Box
from kernel.tests.command_line import duka
from kernel.tests.trails import (
    ANCHOR,
    AUDIT,
    BEGAN,
    ROWS,
    a_long_trail,
    as_the_owner_of_the_database,
    made,
    restore,
    sealer,
    verified,
    write_the_chain_anew,
)
from kernel.work import Work


async def test_a_row_that_commits_late_is_sealed_when_it_is_seen(box: Box) -> None:
    seed = random.Random(5)
    trail = await a_long_trail(box, seed)
    late = made(trail.business, made_at(trail.rows[-1]["id"]) - GRACE / 2, "slow", seed)
    async with as_the_owner_of_the_database(box) as connection:
        await connection.execute(sa.insert(AUDIT), [late])
    assert (await verified(box)).waiting == 1
    assert await sealer(box).seal_one(box.shop.id) == 1
    report = await verified(box)
    assert (report.first, report.sealed, report.waiting) == (None, ROWS + 1, 0)


async def test_every_trail_is_sealed_the_deployments_own_included(box: Box) -> None:
    for shop in box.shops:
        await box.act(an_audited_deed, shop=shop)
    await sealer(box).seal_all()
    assert {report.first for report in await all_verified(box)} == {None}
    assert all(report.sealed > 0 and report.waiting == 0 for report in await all_verified(box))
    before = (await verified(box)).sealed
    await box.act(an_audited_deed)
    assert box.deployment.to_seal == {box.shop.id}
    assert await sealer(box).seal_noted() == 1
    assert (await verified(box)).sealed == before + 1
    assert box.deployment.to_seal == set()


async def test_two_sealers_at_once_never_fork_a_chain(box: Box) -> None:
    for _ in range(12):
        await box.act(an_audited_deed)
    assert sum(await asyncio.gather(*(sealer(box).seal_one(box.shop.id) for _ in range(4)))) >= 12
    report = await verified(box)
    assert (report.first, report.waiting) == (None, 0)


async def test_two_sealers_without_the_lock_run_into_each_other(box: Box) -> None:
    """The broken twin: on the table's key, or the chain would fork. SQLite's one writer is a lock by itself."""
    if not box.deployment.database.is_postgres:
        pytest.skip("SQLite has one writer at a time")
    await box.act(an_audited_deed)
    both = asyncio.Barrier(2)

    async def unguarded(work: Work) -> int:
        sealed = await seal(work, lock=False)
        with contextlib.suppress(TimeoutError, asyncio.BrokenBarrierError):
            await asyncio.wait_for(both.wait(), 30)
        return sealed

    done = await asyncio.gather(*(box.act(unguarded) for _ in range(2)), return_exceptions=True)
    assert [type(one) for one in done if isinstance(one, BaseException)] == [AlreadyExists]


async def test_a_day_is_anchored_once_in_the_database_and_in_a_file(box: Box) -> None:
    await sealer(box).seal_all()
    assert await sealer(box).anchor_all() == 3
    assert await sealer(box).anchor_all() == 0
    box.clock.pass_by(days=1)
    await box.act(an_audited_deed)
    await sealer(box).seal_all()
    anchor = await box.act(anchor_day)
    assert anchor is not None
    assert anchor.day == dt.date(2026, 11, 21)
    kept = read_anchor_file(anchor_file(box.deployment.settings))
    assert kept[-1] == anchor
    assert len(kept) == 4
    assert (await box.look(lambda work: verify(work, kept))).first is None


async def test_the_command_line_names_what_is_wrong_and_fails(box: Box, box_settings: Settings, tmp_path: Path) -> None:
    trail = await a_long_trail(box, random.Random(6))
    anchors = tmp_path / "kept.jsonl"
    code, said = await duka(box_settings, "audit", "anchors", "--business", "mama-njeri")
    anchors.write_text(said)
    assert code == 0
    code, said = await duka(box_settings, "audit", "verify")
    assert code == 0, said
    assert f"✓ mama-njeri: {ROWS} rows" in said
    async with as_the_owner_of_the_database(box) as connection:
        await write_the_chain_anew(connection, trail, random.Random(7))
        await connection.execute(sa.delete(ANCHOR))
    code, said = await duka(box_settings, "audit", "verify")
    assert code == 0, "a chain rewritten with its anchors is whole in itself"
    code, said = await duka(box_settings, "audit", "verify", "--business", "mama-njeri", "--anchors", str(anchors))
    assert code == 1
    assert "✗ mama-njeri: the chain up to here was written anew" in said
    async with as_the_owner_of_the_database(box) as connection:
        await restore(connection, trail)


def test_the_bytes_of_a_row_do_not_depend_on_the_order_of_its_columns() -> None:
    row = made(uuid.UUID(int=1), BEGAN, "ü", random.Random(8))
    assert canonical(row) == canonical(dict(reversed(row.items())))
    assert canonical({**row, "added_later": None}) == canonical(row)
    assert canonical({**row, "reason": "u"}) != canonical(row)


async def an_audited_deed(work: Work) -> None:
    work.audit(subject="something:1", reason="to be sealed")


async def all_verified(box: Box) -> list[Report]:
    return [await look(box.deployment, one, verify) for one in (None, box.shop.id, box.other.id)]


async def test_a_trail_that_nobody_seals_is_told_of_after_half_an_hour(box: Box) -> None:
    await sealer(box).seal_all()
    box.clock.now = dt.datetime.now(dt.UTC)  # a row's id is made by the machine's clock
    await box.act(an_audited_deed)
    box.clock.pass_by(minutes=29)
    assert not await sealer(box).late()
    box.clock.pass_by(minutes=2)
    assert set(await sealer(box).late()) == {box.shop.id}
    await sealer(box).seal_all()
    assert not await sealer(box).late()
