"""What plugins cost that have nothing to say: ten idle ones, one answer to a hook, one job; on PostgreSQL.

Three deployments beside each other, at 4 clients: without, with ten enabled plugins that answer no hook, and with ten
that answer every hook of a checkout with nothing. Aim: ten idle ones cost at most 2 % of a checkout's processor time.
A hook answer is timed on the hook bus itself too, jobs in this process: declared in one deed, then run one by one.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import os
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import sizes
from bench.idle import ANSWERS, NAME, discovered, install
from bench.load import cpu_s, load
from bench.rounds import Measure, Rounds, interleaved
from bench.shop import prepared, served, settle, stocked
from bench.table import Table
from kernel.auth import act
from kernel.auth.identity import standing_of_business
from kernel.jobs.running import Runner
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import open_box
from kernel.testing.servers import Postgres
from kernel.work import Work
from plugins.sales import hooks

PLUGINS, CLIENTS, LINES = 10, 4, 5
CALLS, JOBS = 20_000, 600
ANSWERING = "ten that answer"
KINDS = {"without": (0, ""), "ten idle": (PLUGINS, ""), ANSWERING: (PLUGINS, ANSWERS)}
ASKED, TOLD = LINES + 1, 3
"""Answers that one of those gives in a checkout: to price_line and price_cart, and to the hooks that are awaited."""


def main() -> None:
    """Run and print."""
    with Postgres(durable=True) as server, tempfile.TemporaryDirectory() as home:
        asyncio.run(_run(server, Path(home)))


@dataclass(frozen=True)
class Beside:
    """One of the deployments: with which plugins, whose business, how a checkout of it is measured."""

    settings: Settings
    registry: Registry
    business: uuid.UUID
    measure: Measure


async def _run(server: Postgres, home: Path) -> None:
    with ExitStack() as servers:
        kinds = {kind: await _beside(server, home / kind, servers, *with_) for kind, with_ in KINDS.items()}
        found = await interleaved({kind: one.measure for kind, one in kinds.items()}, sizes.rounds(7))
    _show(found)
    await _show_parts(server, kinds[ANSWERING])


async def _beside(server: Postgres, home: Path, servers: ExitStack, count: int, listeners: str) -> Beside:
    folder = install(home / "plugins", count, listeners)
    registry = discovered(folder)
    settings = await prepared(await server.create_database(home.name), home, registry)
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    one = servers.enter_context(served(settings, {"PYTHONPATH": path}))
    shop = await stocked(one.port)
    await settle(settings.url, one.port, shop)
    watched = {"python": one.process.pid, "postgres": server.pid}
    measure = functools.partial(load, one.port, CLIENTS, sizes.seconds(), shop.sale, watched)
    return Beside(settings, registry, shop.business, measure)


def _show(found: dict[str, Rounds]) -> None:
    figures = {"/s": ",.0f", "CPU ms Python": ".3f", "to without": ".3f", "CPU ms PostgreSQL": ".3f"}
    heading = f"{PLUGINS} plugins with nothing to say, {CLIENTS} clients, {LINES} lines, PostgreSQL"
    table = Table(heading, {"plugins": "", **figures})
    for kind, rounds in found.items():
        ratio = rounds.cpu_ratio(found["without"], "python")
        table.add(kind, rounds.per_second, rounds.cpu_ms("python"), ratio, rounds.cpu_ms("postgres"))
    table.show()


async def _show_parts(server: Postgres, one: Beside) -> None:
    table = Table("One of each", {"": "", "ms": ".4f", "CPU ms Python": ".4f", "CPU ms PostgreSQL": ".4f"})
    asked_ms, told_ms = await _answers(one.registry)
    table.add("an answer that is asked for", asked_ms, asked_ms, None)
    table.add("an answer that is awaited", told_ms, told_ms, None)
    for name, figures in (await _jobs(server, one)).items():
        table.add(name, *figures)
    table.show()
    whole_ms = PLUGINS * (ASKED * asked_ms + TOLD * told_ms)
    print(f"All answers of the {PLUGINS} in a checkout of {LINES} lines: {whole_ms:.3f} ms")


async def _answers(registry: Registry) -> tuple[float, float]:
    """Milliseconds of an answer to a hook that is asked, and to one that is told: what each plugin adds."""
    sales = registry.needed_by("sales")
    buses: list[Any] = [
        registry.hooks_for([*sales, *(name for name in registry.plugins if name.startswith(NAME))]),
        registry.hooks_for(sales),
    ]
    took: list[tuple[float, float]] = []
    for bus in buses:
        start = time.perf_counter()
        for _ in range(CALLS):
            bus.ask(hooks.price_line, cart=None, line=None, facts=None)
        middle = time.perf_counter()
        for _ in range(CALLS):
            await bus.tell(hooks.sale_completed, work=None, sale=None)
        took.append((middle - start, time.perf_counter() - middle))
    asked, told = ((ten - none) / CALLS / PLUGINS * 1000 for ten, none in zip(*took, strict=True))
    return asked, told


async def _jobs(server: Postgres, one: Beside) -> dict[str, tuple[float, float, float]]:
    """Milliseconds, processor time here and of PostgreSQL: of a job that is declared, and of one that is run."""
    box = await open_box(one.settings, one.registry)
    runner = Runner(box.deployment, standing_of_business)
    names = itertools.cycle(f"{NAME}{number}.nothing" for number in range(PLUGINS))

    async def declare(work: Work) -> None:
        for _ in range(JOBS):
            work.later(next(names), {})

    async def run() -> None:
        while await runner.run_due():
            pass

    try:
        await run()
        await act(box.deployment, one.business, declare)
        await run()
        declared = await _timed(server, lambda: act(box.deployment, one.business, declare))
        return {"a job declared": declared, "a job run": await _timed(server, run)}
    finally:
        await box.close()


async def _timed(server: Postgres, what: Callable[[], Awaitable[None]]) -> tuple[float, float, float]:
    """Of each of the jobs: milliseconds, processor time of this process and of PostgreSQL."""
    before = time.perf_counter(), time.process_time(), cpu_s(server.pid)
    await what()
    after = time.perf_counter(), time.process_time(), cpu_s(server.pid)
    wall, python, postgres = ((late - early) / JOBS * 1000 for early, late in zip(before, after, strict=True))
    return wall, python, postgres


if __name__ == "__main__":
    main()
