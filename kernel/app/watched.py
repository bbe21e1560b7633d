"""What a worker tells of itself on a port of its own: `/health/live`, `/health/ready`, `/metrics`, and nothing else.

The paths, words and figures are those of a server, so whoever watches servers watches workers in the same way.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, MutableMapping
from typing import Any

import msgspec
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from kernel.app.figures import MEDIA_TYPE, Figures, may_see
from kernel.app.health import Health
from kernel.app.listening import Server, config_of
from kernel.db import new_id
from kernel.errors import MethodNotAllowed, NotFound, NotReady, Unauthenticated
from kernel.settings import Settings
from kernel.web import as_duka_error, problem
from kernel.web.answer import Answer
from kernel.web.headers import as_lines, check_address, read_headers
from kernel.web.paths import WATCHED
from kernel.work import Deployment


class Watched:
    """The ASGI application of a worker's port."""

    def __init__(self, deployment: Deployment) -> None:
        self.settings = deployment.settings
        self.health = Health(deployment)
        self.figures = Figures(deployment, None, self.health)
        trusted = list(self.settings.trusted_proxies)
        self._entrance: Any = ProxyHeadersMiddleware(self._serve, trusted) if trusted else self._serve  # type: ignore[arg-type]

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Serve one request."""
        await self._entrance(scope, receive, send)

    async def _serve(self, scope: MutableMapping[str, Any], _receive: Any, send: Any) -> None:
        request_id = new_id().hex
        answer = Answer(send, request_id, scope)
        try:
            media_type, body = await self._tell(scope)
        except Exception as error:  # the last catch: whoever watches gets a problem document
            await answer.refuse(problem(as_duka_error(error, request_id), request_id))
            return
        lines = as_lines([("Content-Type", media_type), ("Content-Length", str(len(body)))])
        await answer({"type": "http.response.start", "status": 200, "headers": lines})
        await answer({"type": "http.response.body", "body": body})

    async def _tell(self, scope: MutableMapping[str, Any]) -> tuple[str, bytes]:
        """Media type and body. Raises NotFound, MethodNotAllowed, Unauthenticated and NotReady."""
        path = scope["path"]
        check_address(scope.get("raw_path") or path.encode(), scope["query_string"])
        headers = read_headers(scope["headers"])
        if path not in WATCHED:
            raise NotFound
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed(headers={"Allow": "GET, HEAD"})
        if path == "/metrics":
            if not may_see(self.settings, headers, (scope.get("client") or (None,))[0]):
                raise Unauthenticated
            return MEDIA_TYPE, await self.figures.tell()
        said: dict[str, Any] = {"status": "ok"}
        if path == "/health/ready":
            report = await self.health.report()
            if not report.is_ready:
                raise NotReady(report.checks)
            said["checks"] = report.checks
        return "application/json", msgspec.json.encode(said)


class _Server(Server):
    """A server within a process that has its own way with signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def bound(settings: Settings, port: int) -> socket.socket:
    """The socket of a port, on the address of the settings. Raises OSError where it is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server((settings.host, port), family=family)


@contextlib.asynccontextmanager
async def watching(watched: Watched, listener: socket.socket) -> AsyncIterator[None]:
    """Within this the port answers; at the end what was accepted is answered first."""
    config = config_of(watched.settings, watched)
    server = _Server(config, drain_s=0)
    serving = asyncio.create_task(server.serve([listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
