"""Several server processes on one port: started, started again when one dies, ended together."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from types import FrameType

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from kernel.app.listening import LAST_ANSWER_S, serve_one
from kernel.metrics import forget_process

log = logging.getLogger("duka.workers")
LOOK_S = 1.0
FEWEST_S = 1.0
"""A process that ends sooner than this is started again only after so long."""
STARTING_S = 30.0
"""A process that says sooner than this that it failed could not start; the others would not either."""
MARGIN_S = 20.0
"""Beyond the drain and the last answers, for loops to end; then a process is killed."""


class Workers:
    """Server processes that share a listening socket."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket, count: int, drain_s: float) -> None:
        self.config, self.listener, self.count, self.drain_s = config, listener, count, drain_s
        self.processes: list[SpawnProcess] = []
        self._is_ending = False

    def run(self) -> int:
        """Serve until told to stop; returns the exit code: 1 where a process could not start."""
        with _signals(self._end):
            self.processes = [self._start() for _ in range(self.count)]
            failed = self._watch()
            self.listener.close()  # theirs stay open until the last of them has ended listening
            self._tell()
            self._await_end()
        return 1 if failed else 0

    def _end(self, _sig: int, _frame: FrameType | None) -> None:
        self._is_ending = True
        self._tell()

    def _start(self) -> SpawnProcess:
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=_serve, args=(self.config, self.listener, self.drain_s), daemon=True)
        process.start()
        return process

    def _watch(self) -> bool:
        """Start again what dies, until the end is wanted; whether one could not start at all."""
        started = [time.monotonic()] * self.count
        while not self._is_ending:
            wait([one.sentinel for one in self.processes], timeout=LOOK_S)
            for place, process in enumerate(self.processes):
                if process.exitcode is None or self._is_ending:
                    continue
                age_s = time.monotonic() - started[place]
                if process.exitcode in (1, STARTUP_FAILURE) and age_s < STARTING_S:
                    log.error("server process %s could not start", process.pid)
                    return True
                forget_process(process.pid or 0)
                log.error("server process %s ended with %s; starting another", process.pid, process.exitcode)
                time.sleep(max(0.0, FEWEST_S - age_s))
                self.processes[place], started[place] = self._start(), time.monotonic()
        return False

    def _tell(self) -> None:
        for one in self.processes:
            if one.exitcode is None and one.pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one.pid, signal.SIGTERM)

    def _await_end(self) -> None:
        until = time.monotonic() + self.drain_s + LAST_ANSWER_S + MARGIN_S
        for one in self.processes:
            one.join(max(0.0, until - time.monotonic()))
            if one.exitcode is None:
                log.error("server process %s does not end and is killed", one.pid)
                one.kill()
                one.join()


def _serve(config: uvicorn.Config, listener: socket.socket, drain_s: float) -> None:
    end_with_parent()
    serve_one(config, listener, drain_s)


def end_with_parent() -> None:
    """Have the system tell this process to stop when the one that watches over it has died; end if it has by now."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    parent = multiprocessing.parent_process()
    if parent is not None and os.getppid() != parent.pid:  # it died while this one was still being made
        sys.exit("nobody watches over this server process any more")


_PR_SET_PDEATHSIG = 1


@contextlib.contextmanager
def _signals(end: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {one: signal.signal(one, end) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
