"""The gate: every request passes it before routing. Body, identity and epoch, plugin; then the route.

It stands around the Litestar app, since only from there can a path of a plugin that is off answer 404 whatever the
method, and a caller without a sign-in 401 whether the path exists or not.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from kernel.auth.bearer import read_bearer
from kernel.auth.permissions import Rights
from kernel.auth.uses import note_use
from kernel.db import new_id
from kernel.errors import BadHost, DukaError, HeadersTooLarge, MethodNotAllowed, NotFound, Unauthenticated
from kernel.web import cors
from kernel.web.body import parse, read_body
from kernel.web.perform import Visit
from kernel.web.problems import as_duka_error, problem
from kernel.web.routes import PUBLIC, Route
from kernel.work import Deployment

ASGI = Callable[[Any, Any, Any], Awaitable[None]]
API = "/api/v1/"
DOCUMENT = f"{API}openapi.json"
OPEN = ("/static/", "/health/")
MOST_HEADER_BYTES = 8192
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class Paths:
    """What the gate must know of the routes before they are matched."""

    def __init__(self, routes: list[Route]) -> None:
        self.open = [_pattern(route.path) for route in routes if route.permission == PUBLIC]
        self._methods: list[tuple[re.Pattern[str], str]] = [(_pattern(r.path), r.method) for r in routes]

    def is_open(self, path: str) -> bool:
        """Whether anyone may ask for a path."""
        return (
            path in ("/", "/docs", DOCUMENT)
            or path.startswith(OPEN)
            or any(pattern.match(path) for pattern in self.open)
        )

    def methods(self, path: str) -> list[str]:
        """The methods a path answers to."""
        return sorted({method for pattern, method in self._methods if pattern.match(path)})


class Gate:
    """The ASGI application that is served: the gate around the app."""

    def __init__(self, app: ASGI, deployment: Deployment, rights: Rights, routes: list[Route]) -> None:
        self.app, self.deployment, self.rights = app, deployment, rights
        self.paths = Paths(routes)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Serve one request; lifespan messages go straight to the app."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        visit = Visit(self.deployment, self.rights, new_id().hex, (scope.get("client") or (None,))[0])
        answer = _Answer(send, visit.request_id)
        try:
            visit.headers = _headers(scope)
            answer.extra = cors.headers_for(self.deployment.settings.cors_origins, visit.headers)
            if answer.extra and cors.is_preflight(scope["method"], visit.headers):
                await answer.agree(cors.ALLOWED)
                return
            await self._admit(scope, receive, visit)
            scope["duka"] = visit
            await self.app(scope, _replay(visit.body, receive), answer)
        except Exception as error:  # the last catch: whatever happens, the caller gets a problem document
            if answer.begun:
                raise
            await answer.refuse(as_duka_error(error, visit.request_id))
        finally:
            await visit.leave()
        if visit.standing is not None:
            await note_use(self.deployment, visit.standing)  # the answer has gone out: nobody waits for this

    async def _admit(self, scope: MutableMapping[str, Any], receive: Any, visit: Visit) -> None:
        visit.query_string = scope["query_string"]
        self._check_host(visit.headers)
        path: str = scope["path"]
        is_open = self.paths.is_open(path)
        visit.passes_suspension = path.startswith((f"{API}auth/", f"{API}operating/"))
        visit.claims = self._claims(visit.headers, needed=not is_open)
        if scope["method"] in ("POST", "PUT", "PATCH", "DELETE"):
            visit.body = await read_body(receive, visit.headers)
            visit.parsed = parse(visit.body) if visit.body else None
        if is_open and not (visit.claims and path == DOCUMENT):
            visit.claims = None
        else:
            await visit.enter()
            self._check_plugin(path, visit)
        self._check_method(path, scope["method"])

    def _check_host(self, headers: Mapping[str, str]) -> None:
        allowed = self.deployment.settings.allowed_hosts
        host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
        if "*" not in allowed and host.lower() not in allowed:
            raise BadHost

    def _claims(self, headers: Mapping[str, str], *, needed: bool) -> Any:
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            if needed:
                raise Unauthenticated
            return None
        try:
            return read_bearer(token.strip(), self.deployment.secret, self.deployment.clock())
        except Unauthenticated:
            if needed:
                raise
            return None

    def _check_plugin(self, path: str, visit: Visit) -> None:
        if "//" in path:  # routing would read it as one stroke, and find what is looked for here in vain
            raise NotFound
        if not path.startswith(API):
            return
        name = path[len(API) :].partition("/")[0]
        standing = visit.standing
        if name in self.deployment.registry.plugins and standing and name not in standing.enabled:
            raise NotFound

    def _check_method(self, path: str, method: str) -> None:
        methods = self.paths.methods(path)
        if methods and method not in methods:
            raise MethodNotAllowed(headers={"Allow": ", ".join(methods)})


class _Answer:
    """The way out: adds the headers every answer carries."""

    def __init__(self, send: Any, request_id: str) -> None:
        self._send, self.begun = send, False
        self.extra: dict[str, str] = {}
        self._request_id = request_id

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            given = {name.lower() for name, _ in message["headers"]}
            extra = [(k.lower().encode(), v.encode()) for k, v in HEADERS.items() if k.lower().encode() not in given]
            extra += [(name.lower().encode(), value.encode()) for name, value in self.extra.items()]
            message["headers"] = [*message["headers"], *extra, (b"x-request-id", self._request_id.encode())]
        await self._send(message)

    async def agree(self, headers: Mapping[str, str]) -> None:
        """Answer a preflight."""
        lines = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await self({"type": "http.response.start", "status": 204, "headers": lines})
        await self({"type": "http.response.body", "body": b""})

    async def refuse(self, error: DukaError) -> None:
        """Answer with a problem document."""
        status, headers, body = problem(error, self._request_id)
        lines = [(k.lower().encode(), v.encode()) for k, v in headers.items()]
        lines.append((b"content-length", str(len(body)).encode()))
        await self({"type": "http.response.start", "status": status, "headers": lines})
        await self({"type": "http.response.body", "body": body})


def _headers(scope: MutableMapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        if len(value) > MOST_HEADER_BYTES:
            raise HeadersTooLarge
        found[name.decode("latin-1").lower()] = value.decode("latin-1")
    return found


def _replay(body: bytes, receive: Any) -> Callable[[], Awaitable[Any]]:
    """The body once more, for the app; after it, whatever the server has to say: that the caller has gone."""
    told = False

    async def again() -> Any:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"({\w+})", path)
    return re.compile("".join("[^/]+" if part.startswith("{") else re.escape(part) for part in parts) + r"/?\Z")
