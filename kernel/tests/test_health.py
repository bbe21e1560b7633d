"""Health and figures: what a proxy, an alarm and a stranger are told of a deployment."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import shutil
import signal
import socket
import time
from collections import namedtuple
from collections.abc import Mapping
from typing import Any

import asyncpg
import httpx
import pytest
import sqlalchemy as sa
from msgspec import structs

from kernel.app import create_app, open_deployment
from kernel.app.health import CHECKS
from kernel.auth.identity import standing_of_business
from kernel.db import new_id
from kernel.db.tables import Job, Schedule
from kernel.jobs import Runner
from kernel.settings import Settings
from kernel.testing.box import Box, open_box
from kernel.testing.served import serving
from kernel.testing.servers import Postgres
from kernel.tests.probes.stock.models import LEVELS
from kernel.tests.trails import sealer
from kernel.work import Work

TAKE = "/api/v1/probe_stock/take"
READY, LIVE, METRICS = "/health/ready", "/health/live", "/metrics"
ALL_WELL = dict.fromkeys(CHECKS, "ok")


@pytest.fixture
async def box(box: Box) -> Box:
    """A box in which a server has just gone round."""
    await sealer(box).go_round()
    return box


async def ready(box: Box) -> tuple[int, dict[str, str]]:
    """What is told now, whatever was told a moment ago."""
    box.app.health._found_at = -10.0
    answer = await box.client(None).get(READY)
    said: dict[str, Any] = answer.json()
    if answer.status_code != 200:
        assert (said["code"], answer.headers["content-type"]) == ("not-ready", "application/problem+json")
    return answer.status_code, said["checks"]


async def test_a_deployment_that_is_well_is_ready_and_names_its_checks(box: Box) -> None:
    assert await ready(box) == (200, ALL_WELL)


async def test_it_is_not_ready_before_start_up_is_over_nor_once_it_was_told_to_stop(box: Box) -> None:
    fresh = create_app(box.deployment)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=fresh), base_url="http://duka.test") as http:
        for word, expected in (("starting", 503), ("ok", 200), ("stopping", 503)):
            if word != "starting":
                {"ok": fresh.health.begin, "stopping": fresh.health.stop}[word]()
            answer = await http.get(READY)
            assert (answer.status_code, answer.json()["checks"]["process"]) == (expected, word)
            assert (await http.get(LIVE)).status_code == 200


async def test_a_database_that_is_behind_its_migrations_is_not_ready_and_one_that_is_ahead_is(box: Box) -> None:
    async def stand_at(revision: str) -> None:
        engine = box.deployment.database.writer
        async with engine.connect() as connection:
            await connection.execute(sa.text("UPDATE kernel_schema SET version_num = :it"), {"it": revision})
            await connection.commit()

    await stand_at("kernel_0002")
    unknown = {"outbox": "unknown", "audit": "unknown"}
    assert await ready(box) == (503, ALL_WELL | {"migrations": "failing"} | unknown)
    await stand_at("kernel_9999")
    assert await ready(box) == (200, ALL_WELL)


async def test_an_outbox_that_is_late_is_told_and_keeps_nobody_from_selling(box: Box) -> None:
    async def leave(work: Work) -> None:
        work.later("kernel.forget_old_keys", {})

    await box.act(leave)
    box.clock.pass_by(minutes=14)
    assert await ready(box) == (200, ALL_WELL)
    box.clock.pass_by(minutes=2)
    assert await ready(box) == (200, ALL_WELL | {"outbox": "late"})


async def test_a_schedule_that_nobody_looks_at_makes_the_outbox_late(box: Box) -> None:
    await box.run_jobs()

    async def expect(work: Work) -> None:
        row = {"business_id": work.business_id, "job": "kernel.forget_expired", "cron": "37 3 * * *"}
        await work.execute(sa.delete(Schedule))
        await work.execute(sa.insert(Schedule).values(**row, next_run=work.now + dt.timedelta(minutes=1)))

    await box.act(expect)
    box.clock.pass_by(minutes=15)
    assert await ready(box) == (200, ALL_WELL)
    box.clock.pass_by(minutes=2)
    assert await ready(box) == (200, ALL_WELL | {"outbox": "late"}), "no worker is there to make the job, nor to do it"


async def test_a_full_disk_is_not_ready(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10**12, 10**12, 199_000_000))
    assert await ready(box) == (503, ALL_WELL | {"disk": "failing"})
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10**12, 0, 201_000_000))
    assert await ready(box) == (200, ALL_WELL)


async def test_a_database_that_does_not_answer_is_told_in_time_and_life_goes_on(box_settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"postgresql+asyncpg://duka:very-secret@127.0.0.1:{deaf.getsockname()[1]}/duka"
        served = create_app(open_deployment(structs.replace(box_settings, database_url=url)))
        served.health.begin()
        transport = httpx.ASGITransport(app=served)
        async with httpx.AsyncClient(transport=transport, base_url="http://duka.test") as http:
            async with asyncio.timeout(8):
                answer = await http.get(READY)
            assert answer.status_code == 503
            assert answer.json()["checks"] == {
                "process": "ok",
                "database": "failing",
                "migrations": "unknown",
                "outbox": "unknown",
                "audit": "unknown",
                "disk": "ok",
                "backups": "ok",
                "redis": "ok",
            }
            assert "secret" not in answer.text
            assert (await http.get(LIVE)).status_code == 200
            assert "duka_processes" in (await http.get(METRICS)).text
        await served.deployment.database.dispose()


@pytest.mark.parametrize("database", ["postgresql"])
async def test_a_database_that_went_away_and_came_back_is_ready_again_by_itself(
    box: Box, postgres: Postgres, database: str
) -> None:
    name = box.deployment.settings.url.partition("?")[0].rpartition("/")[2]

    async def let_in(allowed: bool) -> None:
        connection = await asyncpg.connect(host=str(postgres.socket_dir), user="postgres", database="postgres")
        await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}")
        await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        await connection.close()

    assert await ready(box) == (200, ALL_WELL)
    await let_in(False)
    gone = {"database": "failing", "migrations": "unknown", "outbox": "unknown", "audit": "unknown"}
    assert await ready(box) == (503, ALL_WELL | gone)
    assert (await box.client("owner").get("/api/v1/locations")).status_code == 503
    assert (await box.client(None).get(LIVE)).status_code == 200
    await let_in(True)
    assert await ready(box) == (200, ALL_WELL)
    assert (await box.client("owner").get("/api/v1/locations")).status_code == 200


@pytest.mark.parametrize("database", ["postgresql"])
async def test_a_database_that_hangs_is_told_in_two_seconds_and_no_request_hangs_with_it(
    box: Box, postgres: Postgres, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = box.deployment.settings.url.partition("?")[0].rpartition("/")[2]
    assert await ready(box) == (200, ALL_WELL)
    watcher = await asyncpg.connect(host=str(postgres.socket_dir), user="postgres", database="postgres")
    rows = await watcher.fetch("SELECT pid FROM pg_stat_activity WHERE datname = $1", name)
    for row in rows:
        os.kill(row["pid"], signal.SIGSTOP)
    try:
        begun = time.monotonic()
        status, checks = await ready(box)
        assert (status, checks["database"]) == (503, "failing")
        assert time.monotonic() - begun < 3.5, "two seconds, and a second for a slow machine"
        monkeypatch.setattr("kernel.web.gate.LONGEST_S", 1.0)
        begun = time.monotonic()
        await box.client("owner").get("/api/v1/locations")
        assert time.monotonic() - begun < 9, "it may end in time, or on a connection of its own, but it ends"
    finally:
        for row in rows:
            os.kill(row["pid"], signal.SIGCONT)
        await watcher.close()
    assert await ready(box) == (200, ALL_WELL)


async def test_what_watches_is_asked_for_no_host_name_and_meets_no_limit(box: Box, box_settings: Settings) -> None:
    strict = structs.replace(
        box_settings, allowed_hosts=("shop.example",), enable_api_throttle="true", requests_per_address=1
    )
    other = await open_box(strict, box.deployment.registry)
    answers = [(await other.client(None).get(path)).status_code for path in (READY, LIVE, METRICS) * 3]
    assert set(answers) == {200}
    assert (await other.client(None).get("/docs")).status_code == 400
    await other.close()


@pytest.mark.parametrize(
    ("changes", "headers", "status"),
    [
        ({}, {}, 200),
        ({}, {"X-Forwarded-For": "203.0.113.9"}, 401),
        ({}, {"Via": "1.1 proxy"}, 401),
        ({"trusted_proxies": ("127.0.0.1",)}, {"X-Forwarded-For": "203.0.113.9"}, 401),
        ({"trusted_proxies": ("127.0.0.1",)}, {"X-Forwarded-For": "127.0.0.7"}, 200),
        ({"metrics_allow": ("192.0.2.0/24",)}, {}, 401),
        ({"metrics_allow": ()}, {}, 401),
        ({"metrics_allow": (), "metrics_token": "t" * 40}, {"Authorization": "Bearer " + "t" * 40}, 200),
        ({"metrics_token": "t" * 40}, {"Authorization": "Bearer " + "u" * 40}, 401),
        ({"metrics_allow": ()}, {"Authorization": "Bearer "}, 401),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"])
async def test_figures_are_shown_to_whom_they_may_be(
    box: Box, box_settings: Settings, database: str, changes: Mapping[str, Any], headers: Mapping[str, str], status: int
) -> None:
    other = await open_box(structs.replace(box_settings, **changes), box.deployment.registry)
    answer = await other.client(None).get(METRICS, headers=dict(headers))
    assert answer.status_code == status
    if status == 401:
        unknown = await other.client(None).get("/api/v1/no-such-path")
        assert answer.json() | {"request_id": ""} == unknown.json() | {"request_id": ""}
    await other.close()


async def figures(box: Box) -> dict[str, float]:
    answer = await box.client(None).get(METRICS)
    lines = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


async def test_requests_are_counted_by_declared_route_and_never_by_what_was_asked(box: Box) -> None:
    before = await figures(box)
    owner = box.client("owner")
    location = await box.location()
    for _ in range(3):
        assert (await owner.get(f"/api/v1/locations/{location}")).status_code == 200
    await owner.get(f"/api/v1/locations/{new_id()}")
    await owner.send("BREW", "/api/v1/canary")
    after = await figures(box)
    gained = {name: after[name] - before.get(name, 0) for name in after}
    route = 'method="GET",route="/api/v1/locations/{location_id}"'
    assert gained[f'duka_requests_total{{{route},status="200"}}'] == 3
    assert gained[f'duka_requests_total{{{route},status="404"}}'] == 1
    assert gained[f"duka_request_seconds_count{{{route}}}"] == 4
    assert gained['duka_requests_total{method="other",route="",status="404"}'] == 1
    assert gained['duka_problems_total{code="not-found"}'] == 2
    assert "canary" not in str(after)
    assert str(location) not in str(after)
    assert (after["duka_processes"], after["duka_requests_in_flight"]) == (1, 1)
    assert after["duka_resident_bytes"] > 1e7
    assert after['duka_pool_size{pool="reader"}'] == box.deployment.settings.pool_size


async def test_jobs_hooks_replays_and_the_outbox_are_counted(box: Box) -> None:
    box.deployment.clock = lambda: dt.datetime.now(dt.UTC)
    before = await figures(box)

    async def leave(work: Work) -> None:
        work.later("kernel.forget_old_keys", {})
        work.later("probe_till.no_such_job", {}, max_attempts=1)
        work.increment(LEVELS, ("rice", "shop"), 10)

    await box.act(leave)
    await Runner(box.deployment, standing_of_business).run_due()
    owner = box.client("owner")
    for _ in range(2):
        assert (await owner.post(TAKE, {"product": "rice", "amount": 2}, key="k1")).status_code == 201
    assert (await owner.post(TAKE, {"product": "cursed", "amount": 2})).status_code >= 400
    after = await figures(box)
    gained = {name: after[name] - before.get(name, 0) for name in after}
    assert gained['duka_jobs_total{job="kernel.forget_old_keys",outcome="done"}'] >= 1
    assert gained['duka_jobs_total{job="other",outcome="dead"}'] == 1
    assert gained["duka_idempotent_replays_total"] == 1
    assert gained['duka_hook_calls_total{hook="taken",plugin="probe_till"}'] == 2
    assert gained['duka_hook_failures_total{hook="taken",plugin="probe_till"}'] == 0  # it refused on purpose
    assert gained['duka_hook_seconds_total{hook="taken",plugin="probe_till"}'] > 0
    assert after["duka_outbox_due"] == 0


async def test_a_stalled_outbox_shows_in_the_figures(box: Box) -> None:
    async def leave(work: Work) -> None:
        work.later("kernel.forget_old_keys", {})

    await box.act(leave)
    box.clock.pass_by(seconds=90)
    await box.act(_give_up_nothing)
    found = await figures(box)
    assert (found["duka_outbox_due"], found["duka_outbox_oldest_seconds"]) == (1, 90)


async def _give_up_nothing(work: Work) -> None:
    await work.execute(sa.update(Job).where(Job.state == "no such state").values(state="dead"))


@pytest.mark.parametrize("database", ["postgresql"])
async def test_what_is_no_http_is_refused_with_a_problem_document(
    box: Box, box_settings: Settings, database: str
) -> None:
    with serving(box_settings, 1, {"DUKA_JOBS": "off"}) as (server,):
        for sent in (
            b"GARBAGE\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(sent)
            async with asyncio.timeout(10):
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            writer.close()
            assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
            for line in (b"content-type: application/problem+json", b"connection: close", b"x-content-type-options"):
                assert line in head.lower()
            assert b'"code":"bad-request"' in body
