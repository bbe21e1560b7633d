"""Servers and workers forked from a process that has loaded Duka: to load it takes a second and a half, every time.

`python -m kernel.testing.forking` loads it once, then reads orders, each a line of JSON, and answers each with one.
What it forks serves as `kernel.testing.serving` does, or calls a function with a command line: a process, event loop,
settings and connections of its own.
Only who asks for it by `PARENT.begin()` gets such servers; benches measure whole processes.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["PARENT", "Forked", "Parent"]

OWN_WAY = ("DUKA_", "PYTEST_")
"""Variables that differ between servers which are forked from one process; any other takes a process from scratch."""
POLL_S = 0.01


class Forked:
    """A process that was forked, with what is used of `subprocess.Popen`."""

    def __init__(self, parent: Parent, pid: int) -> None:
        self._parent, self.pid = parent, pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, less than nothing for a signal; None while it runs."""
        if self.returncode is None:
            self.returncode = self._parent.ask({"how_fares": self.pid})
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended. Raises subprocess.TimeoutExpired."""
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if end is not None and timeout is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired(f"server {self.pid}", timeout)
            time.sleep(POLL_S)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Tell it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


class Parent:
    """The process that has loaded Duka; started when the first server is wanted."""

    def __init__(self) -> None:
        self._is_wanted = False
        self._process: subprocess.Popen[str] | None = None
        self._environment: dict[str, str] = {}
        self._one_asks = threading.Lock()

    def begin(self) -> None:
        """From now on servers are forked wherever they can be."""
        self._is_wanted = True

    def end(self) -> None:
        """End it and whatever it forked."""
        self._is_wanted = False
        if self._process:
            self._process.communicate()
        self._process = None

    def takes(self, environment: Mapping[str, str]) -> bool:
        """Whether a server with this environment can be forked."""
        if not self._is_wanted:
            return False
        self._environment = self._environment or _common(os.environ)
        return _common(environment) == self._environment

    def fork(self, application: str, port: int, environment: Mapping[str, str]) -> Forked:
        """Serve an ASGI factory at a port of the loopback."""
        return self._forked({"serve": application, "port": port}, environment)

    def call(self, function: str, words: Sequence[str], environment: Mapping[str, str]) -> Forked:
        """Call a function, "module:name", that takes nothing but `sys.argv`: the module, and the words."""
        return self._forked({"call": function, "words": list(words)}, environment)

    def ask(self, order: Mapping[str, Any]) -> Any:
        """What the process answers to an order. Raises RuntimeError where it has died."""
        with self._one_asks:
            process = self._process = self._process or self._start()
            if process.stdin is None or process.stdout is None:
                raise RuntimeError("nobody can talk to the process from which servers are forked")
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        if not answer:
            raise RuntimeError("the process from which servers are forked has died")
        return json.loads(answer)

    def _forked(self, order: Mapping[str, Any], environment: Mapping[str, str]) -> Forked:
        return Forked(self, self.ask({**order, "environment": dict(environment), "folder": os.getcwd()}))

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "ignore", "-m", "kernel.testing.forking"]
        return subprocess.Popen(
            command, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )


PARENT = Parent()
"""That of this process."""


def _common(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(OWN_WAY)}


def _take_orders() -> None:
    """Load Duka with every plugin that is installed, and do as told until nobody is there to tell."""
    gc.disable()
    importlib.import_module("kernel.app.application")
    importlib.import_module("kernel.testing.serving")
    importlib.import_module("kernel.registry").discover()
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    running: set[int] = set()
    for line in sys.stdin:
        order = json.loads(line)
        if pid := order.get("how_fares"):
            answer = _exit_code(pid)
            if answer is not None:
                running.discard(pid)
        else:
            answer = os.fork()
            if not answer:
                _become(order)
            running.add(answer)
        print(json.dumps(answer), flush=True)
    for pid in running:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _exit_code(pid: int) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _become(order: Mapping[str, Any]) -> None:
    """In the forked process: become what was ordered, and end as it ends."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with open(os.devnull) as nothing:
            os.dup2(nothing.fileno(), 0)
        os.dup2(2, 1)
        os.environ.clear()
        os.environ.update(order["environment"])
        os.chdir(order["folder"])
        random.seed()  # or all that are forked would wait the same moments before they try again
        importlib.reload(importlib.import_module("kernel.work.crash"))  # it reads the environment once
        if "serve" in order:
            importlib.import_module("kernel.testing.serving").serve(order["serve"], order["port"])
        else:
            module, _, name = order["call"].partition(":")
            sys.argv = [module, *order["words"]]
            getattr(importlib.import_module(module), name)()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _take_orders()
