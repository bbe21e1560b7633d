"""The command line from outside: it starts, answers, says what is wrong, and ends when told."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from kernel.app import opened
from kernel.auth import look
from kernel.auth.models import User
from kernel.settings import Settings
from kernel.testing.box import SECRET
from kernel.testing.served import environment_of
from kernel.tests.command_line import duka
from kernel.work import Work

DUKA = [sys.executable, "-c", "from kernel.cli import main; main()"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=str(tmp_path), secret_key=SECRET)


def a_process(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = environment_of(settings)
    return subprocess.run(
        [*DUKA, *arguments], env=environment, cwd=settings.home, capture_output=True, text=True, timeout=60, check=False
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ready(url: str, process: subprocess.Popen[bytes], within_s: float = 60) -> None:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        assert process.poll() is None, "the server has ended"
        try:
            if httpx.get(f"{url}/health/ready", timeout=60).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("the server is not ready")


def test_it_serves_an_empty_database_and_ends_when_told(settings: Settings) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    said = Path(settings.home) / "said"
    with said.open("wb") as out:
        run = [*DUKA, "run", "--port", str(port)]
        process = subprocess.Popen(run, env=environment_of(settings), cwd=settings.home, stderr=out)
    try:
        ready(url, process)
        assert httpx.get(f"{url}/docs", timeout=60).status_code == 200
        assert httpx.get(f"{url}/api/v1/openapi.json", timeout=60).json()["openapi"] == "3.1.0"
        refused = httpx.get(f"{url}/api/v1/locations", timeout=60)
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
        assert "server" not in refused.headers
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(120) in (0, -signal.SIGTERM)
    assert "Nobody has an account yet. Make the first: duka init" in said.read_text()


async def test_a_first_admin_and_business_are_made_once_and_the_check_is_content(settings: Settings) -> None:
    arguments = ["init", "--admin-email", "boss@x.example", "--admin-password", "a long password"]
    arguments += ["--business", "Mama Njeri Stores", "--region", "KE", "--currency", "KES"]
    done = await asyncio.to_thread(a_process, settings, *arguments)
    assert done.returncode == 0, done.stderr
    code, said = await duka(settings, *arguments)
    assert code == 0, said
    checked = await asyncio.to_thread(a_process, settings, "check")
    assert checked.returncode == 0, checked.stdout
    code, said = await duka(settings, "plugin", "list", "--business", "mama-njeri-stores")
    assert (code, "on  sales" in said) == (0, True), said
    second = ["init", "--admin-email", "second@x.example", "--admin-password", "a long password"]
    code, said = await duka(settings, *second)
    assert (code, "sign in as second@x.example" in said) == (0, True), said

    async def operators(work: Work) -> list[str]:
        return list((await work.execute(sa.select(User.email).where(User.is_operator.is_(True)))).scalars())

    async with opened(settings) as deployment:
        assert await look(deployment, None, operators) == ["boss@x.example"], "the first alone"


def test_what_a_process_cannot_do_it_says_in_words(settings: Settings) -> None:
    done = a_process(settings, "check")
    assert done.returncode == 1
    assert "migrations that have not run" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("init", "--admin-email", "x@x.example"), 2, "--admin-password"),
        (("plugin", "enable", "sales", "--business", "no-such"), 1, "duka: "),
        (("nonsense",), 2, "No such command"),
    ],
)
async def test_what_cannot_be_done_is_said_in_words(
    settings: Settings, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ended, told = await duka(settings, *arguments)
    assert ended == code
    assert said in told
    assert "Traceback" not in told


async def test_an_unknown_setting_is_named(settings: Settings) -> None:
    told = await duka(settings, "check", DUKA_PROT="1")
    assert told == (2, "duka: DUKA_PROT is not a setting of Duka; .env.example lists them all\n")
