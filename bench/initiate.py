"""What asking a gateway for money costs by itself: its job from the claim to the done mark, the provider in memory.

(a) `payments.start`, one payment after another, in this process: the try is counted, the payment is said to be sent,
the call goes over Duka's line, what came of it is kept and the next question planned. (b) the same rows and the same
call by hand: raw asyncpg, three transactions as (a) needs them, one statement a row. Processor time, statements and
trips to the database, which hardly depend on what else the machine does; interleaved rounds. Aim: 15 ms of (a).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import httpx
import msgspec

from bench import sizes
from bench.initiate_by_hand import ask_by_hand
from bench.load import Figures, cpu_s
from bench.rounds import interleaved
from bench.shop import plain, prepared
from bench.table import Table
from bench.trips import Trips, counted
from kernel.auth.identity import standing_of_business
from kernel.db import new_id
from kernel.jobs.running import Runner
from kernel.registry import Registry, discover
from kernel.testing.servers import Postgres
from kernel.work import Work
from plugins.payments.api import Subject
from plugins.payments.schemas.told import Taken
from plugins.payments.services import methods, take
from plugins.payments.services.line import client_of, lead_over
from plugins.payments.testing.builders import a_place
from plugins.payments.testing.toy_box import PHONE, ToyBox, open_toy_box, with_toy

STARTS = 100
"""Payments of one measurement."""


class Start(NamedTuple):
    """A request for money that waits to be sent."""

    job_id: uuid.UUID
    payment_id: uuid.UUID


Side = Callable[[Sequence[Start]], Awaitable[None]]


def main() -> None:
    """Run and print."""
    with Postgres(durable=True) as server, tempfile.TemporaryDirectory() as home:
        asyncio.run(_run(server, Path(home)))


async def _run(server: Postgres, home: Path) -> None:
    registry = with_toy(discover())
    figures = {"CPU ms": ".2f", "a/b": ".2f", "CPU ms PostgreSQL": ".2f", "statements": "", "trips": ""}
    table = Table("A payer asked by a gateway", {"": "", **figures})
    for name in ("PostgreSQL", "SQLite"):
        is_postgres = name == "PostgreSQL"
        url = await server.create_database("bench") if is_postgres else f"sqlite+aiosqlite:///{home}/bench.sqlite3"
        await _measure(name, url, home / name, registry, server.pid if is_postgres else None, table)
    table.show()


async def _measure(name: str, url: str, home: Path, registry: Registry, pid: int | None, table: Table) -> None:
    settings = await prepared(url, home, registry)
    async with contextlib.AsyncExitStack() as stack:
        toy = await stack.enter_async_context(open_toy_box(settings, registry))
        lead_over(toy.box.deployment, httpx.MockTransport(provider))
        sides: dict[str, Side] = {f"(a) Duka, {name}": functools.partial(ask, toy)}
        if pid is not None:
            connection = await asyncpg.connect(plain(url))
            stack.push_async_callback(connection.close)
            client = client_of(toy.box.deployment)
            sides["(b) by hand"] = functools.partial(ask_by_hand, connection, client, toy.box.shop.id)
        trips = {side: await trips_of(toy, run) for side, run in sides.items()}
        measures = {side: functools.partial(_timed, toy, run, pid) for side, run in sides.items()}
        found = await interleaved(measures, sizes.rounds(5))
    first, *others = found
    for side, one in found.items():
        ratio = one.cpu_ratio(found[others[0]], "python") if side == first and others else None
        postgres = one.cpu_ms("postgres") if pid is not None else None
        table.add(side, one.cpu_ms("python"), ratio, postgres, trips[side].statements or None, len(trips[side].visits))


async def _declare(toy: ToyBox, count: int) -> list[Start]:
    """Declare payments in one deed, each for a document of nobody's."""
    place = await a_place(toy.box)

    async def run(work: Work) -> None:
        method = methods(work)["toy"]
        for _ in range(count):
            taken = Taken(method, 25_000, awaited=True, phone=PHONE)
            await take(work, Subject("bill", new_id(), "T1-2026-000123"), [taken], place)

    await toy.box.act(run, role="cashier")
    jobs = [one for one in await toy.box.jobs() if one["name"] == "payments.start"]
    return [Start(one["id"], uuid.UUID(one["payload"]["payment_id"])) for one in jobs]


async def ask(toy: ToyBox, starts: Sequence[Start]) -> None:
    """Have each payer asked, as the loop that runs jobs does."""
    runner = Runner(toy.box.deployment, standing_of_business)
    for one in starts:
        await runner.execute(toy.box.shop.id, one.job_id)


async def trips_of(toy: ToyBox, run: Side) -> Trips:
    """What one payment sends to the database, by connections that know their statements already."""
    await run(await _declare(toy, 20))
    starts = await _declare(toy, 1)
    with counted() as trips:
        await run(starts)
    return trips


async def _timed(toy: ToyBox, run: Side, pid: int | None) -> Figures:
    starts = await _declare(toy, STARTS)
    wall, python, postgres = time.perf_counter(), time.process_time(), cpu_s(pid) if pid is not None else 0.0
    await run(starts)
    took = (time.perf_counter() - wall) / len(starts) * 1000
    cpu = {"python": (time.process_time() - python) / len(starts) * 1000}
    if pid is not None:
        cpu["postgres"] = (cpu_s(pid) - postgres) / len(starts) * 1000
    if any(one["name"] == "payments.start" for one in await toy.box.jobs()):
        sys.exit("requests failed; these figures say nothing")
    return Figures(1000 / took, took, took, 0, cpu, len(starts))


def provider(request: httpx.Request) -> httpx.Response:
    """A provider that takes every request on, and whose token holds for an hour."""
    if request.url.path == "/token":
        said: dict[str, Any] = {"access_token": "a token", "expires_in": 3600}
    else:
        id_ = f"P{uuid.uuid4().hex}"
        said = {"payment": {"id": id_, "status": "pending", "reference": "", "money": [], "code": ""}}
    return httpx.Response(200, stream=httpx.ByteStream(msgspec.json.encode(said)))


if __name__ == "__main__":
    main()
