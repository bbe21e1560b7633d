"""The processes of a deployment: each says below home, by a timer of its own, what it serves; requests pay nothing.

Whoever shares the home sees all of them. One that ends takes its word away; one that was killed falls silent.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import os
import socket
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from kernel import VERSION
from kernel.settings import Settings
from kernel.work import Deployment, heed_now

log = logging.getLogger("duka.nodes")
NODES = "nodes"
"""The folder below home with a file of each process."""
BEAT_S = 5.0
SILENT = dt.timedelta(seconds=30)
"""A process that has said nothing for so long is ended, hangs, or cannot write.

The next of its kind that starts on its machine takes its place.
"""
FORGOTTEN = dt.timedelta(minutes=10)
_Moment = Annotated[dt.datetime, Meta(tz=True)]


class Node(Struct, frozen=True):
    """A process that serves, or works off jobs. epoch: of the deployment, up to which it knows what is installed.

    plugins: name → version, of those whose code it has loaded, uninstalled ones too.
    """

    kind: Literal["server", "worker"]
    host: Annotated[str, Meta(examples=["shop-server"])]
    pid: Annotated[int, Meta(ge=1, examples=[4711])]
    version: Annotated[str, Meta(examples=["0.1.0"])]
    epoch: Annotated[int, Meta(ge=0, examples=[3])]
    plugins: Annotated[dict[str, str], Meta(examples=[{"sales": "0.1.0"}])]
    started_at: _Moment
    seen_at: _Moment


class Beating:
    """What one process says of itself, again and again."""

    def __init__(self, deployment: Deployment, kind: Literal["server", "worker"]) -> None:
        self.deployment, self.kind = deployment, kind
        self.host, self.pid = socket.gethostname()[:100] or "unknown", os.getpid()
        self.started_at = deployment.clock()
        self.file = deployment.settings.home_path / NODES / f"{_plain(self.host)}-{self.pid}.json"

    async def loop(self, stop: asyncio.Event) -> None:
        """Say it until told to stop, then take it away. What cannot be said is logged, and keeps nobody."""
        while not stop.is_set():
            try:
                await self.beat()
            except Exception as fault:  # a disk that is full or read-only, a database that is away
                log.warning("this process cannot say what it serves: %r", fault)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(stop.wait(), BEAT_S)
        with contextlib.suppress(OSError):
            self.file.unlink(missing_ok=True)

    async def beat(self) -> None:
        """Say it once, and forget those that have been silent for long."""
        await heed_now(self.deployment)
        said = msgspec.json.encode(self.now())
        await asyncio.to_thread(self._write, said)

    def now(self) -> Node:
        """What it serves at this moment."""
        versions = {one.name: one.manifest.version for one in self.deployment.found.in_order()}
        now, heeded = self.deployment.clock(), self.deployment.heeded
        return Node(self.kind, self.host, self.pid, VERSION, heeded, versions, self.started_at, now)

    def _write(self, said: bytes) -> None:
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self.file.with_suffix(".part")
        fresh.write_bytes(said)
        fresh.replace(self.file)
        for file, one in _said(self.deployment.settings):
            if one.seen_at < self.deployment.clock() - FORGOTTEN or self._replaces(one):
                file.unlink(missing_ok=True)

    def _replaces(self, one: Node) -> bool:
        """Whether this process came on its machine after another of its kind had said its last word."""
        is_silent = one.seen_at < self.deployment.clock() - SILENT
        return is_silent and (one.kind, one.host) == (self.kind, self.host) and one.seen_at < self.started_at


def nodes_of(settings: Settings) -> list[Node]:
    """The processes that share this home, by kind, machine and number."""
    return sorted((one for _, one in _said(settings)), key=lambda one: (one.kind, one.host, one.pid))


def _said(settings: Settings) -> list[tuple[Path, Node]]:
    found = []
    for file in (settings.home_path / NODES).glob("*.json"):
        with contextlib.suppress(OSError, msgspec.DecodeError):  # taken away, or of another version, at this moment
            found.append((file, msgspec.json.decode(file.read_bytes(), type=Node)))
    return found


def _plain(host: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-." else "-" for letter in host).lstrip(".")
