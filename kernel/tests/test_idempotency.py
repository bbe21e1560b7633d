"""A key makes trying again safe (promise P2), and numbers run on without gaps (promise P10), under concurrency too."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import httpx
import pytest
import pytest_asyncio
import sqlalchemy as sa

from kernel.db import Phase, new_id
from kernel.db.tables import Idempotency
from kernel.errors import Conflict
from kernel.jobs import forget_old_keys
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import Box, open_box
from kernel.tests.probes.stock.models import LEVELS, Level, Move, Paper
from kernel.work import Work

TAKE = "/api/v1/probe_stock/take"


@pytest_asyncio.fixture
async def other_process(box: Box, box_settings: Settings, registry: Registry) -> AsyncIterator[Box]:
    """A second server on the same database, with connections of its own."""
    second = await open_box(box_settings, registry, clock=box.clock)
    yield second
    await second.close()


async def stocked(box: Box, product: str = "rice", on_hand: int = 1000, shop: str = "mama-njeri") -> None:
    async def run(work: Work) -> None:
        work.increment(LEVELS, (product, "shop"), on_hand)

    await box.act(run, shop=shop)


async def take(
    box: Box, key: str, body: Any = None, *, role: str = "owner", shop: str = "mama-njeri"
) -> httpx.Response:
    return await box.client(role, shop).post(TAKE, {"product": "rice"} if body is None else body, key=key)


async def read_all(box: Box, *columns: Any, shop: str = "mama-njeri") -> list[Any]:
    async def read(work: Work) -> list[Any]:
        owner = columns[0].class_.business_id
        return list((await work.execute(sa.select(*columns).where(owner == work.business_id))).all())

    return await box.look(read, shop=shop)


async def left(box: Box, shop: str = "mama-njeri") -> int:
    return int((await read_all(box, Level.on_hand, shop=shop))[0].on_hand)


async def test_the_same_key_answers_the_same_bytes_and_does_nothing_more(box: Box) -> None:
    await stocked(box)
    first = await take(box, "k1")
    box.clock.pass_by(days=7, hours=23)
    again = await take(box, "k1")
    assert first.status_code == again.status_code == 201
    assert first.json()["number"] == "P-000001"
    assert again.content == first.content
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    for name in ("location", "etag", "content-type"):
        assert again.headers.get_list(name) == first.headers.get_list(name)
        assert len(again.headers.get_list(name)) == 1
    assert await left(box) == 999


async def test_the_same_request_written_otherwise_is_the_same_request(box: Box) -> None:
    await stocked(box)
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k1"}
    client = box.client("owner")
    first = await client.send("POST", TAKE, content=b'{"product":"rice","amount":2}', headers=headers)
    again = await client.send("POST", TAKE, content=b' { "amount": 2,\n "product": "r\\u0069ce" } ', headers=headers)
    assert (again.status_code, again.content) == (201, first.content)
    assert await left(box) == 998


@pytest.mark.parametrize("body", [{"product": "rice", "amount": 2}, {"product": "beans"}, {"amount": 1}])
async def test_the_same_key_with_another_body_is_refused(box: Box, body: dict[str, Any]) -> None:
    await stocked(box)
    assert (await take(box, "k1")).status_code == 201
    refused = await take(box, "k1", body)
    assert refused.status_code == 422
    assert await left(box) == 999
    if "product" in body:
        assert refused.json()["code"] == "idempotency-key-reused"


async def test_a_key_belongs_to_one_person_on_one_route_of_one_business(box: Box) -> None:
    for shop in ("mama-njeri", "sharma-kirana"):
        await stocked(box, shop=shop)
    answers = [
        await take(box, "k1"),
        await take(box, "k1", role="manager"),
        await take(box, "k1", shop="sharma-kirana"),
        await box.client("owner").post("/api/v1/probe_stock/measure", {}, key="k1"),
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 200]
    assert not any("Idempotency-Replayed" in answer.headers for answer in answers)
    assert len({answer.content for answer in answers}) == 4
    assert (await left(box), await left(box, "sharma-kirana")) == (998, 999)


async def test_a_refused_deed_keeps_no_key_so_that_it_can_succeed_later(box: Box) -> None:
    refused = await take(box, "k1")
    assert (refused.status_code, refused.json()["code"]) == (409, "out-of-stock")
    assert await read_all(box, Idempotency.key) == []
    await stocked(box)
    assert (await take(box, "k1")).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "é", "tab\tbed"])
async def test_a_malformed_key_is_refused(box: Box, key: str) -> None:
    await stocked(box)
    headers = {b"Idempotency-Key": key.encode("latin-1"), b"Authorization": f"Bearer {box.client('owner').token}"}
    answer = await box.http.post(TAKE, json={"product": "rice"}, headers=headers)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-invalid")
    assert await left(box) == 1000


@pytest.mark.parametrize("key", ["x", "x" * 255, "!~\"'%_"])
async def test_any_printable_key_is_taken(box: Box, key: str) -> None:
    await stocked(box)
    assert (await take(box, key)).status_code == 201
    assert (await take(box, key)).headers["Idempotency-Replayed"] == "true"


async def test_what_moves_stock_needs_a_key(box: Box) -> None:
    await stocked(box)
    answer = await box.client("owner").send("POST", TAKE, json={"product": "rice"})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-required")
    assert await left(box) == 1000


async def test_a_key_in_flight_is_told_to_wait(box: Box, other_process: Box) -> None:
    if not box.deployment.database.is_postgres:
        pytest.skip("SQLite has one writer at a time: the second request waits for its turn, and is answered")
    await stocked(box)
    seen = (await take(box, "k1")).status_code
    assert seen == 201
    transaction = await other_process.deployment.database.open(Phase.WRITE, box.shop.id)
    row: dict[str, Any] = {
        "business_id": box.shop.id,
        "principal": box.people["mama-njeri", "owner"].id,
        "route": f"POST {TAKE}",
    }
    row |= {"key": "k2", "request_hash": b"x", "created_at": box.clock()}
    await transaction.execute(sa.insert(Idempotency).values(**row))
    waiting = await take(box, "k2")
    await transaction.close()
    assert (waiting.status_code, waiting.json()["code"]) == (409, "idempotency-in-progress")
    assert int(waiting.headers["Retry-After"]) >= 1
    assert (await take(box, "k2")).status_code == 201


async def test_a_key_in_flight_holds_no_place_that_others_need(box: Box) -> None:
    await stocked(box)
    box.deployment.keys_in_use.add((box.shop.id, box.people["mama-njeri", "owner"].id, f"POST {TAKE}", "k1"))
    waiting = await at_once([partial(take, box, "k1") for _ in range(20)])
    assert {(answer.status_code, answer.json()["code"]) for answer in waiting} == {(409, "idempotency-in-progress")}
    assert (await take(box, "k2")).status_code == 201
    box.deployment.keys_in_use.clear()
    assert (await take(box, "k1")).status_code == 201
    assert box.deployment.keys_in_use == set()


async def test_old_keys_are_forgotten_after_eight_days(box: Box) -> None:
    await stocked(box)
    await take(box, "old")
    box.clock.pass_by(days=7, hours=23)
    await take(box, "new")
    await box.act(lambda work: forget_old_keys.run(work, {}))
    assert len(await read_all(box, Idempotency.key)) == 2
    box.clock.pass_by(hours=2)
    await box.act(lambda work: forget_old_keys.run(work, {}))
    assert [row.key for row in await read_all(box, Idempotency.key)] == ["new"]


async def test_a_business_made_with_a_key_is_made_once(box: Box) -> None:
    operator = box.client("operator")
    body = {"slug": "duka-mpya", "name": "Duka Mpya", "region": "KE", "currency": "KES", "plugins": ["probe_till"]}
    first = await operator.post("/api/v1/businesses", body, key="k1")
    again = await operator.post("/api/v1/businesses", body, key="k1")
    assert (first.status_code, again.status_code) == (201, 201), (first.text, again.text)
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    listed = (await operator.get("/api/v1/businesses")).json()["items"]
    assert [one["slug"] for one in listed] == ["duka-mpya", "mama-njeri"]


async def at_once(calls: list[Callable[[], Awaitable[Any]]]) -> list[Any]:
    """Start all calls at the same moment; returns values and errors."""
    barrier = asyncio.Barrier(len(calls))

    async def one(call: Callable[[], Awaitable[Any]]) -> Any:
        await barrier.wait()
        return await call()

    return await asyncio.gather(*(one(call) for call in calls), return_exceptions=True)


async def test_fifty_at_once_with_one_key_have_one_effect(box: Box, other_process: Box) -> None:
    await stocked(box)
    calls: list[Callable[[], Awaitable[Any]]] = [
        partial(take, server, "k1") for server in (box, other_process) for _ in range(25)
    ]
    answers: list[httpx.Response] = await at_once(calls)
    good = [answer for answer in answers if answer.status_code == 201]
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in good}) == 1
    assert len([answer for answer in good if "Idempotency-Replayed" not in answer.headers]) == 1
    assert await left(box) == 999
    assert [row.number for row in await read_all(box, Paper.number)] == ["P-000001"]


async def test_the_broken_twin_that_checks_before_it_inserts_is_found_out(box: Box, other_process: Box) -> None:
    async def known(work: Work) -> bool:
        found = await work.execute(sa.select(Move.id).where(Move.business_id == work.business_id, Move.product == "k1"))
        return found.first() is not None

    async def insert(work: Work) -> None:
        work.insert(Move, {"id": new_id(), "product": "k1", "amount": 1})

    async def broken_take(server: Box) -> None:
        if not await server.look(known):
            await server.act(insert)

    await at_once([partial(broken_take, server) for server in (box, other_process) for _ in range(25)])
    assert len(await read_all(box, Move.id)) > 1


async def test_numbers_have_no_gaps_when_a_fifth_of_the_deeds_fail(box: Box, other_process: Box) -> None:
    rng = random.Random(10)

    async def paper(work: Work, fails: bool) -> None:
        number = work.number("papers", "P-")
        work.insert(Paper, {"id": new_id(), "number": number, "words": ""})
        if fails:
            await work.flush()
            raise Conflict("told to fail")

    async def one(server: Box) -> None:
        fails = rng.random() < 0.2
        await server.act(lambda work: paper(work, fails))

    results = await at_once([partial(one, server) for server in (box, other_process) for _ in range(40)])
    failed = [result for result in results if isinstance(result, Exception)]
    assert all(isinstance(fault, Conflict) for fault in failed), failed
    assert 5 < len(failed) < 30
    numbers = sorted(row.number for row in await read_all(box, Paper.number))
    assert numbers == [f"P-{n:06d}" for n in range(1, 80 - len(failed) + 1)]


async def test_the_broken_twin_that_adds_one_to_the_greatest_is_found_out(box: Box, other_process: Box) -> None:
    async def greatest(work: Work) -> int:
        found = await work.execute(sa.select(sa.func.max(Move.amount)).where(Move.business_id == work.business_id))
        return found.scalar() or 0

    async def broken_number(server: Box) -> None:
        number = await server.look(greatest) + 1

        async def insert(work: Work) -> None:
            work.insert(Move, {"id": new_id(), "product": "paper", "amount": number})

        await server.act(insert)

    await at_once([partial(broken_number, server) for server in (box, other_process) for _ in range(20)])
    numbers = [row.amount for row in await read_all(box, Move.amount)]
    assert len(numbers) == 40
    assert len(set(numbers)) < 40


async def test_a_hundred_units_sold_to_many_buyers_are_sold_once_each(box: Box, other_process: Box) -> None:
    """A small figure of promise P4, through the API, in baskets of two products in any order."""
    await stocked(box, "rice", 30)
    await stocked(box, "beans", 30)
    rng = random.Random(4)

    async def buy(server: Box) -> str:
        products = ["rice", "beans"]
        rng.shuffle(products)

        async def run(work: Work) -> None:
            for product in products:
                work.decrement(LEVELS, (product, "shop"), 1, lambda left: Conflict(f"{left} left"))
                work.insert(Move, {"id": uuid.uuid4(), "product": product, "amount": -1})

        await server.act(run)
        return "sold"

    results = await at_once([partial(buy, server) for server in (box, other_process) for _ in range(40)])
    assert results.count("sold") == 30
    assert {type(result) for result in results if result != "sold"} == {Conflict}
    assert {row.on_hand for row in await read_all(box, Level.on_hand)} == {0}
    assert len(await read_all(box, Move.id)) == 60
