"""The prober of promise P20: another business's ids in every place an id may stand, compared with ids of nothing."""

from __future__ import annotations

import copy
import hashlib
import itertools
import json
import random
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from kernel.db import Base
from kernel.plugin import ROLES
from kernel.registry import Registry
from kernel.testing.box import Box
from kernel.web import Route
from kernel.wire import ListQuery
from tests.promises.bodies import Pointer, alternatives, in_list, plain_body, put, spots
from tests.promises.filling import MARKS, Filling

MINE, THEIRS = "mama-njeri", "sharma-kirana"
EVERYBODY: tuple[str | None, ...] = (*ROLES, "operator", None)
WORDS = {"sku", "code", "number", "email", "phone", "barcode", "name", "slug", "q"}
"""Texts by which a thing of a business can be named."""
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_NUMBER = re.compile(r"\d{6,}")
_IGNORED = {"x-request-id", "date", "content-length"}


@dataclass(frozen=True)
class Rows:
    """All that a business has in the database: its ids and words by what they are called, and a hash a table."""

    ids: Mapping[str, list[str]]
    words: Mapping[str, list[str]]
    hashes: Mapping[str, str]

    @property
    def every_id(self) -> frozenset[str]:
        """Every id in every column."""
        return frozenset(itertools.chain.from_iterable(self.ids.values()))


def tables(registry: Registry) -> list[sa.Table]:
    """The tables of the kernel and of the plugins of this run, but for what counts tries."""
    prefixes = ("kernel_", *(f"{name}_" for name in registry.plugins))
    found = [one for one in Base.metadata.sorted_tables if one.name.startswith(prefixes)]
    return [one for one in found if one.name not in ("kernel_limit", "kernel_refresh_token")]


async def read_rows(box: Box, shop: str) -> Rows:
    """Read a business with the login of the database, which no row-level security binds."""
    ids: dict[str, set[str]] = {}
    words: dict[str, set[str]] = {"q": {MARKS[shop]}}
    hashes = {}
    engine = create_async_engine(box.deployment.settings.url)
    try:
        async with engine.connect() as connection:
            for table in tables(box.deployment.registry):
                rows = await _rows_of(connection, table, box.shops[shop].id)
                hashes[table.name] = hashlib.sha256("\n".join(sorted(map(repr, rows))).encode()).hexdigest()
                for name, value in ((column.name, row[column.name]) for row in rows for column in table.columns):
                    if isinstance(value, uuid.UUID):
                        ids.setdefault(_called(table, name), set()).add(str(value))
                    elif isinstance(value, str) and name in WORDS:
                        words.setdefault("barcode" if table.name.endswith("barcode") else name, set()).add(value)
                        words.setdefault(name, set()).add(value)
    finally:
        await engine.dispose()
    return Rows(
        {name: sorted(found) for name, found in ids.items()},
        {name: sorted(found) for name, found in words.items()},
        hashes,
    )


async def _rows_of(connection: AsyncConnection, table: sa.Table, business: uuid.UUID) -> list[Mapping[str, Any]]:
    member = Base.metadata.tables["kernel_membership"].c
    people = sa.select(member.user_id).where(member.business_id == business)
    if "business_id" in table.c:
        mine: sa.ColumnElement[bool] = table.c.business_id == business
    elif table.name == "kernel_business":
        mine = table.c.id == business
    elif table.name in ("kernel_user", "kernel_sign_in"):
        mine = table.c["id" if table.name == "kernel_user" else "user_id"].in_(people)
    else:
        return []
    return [dict(row) for row in (await connection.execute(sa.select(table).where(mine))).mappings()]


def _called(table: sa.Table, column: str) -> str:
    """What an id is an id of: `catalog_product.id` and `sales_line.product_id` are both of a product."""
    return table.name.partition("_")[2] if column == "id" else column.removesuffix("_id")


@dataclass(frozen=True)
class Call:
    """One request."""

    route: Route
    path: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    key: str | None = None

    async def send(self, box: Box, role: str | None, shop: str = MINE) -> httpx.Response:
        """Send it as the person of a role."""
        said = self.route.path.format_map({name: quote(value, safe="") for name, value in self.path.items()})
        headers = {"If-Match": "*"} if self.route.method == "PATCH" else {}
        if self.route.takes_key:
            headers["Idempotency-Key"] = self.key or uuid.uuid4().hex
        return await box.client(role, shop).send(
            self.route.method, said, params=dict(self.query), json=self.body, headers=headers
        )


@dataclass(frozen=True)
class Spot:
    """A place of a request where an id, or a word that names a thing, may stand.

    shape, in lists: alone, beside one's own before or after it, or twice.
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

    def call(self, value: str, own: Mapping[str, str]) -> Call:
        """A request of one's own with the value at this spot."""
        token = "t" + uuid.uuid4().hex[:3]
        plain = plain_call(self.route, own, token)
        if self.place == "path":
            names = self.route.parameters if self.shape == "all" else (self.name,)
            spoken = {name: value for name in names if uuid.UUID in alternatives(self.route.parameters[name])}
            return replace(plain, path={**plain.path, **(spoken or {self.name: value})})
        if self.place == "query":
            return replace(plain, query={self.name: value})
        body = put(self.route, plain.body, self.pointer, value, own, token)
        if self.shape != "alone":
            found = in_list(body, self.pointer)
            assert found is not None
            around, element = found
            mine = in_list(put(self.route, plain.body, self.pointer, own.get(self.name, value), own, token), self.pointer)
            assert mine is not None
            both = {"twice": [element, copy.deepcopy(element)], "after": [mine[1], element], "before": [element, mine[1]]}
            around[:] = both[self.shape]
        return replace(plain, body=body)


def plain_call(route: Route, own: Mapping[str, str], token: str) -> Call:
    """A small valid request for a route, naming things of one's own."""
    path = {name: own.get(name, "1") for name in re.findall(r"{(\w+)}", route.path)}
    return Call(route, path, body=None if route.body is None else plain_body(route, own, token))


def spots_of(route: Route) -> Iterator[Spot]:
    """Every spot of a route, from its declaration alone."""
    in_path = [name for name, kind in route.parameters.items() if uuid.UUID in alternatives(kind)]
    yield from (Spot(route, "path", name) for name in in_path)
    if len(in_path) > 1:
        yield Spot(route, "path", in_path[-1], shape="all")
    yield from (Spot(route, "path", name, is_word=True) for name in route.parameters if name in WORDS - {"name"})
    for one in msgspec.structs.fields(route.query) if route.query else ():
        if uuid.UUID in alternatives(one.type):
            yield Spot(route, "query", one.encode_name)
        elif one.encode_name in WORDS:
            yield Spot(route, "query", one.encode_name, is_word=True)
    for kind in (uuid.UUID, str) if route.body is not None and route.plugin != "auth" else ():
        for pointer in spots(route.body, kind):
            name = next((step for step in reversed(pointer) if isinstance(step, str)), "")
            if kind is str and name not in WORDS:
                continue
            shapes = ("alone", "after", "before", "twice") if 0 in pointer and kind is uuid.UUID else ("alone",)
            yield from (Spot(route, "body", name, pointer, shape, kind is str) for shape in shapes)


def all_spots(routes: Iterable[Route]) -> list[Spot]:
    """Every spot there is; those come last where an id that is taken up becomes one's own."""
    return sorted((spot for route in routes for spot in spots_of(route)), key=lambda spot: spot.chooses)


class Prober:
    """Probes one box: `mine` asks, `theirs` must stay unseen and untouched."""

    def __init__(self, box: Box, own: Mapping[str, str], mine: Rows, theirs: Rows, seed: int = 20) -> None:
        self.box, self.own, self.mine, self.theirs = box, own, mine, theirs
        self.random = random.Random(seed)
        self.sent, self.probes, self.findings = 0, 0, list[str]()
        self.spent: set[tuple[str, str]] = set()
        self.accepted: set[str] = set()

    @classmethod
    async def ready(cls, box: Box) -> Prober:
        """Fill both businesses and read what they have."""
        own = await Filling(box, MINE).fill()
        await Filling(box, THEIRS).fill()
        return cls(box, own, await read_rows(box, MINE), await read_rows(box, THEIRS))

    async def probe(self, spots: Iterable[Spot], roles: Iterable[str | None], most: int) -> None:
        """Probe spots as roles with at most so many foreign values each; afterwards nothing of theirs has changed."""
        roles = list(roles)
        for route, here in itertools.groupby(spots, key=lambda spot: spot.route.operation):
            for spot in here:
                values = await self.foreign(spot)
                for role in roles:
                    await self._compare(spot, role, values, most)
            await self.look_for_changes(route)

    async def _compare(self, spot: Spot, role: str | None, values: list[str], most: int) -> None:
        nothing = str(uuid.uuid4()) if not spot.is_word else self._scrambled(values[0])
        expected = await self._told(spot, role, nothing)
        for value in [one for one in values if (str(spot), one) not in self.spent][:most]:
            told = await self._told(spot, role, value)
            self.probes += 1
            if told[0] < 300:
                self.accepted.add(str(spot))
                if spot.chooses or spot.is_word:  # from now on it is one's own as well
                    self.spent.add((str(spot), value))
            if told != expected:
                self.findings.append(f"{spot} as {role}: {value} → {told}, but nothing → {expected}")

    async def _told(self, spot: Spot, role: str | None, value: str) -> tuple[int, str, str]:
        call = spot.call(value, self.own)
        self.sent += 1
        answer = await call.send(self.box, role)
        return self.as_told(spot.route, role, answer, value, call)

    def as_told(
        self, route: Route, role: str | None, answer: httpx.Response, value: str, call: Call
    ) -> tuple[int, str, str]:
        """An answer without what differs between any two: request ids, fresh ids, numbers, the value itself."""
        text = re.sub(r'"request_id":"[0-9a-f]{32}"', "", answer.text).replace(value, "<value>")
        headers = {k: v.replace(value, "<value>") for k, v in answer.headers.items() if k not in _IGNORED}
        if answer.status_code < 300:
            text = _NUMBER.sub("<number>", _UUID.sub(self._known_or_not, self._without_token(text, call)))
            headers = {k: _UUID.sub("<id>", v) for k, v in headers.items()}
        if MARKS[THEIRS] in text:
            self.findings.append(f"{route.operation} as {role} shows a word of theirs: {text[:400]}")
        return answer.status_code, json.dumps(headers, sort_keys=True), text

    def _known_or_not(self, found: re.Match[str]) -> str:
        return found[0] if found[0] in self.theirs.every_id - self.mine.every_id else "<id>"

    def _without_token(self, text: str, call: Call) -> str:
        tokens = set(re.findall(r"\bt[0-9a-f]{3}\b", json.dumps(call.body), re.I))
        for token in tokens:
            text = text.replace(token, "<token>")
        return text

    def _scrambled(self, word: str) -> str:
        """Another word of the same look: letters for letters, digits for the last digits."""
        head, tail = (word[:5], word[5:]) if word[:1] in "+0123456789" else ("", word)
        return head + "".join(self._other(letter) for letter in tail)

    def _other(self, letter: str) -> str:
        for pool in ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"):
            if letter in pool:
                return self.random.choice(pool)
        return letter

    async def foreign(self, spot: Spot) -> list[str]:
        """What of theirs fits a spot: by name, by the list its path belongs to; else, or besides, anything."""
        if spot.is_word:
            name = spot.name if spot.name != "code" or "barcode" not in spot.route.path else "barcode"
            found = set(self.theirs.words.get(name, ())) - set(self.mine.words.get(name, ()))
            return sorted(found, key=lambda word: (MARKS[THEIRS].lower() not in word.lower(), word))
        fitting = [*self.theirs.ids.get(spot.name.removesuffix("_id"), ()), *await self._listed(spot)]
        others = sorted(self.theirs.every_id - set(fitting))
        self.random.shuffle(others)
        wanted = [*dict.fromkeys(fitting), *others]
        return [one for one in wanted if one not in self.mine.every_id]

    async def _listed(self, spot: Spot) -> list[str]:
        """Ids in the list that a path, or the place where a new thing is added, belongs to, as its owner sees it."""
        path = spot.route.path.partition("/{" + spot.name)[0] if spot.place == "path" else spot.route.path
        lists = [one for one in self.box.app.routes if one.path == path and one.method == "GET" and not one.parameters]
        if spot.place == "query" or (spot.place == "body" and not spot.chooses) or not lists:
            return []
        answer = await box_list(self.box, lists[0], THEIRS)
        return [one["id"] for one in answer.get("items", ()) if isinstance(one, dict) and "id" in one]

    async def look_for_changes(self, what: str) -> None:
        """Compare their rows with what they were."""
        after = (await read_rows(self.box, THEIRS)).hashes
        changed = sorted(name for name, was in self.theirs.hashes.items() if after[name] != was)
        if changed:
            self.findings.append(f"{what} changed {', '.join(changed)} of the other business")
            self.theirs = replace(self.theirs, hashes=after)


async def box_list(box: Box, route: Route, shop: str, **query: Any) -> dict[str, Any]:
    """A list as the owner of a shop sees it."""
    answer = await box.client("owner", shop).get(route.path, params=query or None)
    said = answer.json()
    return said if isinstance(said, dict) else {}


def lists_of(routes: Iterable[Route]) -> list[Route]:
    """Every list that goes on by a cursor and needs no id to be asked."""
    return [
        one
        for one in routes
        if one.query is not None and issubclass(one.query, ListQuery) and not one.parameters and one.method == "GET"
    ]
