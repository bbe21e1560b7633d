"""What travels: parents of requests and lists, and the texts that people write, with their limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Annotated, Any, Generic, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta

from kernel.errors import Invalid

__all__ = [
    "SPREADSHEET",
    "Code",
    "Currency",
    "Download",
    "Email",
    "Ext",
    "Level",
    "Line",
    "ListQuery",
    "Name",
    "Page",
    "RawAnswer",
    "RawRequest",
    "Region",
    "Reply",
    "Request",
    "Search",
    "Slug",
    "StreamEvent",
    "Text",
    "Upload",
    "custom",
    "extends",
    "like",
    "needs",
    "secret",
    "set_at",
]

T = TypeVar("T")

_LINE = r"\A[^\x00-\x1f\x7f]*\Z"
_TEXT = r"\A[^\x00-\x08\x0b-\x1f\x7f]*\Z"

Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        pattern=r"\A[^\x00-\x1f\x7f\s]([^\x00-\x1f\x7f]*[^\x00-\x1f\x7f\s])?\Z",
        examples=["Rice 2kg"],
    ),
]
"""One line, not blank, no space at its ends."""
Code = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=r"\A[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?\Z", examples=["RICE-2KG"])
]
"""A short code in printable ASCII."""
Line = Annotated[str, Meta(max_length=200, pattern=_LINE, examples=["bruised"])]
"""One line, may be empty."""
Text = Annotated[str, Meta(max_length=2000, pattern=_TEXT, examples=[""])]
"""A note; may run over several lines."""
Email = Annotated[
    str,
    Meta(
        max_length=254,
        pattern=r"\A[^\s@\x00-\x1f\x7f]{1,64}@[^\s@\x00-\x1f\x7f]+\.[^\s@\x00-\x1f\x7f.]+\Z",
        examples=["owner@mamanjeri.example"],
    ),
]
Slug = Annotated[str, Meta(max_length=40, pattern=r"\A[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?\Z", examples=["mama-njeri"])]
Region = Annotated[str, Meta(pattern=r"\A[A-Z]{2}\Z", description="ISO 3166-1 alpha-2.", examples=["KE"])]
Currency = Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z", description="ISO 4217.", examples=["KES"])]
Search = Annotated[str, Meta(max_length=100, pattern=_LINE, description="Words or parts of words.", examples=["rice"])]

SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
"""The media type of XLSX."""

NEEDS = "needs"
"""The key in a Meta's `extra` under which `needs` puts the permission."""


def needs(permission: str) -> Meta:
    """Mark a field that only those who hold a permission may see or set: `Annotated[UnitPrice | None, needs("…")]`.

    The kernel leaves it out of their answers and of their OpenAPI document, and refuses (403) a request that sets it.
    """
    return Meta(extra={NEEDS: permission}, extra_json_schema={f"x-{NEEDS}": permission})


SECRET = "secret"  # noqa: S105 - a name
"""The key in a Meta's `extra` under which `secret` marks a setting."""


def secret() -> Meta:
    """Mark a setting that is sealed where it is stored and never answered: `Annotated[str, secret()]`."""
    return Meta(extra={SECRET: True}, extra_json_schema={"writeOnly": True, "format": "password"})


SET_AT = "set_at"
"""The key in a Meta's `extra` under which `set_at` puts the levels."""
Level = Literal["deployment", "business", "location"]
"""Where a setting may be set: by operators for all businesses, by a business, for one of its locations."""


def set_at(*levels: Level) -> Meta:
    """Mark where a setting may be set: `Annotated[bool, set_at("business", "location")]`; without it, by a business.

    The nearest level that sets it counts: the location's before the business's before the deployment's before the
    default. Raises ValueError for none, and for what is no level.
    """
    if not levels or not set(levels) <= set(get_args(Level)):
        raise ValueError(f"a setting is set at {', '.join(get_args(Level))}, not at {', '.join(levels) or 'none'}")
    return Meta(extra={SET_AT: frozenset(levels)})


EXTENDS, LIKE, CUSTOM = "extends", "like", "custom"
"""The keys in a Meta's `extra` of `extends`, `like` and `custom`."""


def extends(subject: str) -> Meta:
    """Mark an answer's `ext` with what plugins extend: `ext: Annotated[dict[str, Any], extends("catalog.product")]`.

    What their Structs for it mark with `needs` is left out as everywhere, and so is the part of a plugin that is not
    there to say what it marks.
    """
    return Meta(extra={EXTENDS: subject})


def custom(entity: str) -> Meta:
    """Mark the values of a business's own fields: `custom: Annotated[dict[str, Any], custom("catalog.product")] = {}`.

    In a request and an answer the field is field → value; in a list's query it is what `?custom.<field>=` filters by.
    The OpenAPI document of a business shows its own fields there.
    """
    return Meta(extra={CUSTOM: entity}, extra_json_schema={f"x-{CUSTOM}": entity})


def marked(kind: Any, key: str) -> Any:
    """What a Meta of a type says in its `extra` under a key; None where it says nothing."""
    for meta in getattr(kind, "__metadata__", ()):
        if isinstance(meta, Meta) and meta.extra and key in meta.extra:
            return meta.extra[key]
    return None


def like(kind: type[msgspec.Struct]) -> Meta:
    """Mark a field of plain JSON values that has the shape of a Struct: what that marks is left out of it."""
    return Meta(extra={LIKE: kind})


Ext = dict[str, msgspec.Raw]
"""Plugin → what it adds to this thing; read by that plugin's own Struct."""


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The parent of every request body: unknown fields are refused."""


class ListQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The parent of every list's query string."""

    limit: Annotated[int, Meta(ge=1, le=200, description="Rows a page.")] = 50
    cursor: Annotated[str, Meta(max_length=2000, description="`next_cursor` of the page before.")] | None = None
    include_total: Annotated[bool, Meta(description="Also count all rows.")] = False


class Page(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list."""

    items: list[T]
    next_cursor: str | None = None
    total: int | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True)
class Reply(Generic[T]):
    """An answer with more than a body: its status, the version as ETag, where the new thing lives.

    living: it tells of more than the row whose version it bears; its ETag then speaks of its content as well.
    """

    value: T
    status: int | None = None
    version: int | None = None
    location: str | None = None
    living: bool = False


@dataclass(frozen=True)
class StreamEvent(Generic[T]):
    """What a stream tells: an event's name and what it says. is_last: nothing more will come."""

    name: str
    data: T
    is_last: bool = False


@dataclass(frozen=True)
class Upload:
    """A body that is a file, received whole. file: at its beginning; closed when the request ends. digest: SHA-256."""

    file: IO[bytes]
    media_type: str
    size: int
    digest: str


@dataclass(frozen=True)
class Download:
    """An answer that is a file, sent as an attachment. file: open, at its beginning; closed when it is sent.

    headers: more of them, such as how long it may be kept.
    """

    file: IO[bytes]
    media_type: str
    name: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RawRequest:
    """A request as it came, nothing of it parsed. headers: by lower-case name; query: of each name the first value."""

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    address: str | None


@dataclass(frozen=True)
class RawAnswer:
    """An answer in somebody else's words: status, body and media type as they are sent. headers: more of them."""

    status: int = 200
    body: bytes = b""
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


_PLACE = re.compile(r" - at `(key in )?\$?(.*)`\Z")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_FIELD = re.compile(r"(?:unknown|required) field `(.*)`")


def invalid(said: str, base: str = "") -> Invalid:
    """What msgspec says of a value that is not of its type, as a fault at its place. base: where the value stands."""
    found = _PLACE.search(said)
    words = said[: found.start()] if found else said
    pointer = base
    if found:
        for name, index in _STEP.findall(found[2]):
            pointer += "/" + (name or index).replace("~", "~0").replace("/", "~1")
    if named := _FIELD.search(words):
        pointer += "/" + named[1][:60].replace("~", "~0").replace("/", "~1")
    return Invalid.at(pointer, _in_words(words), code=_code(words))


def _in_words(said: str) -> str:
    if said.startswith("Expected `str` matching regex"):
        return "Not written as expected"
    return said.replace("`", "")


def _code(said: str) -> str:
    if said.startswith("Expected `array` of length <="):
        return "too-many-items"
    if "missing required field" in said:
        return "required"
    if "unknown field" in said:
        return "unknown"
    return "invalid"
