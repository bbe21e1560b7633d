"""Seen: one request to a page, with the API in the name of whoever sits before it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote
from zoneinfo import ZoneInfo

from kernel.web import Sentences
from plugins.console.schemas.listing import ListSeen

Query = Sequence[tuple[str, str]]


def part(text: str) -> str:
    """A text of an address as one part of a path, for `get` and `look`: its strokes lead to no other path."""
    return quote(text, safe="")


class Answer(Protocol):
    """What the API answered. headers: by lower-case name."""

    @property
    def status(self) -> int:
        """The status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers."""

    @property
    def body(self) -> bytes:
        """The body."""


Ask = Callable[[str, str, Query, Any, Mapping[str, str]], Awaitable[Answer]]
"""Method, path below `/api/v1`, query, JSON body or None, headers → the API's answer."""


class Refused(Exception):
    """The API refused. problem: its problem document. asked: the query that was sent, where one was."""

    def __init__(self, status: int, problem: Mapping[str, Any], asked: Query = ()) -> None:
        super().__init__(str(problem.get("title", status)))
        self.status, self.problem, self.asked = status, problem, dict(asked)


class Elsewhere(Exception):
    """What was asked for stands at another page. to: its path below `/console`."""

    def __init__(self, to: str) -> None:
        super().__init__(to)
        self.to = to


@dataclass
class Seen:
    """What a page is given.

    me: the answer of `/auth/me`. path: the parameters of its path. query: of its query string, each name's last value.
    now: the moment it came. listing: the list of the page, where it has one.
    """

    me: Mapping[str, Any]
    path: Mapping[str, str]
    query: Mapping[str, str]
    language: str
    ask: Ask
    words: Mapping[str, str] = field(default_factory=dict)
    sentences: Sentences = field(default_factory=lambda: Sentences({}))
    now: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    listing: ListSeen | None = None

    @property
    def business(self) -> Mapping[str, Any] | None:
        """The business at work in: id, slug, name, currency, region, zone."""
        found: Mapping[str, Any] | None = self.me["business"]
        return found

    @property
    def clock(self) -> dt.datetime:
        """Now, by the clock on the wall of the business."""
        return self.now.astimezone(ZoneInfo((self.business or {}).get("zone", "UTC")))

    def may(self, permission: str) -> bool:
        """Whether the reader holds a permission; "" is anybody's, "operator" for operators of the deployment.

        Operators who are in a business for support operate nothing from there.
        """
        if permission == "operator":
            return bool(self.me["is_operator"]) and not self.me["support"]
        return not permission or permission in self.me["permissions"]

    def word(self, english: str) -> str:
        """Words of pages, or of what the API told, in the reader's language; templates have `_`."""
        return self.words.get(english) or self.sentences.said(english)

    def has(self, plugin: str) -> bool:
        """Whether a plugin is on in this business."""
        return plugin in self.me["plugins"]

    async def get(self, path: str, **query: Any) -> Any:
        """What the API answers to GET. path: below `/api/v1`; query: None is left out. Raises Refused."""
        value, _ = await self.get_tagged(path, **query)
        return value

    async def get_tagged(self, path: str, **query: Any) -> tuple[Any, str]:
        """The same with its ETag, to send along as If-Match with a change."""
        asked = _pairs(query)
        told = await self.ask("GET", path, asked, None, {})
        return _value(told, asked), told.headers.get("etag", "")

    async def post(self, path: str, body: Any) -> Any:
        """What the API answers to a question that is too large for a query string. Pages write by forms, never so."""
        return _value(await self.ask("POST", path, (), body, {}))

    async def look(self, path: str, **query: Any) -> Any:
        """As `get`; None where the reader may not see it or it is not there."""
        try:
            return await self.get(path, **query)
        except Refused as refused:
            if refused.status in (403, 404):
                return None
            raise

    async def places(self, **query: Any) -> list[tuple[str, str]]:
        """The places of the business to choose from: id and name. query: as `/locations` takes it, such as `kind`."""
        listed = await self.get("/locations", limit=200, **query)
        return [(one["id"], one["name"]) for one in listed["items"]]

    async def titles(self, path: str, *, key: str = "code", value: str = "title") -> dict[str, str]:
        """What the things of a list of the API are called, such as `/payments/methods`; {} for who may not see it.

        Titles are in the reader's words; any other `value`, such as a name, is as it was typed in.
        """
        listed = await self.look(path)
        said = self.word if value == "title" else str
        return {one[key]: said(one[value]) for one in (listed or {"items": ()})["items"]}


def _pairs(query: Mapping[str, Any]) -> Query:
    return [(name, _text(value)) for name, value in query.items() if value is not None and value != ""]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(told: Answer, asked: Query = ()) -> Any:
    value = json.loads(told.body) if told.body else None
    if told.status >= 400:
        raise Refused(told.status, value if isinstance(value, dict) else {}, asked)
    return value
