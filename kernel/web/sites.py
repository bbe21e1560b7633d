"""Sites: what a plugin serves to browsers below `/<plugin>`, by the API and nothing else.

A plugin has a site by a module `site` that holds one `Site`. The gate gives it the request as it came; whatever the
site wants to know or do it asks of the API in the name of whoever is signed in, past the same gate as anybody else.
So a page can show and do what the API allows its reader, and no more.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from kernel.auth.secrets.tokens import Claims, read_access_token
from kernel.errors import RequestTimeout, Unauthenticated
from kernel.hooks import Answer
from kernel.web.body import SLOWEST_S, Receive, chunks
from kernel.web.headers import as_lines, read_headers
from kernel.web.languages import Languages
from kernel.web.packing import packing
from kernel.work import Deployment

R = TypeVar("R")
ASGI = Callable[[Any, Any, Any], Awaitable[None]]
WHOLE: Final = "duka.whole"
"""In the scope of a request whose answer is waited for until it is whole: there is no stream at its path."""


def digest_of_scripts(folder: Path) -> str:
    """The digest of all scripts below a folder, which changes as any of them does.

    `/static/<plugin>/~<digest>/…` is the address of scripts that import each other: all of one version, kept for good.
    """
    found = hashlib.sha256()
    for file in sorted(folder.rglob("*.js")):
        found.update(file.relative_to(folder).as_posix().encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()[:12]


@dataclass(frozen=True)
class ApiAnswer:
    """What the API answered. headers: by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Given:
    """What a site answers. headers: several may bear one name."""

    status: int
    body: bytes = b""
    headers: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class PassOn:
    """The request goes on to a path of the API as it is, and its answer comes back as it comes.

    headers: put in place of the browser's own. extra: of the answer, besides the API's.
    """

    path: str
    headers: Mapping[str, str]
    extra: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Site:
    """What answers a plugin's browsers. Whoever asks is a stranger, until the site finds out by the API."""

    answer: Callable[[Asked], Awaitable[Given | PassOn]]


@dataclass
class Asked:
    """One request of a browser. path: below the site, from its first stroke on."""

    method: str
    path: str
    query: bytes
    headers: Mapping[str, str]
    deployment: Deployment
    languages: Languages
    is_secure: bool
    _serve: ASGI
    _scope: MutableMapping[str, Any]
    _receive: Receive
    _read: list[bytes] = field(default_factory=list)

    def offers(self, hook: Callable[[], R | None], enabled: Iterable[str]) -> list[Answer[R]]:
        """What a set of plugins contributes to an offer of the site's; collected once for each set."""
        return self.deployment.registry.hooks_for(enabled).offers(hook)

    def folders(self) -> dict[str, Path]:
        """Where the files of each plugin are, by its name."""
        return {one.name: one.folder for one in self.deployment.registry.in_order()}

    def sign_in_of(self, token: str) -> uuid.UUID | None:
        """The sign-in of an access token of ours that is alive by its own word; None for any other."""
        claims = self._claims(token)
        return claims.sign_in_id if claims else None

    def business_of(self, token: str) -> uuid.UUID | None:
        """The business an access token is at work in, as `sign_in_of`; None also for one at work in none."""
        claims = self._claims(token)
        return claims.business_id if claims else None

    def _claims(self, token: str) -> Claims | None:
        try:
            return read_access_token(token, self.deployment.secret, self.deployment.clock())
        except Unauthenticated:
            return None

    async def body(self, most: int) -> bytes:
        """The whole body, up to so many bytes. Raises PayloadTooLarge, RequestTimeout."""
        if not self._read:
            try:
                async with asyncio.timeout(SLOWEST_S):
                    self._read.append(b"".join([chunk async for chunk in chunks(self._receive, most, "A form")]))
            except TimeoutError as late:
                raise RequestTimeout from late
        return self._read[0]

    async def api(
        self, method: str, path: str, headers: Mapping[str, str], *, query: bytes = b"", body: bytes = b""
    ) -> ApiAnswer:
        """Ask the API, from the address of the browser. path: whole, from `/api/v1/`; streams are not found so."""
        said: list[MutableMapping[str, Any]] = []

        async def keep(message: MutableMapping[str, Any]) -> None:
            said.append(message)

        scope = _scope(self._scope, method, path, query, headers) | {WHOLE: True}
        await self._serve(scope, _once(body), keep)
        first = said[0]
        told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in first["headers"]}
        return ApiAnswer(first["status"], told, b"".join(one.get("body", b"") for one in said[1:]))

    async def pass_on(self, to: PassOn, send: Any) -> None:
        """Have the API answer the browser itself."""
        extra = as_lines(to.extra)

        async def sending(message: MutableMapping[str, Any]) -> None:
            if extra and message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        scope = _scope(self._scope, self.method, to.path, self.query, to.headers)
        packs = self.method == "GET"
        await self._serve(scope, self._receive, packing(sending, self.headers) if packs else sending)


def site_of(path: str, sites: Mapping[str, Site]) -> tuple[Site, str] | None:
    """The site that a path belongs to, and the path below it."""
    name, slash, rest = path[1:].partition("/")
    site = sites.get(name)
    return (site, f"{slash}{rest}" or "/") if site is not None else None


def asked_of(
    site_path: str,
    scope: MutableMapping[str, Any],
    receive: Receive,
    serve: ASGI,
    deployment: Deployment,
    languages: Languages,
) -> Asked:
    """A browser's request as its site is given it. Raises what reading its headers raises."""
    return Asked(
        *(scope["method"], site_path, scope["query_string"], read_headers(scope["headers"]), deployment, languages),
        *(scope.get("scheme") == "https", serve, scope, receive),
    )


def _scope(
    outer: Mapping[str, Any], method: str, path: str, query: bytes, headers: Mapping[str, str]
) -> dict[str, Any]:
    """The scope of a request to the API on behalf of one to a site."""
    inner = {key: outer[key] for key in ("type", "http_version", "scheme", "server", "client", "asgi") if key in outer}
    lines = as_lines(headers.items())
    host = [line for line in outer["headers"] if line[0].lower() == b"host"]
    return inner | {
        **{"method": method, "path": path, "raw_path": path.encode(), "query_string": query},
        **{"headers": [*host, *lines], "root_path": "", "extensions": {}, "state": {}},
    }


def _once(body: bytes) -> Receive:
    """A body that comes in one piece; after it nothing, until whoever asks is gone."""
    told = False

    async def receive() -> Mapping[str, Any]:
        nonlocal told
        if told:
            await asyncio.Event().wait()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
