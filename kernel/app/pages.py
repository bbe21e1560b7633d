"""What a browser sees of the kernel: the API's documentation, its OpenAPI document, and static files."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from msgspec import structs

from kernel.auth.rights.permissions import Rights
from kernel.custom import Field, all_fields, offered_filters, side_fields
from kernel.errors import NotFound
from kernel.registry import Registry, functions_of
from kernel.web import OPERATOR, PUBLIC, Route, Site, Visit, digest_of_scripts
from kernel.web.openapi import Beside, document, etag
from kernel.web.own_fields import Own
from kernel.web.packing import packed_file
from kernel.wire import EXTENDS, marked
from kernel.work import Origin, Work
from kernel.work.fields import permissions_in

KINDS = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "webp": "image/webp",
    "woff2": "font/woff2",
}
PACKED = frozenset(KINDS[one] for one in ("html", "css", "js", "svg"))
"""What is text; the others are compressed as they are."""
FOR_GOOD = "public, max-age=31536000, immutable"
A_WHILE = "public, max-age=3600"
MOST_DOCUMENTS = 64
"""Kept in the process, those asked for last."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def digest_of(content: bytes) -> str:
    """What stands behind `?v=` in the address of a static file."""
    return hashlib.sha256(content).hexdigest()[:12]


class Pages:
    """The handlers that are not operations of the API."""

    def __init__(self, registry: Registry, rights: Rights, routes: Sequence[Route]) -> None:
        self.registry, self.rights, self.routes = registry, rights, routes
        sites = [one.name for one in registry.in_order() if functions_of(one.site, Site)]
        self._front = f"/{sites[0]}" if sites else "/docs"
        self._documents: dict[tuple[frozenset[str] | None, frozenset[str], tuple[Field, ...]], bytes] = {}
        self._subjects = {
            subject
            for one in routes
            for field in (structs.fields(one.query) if one.query else ())
            if (subject := marked(field.type, EXTENDS))
        }
        kept = [one.needs for fields in self._beside(registry.plugins).values() for one in fields]
        self._guarded: frozenset[str] = frozenset(filter(None, kept)).union(
            *(permissions_in(kind) for one in routes for kind in (one.body, one.answer))
        )

    def handlers(self) -> list[HTTPRouteHandler]:
        """Litestar's handlers for them."""

        @get("/", include_in_schema=False)
        async def index() -> Response[None]:
            return Response(None, status_code=307, headers={"Location": self._front})

        @get("/docs", include_in_schema=False)
        async def docs(request: Request[Any, Any, Any]) -> Response[bytes]:
            return self._static("kernel", "docs.html", _visit_of(request))

        @get("/static/{owner:str}/{path:path}", include_in_schema=False)
        async def static(request: Request[Any, Any, Any]) -> Response[bytes]:
            owner, path = str(request.path_params["owner"]), str(request.path_params["path"]).lstrip("/")
            return self._static(owner, path, _visit_of(request), said=request.query_params.get("v"))

        @get("/api/v1/openapi.json", include_in_schema=False)
        async def openapi(request: Request[Any, Any, Any]) -> Response[bytes]:
            visit = _visit_of(request)
            return self._openapi(visit, await _own_fields(visit))

        return [index, docs, static, openapi]

    def _openapi(self, visit: Visit, own: Own) -> Response[bytes]:
        standing = visit.standing
        enabled = standing.enabled if standing else None
        sees = frozenset(one for one in self._guarded if standing is not None and standing.actor.may(one))
        key = (enabled, sees, tuple(field for fields in own.values() for field in fields))
        content = self._documents.pop(key, None) or self._written(enabled, sees, own)
        self._documents[key] = content
        if len(self._documents) > MOST_DOCUMENTS:
            del self._documents[next(iter(self._documents))]
        tag = etag(content)
        headers = {"ETag": tag, "Vary": "Authorization", "Cache-Control": "private, no-cache"}
        if visit.headers.get("if-none-match") == tag:
            return Response(b"", status_code=304, headers=headers)
        return Response(content, headers=headers, media_type="application/json")

    def _static(self, owner: str, path: str, visit: Visit, said: str | None = None) -> Response[bytes]:
        """A file of the folder `static` of the kernel or of a plugin. Raises NotFound for anything else, `..` included.

        said: the digest by which whoever wrote its address knew it; a file that is still the same may be kept for good.
        The first part of a path may be `~` and the digest of all scripts of the folder.
        """
        parts = path.split("/")
        together = parts.pop(0)[1:] if parts[0].startswith("~") and len(parts) > 1 else ""
        kind = KINDS.get(path.rpartition(".")[2])
        if kind is None or any(part in ("", ".", "..") or "\\" in part or "\x00" in part for part in parts):
            raise NotFound
        plugin = self.registry.plugins.get(owner)
        if plugin is None and owner != "kernel":
            raise NotFound
        folder = plugin.folder if plugin is not None else Path(str(files("kernel.web")))
        file = folder.joinpath("static", *parts)
        if not file.is_file():
            raise NotFound
        content = file.read_bytes()
        is_same = said == digest_of(content) or (together and together == digest_of_scripts(folder / "static"))
        lasts = FOR_GOOD if is_same else A_WHILE
        headers = {"Cache-Control": lasts}
        if kind == KINDS["html"]:  # the others say what every answer says: opened by themselves they may do nothing
            headers["Content-Security-Policy"] = POLICY
        if kind in PACKED:
            content, more = packed_file(content, visit.headers)
            headers |= more
        return Response(content, headers=headers, media_type=kind)

    def _written(self, enabled: frozenset[str] | None, sees: frozenset[str], own: Own) -> bytes:
        plugins = self.registry.plugins.keys()
        if enabled is None:
            shown = [route for route in self.routes if route.permission == PUBLIC and not route.is_page]
        else:
            above = () if enabled else (OPERATOR,)
            shown = [
                route
                for route in self.routes
                if not route.is_page
                and (route.plugin not in plugins or route.plugin in enabled or route.permission in above)
            ]
        words = {one.name: one.words for one in self.rights.declared(enabled or ())}
        beside = self._beside(enabled or ())
        return msgspec.json.encode(document(shown, "Duka", words, sees.__contains__, own, beside))

    def _beside(self, on: Collection[str]) -> Beside:
        hooks = self.registry.hooks_for(on)
        return {
            one: [*side_fields(self.registry, one, on).values(), *offered_filters(hooks, one).values()]
            for one in sorted(self._subjects)
        }


def _visit_of(request: Request[Any, Any, Any]) -> Visit:
    visit: Visit = request.scope["duka"]  # type: ignore[typeddict-item]
    return visit


async def _own_fields(visit: Visit) -> Own:
    """The fields of the business's own; none where no business has been chosen."""
    if visit.standing is None or visit.standing.shop is None or visit.transaction is None:
        return {}
    origin = Origin("openapi", visit.request_id, visit.address)
    return await all_fields(Work(visit.deployment, visit.transaction, visit.standing, origin))
