"""The OpenAPI document of a business: exactly the operations enabled for it, written from the routes' annotations."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

import msgspec

from kernel import VERSION, errors
from kernel.custom import OfferedFilter, SideField
from kernel.web.asking import HEADER
from kernel.web.own_fields import Own, with_own_fields
from kernel.web.routes import IN_PERSON, OPERATOR, PUBLIC, SIGNED_IN, TILL, Route
from kernel.web.shaping import field_names
from kernel.web.streams import LONGEST_ID
from kernel.wire import EXTENDS, SPREADSHEET, Download, RawAnswer, marked
from kernel.work import ApprovalRequired
from kernel.work.fields import hide, visible

Beside = Mapping[str, Sequence[SideField | OfferedFilter]]
"""Subject → the fields of plugins' side tables, and the filters that plugins bring, by which lists are filtered."""
_EVERY = (
    *(errors.MalformedJson, errors.Invalid, errors.Unavailable, errors.RateLimited),
    *(errors.UriTooLong, errors.HeadersTooLarge),
)
_MOMENT = "2026-11-21T09:14:03Z"


def document(
    routes: Iterable[Route],
    title: str,
    words: dict[str, str],
    may: Callable[[str], bool] = lambda _: True,
    own: Own | None = None,
    beside: Beside | None = None,
) -> dict[str, Any]:
    """The document of some routes. words: permission → what it lets a person do; may: what its reader holds.

    own: the fields of the business's own. beside: subject → what plugins keep on its side, by which lists are filtered.
    """
    routes = list(routes)
    kinds = [kind for route in routes for kind in (route.body, route.answer) if kind not in (None, Download, RawAnswer)]
    told = [_apart(kind, kinds) for kind in kinds]
    schemas, components = msgspec.json.schema_components(told, ref_template="#/components/schemas/{name}")
    by_kind = {id(kind): schema for kind, schema in zip(kinds, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, by_kind, words, may, beside or {})
    components["Problem"] = _PROBLEM
    said = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": VERSION, "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": {name: visible(_portable(schema), may) for name, schema in sorted(components.items())},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
        "tags": [{"name": name} for name in sorted({route.plugin for route in routes})],
    }
    found: dict[str, Any] = with_own_fields(said, own or {})
    return found


def _apart(kind: Any, kinds: Iterable[Any]) -> Any:
    """The kind; a Page of things that another plugin's Page of things is called like, as a Struct of a name of its own.

    msgspec names components after classes, and cannot tell `Page[NoteOut]` of two modules apart.
    """
    if not _alike(kind) or all(other == kind or _alike(other) != _alike(kind) for other in kinds):
        return kind
    fields = [(one.name, one.type, msgspec.field(default=one.default)) for one in msgspec.structs.fields(kind)]
    of = "_".join(f"{one.__module__}_{one.__name__}".replace(".", "_") for one in get_args(kind))
    return msgspec.defstruct(f"{get_origin(kind).__name__}_{of}", fields, frozen=True)


def _alike(kind: Any) -> tuple[str, ...]:
    """What a generic Struct is called after, without modules; nothing for other types."""
    origin = get_origin(kind)
    if not (isinstance(origin, type) and issubclass(origin, msgspec.Struct)):
        return ()
    return (origin.__name__, *(getattr(one, "__name__", repr(one)) for one in get_args(kind)))


def etag(content: bytes) -> str:
    """The ETag of a document."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def example(kind: Any) -> Any:
    """A believable value of a type, from the examples and defaults its annotations carry."""
    metas = getattr(kind, "__metadata__", ())
    for meta in reversed(metas):
        if isinstance(meta, msgspec.Meta) and meta.examples:
            return meta.examples[0]
    if metas:
        return example(kind.__origin__)
    origin, arguments = get_origin(kind), get_args(kind)
    if _is_struct(kind) or _is_struct(origin):
        return {one.encode_name: example(one.type) for one in msgspec.structs.fields(kind)}
    if arguments:
        return _example_of(origin, arguments)
    return _PLAIN.get(kind, "text")


def _example_for(kind: Any, may: Callable[[str], bool]) -> Any:
    said = example(kind)
    hide(said, kind, may)
    return said


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _example_of(origin: Any, arguments: tuple[Any, ...]) -> Any:
    """An example of a generic type: of its only or likeliest part."""
    if origin in (list, tuple, frozenset, set, Sequence):
        return [example(arguments[0])]
    if origin in (dict, Mapping):
        return {}
    if origin is Literal:
        return arguments[0]
    return example(next((a for a in arguments if a not in (type(None), msgspec.UnsetType)), str))


_PLAIN: dict[Any, Any] = {
    str: "text",
    int: 1,
    bool: True,
    float: 1.0,
    uuid.UUID: "01935f4e-6d2c-7a51-8f0e-3b1f5a0c9d11",
    dt.datetime: _MOMENT,
    dt.date: "2026-11-21",
    dt.time: "09:00:00",
    type(None): None,
    msgspec.Raw: {},
    Any: None,
}


def _operation(
    route: Route, schemas: dict[int, Any], words: dict[str, str], may: Callable[[str], bool], beside: Beside
) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": route.operation,
        "summary": route.summary,
        "tags": [route.plugin],
        "description": _description(route, words),
        "parameters": [*_path_parameters(route), *_query_parameters(route, may, beside), *_header_parameters(route)],
        "responses": _responses(route, schemas, may),
        "x-permission": route.permission,
    }
    if route.permission == PUBLIC:
        said["security"] = []
    else:
        said["security"] = [{"bearer": []}]
    if route.body is not None:
        content = {"schema": _portable(schemas[id(route.body)]), "example": _example_for(route.body, may)}
        said["requestBody"] = {"required": True, "content": {"application/json": content}}
    if route.takes is not None:
        content = {
            "schema": {"type": "string", "format": "binary", "maxLength": route.takes.most_bytes},
            "example": "…",
        }
        said["requestBody"] = {"required": True, "content": dict.fromkeys(route.takes.media_types, content)}
    if route.raw is not None and route.method != "GET":
        said["requestBody"] = {"required": False, "content": _anything(route.raw.most_bytes)}
    return said


def _anything(most: int | None = None) -> dict[str, Any]:
    """Any bytes of any media type, up to so many."""
    return {"*/*": {"schema": {"type": "string", "format": "binary"} | ({"maxLength": most} if most else {})}}


def _description(route: Route, words: dict[str, str]) -> str:
    named = {
        PUBLIC: "Open to anyone.",
        SIGNED_IN: "For anyone signed in.",
        IN_PERSON: "For anyone signed in with their password; not by an API key, nor by PIN at a till.",
        TILL: "For a registered till, with its device token.",
        OPERATOR: "For operators of the deployment.",
    }
    what = words.get(route.permission, "")
    needs = named.get(route.permission) or f"Needs `{route.permission}`" + (f" ({what})." if what else ".")
    needs += "".join(f" `{action}`: {named[one.permission]}" for action, one in route.instead.items())
    return f"{route.description}\n\n{needs}".strip()


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _schema(kind), "example": example(kind)}
        for name, kind in route.parameters.items()
    ]


def _query_parameters(route: Route, may: Callable[[str], bool], beside: Beside) -> list[dict[str, Any]]:
    found = []
    for one in msgspec.structs.fields(route.query) if route.query else ():
        if subject := marked(one.type, EXTENDS):
            found += [said for kept in beside.get(subject, ()) for said in _kept_beside(one.encode_name, kept, may)]
            continue
        schema = _schema(one.type)
        if not one.required and one.default is not msgspec.NODEFAULT and one.default is not None:
            schema |= {"default": msgspec.to_builtins(one.default)}
        found.append({"name": one.encode_name, "in": "query", "required": one.required, "schema": schema})
    if route.takes_shape:
        found.append(_names("fields", "Only these fields of what is answered.", field_names(route.answer)))
    if route.includes:
        about = "Also what the answer points at, once each, under `included`, by name and id."
        about += "".join(f" `{one.name}` needs `{one.permission}`." for one in route.includes)
        found.append(_names("include", about, tuple(one.name for one in route.includes)))
    return found


def _kept_beside(name: str, kept: SideField | OfferedFilter, may: Callable[[str], bool]) -> Iterator[dict[str, Any]]:
    """The filters by what a plugin keeps on the side of what is listed."""
    if kept.needs and not may(kept.needs):
        return
    for side in ("", ".from", ".to") if kept.is_ranged else ("",):
        named = {"name": f"{name}.{kept.plugin}.{kept.name}{side}", "in": "query", "required": False}
        yield named | {"schema": _not_null(_schema(kept.kind)), "description": kept.about}


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without null, which no query string says."""
    kinds = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    rest = {name: said for name, said in schema.items() if name != "anyOf"}
    return rest | (kinds[0] if len(kinds) == 1 else {"anyOf": kinds}) if kinds else schema


def _names(name: str, about: str, known: tuple[str, ...]) -> dict[str, Any]:
    """A parameter that holds some of a few names, separated by commas."""
    items = {"type": "string", "enum": list(known)}
    schema = {"type": "array", "items": items, "minItems": 1, "uniqueItems": True}
    said = {"name": name, "in": "query", "required": False, "style": "form", "explode": False}
    return {**said, "schema": schema, "description": about}


def _header_parameters(route: Route) -> list[dict[str, Any]]:
    found = []
    if route.takes_key:
        schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
        about = "Send the same key to try again safely; kept for 8 days."
        found.append(
            {"name": "Idempotency-Key", "in": "header", "required": route.moves, "schema": schema, "description": about}
        )
    if ApprovalRequired in route.errors:
        about = "Ids of approvals, with commas between; or `ask`, to do or ask for what is refused unless one means it."
        found.append(
            {"name": HEADER, "in": "header", "required": False, "schema": {"type": "string"}, "description": about}
        )
    if route.kind == "stream":
        about = "The id of the last event that was heard; what it told is not told again."
        last = {"type": "string", "maxLength": LONGEST_ID}
        found.append({"name": "Last-Event-ID", "in": "header", "required": False, "schema": last, "description": about})
    accept = {"type": "string", "examples": ["sw-KE, en;q=0.8"]}
    about = "The language of problem documents: en, hi or sw."
    found.append({"name": "Accept-Language", "in": "header", "required": False, "schema": accept, "description": about})
    if route.conditional:
        about = "The ETag you read."
        found.append(
            {"name": "If-Match", "in": "header", "required": True, "schema": {"type": "string"}, "description": about}
        )
    return found


def _responses(route: Route, schemas: dict[int, Any], may: Callable[[str], bool]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": route.summary or "Done"}
    if route.answer is Download:
        good["content"] = _FILES
    elif route.answer is RawAnswer:
        good["content"] = _anything()
    elif route.kind == "stream":
        good["content"] = {"text/event-stream": _events(schemas[id(route.answer)], _example_for(route.answer, may))}
    elif route.answer is not None:
        content = {"schema": _portable(schemas[id(route.answer)]), "example": _example_for(route.answer, may)}
        good["content"] = {"application/json": content}
    answers: dict[str, Any] = {str(route.status): good}
    if route.kind == "stream":
        answers["204"] = {"description": "The last event was heard: nothing more will come"}
    if route.may_wait:
        answers["202"] = good | {"description": "It waits for something outside"}
    for error in _errors_of(route):
        said = answers.setdefault(str(error.status), {"description": "", "content": _PROBLEM_CONTENT})
        line = f"`{error.code}`: {error.title}"
        if "content" in said and line not in said["description"]:
            said["description"] = "; ".join(filter(None, (said["description"], line)))
    return answers


def _events(schema: Any, told: Any) -> dict[str, Any]:
    """A stream of events whose data are JSON."""
    said = msgspec.json.encode(told).decode()
    about = "Server-sent events: `id`, `event` and `data`, one line of JSON. `problem`: why the stream ends."
    events = {"contentMediaType": "text/event-stream", "description": about}  # no type: readers take it event by event
    return {"schema": events, "example": f"id: 4f1c\nevent: changed\ndata: {said}\n\n", "x-data": _portable(schema)}


def _errors_of(route: Route) -> list[type[errors.DukaError]]:
    found: list[type[errors.DukaError]] = [*route.errors, *_EVERY]
    found += [
        error for other in {one.operation: one for one in route.instead.values()}.values() for error in other.errors
    ]
    found += [errors.PluginDraining] if route.begins else []
    found += [errors.TooManyStreams] if route.kind == "stream" else []
    if route.permission != PUBLIC:
        found += [errors.Unauthenticated, errors.Forbidden, errors.NotFound]
    if route.parameters:
        found.append(errors.NotFound)
    if route.body is not None or route.takes is not None or route.raw is not None:
        found += [errors.PayloadTooLarge, errors.UnsupportedMediaType]
    if route.takes_key:
        found += [errors.IdempotencyKeyInvalid, errors.IdempotencyKeyReused, errors.IdempotencyInProgress]
    if route.moves:
        found.append(errors.IdempotencyKeyRequired)
    if route.conditional:
        found += [errors.PreconditionRequired, errors.PreconditionFailed]
    if route.query is not None:
        found.append(errors.InvalidCursor)
    return found


def _schema(kind: Any) -> dict[str, Any]:
    portable: dict[str, Any] = _portable(msgspec.json.schema(kind))
    return portable


def _portable(schema: Any) -> Any:
    """Python's anchors in patterns as those that every reader of JSON Schema knows."""
    if isinstance(schema, dict):
        return {
            name: _anchored(v) if name == "pattern" and isinstance(v, str) else _portable(v)
            for name, v in schema.items()
        }
    if isinstance(schema, list):
        return [_portable(part) for part in schema]
    return schema


def _anchored(pattern: str) -> str:
    return re.sub(r"\\A", "^", re.sub(r"\\Z", "$", pattern))


_FILE = {"schema": {"type": "string", "format": "binary"}, "example": "…"}
_PICTURES = ("image/png", "image/svg+xml", "image/webp")
_KINDS = ("text/csv", "application/x-ndjson", "application/zip", *_PICTURES, SPREADSHEET)
_FILES = dict.fromkeys(_KINDS, _FILE) | {"application/json": {"schema": {"type": "object"}, "example": {}}}
"""What a route that answers a file may send."""
_ABOUT = (
    "Amounts, prices and quantities are decimal strings. Times are RFC 3339 in UTC, dates ISO 8601, ids UUIDs. "
    "Every error is a problem document (RFC 9457). This document holds exactly what is switched on for your business."
)
_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "approval": {"type": "string", "description": "The request that waits for a second person."},
        "action": {"type": "string", "description": "The limit or permission that asks for one."},
        "errors": {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "string"}}},
    },
}
_PROBLEM_CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
