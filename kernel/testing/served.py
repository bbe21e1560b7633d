"""Server processes for tests and benches: the real application, on loopback ports of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

from kernel.settings import Settings
from kernel.testing.forking import PARENT, Forked

__all__ = ["Server", "environment_of", "free_port", "running", "serving", "started"]


class Server:
    """One server process."""

    def __init__(self, process: subprocess.Popen[bytes] | Forked, port: int) -> None:
        self.process, self.port = process, port

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def has_died(self, within_s: float = 60.0) -> bool:
        """Wait for the process to end; whether it was killed."""
        try:
            return self.process.wait(within_s) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            return False


def environment_of(settings: Settings, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment in which a process finds the same deployment."""
    said = {
        "DUKA_HOME": settings.home,
        "DUKA_DATABASE_URL": settings.url,
        "DUKA_SECRET_KEY": settings.secret_key,
        "DUKA_POOL_SIZE": str(settings.pool_size),
        "DUKA_LOG_LEVEL": "error",
    }
    return {**{k: v for k, v in os.environ.items() if not k.startswith("DUKA_")}, **said, **(extra or {})}


@contextlib.contextmanager
def serving(settings: Settings, processes: int = 1, extra: Mapping[str, str] | None = None) -> Iterator[list[Server]]:
    """Serve a deployment from some processes, each on its own port. extra: more of the environment."""
    with running(["kernel.app.application:application"] * processes, environment_of(settings, extra)) as servers:
        yield servers


@contextlib.contextmanager
def running(applications: Sequence[str], environment: Mapping[str, str]) -> Iterator[list[Server]]:
    """Run ASGI application factories, each in its own process; all are ended at the end."""
    servers = [_start(application, environment) for application in applications]
    try:
        for server in servers:
            _wait_for(server)
        yield servers
    finally:
        for server in servers:
            server.process.terminate()
        for server in servers:
            try:
                server.process.wait(60)
            except subprocess.TimeoutExpired:
                server.process.kill()
                server.process.wait()


def started(function: str, words: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes] | Forked:
    """A process that calls a function, "module:name", with words as its command line; whoever starts it ends it."""
    if PARENT.takes(environment):
        return PARENT.call(function, words, environment)
    module, _, name = function.partition(":")
    command = [sys.executable, "-W", "ignore", "-c", f"from {module} import {name}; {name}()", *words]
    return subprocess.Popen(command, env=dict(environment))


def _start(application: str, environment: Mapping[str, str]) -> Server:
    port = free_port()
    if PARENT.takes(environment):
        return Server(PARENT.fork(application, port, environment), port)
    command = [sys.executable, "-W", "ignore", "-m", "kernel.testing.serving", application, str(port)]
    return Server(subprocess.Popen(command, env=dict(environment)), port)


def _wait_for(server: Server, within_s: float = 120.0) -> None:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=1):
            return
        if server.process.poll() is not None:
            raise RuntimeError(f"the server ended with {server.process.returncode}")
        time.sleep(0.05)
    raise RuntimeError(f"nothing answers on port {server.port}")


def free_port() -> int:
    """A port of the loopback on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
