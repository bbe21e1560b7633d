"""Requests made from the types that the OpenAPI document is written from, right and wrong in every place; each answer is judged (promise P30).

Everything is drawn from one seeded generator: a finding replays from its seed. Half of the bodies are what the schema
asks for with one place changed, so that they come far; the rest are wrong in kind, in shape, or no JSON at all.
"""

# ruff: noqa: E501 - tables of odd values, many a line

from __future__ import annotations

import copy
import json
import random
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest

from kernel.db import Phase, Transaction
from kernel.testing.box import Box
from kernel.web import Route
from kernel.wire import Download
from tests.promises.bodies import example
from tests.promises.spots import plain_call

ROLES = ("owner", "owner", "owner", "manager", "cashier", "operator", None)
TEXTS = (
    "", " ", "x", "0", "-1", "1", "1.00", "NaN", "1e999", "9" * 400, "null", "true", "\u0000", "a\x1fb", "é", "\u202e", "👨‍👩‍👧",
    "x" * 201, "x" * 5000, "'; DROP TABLE x; --", "../../etc/passwd", "{{7*7}}", "%00", "١٢", "2026-02-30", "0000-01-01",
    "2026-01-01T00:00:00", "9999-12-31", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-06-30T23:59:60Z",
    "01935f4e-6d2c-7a51-8f0e-3b1f5a0c9d11", "00000000-0000-0000-0000-000000000000", "KES", "\ud800", "=1+1", "\r\n",
    "999999999999", "0.000001", "0.0000001", "-0",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    1.5,
    2**31,
    2**63,
    2**64,
    10**400,
    1e308,
    [],
    {},
    [[]],
    [None],
    {"": 0},
    [{}],
)
RAW = (
    b"", b" ", b"{", b"[", b"nul", b"\xff\xfe", b'{"a":1,"a":2}', b"[" * 40 + b"]" * 40, b'{"a":NaN}', b"{}{}", b'"\\ud800"',
    b'{"\\u0000":1}', b"[]", b"null", b"1", b'""', b"\xef\xbb\xbf{}",
)  # fmt: skip
ODD_HEADERS = (
    {"Content-Type": "text/plain"}, {"Content-Type": "application/json; charset=utf-16"}, {"Content-Encoding": "gzip"},
    {"If-Match": "x"}, {"If-Match": '"1"'}, {"If-Match": "*"}, {"If-Match": '"' + "9" * 300 + '"'}, {"If-None-Match": "*"},
    {"Idempotency-Key": ""}, {"Idempotency-Key": "x" * 256}, {"Idempotency-Key": "same"}, {"Accept-Language": "hi;q=x,,"},
    {"Accept-Language": "sw"}, {"Origin": "null"}, {"Content-Length": "x"}, {"Expect": "100-continue"},
    {"X-Forwarded-For": "x" * 300}, {"Range": "bytes=0-"}, {"Accept": "text/html"}, {"X-Long": "x" * 9000},
)  # fmt: skip
LEFT_OUT = frozenset(
    {
        *("auth.logout", "auth.logout_everywhere", "auth.end_sign_in", "plugins.disable_plugin"),
        *("operating.suspend_business", "operating.delete_business"),
    }
)
"""Operations after which everything else would answer 401 or 404."""
COUNTED = frozenset({"auth", "approvals", "tills"})
"""Rooms whose refusals may be counted or end a sign-in: tries at a password or a PIN, a refresh token that came back."""


@dataclass(frozen=True)
class Case:
    """One request."""

    route: Route
    method: str
    url: str
    role: str | None
    body: bytes | None
    headers: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.method} {self.url[:200]} as {self.role} {dict(self.headers)} {(self.body or b'')[:300]!r}"


@dataclass
class Found:
    """What a run came to. statuses: how often each was answered."""

    statuses: dict[int, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def cases(self) -> int:
        """How many requests were judged."""
        return sum(self.statuses.values())


class Maker:
    """Makes cases for the routes of a box. own: names of ids → ids there are."""

    def __init__(self, routes: Sequence[Route], own: Mapping[str, str], seed: int) -> None:
        self.routes, self.own = [one for one in routes if one.operation not in LEFT_OUT], own
        self.random = random.Random(seed)
        self.ids = [*own.values()]

    def cases(self) -> Iterator[Case]:
        """Cases without end."""
        while True:
            for route in self.random.sample(self.routes, len(self.routes)):
                yield self.case(route)

    def case(self, route: Route) -> Case:
        """One case of a route."""
        path = {name: self._path_value(name) for name in re.findall(r"{(\w+)}", route.path)}
        url = route.path.format_map({name: quote(value, safe="", errors="replace") for name, value in path.items()})
        if self._one_in(2 if route.query else 12):
            url += "?" + "&".join(self._parameter(route) for _ in range(self.random.choice((1, 1, 1, 2, 3))))
        headers = {"Idempotency-Key": uuid.UUID(int=self.random.getrandbits(128)).hex} if route.takes_key else {}
        if route.conditional:
            headers["If-Match"] = self.random.choice(("*", "*", '"1"', '"2"'))
        body = self._body(route) if route.body is not None or self._one_in(20) else None
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._one_in(8):
            headers |= self.random.choice(ODD_HEADERS)
        method = route.method if not self._one_in(40) else self.random.choice(("GET", "HEAD", "PUT", "OPTIONS", "FOO"))
        return Case(route, method, url, self.random.choice(ROLES), body, headers)

    def _one_in(self, many: int) -> bool:
        return self.random.randrange(many) == 0

    def _path_value(self, name: str) -> str:
        if self._one_in(4):
            return self.random.choice((*[one for one in TEXTS if one], str(uuid.uuid4()), *self.ids))
        return self.own.get(name) or self.random.choice(("1", *self.ids))

    def _parameter(self, route: Route) -> str:
        fields = {one.encode_name: one.type for one in msgspec.structs.fields(route.query)} if route.query else {}
        known = [*fields, *fields, *fields]
        name = self.random.choice([*known, "fields", "include", "limit", "cursor", "x", ""])
        if name in fields and self._one_in(2):
            value = example(fields[name], name, self.own, "rice")
            said = value if isinstance(value, str) else json.dumps(value)
        else:
            said = self.random.choice((*TEXTS, *self.ids, "200", "id", "id,name", "true", "-name", "customer"))
        return f"{quote(name)}={quote(said, errors='replace')}"

    def _body(self, route: Route) -> bytes:
        if self._one_in(12) or route.body is None:
            return self.random.choice(RAW)
        body = plain_call(route, self.own).body
        for _ in range(self.random.choice((0, 1, 1, 1, 2, 4))):
            body = self._changed(body)
        return json.dumps(body).encode()

    def _changed(self, body: Any) -> Any:
        places = list(_places(body))
        if not places or self._one_in(30):
            return self._value()
        here, step = self.random.choice(places)
        chance = self.random.randrange(10)
        if chance == 0:
            del here[step]
        elif chance == 1 and isinstance(here, dict):
            here[self.random.choice((*TEXTS, "id", "business_id", "version", "ext", "total"))] = self._value()
        elif chance == 2 and isinstance(here, list):
            here += [copy.deepcopy(here[step]) for _ in range(self.random.choice((1, 2, 40)))]
        else:
            here[step] = self._value()
        return body

    def _value(self) -> Any:
        return copy.deepcopy(self.random.choice((*TEXTS, *TEXTS, *VALUES, *self.ids)))


def _places(body: Any) -> Iterator[tuple[Any, Any]]:
    steps = list(body) if isinstance(body, dict) else range(len(body)) if isinstance(body, list) else ()
    for step in steps:
        yield body, step
        yield from _places(body[step])


class Judge:
    """Sends cases and judges the answers. It sees every commit of the process it lives in."""

    def __init__(self, box: Box, patch: pytest.MonkeyPatch) -> None:
        self.box, self.found, self._written = box, Found(), 0
        honest = Transaction.commit

        async def commit(transaction: Transaction) -> None:
            self._written += transaction.phase is not Phase.READ
            await honest(transaction)

        patch.setattr(Transaction, "commit", commit)

    async def judge(self, case: Case) -> None:
        """Send one case, and note what is wrong with its answer."""
        before = self._written
        lines = [(name, value.encode("latin-1")) for name, value in case.headers.items()]
        answer = await self.box.client(case.role).send(case.method, case.url, content=case.body, headers=dict(lines))
        self.found.statuses[answer.status_code] = self.found.statuses.get(answer.status_code, 0) + 1
        for what in self._wrong_with(case, answer, self._written - before):
            self.found.wrong.append(f"{what}: {case}")

    def _wrong_with(self, case: Case, answer: httpx.Response, written: int) -> Iterator[str]:
        status = answer.status_code
        if status >= 500:
            yield f"{status} {answer.text[:200]}"
        elif status >= 400:
            waits = b'"approval-required"' in answer.content  # a request for approval is what such a refusal leaves
            if written and not waits and case.route.plugin not in COUNTED:
                yield f"{status} but written"
            if case.method != "HEAD":
                yield from _faults_of_problem(answer)
        elif self._is_whole(case, answer):
            try:
                msgspec.json.decode(answer.content, type=case.route.answer)
            except msgspec.MsgspecError as fault:
                yield f"{status} but not as declared ({fault}) {answer.text[:200]}"

    def _is_whole(self, case: Case, answer: httpx.Response) -> bool:
        """Whether an answer must be of the type declared: no file, nothing left out or hidden from the caller."""
        is_json = answer.headers.get("content-type") == "application/json" and answer.status_code in (200, 201)
        if case.route.answer is Download:
            return False
        return is_json and case.role == "owner" and case.method == case.route.method and "?" not in case.url


def _faults_of_problem(answer: httpx.Response) -> Iterator[str]:
    if answer.headers.get("content-type") != "application/problem+json":
        yield f"{answer.status_code} without a problem document"
        return
    said = answer.json()
    if said["status"] != answer.status_code or said["type"] != f"/problems/{said['code']}" or not said["title"]:
        yield "not a whole problem document"
    if said["request_id"] != answer.headers["x-request-id"]:
        yield "a request id that is not the answer's"
    if "Traceback" in answer.text or "sqlalchemy" in answer.text.lower():
        yield "says too much"
    if answer.status_code == 405 and not answer.headers.get("allow"):
        yield "405 without Allow"
