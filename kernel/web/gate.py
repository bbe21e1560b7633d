"""The gate: every request passes it before routing. Body, identity and epoch, plugin; then the route.

It stands around the Litestar app, since only from there can a path of a plugin that is off answer 404 whatever the
method, and a caller without a sign-in 401 whether the path exists or not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from kernel.auth.businesses.tripping import write_strikes
from kernel.auth.rights.permissions import Rights
from kernel.auth.secrets.bearer import read_bearer
from kernel.auth.secrets.tokens import Claims
from kernel.auth.signing_in.throttle import Throttle, TooManyRequests, principal_of
from kernel.auth.signing_in.uses import note_use
from kernel.db import new_id
from kernel.errors import BadHost, DukaError, MethodNotAllowed, NotFound, Overloaded, TookTooLong, Unauthenticated
from kernel.logs import Facts, about, mention
from kernel.metrics import answered
from kernel.web import cors, journal
from kernel.web.answer import Answer
from kernel.web.body import parse, read_body
from kernel.web.headers import as_lines, check_address, read_headers
from kernel.web.languages import Languages
from kernel.web.packing import packed_page
from kernel.web.paths import API, DOCUMENT, ENROLMENT, WATCHED, Paths, Place, is_open, values_of
from kernel.web.perform import Visit
from kernel.web.routes import OPERATOR, Route
from kernel.web.sites import WHOLE, PassOn, Site, asked_of, site_of
from kernel.web.uploads import Takes, receive_raw, receive_upload
from kernel.work import Deployment

ASGI = Callable[[Any, Any, Any], Awaitable[None]]
MOST_IN_FLIGHT = 1000
"""Beyond so many requests under way in a process one is refused before its body is read."""
LONGEST_S = 30.0
"""A request that is not answered by then is undone; what it was about to commit may have been committed."""


SITE_S = 180.0
"""A page waits for what it asked of the API, where each request has its own limit."""


class Gate:
    """The ASGI application that is served: the gate around the app."""

    def __init__(
        self,
        app: ASGI,
        deployment: Deployment,
        rights: Rights,
        paths: Paths,
        languages: Languages,
        sites: Mapping[str, Site] | None = None,
    ) -> None:
        self.app, self.deployment, self.rights = app, deployment, rights
        self.sites = sites or {}
        self.paths, self.languages = paths, languages
        self.throttle = Throttle(deployment)
        self.in_flight = 0

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Serve one request; nothing else is spoken here."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _serve(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        address = (scope.get("client") or (None,))[0]
        visit = Visit(self.deployment, self.rights, new_id().hex, address, self.languages)
        self.in_flight += 1
        try:
            with about(Facts(visit.request_id)):
                await self._answer(scope, receive, send, visit)
        finally:
            self.in_flight -= 1

    async def _answer(self, scope: MutableMapping[str, Any], receive: Any, send: Any, visit: Visit) -> None:
        method, begun = scope["method"], time.perf_counter()
        answer = Answer(send, visit.request_id, scope, has_origins=bool(self.deployment.settings.cors_origins))
        limit = visit.limit = asyncio.timeout(LONGEST_S)
        try:
            async with limit, answer.within(limit):
                await self._pass(scope, receive, visit, answer)
        except TooManyRequests as error:
            answer.throttled = error.throttled
            await answer.refuse(visit.problem(error))
        except Exception as error:  # the last catch: whatever happens, the caller gets a problem document
            if answer.begun:
                raise
            await visit.leave()
            await answer.refuse(visit.problem(TookTooLong() if limit.expired() else error))
        finally:
            await visit.at_end.aclose()
            await visit.leave()
            if visit.upload is not None:
                visit.upload.file.close()
            is_stream = visit.route is not None and visit.route.kind == "stream"
            seconds = ((is_stream and answer.begun_at) or time.perf_counter()) - begun
            answered(method, visit.route.path if visit.route else "", answer.status, seconds)
            journal.note(visit, method, answer.status, seconds)
        if visit.standing is not None:
            await note_use(self.deployment, visit.standing)  # the answer has gone out: nobody waits for this
            if self.deployment.strikes.waiting:
                await write_strikes(self.deployment)

    async def _pass(self, scope: MutableMapping[str, Any], receive: Any, visit: Visit, answer: Answer) -> None:
        if self.in_flight > MOST_IN_FLIGHT and scope["path"] not in WATCHED:
            raise Overloaded
        if found := site_of(scope["path"], self.sites):
            await self._visit_site(*found, scope, receive, answer, visit)
            return
        visit.headers = read_headers(scope["headers"])
        mention(visit.headers)
        origins = cors.headers_for(self.deployment.settings.cors_origins, visit.headers)
        answer.extra.update(origins)
        if origins and cors.is_preflight(scope["method"], visit.headers):
            await answer.agree(cors.ALLOWED)
            return
        allowed = await self._admit(scope, receive, visit, answer)
        if scope["method"] == "OPTIONS":
            await answer.agree({"Allow": allowed})
            return
        if scope["method"] == "HEAD":
            scope["method"], visit.is_head = "GET", True
        scope["duka"] = visit
        await self.app(scope, _replay(visit.body, receive), answer)

    async def _visit_site(
        self, site: Site, path: str, scope: MutableMapping[str, Any], receive: Any, answer: Answer, visit: Visit
    ) -> None:
        """Have a plugin's site answer. What it asks of the API comes back here, and is throttled and timed there."""
        check_address(scope.get("raw_path") or scope["path"].encode(), scope["query_string"])
        asked = asked_of(path, scope, receive, self._serve, self.deployment, self.languages)
        self._check_host(asked.headers)
        visit.headers = asked.headers
        visit.allow(SITE_S)
        given = await site.answer(asked)
        if isinstance(given, PassOn):
            answer.is_passing_on()
            await asked.pass_on(given, answer)
            return
        body, lines = packed_page(given.body, given.headers, asked.headers)
        headers = [*as_lines(lines), (b"content-length", str(len(body)).encode())]
        await answer({"type": "http.response.start", "status": given.status, "headers": headers})
        await answer({"type": "http.response.body", "body": body})

    async def _admit(self, scope: MutableMapping[str, Any], receive: Any, visit: Visit, answer: Answer) -> str:
        """Let a request in, or raise why not; returns the methods its path answers to."""
        path, method = scope["path"], scope["method"]
        visit.query_string = scope["query_string"]
        if visit.query_string:
            mention(dict(parse_qsl(visit.query_string.decode("latin-1"))))
        check_address(scope.get("raw_path") or path.encode(), visit.query_string)
        if path not in WATCHED:
            self._check_host(visit.headers)
        place = self._place(scope)
        anyone = is_open(place, path, method)
        visit.passes_suspension = path.startswith((f"{API}auth/", f"{API}operating/"))
        visit.passes_demand = (method, path) in ENROLMENT
        route = place.routes.get("GET" if method == "HEAD" else method) if place else None
        throttled = self.throttle.is_on and path not in WATCHED and not self._is_known(route, path)
        if throttled:
            answer.throttled = await self.throttle.address(visit.address)
        visit.claims = self._claims(visit.headers, needed=not anyone)
        if throttled and visit.claims is not None:
            answer.throttled = await self.throttle.principal(principal_of(visit.claims), answer.throttled)
        if route is not None and route.longest_s is not None:
            visit.allow(route.longest_s)
        try:
            await self._receive(receive, visit, method, route)
        except DukaError:
            if not anyone and self._plugin_of(path):  # what is off is not there, whatever is sent to it
                await visit.enter()
                self._check_plugin(path, visit)
            raise
        if anyone and not (visit.claims and path == DOCUMENT):
            visit.claims = None
        else:
            await visit.enter()
            if route is not None and self._is_above(route):
                await _go_above(visit)
            self._check_plugin(path, visit)
        if place is None:
            raise NotFound
        if method not in place.routes and not (method == "OPTIONS" or (method == "HEAD" and "GET" in place.routes)):
            raise MethodNotAllowed(headers={"Allow": place.allow})
        return place.allow

    def _place(self, scope: MutableMapping[str, Any]) -> Place | None:
        """What stands at a path. Raises NotFound for a stream whose answer is waited for until it is whole."""
        found = self.paths.find(scope["path"])
        if found is not None and found.is_stream and WHOLE in scope:
            raise NotFound
        return found

    async def _receive(self, receive: Any, visit: Visit, method: str, route: Route | None) -> None:
        if route is not None and route.takes is not None:
            await self._receive_file(receive, visit, route.takes)
        elif route is not None and route.raw is not None:
            visit.raw = await receive_raw(receive, method, visit.headers, visit.query_string, visit.address, route.raw)
        elif method in ("POST", "PUT", "PATCH", "DELETE"):
            visit.body = await read_body(receive, visit.headers)
            visit.parsed = parse(visit.body) if visit.body else None
            mention(visit.parsed)

    async def _receive_file(self, receive: Any, visit: Visit, takes: Takes) -> None:
        """Receive a file; the time to answer runs from when it is here. What stands for it in the trail is its hash."""
        visit.allow(takes.slowest_s + takes.longest_s)
        visit.upload = await receive_upload(receive, visit.headers, takes)
        visit.allow(takes.longest_s)
        visit.parsed = {"sha256": visit.upload.digest, "media_type": visit.upload.media_type}

    def _is_known(self, route: Route | None, path: str) -> bool:
        """Whether a path is of our own making: whoever comes by it has it from us."""
        if route is None or route.raw is None:
            return False
        return route.raw.knows(self.deployment, values_of(route.path, path))

    def _check_host(self, headers: Mapping[str, str]) -> None:
        allowed = self.deployment.settings.allowed_hosts
        if "*" in allowed:
            return
        said = headers.get("host", "").lower()
        name, colon, port = said.rpartition(":")
        if not (said in allowed or (colon and port.isascii() and port.isdigit() and name in allowed)):
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

    def _is_above(self, route: Route) -> bool:
        """Whether a route is done for no business, whatever business its operator is at work in."""
        is_plugins = route.plugin in self.deployment.found.plugins
        return route.permission == OPERATOR and (is_plugins or (route.plugin, route.kind) == ("operating", "command"))

    def _check_plugin(self, path: str, visit: Visit) -> None:
        if "//" in path:  # routing would read it as one stroke, and find what is looked for here in vain
            raise NotFound
        name, standing = self._plugin_of(path), visit.standing
        if name and standing and name not in standing.enabled:
            raise NotFound

    def _plugin_of(self, path: str) -> str | None:
        """The plugin whose path it is, whether there is such a path or not."""
        name = path[len(API) :].partition("/")[0] if path.startswith(API) else ""
        return name if name in self.deployment.found.plugins else None


async def _go_above(visit: Visit) -> None:
    """Have an operator leave the business they are at work in: what operators change is done for none."""
    claims, standing = visit.claims, visit.standing
    if isinstance(claims, Claims) and claims.business_id and standing is not None and standing.actor.is_operator:
        await visit.leave()
        visit.claims = msgspec.structs.replace(claims, business_id=None)
        await visit.enter()


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
