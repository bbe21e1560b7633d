"""Several server processes on one port: they count together, are replaced when they die, and end together."""

from __future__ import annotations

import errno
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from kernel.app.listening import refuse_new
from kernel.app.workers import end_with_parent
from kernel.settings import Settings
from kernel.testing.served import environment_of, free_port

DUKA = [sys.executable, "-W", "ignore", "-c", "from kernel.cli import main; main()", "run", "--workers", "2"]
ROUTE = 'duka_requests_total{method="GET",route="",status="200"}'


class Several:
    """`duka run --workers 2`."""

    def __init__(self, settings: Settings) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        environment = environment_of(settings, {"DUKA_DRAIN_SECONDS": "0", "DUKA_PORT": str(self.port)})
        self.process = subprocess.Popen(DUKA, env=environment)

    def children(self) -> set[int]:
        """The processes that serve."""
        return children_of(self.process.pid)

    def figure(self, name: str) -> float:
        """A figure, as whichever process answers tells it."""
        text = httpx.get(f"{self.url}/metrics", timeout=60).text
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0


def children_of(pid: int) -> set[int]:
    """The processes that one has started to share its work."""
    said = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {one for one in map(int, said) if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()}


def until(is_so: Callable[[], bool], within_s: float = 120) -> None:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        try:
            if is_so():
                return
        except (httpx.TransportError, OSError):
            pass
        time.sleep(0.1)
    pytest.fail("it does not come to pass")


@pytest.fixture
def several(box_settings: Settings) -> Iterator[Several]:
    made = Several(box_settings)
    try:
        until(lambda: made.figure("duka_processes") == 2)
        yield made
    finally:
        made.process.kill()
        made.process.wait()


@pytest.mark.parametrize("database", ["postgresql"])
def test_processes_count_together_are_replaced_and_end_with_the_one_that_watches_over_them(
    several: Several, database: str
) -> None:
    before = several.figure(ROUTE)
    for _ in range(20):
        assert httpx.get(f"{several.url}/docs", timeout=60).status_code == 200
    assert {several.figure("duka_processes") for _ in range(6)} == {2}
    until(lambda: several.figure(ROUTE) >= before + 20)

    first, second = several.children()
    os.kill(first, signal.SIGKILL)
    until(lambda: several.figure("duka_processes") == 2 and first not in several.children())
    assert second in several.children()
    assert several.figure(ROUTE) >= before + 20, "what a process counted stays when it dies"

    several.process.kill()
    several.process.wait()

    def nobody_listens() -> bool:
        with socket.socket() as probe:
            probe.settimeout(2)  # who ends lets nobody in, and answers nothing to who tries
            return probe.connect_ex(("127.0.0.1", several.port)) == errno.ECONNREFUSED

    until(nobody_listens)


def come_late(folder: Path) -> None:
    """A server process that takes its time to be made."""
    (folder / "made").touch()
    until((folder / "go").exists)
    end_with_parent()
    (folder / "served").touch()


LATE = "import pathlib, sys, multiprocessing as m; from tests.test_workers import come_late; " + (
    "one = m.get_context('spawn').Process(target=come_late, args=(pathlib.Path(sys.argv[1]),)); one.start(); one.join()"
)


def test_a_process_that_is_made_while_its_watcher_dies_serves_nobody(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-W", "ignore", "-c", LATE, str(tmp_path)], text=True) as watcher:
        until((tmp_path / "made").exists)
        [late] = children_of(watcher.pid)
        watcher.kill()
        watcher.wait()
    (tmp_path / "go").touch()
    until(lambda: not Path(f"/proc/{late}").exists())
    assert not (tmp_path / "served").exists()


@pytest.mark.parametrize("database", ["sqlite"])
def test_a_port_that_is_taken_ends_it_with_a_word(box_settings: Settings, database: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment = environment_of(box_settings, {"DUKA_PORT": str(taken.getsockname()[1])})
        done = subprocess.run(DUKA, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1
    assert "in use" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can refuse and still hand over")
def test_a_listener_that_refuses_new_connections_still_hands_over_those_it_has() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    with socket.create_connection(address) as before:
        refuse_new(listener)
        with pytest.raises(TimeoutError):
            socket.create_connection(address, timeout=0.3)
        taken, _ = listener.accept()
        with taken:
            before.sendall(b"sold?")
            taken.sendall(taken.recv(5) + b" sold")
            assert before.recv(20) == b"sold? sold"
        listener.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=5)
