"""Every place of every route where an id may stand, and the request that puts one there."""

from __future__ import annotations

import copy
import itertools
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from kernel.testing.box import Client
from kernel.testing.probing.bodies import Pointer, alternatives, around, plain_body, plain_file, put, spots
from kernel.testing.probing.rows import WORDS
from kernel.web import Route
from kernel.wire import ListQuery


@dataclass(frozen=True)
class Call:
    """One request."""

    route: Route
    path: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    async def send(self, client: Client, key: str | None = None) -> httpx.Response:
        """Send it as somebody."""
        said = self.route.path.format_map({name: quote(value, safe="") for name, value in self.path.items()})
        headers = {"If-Match": "*"} if self.route.conditional else {}
        if self.route.takes_key:
            headers["Idempotency-Key"] = key or uuid.uuid4().hex
        asked: dict[str, Any] = {"params": dict(self.query) or None, "json": self.body}
        if self.route.takes is not None:
            headers["Content-Type"], asked["content"] = plain_file(self.route)
        return await client.send(self.route.method, said, headers=headers, **asked)


@dataclass(frozen=True)
class Spot:
    """A place of a request where an id, or a word that names a thing, may stand.

    shape: alone; in lists before or after one's own, or twice; in paths of several ids, all of them.
    """

    route: Route
    place: str
    name: str
    pointer: Pointer = ()
    shape: str = "alone"
    is_word: bool = False

    def __str__(self) -> str:
        where = "/".join(map(str, self.pointer)) or self.name
        return f"{self.route.method} {self.route.path} {self.place} {where} {self.shape}"

    @property
    def chooses(self) -> bool:
        """Whether the caller chooses the id of something new here."""
        return self.place == "body" and self.pointer == ("id",)

    @property
    def collection(self) -> str:
        """The path of the list that the thing named here belongs to."""
        if self.place == "path":
            return self.route.path.partition("/{" + self.name)[0]
        return self.route.path.partition("/{")[0] if self.chooses or self.is_word else ""

    def call(self, value: str, own: Mapping[str, str]) -> Call:
        """A request of one's own with the value at this spot."""
        token = fresh_token()
        plain = plain_call(self.route, own, token)
        if self.place == "path":
            ids = [name for name, kind in self.route.parameters.items() if uuid.UUID in alternatives(kind)]
            return replace(
                plain, path={**plain.path, **dict.fromkeys(ids if self.shape == "all" else [self.name], value)}
            )
        if self.place == "query":
            return replace(plain, query={self.name: value})
        body = put(self.route, plain.body, self.pointer, value, own, token)
        if self.shape != "alone":
            here, foreign = around(body, self.pointer)
            mine = around(
                put(self.route, plain.body, self.pointer, own.get(self.name, value), own, token), self.pointer
            )[1]
            shapes = {"twice": [foreign, copy.deepcopy(foreign)], "after": [mine, foreign], "before": [foreign, mine]}
            here[:] = shapes[self.shape]
        return replace(plain, body=body)


_tokens = itertools.count(1)


def fresh_token() -> str:
    """A word that no request of this run bore before; its last four letters are nearly as fresh."""
    return f"t{next(_tokens):07x}"


_USUAL = {"from_date": "2026-11-01", "to_date": "2026-11-30", "by": "day"}
"""A period, for routes that ask for one."""


def plain_call(route: Route, own: Mapping[str, str], token: str = "") -> Call:
    """A small valid request for a route, naming things of one's own."""
    token = token or fresh_token()
    path = {name: own.get(name, "1") for name in re.findall(r"{(\w+)}", route.path)}
    needed = [one.encode_name for one in msgspec.structs.fields(route.query) if one.required] if route.query else []
    query = {name: own.get(name) or _USUAL[name] for name in needed if name in own or name in _USUAL}
    return Call(route, path, query, None if route.body is None else plain_body(route, own, token))


def id_spots(routes: Iterable[Route]) -> list[Spot]:
    """Every spot for an id; those come last where one that is taken up becomes one's own."""
    found = [spot for route in routes for spot in (*_in_path(route), *_in_query(route), *_in_body(route))]
    return sorted((one for one in found if not one.is_word), key=lambda spot: spot.chooses)


def naming_spots(routes: Iterable[Route]) -> list[Spot]:
    """Every spot for a word by which something there is looked up: in paths, queries, carts."""
    found = [spot for route in routes for spot in (*_in_path(route), *_in_query(route), *_in_body(route))]
    return [one for one in found if one.is_word and (one.place != "body" or one.pointer[:1] == ("lines",))]


def word_spots(routes: Iterable[Route]) -> list[Spot]:
    """Every spot for a word that a new or changed thing is to bear, and that may have to be unique."""
    return [
        one
        for route in routes
        for one in _in_body(route)
        if one.is_word and one.pointer[:1] != ("lines",) and (len(one.pointer) == 1 or not route.conditional)
    ]


def lists_of(routes: Iterable[Route]) -> list[Route]:
    """Every list that goes on by a cursor and needs no id to be asked."""
    return [one for one in routes if one.query is not None and issubclass(one.query, ListQuery) and "{" not in one.path]


def _in_path(route: Route) -> Iterator[Spot]:
    ids = [name for name, kind in route.parameters.items() if uuid.UUID in alternatives(kind)]
    yield from (Spot(route, "path", name) for name in ids)
    if len(ids) > 1:
        yield Spot(route, "path", ids[-1], shape="all")
    yield from (Spot(route, "path", name, is_word=True) for name in route.parameters if name in WORDS - {"name"})


def _in_query(route: Route) -> Iterator[Spot]:
    for one in msgspec.structs.fields(route.query) if route.query else ():
        if uuid.UUID in alternatives(one.type):
            yield Spot(route, "query", one.encode_name)
        elif one.encode_name in WORDS:
            yield Spot(route, "query", one.encode_name, is_word=True)


def _in_body(route: Route) -> Iterator[Spot]:
    if route.body is None or route.plugin == "auth":
        return
    for pointer in spots(route.body, uuid.UUID):
        for shape in ("alone", "after", "before", "twice") if 0 in pointer else ("alone",):
            yield Spot(route, "body", _name(pointer), pointer, shape)
    for pointer in spots(route.body, str):
        if _name(pointer) in WORDS:
            yield Spot(route, "body", _name(pointer), pointer, is_word=True)


def _name(pointer: Pointer) -> str:
    return next((step for step in reversed(pointer) if isinstance(step, str)), "")
