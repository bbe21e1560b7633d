"""Deeds run again when the database or an epoch demands it, and leave nothing behind when they fail."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, get_args

import asyncpg
import httpx
import pytest
import sqlalchemy as sa

from kernel.auth.businesses.switching import disable, enable
from kernel.db import Phase, Transaction, Trouble, new_id
from kernel.db.faults import Kind
from kernel.db.tables import Audit
from kernel.errors import Conflict, DukaError, Unavailable
from kernel.testing.box import Box
from kernel.tests.probes.stock.models import LEVELS, Level, Move
from kernel.work import Work, as_told
from kernel.work.deeds import TRIES

SIGNED = {"product": "free", "amount": 1}


async def moves(box: Box) -> list[str]:
    async def read(work: Work) -> list[str]:
        found = await work.execute(
            sa.select(Move.product).where(Move.business_id == work.business_id).order_by(Move.product)
        )
        return list(found.scalars())

    return await box.look(read)


async def database_says(work: Work, state: str) -> None:
    """Let the database refuse the transaction, as it does when deeds get into each other's way."""
    if work.deployment.database.is_postgres:
        await work.execute(sa.text(f"DO $$ BEGIN RAISE EXCEPTION 'told to' USING ERRCODE = '{state}'; END $$"))
    raise sa.exc.OperationalError("statement", {}, Exception("database is locked"))


def failing(times: int, state: str) -> tuple[list[uuid.UUID], Callable[[Work], Awaitable[uuid.UUID]]]:
    tried: list[uuid.UUID] = []

    async def run(work: Work) -> uuid.UUID:
        id_ = new_id()
        tried.append(id_)
        work.insert(Move, {"id": id_, "product": f"try {len(tried)}", "amount": 1})
        await work.flush()
        if len(tried) <= times:
            await database_says(work, state)
        return id_

    return tried, run


@pytest.mark.parametrize("state", ["40001", "40P01", "55P03"])
async def test_a_deed_the_database_refuses_runs_again_from_the_start(box: Box, state: str) -> None:
    tried, run = failing(TRIES - 1, state)
    assert await box.act(run) == tried[-1]
    assert len(tried) == TRIES
    assert await moves(box) == [f"try {TRIES}"]


async def test_a_deed_that_is_refused_five_times_is_given_up_as_unavailable(box: Box) -> None:
    tried, run = failing(99, "40001")
    with pytest.raises(Unavailable) as told:
        await box.act(run)
    assert told.value.status == 503
    assert "Retry-After" in told.value.headers
    assert len(tried) == TRIES
    assert await moves(box) == []


async def test_an_error_of_the_deed_itself_is_not_tried_again(box: Box) -> None:
    tried = []

    async def run(work: Work) -> None:
        work.insert(Move, {"id": new_id(), "product": "x", "amount": 1})
        await work.flush()
        tried.append(1)
        raise Conflict

    with pytest.raises(Conflict):
        await box.act(run)
    assert len(tried) == 1
    assert await moves(box) == []


async def test_two_deeds_that_lock_each_other_out_both_succeed_in_the_end(box: Box) -> None:
    if not box.deployment.database.is_postgres:
        pytest.skip("SQLite has one writer at a time")
    for product in ("a", "b"):
        await box.act(_stocked(product))
    barrier = asyncio.Barrier(2)
    tries: list[str] = []

    async def grab(work: Work, first: str, second: str) -> None:
        tries.append(first)
        for product in (first, second):
            await work.execute(
                sa.update(Level)
                .where(Level.business_id == work.business_id, Level.product == product)
                .values(on_hand=Level.on_hand + 1)
            )
            if product == first and tries.count(first) == 1:
                await barrier.wait()

    await asyncio.gather(box.act(lambda w: grab(w, "a", "b")), box.act(lambda w: grab(w, "b", "a")))
    assert len(tries) >= 3  # the database did find the deadlock
    assert [row.on_hand for row in await _levels(box)] == [12, 12]


def _stocked(product: str, on_hand: int = 10) -> Callable[[Work], Awaitable[None]]:
    async def run(work: Work) -> None:
        work.increment(LEVELS, (product, "shop"), on_hand)

    return run


async def _levels(box: Box) -> list[Any]:
    async def read(work: Work) -> list[Any]:
        found = await work.execute(
            sa.select(Level.product, Level.on_hand).where(Level.business_id == work.business_id).order_by(Level.product)
        )
        return list(found.all())

    return await box.look(read)


async def test_a_connection_lost_before_the_commit_costs_nothing_and_the_deed_runs_again(box: Box) -> None:
    if not box.deployment.database.is_postgres:
        pytest.skip("SQLite has no connection to lose")
    runs: list[int] = []

    async def run(work: Work) -> None:
        runs.append(1)
        work.insert(Move, {"id": new_id(), "product": "x", "amount": 1})
        await work.flush()
        if len(runs) == 1:
            await work.execute(sa.text("RESET ROLE"))
            await work.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))

    await box.act(run)
    assert len(runs) == 2
    assert await moves(box) == ["x"]


async def test_a_connection_lost_at_the_commit_is_told_where_no_key_can_settle_it(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []

    async def run(work: Work) -> None:
        runs.append(1)
        work.insert(Move, {"id": new_id(), "product": "x", "amount": 1})

    monkeypatch.setattr(Transaction, "commit", lose)
    with pytest.raises(Unavailable):
        await box.act(run)
    assert len(runs) == 1


async def test_a_restart_of_the_database_costs_no_request(box: Box, box_settings: Any) -> None:
    if not box.deployment.database.is_postgres:
        pytest.skip("SQLite has no connection to lose")
    client = box.client("owner")
    answers = await asyncio.gather(*(client.get("/api/v1/locations") for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    url = sa.make_url(box_settings.database_url)
    outside = await asyncpg.connect(host=url.query["host"], port=int(str(url.query.get("port", 5432))), user="postgres")
    gone = await outside.fetchval(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1", url.database
    )
    assert gone >= 1
    left = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1"
    async with asyncio.timeout(60):
        while await outside.fetchval(left, url.database):  # noqa: ASYNC110 - what is awaited is told by the database
            await asyncio.sleep(0.05)
    await outside.close()
    await asyncio.sleep(0.1)
    answers = await asyncio.gather(*(client.get("/api/v1/locations") for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}


async def lose(transaction: Transaction) -> None:
    """Let the connection go while it is in use."""
    if transaction.database.is_postgres:
        await transaction.execute(sa.text("RESET ROLE"))
        await transaction.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))
    raise ConnectionResetError


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_connection_lost_around_the_commit_is_settled_by_the_key(
    box: Box, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    await box.act(_stocked("rice"))
    commit = Transaction.commit
    lost: list[int] = []

    async def commit_and_lose(transaction: Transaction) -> None:
        if when == "after":
            await commit(transaction)
        if not lost:
            lost.append(1)
            await lose(transaction)
        if when == "before":
            await commit(transaction)

    monkeypatch.setattr(Transaction, "commit", commit_and_lose)
    answer = await take(box, key="once")
    assert answer.status_code == 201
    assert lost == [1]
    assert [row.on_hand for row in await _levels(box)] == [9]
    again = await take(box, key="once")
    assert (again.content, again.headers["Idempotency-Replayed"]) == (answer.content, "true")


async def take(box: Box, key: str, body: Any = None, role: str = "owner", shop: str = "mama-njeri") -> httpx.Response:
    return await box.client(role, shop).post("/api/v1/probe_stock/take", body or {"product": "rice"}, key=key)


async def test_a_deed_runs_wholly_by_one_set_of_plugins(box: Box) -> None:
    """What is on changes between a deed's reading and its writing: it begins again, by the new set."""
    seen: list[frozenset[str]] = []

    async def run(work: Work) -> None:
        seen.append(work.standing.enabled)
        if len(seen) == 1:
            await box.act(lambda switch: disable(switch, "probe_till"), phase=Phase.SWITCH)
        await work.write()
        work.insert(Move, {"id": new_id(), "product": f"run {len(seen)}", "amount": 1})

    await box.act(run, read_first=True)
    assert seen == [frozenset({"probe_stock", "probe_till"}), frozenset({"probe_stock"})]
    assert await moves(box) == ["run 2"]


async def test_a_switch_in_another_business_does_not_disturb(box: Box) -> None:
    seen: list[int] = []

    async def run(work: Work) -> None:
        seen.append(1)
        await box.act(lambda switch: disable(switch, "probe_till"), phase=Phase.SWITCH, shop="sharma-kirana")
        await work.write()

    await box.act(run, read_first=True)
    assert seen == [1]


async def test_a_switch_waits_for_the_deeds_that_are_writing(box: Box) -> None:
    if not box.deployment.database.is_postgres:
        pytest.skip("SQLite has one writer at a time")
    begun, told = asyncio.Event(), asyncio.Event()
    order: list[str] = []

    async def slow(work: Work) -> None:
        begun.set()
        await told.wait()
        order.append("deed")

    async def switch(work: Work) -> None:
        await disable(work, "probe_till")
        order.append("switch")

    deed = asyncio.create_task(box.act(slow))
    await begun.wait()
    switching = asyncio.create_task(box.act(switch, phase=Phase.SWITCH))
    await asyncio.sleep(0.3)
    assert order == []
    told.set()
    await asyncio.gather(deed, switching)
    assert order == ["deed", "switch"]


async def test_every_deed_leaves_one_row_in_the_audit_trail(box: Box) -> None:
    owner = box.client("owner")
    made = await owner.post("/api/v1/locations", {"code": "kisumu", "name": "Kisumu", "kind": "storefront"})
    refused = await owner.post("/api/v1/locations", {"code": "kisumu", "name": "Kisumu", "kind": "storefront"})
    assert (made.status_code, refused.status_code) == (201, 409)

    async def read(work: Work) -> list[Any]:
        found = await work.execute(
            sa.select(Audit.deed, Audit.actor_name, Audit.request_id).where(
                Audit.business_id == work.business_id, Audit.deed == "locations.add_location"
            )
        )
        return list(found.all())

    assert [tuple(row) for row in await box.look(read)] == [
        ("locations.add_location", "Owner", made.headers["x-request-id"])
    ]


async def test_enabling_and_disabling_raise_the_epoch_by_one_each(box: Box) -> None:
    async def epoch() -> int:
        async def read(work: Work) -> int:
            return work.standing.epochs.business

        return await box.look(read)

    first = await epoch()
    for deed in (disable, enable, enable):  # the second enabling finds nothing to do
        await box.act(lambda work, deed=deed: deed(work, "probe_till"), phase=Phase.SWITCH)  # type: ignore[misc]
    assert await epoch() == first + 2


async def test_the_listener_of_a_plugin_that_was_switched_off_is_not_told(box: Box) -> None:
    await box.act(_stocked("cursed"))
    assert (await take(box, "1", {"product": "cursed"})).status_code == 409
    await box.act(lambda work: disable(work, "probe_till"), phase=Phase.SWITCH)
    assert (await take(box, "2", {"product": "cursed"})).status_code == 201


async def test_an_unexpected_error_is_told_without_its_words(box: Box) -> None:
    route = next(one for one in box.app.routes if one.operation == "probe_stock.list_papers")

    async def broken(work: Work, query: Any) -> None:
        raise RuntimeError("the password is swordfish")

    object.__setattr__(route, "function", broken)
    answer = await box.client("owner").get("/api/v1/probe_stock/papers")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "swordfish" not in answer.text


def test_what_the_caller_is_told_never_names_a_table() -> None:
    for kind in get_args(Kind):
        told = as_told(Trouble(kind, "kernel_user", ("email",)))
        assert isinstance(told, DukaError)
        assert "kernel_user" not in told.detail
