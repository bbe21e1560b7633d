"""The way out: what every answer carries, whoever gives it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, MutableMapping
from typing import Any

from kernel.auth.signing_in.throttle import Throttled
from kernel.web.headers import as_lines, completed
from kernel.web.problems import Problem


class Answer:
    """Passes an answer on to the server, with the headers every answer carries; to HEAD without its body."""

    def __init__(self, send: Any, request_id: str, scope: Mapping[str, Any], *, has_origins: bool = False) -> None:
        self._send, self.begun = send, False
        self.status = 0
        self.begun_at: float | None = None
        self._request_id = request_id
        self._is_head = scope["method"] == "HEAD"
        self._is_secure = scope.get("scheme") == "https"
        self._has_origins = has_origins
        self.extra: dict[str, str] = {}
        self.throttled: Throttled | None = None
        self._limit: asyncio.Timeout | None = None
        self._passes_on = False

    def is_passing_on(self) -> None:
        """From now on what comes is another answer's, with all that every answer carries."""
        self._passes_on = True

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        """Pass on one message."""
        if message["type"] == "http.response.start":
            self.begun, self.status, self.begun_at = True, message["status"], time.perf_counter()
            if self._limit is not None:
                self._limit.reschedule(None)  # what is being sent takes the time its receiver takes
            if self._passes_on:
                await self._send(message)
                return
            lines = completed(message["headers"], secure=self._is_secure)
            if self.extra or self.throttled:
                lines += as_lines(self.extra.items())
                lines += as_lines(self.throttled.headers().items() if self.throttled else ())
            lines.append((b"x-request-id", self._request_id.encode()))
            message["headers"] = _vary(lines, "Origin") if self._has_origins else lines
        elif self._is_head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)

    @contextlib.asynccontextmanager
    async def within(self, limit: asyncio.Timeout) -> AsyncIterator[None]:
        """Within this, an answer that begins lifts the limit."""
        self._limit = limit
        try:
            yield
        finally:
            self._limit = None

    async def agree(self, headers: Mapping[str, str]) -> None:
        """Answer what asks only whether it may ask."""
        await self({"type": "http.response.start", "status": 204, "headers": as_lines(headers.items())})
        await self({"type": "http.response.body", "body": b""})

    async def refuse(self, problem: Problem) -> None:
        """Answer with a problem document, once the request's time no longer runs."""
        self.limit = None
        lines = [*as_lines(problem.headers.items()), (b"content-length", str(len(problem.body)).encode())]
        await self({"type": "http.response.start", "status": problem.status, "headers": lines})
        await self({"type": "http.response.body", "body": problem.body})


def _vary(lines: list[tuple[bytes, bytes]], name: str) -> list[tuple[bytes, bytes]]:
    """The headers with one more name that the answer varies with."""
    said = [value.decode("latin-1") for key, value in lines if key.lower() == b"vary"]
    rest = [line for line in lines if line[0].lower() != b"vary"]
    return [*rest, (b"vary", ", ".join(dict.fromkeys([*said, name])).encode("latin-1"))]
