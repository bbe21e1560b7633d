"""No input whatsoever yields a 5xx; what is refused is refused by a problem document, and writes nothing (P30)."""

from __future__ import annotations

import random
import re
import uuid
from typing import Any

import pytest

from kernel.testing.box import Box
from kernel.web import Route
from kernel.wire import RawAnswer
from kernel.work import Work
from tests.promises.filling import Filling
from tests.promises.fuzz import LEFT_OUT, ROLES, Found, Fuzz, Watch, faults_of
from tests.promises.spots import plain_call
from tests.proving import ON_SQLITE

SEED = 30
SOME = ("cashier", None)
"""Roles besides the owner of which usual runs try a few cases."""
RAW = (
    b" ", b"{", b"[", b"nul", b"\xff\xfe", b'{"a":1,"a":2}', b"[" * 40 + b"]" * 40, b'{"a":NaN}', b"{}{}", b'"\\ud800"',
    b'{"\\u0000":1}', b"[]", b"null", b"1", b'""', b"\xef\xbb\xbf{}", b'{"a":1e999}', b'{"a":' + b"9" * 5000 + b"}",
)  # fmt: skip
"""Whole bodies that no schema can speak of."""
ODD_HEADERS: tuple[dict[str, str], ...] = (
    {"Content-Type": "text/plain"}, {"Content-Type": "application/json; charset=utf-16"}, {"Content-Encoding": "gzip"},
    {"If-Match": '"' + "9" * 300 + '"'}, {"If-None-Match": "*"}, {"Idempotency-Key": "x" * 256},
    {"Expect": "100-continue"}, {"Idempotency-Key": "same"}, {"Accept-Language": "hi;q=x,,"}, {"Origin": "null"},
    {"Content-Length": "x"},
    {"X-Forwarded-For": "x" * 300}, {"Range": "bytes=0-"}, {"Accept": "text/html"}, {"X-Long": "x" * 9000},
    {"Authorization": "Bearer x"}, {"Authorization": "Basic Og=="},
)  # fmt: skip
"""Headers that the document does not speak of."""


HALVES = (["examples", "coverage"], ["fuzzing", "stateful"])
"""What the schema names, one by one, would take up all the time there is: by turns with what is drawn by chance."""


async def fuzz(box: Box, role: str | None, *parts: list[str], cases: int, **how: Any) -> Found:
    run = Fuzz(box, await Filling(box, "mama-njeri").fill(), role, SEED)
    found = run.found
    for place, phases in enumerate(parts, 1):
        await run.run(phases=phases, cases=cases * place // len(parts) - run.found.cases, **how)
    print(f"seed {SEED}, {role}: {found.cases} cases, {dict(found.phases)}, {dict(sorted(found.statuses.items()))}")
    return found


@pytest.mark.parametrize(
    ("database", "role"),
    [
        ("sqlite", "owner"),
        ("postgresql", "owner"),
        *(("sqlite", role) for role in SOME),
        *(pytest.param("sqlite", role, marks=pytest.mark.prove) for role in ROLES[1:] if role not in SOME),
        *(pytest.param("postgresql", role, marks=pytest.mark.prove) for role in ROLES[1:]),
    ],
)
async def test_no_input_yields_a_server_error(box: Box, role: str | None) -> None:
    """Who may do less meets fewer statements: what the databases tell apart, the owner meets on both."""
    whole = role == "owner"
    parts = (["examples"], ["coverage"], HALVES[1]) if whole else HALVES[1:]
    found = await fuzz(box, role, *parts, cases=750 if whole else 150, seconds=600)
    assert not found.wrong, "\n\n".join(f"{name}\n{what}" for name, what in list(found.wrong.items())[:10])
    assert ({200, 201, 204, 404, 422} if whole else {401 if role is None else 422}) <= found.statuses.keys()
    assert found.cases >= (200 if whole else 50)


@pytest.mark.prove
@pytest.mark.parametrize("role", ROLES)
async def test_no_input_of_very_many_yields_a_server_error(box: Box, role: str | None) -> None:
    """The roles' shares come to 50,000 cases on each database."""
    found = await fuzz(box, role, *HALVES, cases=10_000, seconds=3600, examples=25)
    assert not found.wrong, "\n\n".join(f"{name}\n{what}" for name, what in list(found.wrong.items())[:10])
    assert found.cases >= 10_000


@ON_SQLITE
async def test_no_body_of_raw_bytes_and_no_odd_header_yields_a_server_error(box: Box) -> None:
    own = await Filling(box, "mama-njeri").fill()
    chance, owner = random.Random(SEED), box.client("owner")
    watch = Watch(box.deployment.settings.url)
    await watch.has_moved()
    wrong, sent = [], 0
    for route in box.app.routes:
        if route.operation in LEFT_OUT:
            continue
        cases: list[tuple[bytes | None, dict[str, str]]] = (
            [(body, {}) for body in chance.sample(RAW, 6)] if route.body is not None else []
        )
        for body, headers in (*cases, (None, chance.choice(ODD_HEADERS))):
            answer = await owner.send(route.method, url_of(route, own), **request(route, own, body, headers))
            sent += 1
            told = {name.lower(): value for name, value in answer.headers.items()}
            if await watch.has_moved():
                told["x-test-written"] = "1"
            faults = faults_of(answer.status_code, told, answer.content, route.plugin, route.method)
            if route.answer is RawAnswer and told["content-type"].startswith("text/html"):
                faults = [one for one in faults if one != "no problem document"]  # a payer is told by a page
            if faults or answer.status_code >= 500 or (body is not None and answer.status_code < 400):
                wrong.append(f"{route.operation} {headers} {body!r}: {answer.status_code} {faults} {answer.text[:200]}")
    await watch.close()
    assert not wrong, "\n".join(wrong[:20])
    assert sent >= 500


def url_of(route: Route, own: dict[str, str]) -> str:
    return re.sub(r"{(\w+)}", lambda found: own.get(found[1], "1"), route.path)


def request(route: Route, own: dict[str, str], body: bytes | None, headers: dict[str, str]) -> dict[str, Any]:
    said = {"If-Match": "*"} if route.conditional else {}
    if route.takes_key:
        said["Idempotency-Key"] = uuid.uuid4().hex
    if body is not None:
        return {"content": body, "headers": said | {"Content-Type": "application/json"} | headers}
    plain = None if route.body is None else plain_call(route, own).body
    return {"json": plain, "headers": said | headers}


@ON_SQLITE
async def test_a_route_that_fails_for_some_input_is_caught(box: Box) -> None:
    """The broken twin: it divides by what the length of a search may make nought."""
    route = next(one for one in box.app.routes if one.operation == "catalog.list_products")
    honest = route.function

    async def broken(work: Work, query: Any) -> Any:
        _ = 1 / (len(query.q or "") - 4)
        return await honest(work, query=query)

    assert await kinds(box, route, broken) >= {"not_a_server_error"}


@ON_SQLITE
async def test_an_answer_that_the_document_does_not_know_is_caught(box: Box) -> None:
    """The broken twin: a list without its items."""
    route = next(one for one in box.app.routes if one.operation == "catalog.list_brands")

    async def broken(work: Work, query: Any) -> Any:
        return {"rows": []}

    assert await kinds(box, route, broken) >= {"response_schema_conformance"}


@ON_SQLITE
async def test_a_refusal_that_leaves_something_behind_is_caught(box: Box) -> None:
    """The broken twin: it counts its visitors before it refuses them."""
    route = next(one for one in box.app.routes if one.operation == "catalog.get_brand")
    honest = route.function

    async def broken(work: Work, brand_id: uuid.UUID) -> Any:
        async with work.deployment.database.writer.begin() as connection:
            await connection.exec_driver_sql("UPDATE kernel_business SET name = name || '.'")
        return await honest(work, brand_id)

    assert await kinds(box, route, broken) == {"refusal_is_a_problem_and_writes_nothing"}


async def kinds(box: Box, route: Route, broken: Any) -> set[str]:
    """What a run over one route finds first when it is broken; while it is not, as many cases find nothing."""
    own = await Filling(box, "mama-njeri").fill()
    how: dict[str, Any] = {"seconds": 600, "phases": ["examples", "fuzzing"]}
    honest = await Fuzz(box, own, "owner", SEED, only=route.operation).run(cases=60, examples=20, **how)
    assert honest.cases >= 20
    assert not honest.wrong
    broken.__name__ = route.function.__name__  # the operation is named by it
    function = route.function
    object.__setattr__(route, "function", broken)
    try:
        run = Fuzz(box, own, "owner", SEED, only=route.operation)
        return (await run.run(cases=200, examples=60, until_wrong=True, **how)).kinds
    finally:
        object.__setattr__(route, "function", function)
