"""P37: whoever alters, deletes, inserts or reorders a past row of the audit trail is found, whatever their login."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import random
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from kernel.audit import GRACE, Report, Sealer, anchor_day, read_anchor_file, seal, verify, verifying
from kernel.audit.anchors import anchor_file
from kernel.audit.canonical import START, canonical, first_id, link, made_at
from kernel.auth import look
from kernel.auth.identity import standing_of_business
from kernel.db import Base, new_id
from kernel.db.tables import Audit, AuditAnchor, AuditSeal
from kernel.errors import AlreadyExists
from kernel.settings import Settings
from kernel.testing.box import Box
from kernel.testing.served import environment_of
from kernel.work import NO_BUSINESS, Work

BEGAN = dt.datetime(2026, 10, 1, 8, tzinfo=dt.UTC)
ROWS = 40
AUDIT, SEAL, ANCHOR = (Base.metadata.tables[m.__tablename__] for m in (Audit, AuditSeal, AuditAnchor))
Tamper = Callable[[AsyncConnection, "Trail", random.Random], Coroutine[Any, Any, None]]


class Trail:
    """The trail of a business as it was written: its rows by their place, and its seals."""

    def __init__(self, rows: list[dict[str, Any]], seals: list[dict[str, Any]]) -> None:
        self.rows, self.seals = rows, seals
        self.business = rows[0]["business_id"]

    def row(self, place: int) -> Mapping[str, Any]:
        return self.rows[place]


@contextlib.asynccontextmanager
async def as_the_owner_of_the_database(box: Box) -> AsyncIterator[AsyncConnection]:
    """A login that no privilege, policy or trigger holds back."""
    engine = create_async_engine(box.deployment.settings.url)
    try:
        async with engine.begin() as connection:
            if box.deployment.database.is_postgres:
                await connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
            else:
                named = sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'kernel_audit%'")
                for name in (await connection.execute(named)).scalars().all():
                    await connection.execute(sa.text(f"DROP TRIGGER {name}"))
            yield connection
    finally:
        await engine.dispose()


def made(business: uuid.UUID, at: dt.datetime, words: str, seed: random.Random) -> dict[str, Any]:
    return {
        "business_id": business,
        "id": uuid.UUID(int=first_id(at).int | seed.getrandbits(62)),
        "at": at,
        "actor_id": uuid.UUID(int=seed.getrandbits(128)),
        "actor_name": "Wanjiku",
        "deed": "catalog.change_product",
        "subject": f"product:{uuid.UUID(int=seed.getrandbits(128))}",
        "reason": words,
        "facts": {"price": "12.50", "many": [1, 2.5, None, "ü"]},
        "changes": [{"table": "catalog_product", "id": words, "before": {"price": 1}, "after": {"price": 2}}],
        "request_id": uuid.UUID(int=seed.getrandbits(128)).hex,
        "address": "10.0.0.7",
        "epoch": 3,
        "location_id": None,
        "register_id": None,
        "supporting": False,
    }


async def a_long_trail(box: Box, seed: random.Random) -> Trail:
    """A row a day for forty days, sealed and anchored, and nothing else."""
    async with as_the_owner_of_the_database(box) as connection:
        for table in (SEAL, ANCHOR, AUDIT):
            await connection.execute(sa.delete(table))
        rows = [made(box.shop.id, BEGAN + dt.timedelta(days=n), f"day {n}", seed) for n in range(ROWS)]
        await connection.execute(sa.insert(AUDIT), rows)
    assert await sealer(box).seal_one(box.shop.id) == ROWS
    async with as_the_owner_of_the_database(box) as connection:
        newest = sa.select(SEAL).order_by(SEAL.c.number)
        seals = [dict(one) for one in (await connection.execute(newest)).mappings()]
        head = seals[-1]
        await connection.execute(
            sa.insert(ANCHOR).values(
                business_id=box.shop.id, day=BEGAN.date(), number=ROWS, hash=head["hash"], anchored_at=BEGAN
            )
        )
    return Trail(rows, seals)


def sealer(box: Box) -> Sealer:
    return Sealer(box.deployment, standing_of_business)


async def verified(box: Box) -> Report:
    return await box.look(verify)


async def alter_a_row(connection: AsyncConnection, trail: Trail, seed: random.Random) -> None:
    name = seed.choice([one.name for one in AUDIT.c if one.name not in ("business_id", "id")])
    row = seed.choice(trail.rows)
    others: dict[str, Any] = {
        "at": row["at"] + dt.timedelta(microseconds=1),
        "actor_id": new_id(),
        "facts": {**row["facts"], "price": "12.5"},
        "changes": [],
        "epoch": row["epoch"] + 1,
        "location_id": new_id(),
        "register_id": new_id(),
        "supporting": True,
    }
    value = others.get(name, f"{row[name]}.")
    await connection.execute(sa.update(AUDIT).where(AUDIT.c.id == row["id"]).values({name: value}))


async def give_a_row_another_id(connection: AsyncConnection, trail: Trail, seed: random.Random) -> None:
    row = seed.choice(trail.rows)
    await connection.execute(sa.update(AUDIT).where(AUDIT.c.id == row["id"]).values(id=uuid.uuid4()))


async def move_a_row_to_another_business(connection: AsyncConnection, trail: Trail, seed: random.Random) -> None:
    row = seed.choice(trail.rows)
    await connection.execute(sa.update(AUDIT).where(AUDIT.c.id == row["id"]).values(business_id=NO_BUSINESS))


async def delete_a_row(connection: AsyncConnection, trail: Trail, seed: random.Random) -> None:
    await connection.execute(sa.delete(AUDIT).where(AUDIT.c.id == seed.choice(trail.rows)["id"]))


async def delete_a_row_and_its_seal(connection: AsyncConnection, trail: Trail, seed: random.Random) -> None:
    one = seed.choice(trail.seals)
    await connection.execute(sa.delete(AUDIT).where(AUDIT.c.id == one["audit_id"]))
    await connection.execute(sa.delete(SEAL).where(SEAL.c.number == one["number"]))


async def delete_a_row_and_close_the_gap(connection: AsyncConnection, trail: Trail, seed: random.Random) -> None:
    one = seed.choice(trail.seals)
    await delete_numbers(connection, [one])
    for later in trail.seals[one["number"] :]:
        lower = sa.update(SEAL).where(SEAL.c.number == later["number"]).values(number=later["number"] - 1)
        await connection.execute(lower)


async def insert_a_past_row(connection: AsyncConnection, trail: Trail, seed: random.Random) -> None:
    at = BEGAN + dt.timedelta(days=seed.randrange(ROWS - 1), hours=3)
    await connection.execute(sa.insert(AUDIT), [made(trail.business, at, "never happened", seed)])


async def swap_two_rows(connection: AsyncConnection, trail: Trail, seed: random.Random) -> None:
    first, second = seed.sample(trail.rows, 2)
    for one, other in ((first, second), (second, first)):
        values = {name: value for name, value in other.items() if name not in ("business_id", "id")}
        await connection.execute(sa.update(AUDIT).where(AUDIT.c.id == one["id"]).values(values))


async def swap_two_seals(connection: AsyncConnection, trail: Trail, seed: random.Random) -> None:
    first, second = seed.sample(trail.seals, 2)
    await connection.execute(sa.delete(SEAL).where(SEAL.c.number.in_([first["number"], second["number"]])))
    swapped = [{**first, "audit_id": second["audit_id"]}, {**second, "audit_id": first["audit_id"]}]
    await connection.execute(sa.insert(SEAL), swapped)


async def alter_a_seal(connection: AsyncConnection, trail: Trail, seed: random.Random) -> None:
    one = seed.choice(trail.seals)
    values = seed.choice(
        [{"hash": bytes(32)}, {"sealed_at": one["sealed_at"] - dt.timedelta(days=1)}, {"audit_id": uuid.uuid4()}]
    )
    await connection.execute(sa.update(SEAL).where(SEAL.c.number == one["number"]).values(values))


async def cut_the_tail(connection: AsyncConnection, trail: Trail, seed: random.Random) -> None:
    await delete_numbers(connection, trail.seals[seed.randrange(ROWS) :])


async def write_the_chain_anew(connection: AsyncConnection, trail: Trail, seed: random.Random) -> None:
    """The thorough one: a row altered, and every hash from there on made right again."""
    place = seed.randrange(ROWS)
    rows = {row["id"]: row for row in trail.rows}
    lied = trail.seals[place]["audit_id"]
    rows[lied] = {**rows[lied], "reason": "as if"}
    await connection.execute(sa.update(AUDIT).where(AUDIT.c.id == lied).values(reason="as if"))
    before = START
    for one in trail.seals:
        before = link(before, one["number"], one["sealed_at"], rows[one["audit_id"]])
        await connection.execute(sa.update(SEAL).where(SEAL.c.number == one["number"]).values(hash=before))


async def delete_numbers(connection: AsyncConnection, seals: list[dict[str, Any]]) -> None:
    await connection.execute(sa.delete(AUDIT).where(AUDIT.c.id.in_([one["audit_id"] for one in seals])))
    await connection.execute(sa.delete(SEAL).where(SEAL.c.number.in_([one["number"] for one in seals])))


async def restore(connection: AsyncConnection, trail: Trail) -> None:
    for table, rows in ((AUDIT, trail.rows), (SEAL, trail.seals)):
        await connection.execute(sa.delete(table))
        await connection.execute(sa.insert(table), rows)


TAMPERINGS: dict[Tamper, set[str]] = {
    alter_a_row: {"altered"},
    give_a_row_another_id: {"deleted"},
    move_a_row_to_another_business: {"deleted"},
    delete_a_row: {"deleted"},
    delete_a_row_and_its_seal: {"deleted", "truncated"},
    delete_a_row_and_close_the_gap: {"altered", "truncated"},
    insert_a_past_row: {"inserted"},
    swap_two_rows: {"altered"},
    swap_two_seals: {"altered"},
    alter_a_seal: {"altered", "deleted"},
    cut_the_tail: {"truncated"},
    write_the_chain_anew: {"altered"},
}


async def undetected(box: Box, rounds: int, seed: random.Random) -> list[str]:
    """Tamper with a copy of a trail in every way, again and again; what verification did not see, or called wrongly."""
    trail = await a_long_trail(box, seed)
    assert (await verified(box)).first is None
    missed = []
    for n in range(rounds):
        for tamper, kinds in TAMPERINGS.items():
            async with as_the_owner_of_the_database(box) as connection:
                await tamper(connection, trail, seed)
            first = (await verified(box)).first
            if first is None or first.kind not in kinds:
                missed.append(f"round {n}: {tamper.__name__}: {first}")
            async with as_the_owner_of_the_database(box) as connection:
                await restore(connection, trail)
    assert (await verified(box)).first is None
    return missed


async def test_every_tampering_with_a_past_row_is_detected(box: Box) -> None:
    seed = random.Random(37)
    missed = await undetected(box, 8, seed)
    print(f"{8 * len(TAMPERINGS)} tamperings of a trail of {ROWS} rows, {len(missed)} missed (seed 37)")
    assert not missed, "\n".join(missed)


@pytest.mark.prove
async def test_every_tampering_of_thousands_is_detected(box: Box) -> None:
    missed = await undetected(box, 200, random.Random(38))
    assert not missed, "\n".join(missed)


async def test_a_verifier_that_leaves_out_a_column_misses_what_was_altered_there(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin."""

    def forgetful(before: bytes, number: int, sealed_at: dt.datetime, row: Mapping[str, Any]) -> bytes:
        return link(before, number, sealed_at, {**row, "reason": None})

    monkeypatch.setattr(verifying, "link", forgetful)
    monkeypatch.setattr("kernel.audit.sealing.link", forgetful)
    trail = await a_long_trail(box, random.Random(1))
    async with as_the_owner_of_the_database(box) as connection:
        change = sa.update(AUDIT).where(AUDIT.c.id == trail.rows[3]["id"]).values(reason="as if")
        await connection.execute(change)
    assert (await verified(box)).first is None


async def test_the_first_altered_row_is_named(box: Box) -> None:
    trail = await a_long_trail(box, random.Random(2))
    async with as_the_owner_of_the_database(box) as connection:
        for place in (20, 7, 30):
            change = sa.update(AUDIT).where(AUDIT.c.id == trail.rows[place]["id"]).values(actor_name="Nobody")
            await connection.execute(change)
    first = (await verified(box)).first
    assert first is not None
    assert (first.kind, first.number, first.row) == ("altered", 8, str(trail.rows[7]["id"]))


async def test_a_row_slipped_into_the_past_is_found_even_after_it_was_sealed(box: Box) -> None:
    trail = await a_long_trail(box, random.Random(3))
    async with as_the_owner_of_the_database(box) as connection:
        await insert_a_past_row(connection, trail, random.Random(4))
    assert await sealer(box).seal_one(box.shop.id) == 0
    assert await sealer(box).seal_one(box.shop.id, back=None) == 1
    first = (await verified(box)).first
    assert first is not None
    assert (first.kind, first.number) == ("inserted", ROWS + 1)


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
            await asyncio.wait_for(both.wait(), 5)
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


async def duka(settings: Settings, *arguments: str) -> tuple[int, str]:
    """Run the command line in a process of its own."""
    process = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-W", "ignore", "-c", "from kernel.cli import main; main()", *arguments],
        env=environment_of(settings, {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}),
        capture_output=True,
        text=True,
        check=False,
    )
    return process.returncode, process.stdout + process.stderr
