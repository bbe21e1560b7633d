"""Listening: one server process on uvicorn, with an end that loses no request.

Told to stop (SIGTERM), a process is not ready from that moment, goes on serving for `DUKA_DRAIN_SECONDS` with
`Connection: close` on every answer, then refuses new connections, answers what it has accepted, and ends with 0.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import signal
import socket
import struct
import sys
import time
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from kernel.app import Served
from kernel.db import new_id
from kernel.errors import BadRequest
from kernel.settings import Settings
from kernel.web import problem
from kernel.web.headers import as_lines, completed

LAST_ANSWER_S = 35
"""Requests under way at the end are given so long; a request is undone after 30 seconds anyway."""
KEPT_S = 75
"""A connection is kept for so long without a request: longer than proxies keep theirs, lest one is used as it ends."""
BACKLOG_S = 0.2
"""Between the last new connection and the end of listening: what the system has accepted for us is taken over."""
LINGER_S = 1.0
"""A connection on which no request has come is left open for so long, lest one is on its way."""
TICK_S = 0.05


class State(ServerState):
    """What the connections of a process share. ending_since: when it was told to stop, by the monotonic clock."""

    ending_since: float | None = None


class Protocol(HttpToolsProtocol):
    """A connection. What is not HTTP at all is refused with a problem document, too."""

    server_state: State
    since: float

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come."""
        self.since = time.monotonic()
        super().connection_made(transport)

    def on_headers_complete(self) -> None:
        """A request begins; at the end, it is this connection's last."""
        super().on_headers_complete()
        if self.server_state.ending_since is not None:
            self.take_no_more()

    def on_response_complete(self) -> None:
        """A request has been answered."""
        super().on_response_complete()
        if self.server_state.ending_since is not None:
            self.since = time.monotonic()

    def take_no_more(self) -> None:
        """Tell the client with the answer that the connection ends, where the answer has not begun."""
        if self.is_busy and not self.cycle.response_started:
            self.cycle.keep_alive = False

    @property
    def is_busy(self) -> bool:
        """Whether a request is under way."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def may_bring_one(self, now: float) -> bool:
        """Whether a request may be on its way: nobody has told the client of the end for long enough."""
        told = max(self.since, self.server_state.ending_since or 0.0)
        return not self.is_busy and now - told < LINGER_S

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read."""
        if self.is_busy and self.cycle.response_started:
            self.transport.close()
            return
        request_id = new_id().hex
        told = problem(BadRequest("This is not HTTP as it can be read here"), request_id)
        lines = completed(as_lines(told.headers.items()), secure=self.scheme == "https")
        lines += [(b"x-request-id", request_id.encode()), (b"content-length", str(len(told.body)).encode())]
        head = b"".join(name + b": " + value + b"\r\n" for name, value in [*self.server_state.default_headers, *lines])
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + head + b"connection: close\r\n\r\n" + told.body)
        self.transport.close()


class Server(uvicorn.Server):
    """One process that serves. drain_s: how long it goes on serving once it was told to stop."""

    server_state: State

    def __init__(self, config: uvicorn.Config, drain_s: float) -> None:
        super().__init__(config)
        self.server_state = State()
        self.drain_s = drain_s
        self._is_hurried = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin the end. SIGINT: without the time to drain; a second one: without waiting for anything."""
        if sig == signal.SIGINT:
            self.force_exit = self._is_hurried
            self._is_hurried = True
        if self.server_state.ending_since is None:
            self.server_state.ending_since = time.monotonic()
            self._be_not_ready()
        self.should_exit = True

    def _be_not_ready(self) -> None:
        app = self.config.loaded_app if self.config.loaded else None
        if isinstance(app, Served):
            app.health.stop()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End: drain, refuse, answer the last, close."""
        if self.server_state.ending_since is None:
            self.server_state.ending_since = time.monotonic()
        self._be_not_ready()  # again: the signal may have come while the application was being made
        for connection in list(self.server_state.connections):
            if isinstance(connection, Protocol):
                connection.take_no_more()
        await self._serve_on(self.drain_s)
        for one in sockets or ():
            refuse_new(one)
        await self._serve_on(BACKLOG_S, hurried=True)
        for server in self.servers:
            server.close()
        for one in sockets or ():
            one.close()
        await self._await_last_requests()
        await super().shutdown(sockets)

    async def _serve_on(self, seconds: float, *, hurried: bool = False) -> None:
        """Go on for so long. hurried: even if the end is wanted soon."""
        until, tick = time.monotonic() + seconds, 0
        while time.monotonic() < until and not self.force_exit and (hurried or not self._is_hurried):
            tick += 1
            await self.on_tick(tick // 2)  # keeps the Date of answers right
            await asyncio.sleep(TICK_S)

    async def _await_last_requests(self) -> None:
        while not (self.force_exit or self._is_hurried):
            now = time.monotonic()
            connections = [one for one in self.server_state.connections if isinstance(one, Protocol)]
            if not any(one.may_bring_one(now) for one in connections):
                return
            await asyncio.sleep(TICK_S)


def refuse_new(listener: socket.socket) -> None:
    """Let no new connection begin, while those that the system has accepted can still be taken over.

    Closing a listener resets what nobody has taken over yet. So on Linux a filter drops first packets from now on; the
    client sends its own again after a second, finds the port closed, and knows that nothing was accepted.
    """
    if not sys.platform.startswith("linux"):
        return
    size = len(_DROP_SYN) // 8
    code = ctypes.create_string_buffer(_DROP_SYN, len(_DROP_SYN))
    with contextlib.suppress(OSError):  # a system without filters: the listener is closed as it is
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", size, ctypes.addressof(code)))


_SO_ATTACH_FILTER = 26
_DROP_SYN = b"".join(
    struct.pack("HBBI", *step)
    for step in (
        (0x30, 0, 0, 13),  # load the flags of the TCP header
        (0x45, 0, 1, 0x02),  # SYN?
        (0x06, 0, 0, 0),  # drop it
        (0x06, 0, 0, 0xFFFFFFFF),  # let it pass
    )
)
"""A classic BPF program for a TCP socket, which sees packets from the TCP header on."""


def config_of(settings: Settings, application: str | Any) -> uvicorn.Config:
    """How uvicorn serves an application factory, by its import path, or an application that knows no lifespan."""
    is_factory = isinstance(application, str)
    return uvicorn.Config(
        application,
        factory=is_factory,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on" if is_factory else "off",
        log_config=None,
        log_level=settings.log_level,
        access_log=False,
        proxy_headers=False,  # the application itself believes the proxies that are trusted
        server_header=False,
        timeout_keep_alive=KEPT_S,
        timeout_graceful_shutdown=LAST_ANSWER_S,
    )


def serve_one(config: uvicorn.Config, listener: socket.socket, drain_s: float) -> None:
    """Serve in this process until told to stop. Raises SystemExit where it cannot start."""
    server = Server(config, drain_s)
    server.run([listener])
    if not server.started:
        sys.exit(STARTUP_FAILURE)
