"""What plugins cost that have nothing to say: ten idle ones, one answer to a hook, one job; on PostgreSQL.

Three deployments beside each other, at 4 clients: without, with ten enabled plugins that answer no hook, and with ten
that answer every hook of a checkout with nothing. Aim: ten idle plugins cost at most 2 % of a checkout's processor time.
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
from pathlib import Path

from bench import sizes
from bench.idle import ANSWERS, PER_CART, discovered, install
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
KINDS = {"without": (0, ""), "ten idle": (PLUGINS, ""), "ten that answer": (PLUGINS, ANSWERS)}
ANSWERED = PLUGINS * (PER_CART + LINES)
"""Answers that the ten give in one checkout."""


def main() -> None:
    """Run and print."""
    with Postgres(durable=True) as server, tempfile.TemporaryDirectory() as home:
        asyncio.run(_run(server, Path(home)))


async def _run(server: Postgres, home: Path) -> None:
    measures: dict[str, Measure] = {}
    installed: dict[str, tuple[Settings, Registry]] = {}
    with ExitStack() as servers:
        for number, (kind, (count, listeners)) in enumerate(KINDS.items()):
            folder = install(home / f"plugins-{number}", count, listeners)
            registry = discovered(folder)
            settings = await prepared(await server.create_database(f"bench_{number}"), home, registry)
            installed[kind] = settings, registry
            path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
            one = servers.enter_context(served(settings, {"PYTHONPATH": path}))
            shop = await stocked(one.port)
            await settle(settings.url, one.port, shop)
            watched = {"python": one.process.pid, "postgres": server.pid}
            measures[kind] = functools.partial(load, one.port, CLIENTS, sizes.seconds(), shop.sale, watched)
        found = await interleaved(measures, sizes.rounds(7))
    _show(found)
    await _show_parts(server, *installed["ten that answer"], shop.business)


def _show(found: dict[str, Rounds]) -> None:
    figures = {"/s": ",.0f", "CPU ms Python": ".3f", "to without": ".3f", "CPU ms PostgreSQL": ".3f"}
    heading = f"{PLUGINS} plugins with nothing to say, {CLIENTS} clients, {LINES} lines, PostgreSQL"
    table = Table(heading, {"plugins": "", **figures})
    for kind, rounds in found.items():
        ratio = rounds.cpu_ratio(found["without"], "python")
        table.add(kind, rounds.per_second, rounds.cpu_ms("python"), ratio, rounds.cpu_ms("postgres"))
    table.show()


async def _show_parts(server: Postgres, settings: Settings, registry: Registry, business: uuid.UUID) -> None:
    table = Table("One of each", {"": "", "ms": ".4f", "CPU ms Python": ".4f", "CPU ms PostgreSQL": ".4f"})
    for name, took_ms in (await _answers(registry)).items():
        table.add(name, took_ms, took_ms, None)
    for name, figures in (await _jobs(server, settings, registry, business)).items():
        table.add(name, *figures)
    table.show()
    print(f"A checkout of {LINES} lines asks the ten for {ANSWERED} answers")


async def _answers(registry: Registry) -> dict[str, float]:
    """Milliseconds of one answer to a hook that is asked, and to one that is told; median of three."""
    names = registry.needed_by("sales")
    without = registry.hooks_for(names)
    ten = registry.hooks_for([*names, *(name for name in registry.plugins if name.startswith("bench_"))])
    asked: list[float] = []
    told: list[float] = []
    for _ in range(3):
        took = {}
        for side, bus in (("without", without), ("ten", ten)):
            start = time.perf_counter()
            for _ in range(CALLS):
                bus.ask(hooks.price_line, cart=None, line=None, facts=None)
            middle = time.perf_counter()
            for _ in range(CALLS):
                await bus.tell(hooks.sale_completed, work=None, sale=None)
            took[side] = (middle - start, time.perf_counter() - middle)
        for found, place in ((asked, 0), (told, 1)):
            found.append((took["ten"][place] - took["without"][place]) / CALLS / PLUGINS * 1000)
    return {"an answer that is asked for": sorted(asked)[1], "an answer that is awaited": sorted(told)[1]}


async def _jobs(
    server: Postgres, settings: Settings, registry: Registry, business: uuid.UUID
) -> dict[str, tuple[float, float, float]]:
    """Milliseconds, processor time here and of PostgreSQL: of a job that is declared, and of one that is run."""
    box = await open_box(settings, registry)
    runner = Runner(box.deployment, standing_of_business)
    names = itertools.cycle(f"bench_{number}.nothing" for number in range(PLUGINS))

    async def declare(work: Work) -> None:
        for _ in range(JOBS):
            work.later(next(names), {})

    async def run() -> None:
        while await runner.run_due():
            pass

    try:
        await run()
        await act(box.deployment, business, declare)
        await run()
        declared = await _timed(server, lambda: act(box.deployment, business, declare))
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
