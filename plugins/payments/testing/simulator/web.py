"""A simulator that serves people: a provider's paths, beside them those by which it is steered and watched."""

from __future__ import annotations

import asyncio
import urllib.parse
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from plugins.payments.testing.simulator.clock import Clock

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Tell = Callable[[Message], Awaitable[None]]
LARGEST: Final = 100_000
JSON: Final = "application/json"
POLICY: Final = (
    b"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:"
)


class Answer(Struct, frozen=True, forbid_unknown_fields=True):
    """What is answered instead. does: whether it is done all the same.

    lost: the connection ends in the middle. stalled: nothing comes for `stall_s` seconds. html: a page of a proxy.
    error: an error body of `code` and `message`, the provider's own where they are empty.
    """

    kind: Literal["lost", "stalled", "html", "error", "garbled", "empty"] = "lost"
    does: bool = False
    status: int = 500
    code: str = ""
    message: str = ""
    stall_s: float = 30


class Reply(Struct, frozen=True):
    """What is answered. breaks: the connection ends before the body does."""

    status: int
    body: bytes
    media_type: str = JSON
    breaks: bool = False


class Served(ABC):
    """The app. Whoever subclasses it says how the provider answers, and how it is steered."""

    @property
    @abstractmethod
    def time(self) -> Clock:
        """Its clock, and what is to happen by it."""

    @abstractmethod
    async def asked(
        self, method: str, path: str, headers: Mapping[str, str], query: Mapping[str, str], body: Any
    ) -> Reply:
        """Answer a call of the provider's. body: plain values; None where it is no JSON, {} where it is empty."""

    @abstractmethod
    async def steered(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> Reply:
        """Answer a path by which it is steered, or the page."""

    @abstractmethod
    def note_call(self, method: str, path: str, body: Any, status: int) -> None:
        """Keep a call, for whoever looks on."""

    def woken(self) -> None:  # noqa: B027 - most do nothing
        """Act on the first of requests, and on every other."""

    async def __call__(self, scope: Any, receive: Receive, send: Tell) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http":
            return
        self.woken()
        await self.time.run_due()
        await _write(send, await self._answer(scope, await _read(receive)))

    async def _answer(self, scope: Any, raw: bytes | None) -> Reply:
        method, path = scope["method"], scope["path"]
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = dict(urllib.parse.parse_qsl(scope["query_string"].decode("latin-1")))
        if raw is None:
            return as_json(413, {"error": "Too large"})
        body = _decoded(raw)
        if path == "/" or path.startswith("/_sim"):
            return await self.steered(method, path, headers, body)
        reply = await self.asked(method, path, headers, query, body)
        self.note_call(method, path, body, reply.status)
        return reply


def as_json(status: int, said: Any) -> Reply:
    """Plain values, as JSON."""
    return Reply(status, msgspec.json.encode(said))


async def instead(answer: Answer, error: Any) -> Reply:
    """What a scenario has answered. error: the provider's body for an error."""
    match answer.kind:
        case "stalled":
            await asyncio.sleep(answer.stall_s)
            return Reply(504, b"")
        case "html":
            return Reply(answer.status, b"<html><body><h1>Service Unavailable</h1></body></html>", "text/html")
        case "error":
            return as_json(answer.status, error)
        case "garbled":
            return Reply(200, b'{"id":"12-3')
        case "empty":
            return Reply(200, b"")
    return Reply(200, b"", breaks=True)


def _decoded(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw) if raw else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


async def _read(receive: Receive) -> bytes | None:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > LARGEST:
            return None
    return body


async def _write(send: Tell, reply: Reply) -> None:
    length = len(reply.body) + (100 if reply.breaks else 0)
    headers = [
        (b"content-type", reply.media_type.encode()),
        (b"content-length", str(length).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", POLICY),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if reply.breaks:
        raise ConnectionAbortedError("The answer is lost, as the scenario says")
    await send({"type": "http.response.body", "body": reply.body})


async def _live(receive: Receive, send: Tell) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
