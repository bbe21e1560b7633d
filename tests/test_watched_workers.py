"""`duka worker` as it is watched: alive, ready, its figures, on a port of its own; and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping

import httpx
import pytest
from msgspec import structs

from kernel.app import work_off
from kernel.app.health import CHECKS
from kernel.app.watched import Watched
from kernel.audit import Sealer
from kernel.settings import Settings
from kernel.testing.box import Box
from kernel.testing.served import environment_of, free_port
from kernel.work import Work
from tests.proving import ON_POSTGRES

DUKA = [sys.executable, "-W", "ignore", "-c", "from kernel.cli import main; main()", "worker"]
ALL_WELL = dict.fromkeys(CHECKS, "ok")
READY, LIVE, METRICS = "/health/ready", "/health/live", "/metrics"


@contextlib.contextmanager
def worker(settings: Settings, port: int, *options: str) -> Iterator[subprocess.Popen[str]]:
    """`duka worker`, until it answers."""
    environment = environment_of(settings, {"DUKA_WORKER_PORT": str(port)})
    process = subprocess.Popen([*DUKA, *options], env=environment, stderr=subprocess.PIPE, text=True)
    try:
        until = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < until:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{port}{READY}", timeout=5).json()["checks"] == ALL_WELL:
                    break
            time.sleep(0.1)
        yield process
    finally:
        process.kill()
        process.communicate()


async def figures(http: httpx.AsyncClient) -> Mapping[str, float]:
    lines = [line.rpartition(" ") for line in (await http.get(METRICS)).text.splitlines()]
    return {name: float(value) for name, _, value in lines if not name.startswith("#")}


async def leave_job(box: Box) -> None:
    async def leave(work: Work) -> None:
        work.later("kernel.forget_old_keys", {})

    await box.act(leave)


@ON_POSTGRES
async def test_a_worker_tells_that_it_lives_is_ready_and_what_it_has_done(box: Box) -> None:
    port = free_port()
    with worker(box.deployment.settings, port) as process:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            await look_at(http, box)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


async def look_at(http: httpx.AsyncClient, box: Box) -> None:
    answer = await http.get(READY)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "checks": ALL_WELL})
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await http.get(LIVE)).json() == {"status": "ok"}
    assert (await http.head(LIVE)).content == b""
    before = (await figures(http)).get('duka_jobs_total{job="kernel.forget_old_keys",outcome="done"}', 0)
    await leave_job(box)
    for _ in range(1200):
        found = await figures(http)
        if found.get('duka_jobs_total{job="kernel.forget_old_keys",outcome="done"}', 0) > before:
            break
        await asyncio.sleep(0.1)
    else:
        pytest.fail("no job was counted")
    assert found['duka_job_seconds_count{job="kernel.forget_old_keys"}'] >= 1
    assert found["duka_processes"] == 1
    for method, path, status in (("GET", "/", 404), ("GET", "/api/v1/locations", 404), ("POST", LIVE, 405)):
        refused = await http.request(method, path)
        assert (refused.status_code, refused.headers["content-type"]) == (status, "application/problem+json")


async def test_figures_of_a_worker_are_shown_to_whom_those_of_a_server_are(box: Box) -> None:
    settings = structs.replace(box.deployment.settings, metrics_allow=("192.0.2.0/24",), metrics_token="t" * 40)
    box.deployment.settings = settings
    transport = httpx.ASGITransport(app=Watched(box.deployment))
    async with httpx.AsyncClient(transport=transport, base_url="http://worker.test") as http:
        assert (await http.get(METRICS)).status_code == 401
        assert (await http.get(METRICS, headers={"Authorization": "Bearer " + "u" * 40})).status_code == 401
        shown = await http.get(METRICS, headers={"Authorization": "Bearer " + "t" * 40})
        assert (shown.status_code, "duka_outbox_due" in shown.text) == (200, True)


async def test_a_worker_is_ready_from_its_first_job_on_and_not_once_it_was_told_to_stop(box: Box) -> None:
    watched, stop = Watched(box.deployment), asyncio.Event()

    async def word() -> str:
        return (await watched.health.report()).checks["process"]

    assert await word() == "starting"
    working = asyncio.create_task(work_off(box.deployment, stop, 1, watched))
    for _ in range(3):
        await asyncio.sleep(0)
    assert await word() == "ok"
    stop.set()
    assert await working is True
    assert await word() == "stopping"


async def test_a_worker_whose_loop_ended_by_itself_ends(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_self: Sealer, _stop: asyncio.Event) -> None:
        raise RuntimeError("no more of this")

    monkeypatch.setattr(Sealer, "loop", broken)
    async with asyncio.timeout(120):
        assert await work_off(box.deployment, asyncio.Event(), 1) is False


@pytest.mark.parametrize("database", ["sqlite"])
def test_a_worker_whose_port_is_taken_ends_with_a_word(box_settings: Settings, database: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment = environment_of(box_settings, {"DUKA_WORKER_PORT": str(taken.getsockname()[1])})
        ended = subprocess.run(DUKA, env=environment, stderr=subprocess.PIPE, text=True, check=False, timeout=120)
    assert ended.returncode == 1
    said = ended.stderr
    assert "in use" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("database", ["sqlite"])
def test_a_worker_listens_nowhere_unless_it_is_told_to(box_settings: Settings, database: str) -> None:
    assert box_settings.worker_port == 0
    with subprocess.Popen(DUKA, env=environment_of(box_settings), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "works off jobs" in process.stderr.readline()
        process.terminate()
        assert process.wait(120) == 0
