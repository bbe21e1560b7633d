"""A plugin whose migration failed in one process is set aside in every other, which serves all the rest."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from kernel.app import open_deployment
from kernel.app.prepare import prepare
from kernel.app.settling import NOT_RUN, settled, settled_apart
from kernel.auth.identity import standing_of_business
from kernel.db.tables import Job
from kernel.jobs import Runner
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import Box
from kernel.testing.served import environment_of, running, serving
from kernel.tests.command_line import duka
from kernel.work import Work
from tests.proving import ON_POSTGRES

LOST = "discounts"
PATH = f"/api/v1/{LOST}/promotions"
TWIN, HONEST = "tests.promises.unsettled:application", "kernel.app.application:application"
WORKER = [sys.executable, "-W", "ignore", "-c", "from kernel.cli import main; main()", "worker"]


async def execute(settings: Settings, *statements: str) -> None:
    engine = create_async_engine(settings.url)
    async with engine.begin() as connection:
        for one in statements:
            await connection.execute(sa.text(one))
    await engine.dispose()


@pytest.fixture
async def broken(box: Box, box_settings: Settings) -> AsyncIterator[Box]:
    """A box for which another process found that the migration of a plugin fails: its tables are there already.

    One table is gone, so that whoever goes on with the plugin stumbles.
    """
    await execute(box_settings, f"DROP TABLE {LOST}_schema", f"ALTER TABLE {LOST}_promotion RENAME TO lost")
    deployment = open_deployment(box_settings, registry=box.deployment.registry)
    said = await prepare(deployment)
    assert any(line.startswith(f"set aside {LOST}: ") for line in said), said
    await deployment.database.dispose()
    yield box
    await execute(box_settings, f"ALTER TABLE lost RENAME TO {LOST}_promotion")


async def statuses(box: Box, url: str) -> dict[str, int]:
    async with httpx.AsyncClient(base_url=url, timeout=120) as http:
        owner = box.client("owner")
        owner.http = http
        paths = ("/health/ready", PATH, "/api/v1/catalog/products", "/api/v1/sales/sales")
        return {path: (await owner.get(path)).status_code for path in paths}


@ON_POSTGRES
async def test_servers_that_prepared_nothing_serve_the_rest(broken: Box, box_settings: Settings) -> None:
    with serving(box_settings, 2, {"DUKA_JOBS": "off"}) as servers:
        for server in servers:
            found = await statuses(broken, server.url)
            assert found == {
                "/health/ready": 200,
                PATH: 404,
                "/api/v1/catalog/products": 200,
                "/api/v1/sales/sales": 200,
            }


async def test_a_server_that_does_not_ask_the_database_stumbles(broken: Box, box_settings: Settings) -> None:
    """The broken twin."""
    with running([TWIN], environment_of(box_settings, {"DUKA_JOBS": "off"})) as (server,):
        found = await statuses(broken, server.url)
    assert found[PATH] >= 500
    assert found["/health/ready"] == 503, "at least nobody is sent there"


async def test_the_command_line_says_why_it_is_aside_and_switches_nothing_on(
    broken: Box, box_settings: Settings
) -> None:
    code, said = await duka(box_settings, "plugin", "list")
    assert (code, f"✗ {LOST}" in said) == (0, True), said
    assert "OperationalError" in said or "ProgrammingError" in said, "the reason of the process that prepared"
    code, said = await duka(box_settings, "plugin", "enable", LOST, "--business", "mama-njeri")
    assert (code, "was set aside" in said) == (1, True), said


@ON_POSTGRES
async def test_a_worker_runs_the_jobs_of_the_rest_and_those_of_the_plugin_wait(
    broken: Box, box_settings: Settings
) -> None:
    async def leave(work: Work) -> list[uuid.UUID]:
        return [work.later(f"{LOST}.no_such_job", {}, max_attempts=1), work.later("kernel.forget_old_keys", {})]

    left = await broken.act(leave)

    async def states(work: Work) -> dict[str, tuple[str, int]]:
        here = sa.select(Job.name, Job.state, Job.attempts).where(Job.id.in_(left))
        return {row.name: (row.state, row.attempts) for row in (await work.execute(here)).all()}

    environment = environment_of(box_settings, {"DUKA_LOG_LEVEL": "error"})
    found: dict[str, tuple[str, int]] = {}
    with subprocess.Popen(WORKER, env=environment, stderr=subprocess.PIPE, text=True) as process:
        for _ in range(1200):
            found = await broken.look(states)
            if found["kernel.forget_old_keys"][0] == "done":
                break
            await asyncio.sleep(0.1)
        process.terminate()
        _, said = process.communicate(timeout=120)
    assert f"plugin {LOST} is set aside" in said
    assert found == {"kernel.forget_old_keys": ("done", 1), f"{LOST}.no_such_job": ("pending", 0)}


async def test_jobs_of_a_plugin_that_is_aside_count_no_try(broken: Box, box_settings: Settings) -> None:
    async def leave(work: Work) -> None:
        work.later(f"{LOST}.no_such_job", {}, max_attempts=1)

    async def state(work: Work) -> tuple[str, int]:
        row = (await work.execute(sa.select(Job.state, Job.attempts).where(Job.name == f"{LOST}.no_such_job"))).one()
        return row.state, row.attempts

    await broken.act(leave)
    broken.deployment.registry = await settled(box_settings, broken.deployment.registry)
    runner = Runner(broken.deployment, standing_of_business)
    for _ in range(3):
        await runner.run_due()
        assert await broken.look(state) == ("pending", 0)
        broken.clock.pass_by(minutes=6)


async def test_a_plugin_is_back_in_every_process_once_its_migrations_have_run(
    broken: Box, box_settings: Settings, registry: Registry
) -> None:
    here = await settled(box_settings, registry)
    assert LOST not in here.plugins
    assert LOST in here.set_aside
    head = "discounts_0003"
    await execute(
        box_settings,
        f"CREATE TABLE {LOST}_schema (version_num VARCHAR(32) NOT NULL)",
        f"INSERT INTO {LOST}_schema VALUES ('{head}')",
    )
    if broken.deployment.database.is_postgres:
        await execute(box_settings, f"GRANT SELECT ON {LOST}_schema TO duka_app")
    assert await settled(box_settings, registry) is registry


@pytest.mark.parametrize("database", ["sqlite"])
async def test_what_nobody_has_tried_yet_is_aside_as_well_and_says_so(
    box: Box, box_settings: Settings, database: str, registry: Registry
) -> None:
    await execute(box_settings, f"DROP TABLE {LOST}_schema")
    assert (await settled(box_settings, registry)).set_aside[LOST].reason == NOT_RUN


async def test_a_database_that_cannot_be_asked_sets_nothing_aside(registry: Registry) -> None:
    away = Settings(home="nowhere", database_url="postgresql+asyncpg://duka@127.0.0.1:1/duka")
    assert settled_apart(away, registry) is registry
