"""How the gate answers whatever is asked: HEAD, OPTIONS, headers, limits at n - 1, n and n + 1, languages."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
import pytest
import pytest_asyncio
import sqlalchemy as sa

from kernel.db import engine
from kernel.errors import DukaError, Fault, NotFound
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import Box, Client, open_box
from kernel.web import Languages, body, gate
from kernel.web.languages import FOLDER
from kernel.work import Work

LOCATIONS, MEASURE, PAPERS = "/api/v1/locations", "/api/v1/probe_stock/measure", "/api/v1/probe_stock/papers"
JSON = {"Content-Type": "application/json", "Idempotency-Key": "k"}


async def test_head_answers_as_get_does_but_without_a_body(box: Box) -> None:
    owner = box.client("owner")
    for path in (LOCATIONS, f"{LOCATIONS}/{await box.location()}", "/api/v1/openapi.json", "/docs", "/health/live"):
        got, headed = await owner.get(path), await owner.send("HEAD", path)
        assert (headed.status_code, headed.content) == (got.status_code, b"") == (200, b""), path
        for name in ("content-type", "content-length", "etag"):
            assert headed.headers.get(name) == got.headers.get(name), (path, name)
    refused = await owner.send("HEAD", "/api/v1/nothing")
    assert (refused.status_code, refused.content) == (404, b"")
    assert (await owner.send("HEAD", MEASURE)).status_code == 405


async def test_options_and_405_name_the_methods_of_a_path(box: Box) -> None:
    owner = box.client("owner")
    wanted = {
        LOCATIONS: "GET, HEAD, OPTIONS, POST",
        f"{LOCATIONS}/{uuid.uuid4()}": "GET, HEAD, OPTIONS, PATCH",
        MEASURE: "OPTIONS, POST",
        "/api/v1/openapi.json": "GET, HEAD, OPTIONS",
    }
    for path, allow in wanted.items():
        asked = await owner.send("OPTIONS", path)
        assert (asked.status_code, asked.content, asked.headers["allow"]) == (204, b"", allow)
        refused = await owner.send("TRACE", path)
        assert (refused.status_code, refused.headers["allow"]) == (405, allow)
    assert (await owner.send("OPTIONS", "/api/v1/nothing")).status_code == 404
    assert (await box.client(None).send("OPTIONS", LOCATIONS)).status_code == 401
    assert (await box.client(None).send("OPTIONS", "/api/v1/auth/login")).headers["allow"] == "OPTIONS, POST"


async def test_every_route_answers_methods_it_does_not_have_with_405_and_allow(box: Box) -> None:
    owner = box.client("owner")
    by_path: dict[str, set[str]] = {}
    for route in box.app.routes:
        by_path.setdefault(route.path, set()).add(route.method)
    for path, methods in by_path.items():
        filled = path.replace("{", "").replace("}", "")
        for method in {"GET", "POST", "PATCH", "PUT", "DELETE", "FOO"} - methods:
            answer = await owner.send(method, filled)
            if answer.status_code == 405:
                assert set(answer.headers["allow"].split(", ")) >= methods, (method, path)
            else:  # another route's parameter reads this word too
                assert answer.status_code in (200, 404, 415, 422, 428), (method, path, answer.text)


# which header said what

TWICE = ("Authorization", "Content-Type", "Content-Length", "Host", "Idempotency-Key", "If-Match", "Origin")


@pytest.mark.parametrize("name", TWICE)
async def test_a_header_that_may_come_once_is_refused_twice(box: Box, name: str) -> None:
    said = {"Authorization": f"Bearer {box.client('owner').token}", "Host": "duka.test", **JSON, "Content-Length": "2"}
    lines = [(key, value) for key, value in said.items() if key != name]
    answer = await box.http.request("POST", MEASURE, content=b"{}", headers=[*lines, (name, "2"), (name, "2")])
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")


async def spoken(client: Client, headers: Mapping[str, str], path: str = LOCATIONS) -> int:
    return (await client.send("GET", path, headers=dict(headers))).status_code


async def test_headers_end_at_their_limits(box: Box) -> None:
    owner = box.client("owner")
    for length, status in ((8191, 200), (8192, 200), (8193, 431)):
        assert await spoken(owner, {"X-Long": "x" * length}) == status, length
    base = len(await _sent_headers(box, owner))
    for count, status in ((99, 200), (100, 200), (101, 431)):
        assert await spoken(owner, {f"X-{n}": "x" for n in range(count - base)}) == status, count
    size = sum(len(name) + len(value) for name, value in await _sent_headers(box, owner))
    for total, status in ((32_767, 200), (32_768, 200), (32_769, 431)):
        left = total - size - 5 * len("x-0")
        parts = {f"X-{n}": "x" * (left // 5 + (left % 5 if n == 0 else 0)) for n in range(5)}
        assert await spoken(owner, parts) == status, total


async def _sent_headers(box: Box, client: Client) -> list[tuple[bytes, bytes]]:
    request = box.http.build_request("GET", LOCATIONS, headers={"Authorization": f"Bearer {client.token}"})
    return list(request.headers.raw)


async def test_addresses_end_at_their_limits(box: Box) -> None:
    owner = box.client("owner")
    for length, status in ((8191, 404), (8192, 404), (8193, 414)):
        path = "/api/v1/" + "x" * (length - len("/api/v1/"))
        assert await spoken(owner, {}, path) == status, length
        asked = "?q=" + "x" * (length - 2)
        assert await spoken(owner, {}, LOCATIONS + asked) == (422 if status == 404 else 414), length


async def test_bodies_end_at_their_limits(box: Box) -> None:
    owner = box.client("owner")
    for size, status in ((2**20 - 1, 422), (2**20, 422), (2**20 + 1, 413)):
        content = b'"' + b"x" * (size - 2) + b'"'
        assert (await owner.send("POST", MEASURE, content=content, headers=JSON)).status_code == status, size

        async def in_chunks(content: bytes = content) -> AsyncIterator[bytes]:
            for start in range(0, len(content), 100_000):
                yield content[start : start + 100_000]

        streamed = await owner.send("POST", MEASURE, content=in_chunks(), headers=JSON)
        assert streamed.status_code == status, size
    for depth, code in ((31, "validation"), (32, "validation"), (33, "too-deep")):
        nested = "[" * depth + "]" * depth
        assert (await owner.send("POST", MEASURE, content=nested, headers=JSON)).json()["code"] == code, depth
    for count, status in ((1999, 200), (2000, 200), (2001, 422)):
        ids = [str(uuid.UUID(int=n)) for n in range(count)]
        assert (await owner.post(MEASURE, {"ids": ids})).status_code == status, count
    for length, status in ((199, 200), (200, 200), (201, 422)):
        assert (await owner.post(MEASURE, {"name": "x" * length})).status_code == status, length
    for length, status in ((1999, 200), (2000, 200), (2001, 422)):
        assert (await owner.post(MEASURE, {"words": "x" * length})).status_code == status, length
    for key, status in (("k" * 254, 200), ("k" * 255, 200), ("k" * 256, 400)):
        assert (await owner.post(MEASURE, {}, key=key)).status_code == status


async def test_pages_end_at_their_limit(box: Box) -> None:
    owner = box.client("owner")
    for limit, status in ((0, 422), (1, 200), (199, 200), (200, 200), (201, 422)):
        assert (await owner.get(LOCATIONS, params={"limit": limit})).status_code == status


async def test_a_body_that_comes_in_drops_is_given_up(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    assert body.SLOWEST_S == 15
    monkeypatch.setattr(body, "SLOWEST_S", 0.2)

    async def drops() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.05)

    owner = box.client("owner")
    late = await owner.send("POST", MEASURE, content=drops(), headers=JSON)
    assert (late.status_code, late.json()["code"], late.headers["connection"]) == (408, "request-timeout", "close")
    assert (await owner.get(LOCATIONS)).status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(0.1, 200), (30.0, 503)])
async def test_a_request_that_takes_too_long_is_undone(
    box: Box, monkeypatch: pytest.MonkeyPatch, seconds: float, status: int
) -> None:
    longest = gate.LONGEST_S
    assert longest == 30
    monkeypatch.setattr(gate, "LONGEST_S", 1.0 if status == 503 else 20.0)
    route = next(one for one in box.app.routes if one.operation == "probe_stock.measure")
    written = route.function

    async def slow(work: Work, data: Any) -> Any:
        said = await written(work, data=data)
        await work.flush()
        await asyncio.sleep(seconds)
        return said

    object.__setattr__(route, "function", slow)
    owner = box.client("owner")
    answer = await owner.post(MEASURE, {}, key="slow")
    monkeypatch.setattr(gate, "LONGEST_S", longest)
    assert answer.status_code == status, answer.text
    assert len((await owner.get(PAPERS)).json()["items"]) == (1 if status == 200 else 0)
    if status == 503:
        assert (answer.json()["code"], answer.headers["retry-after"]) == ("took-too-long", "1")
        object.__setattr__(route, "function", written)
        assert (await owner.post(MEASURE, {}, key="slow")).status_code == 200


@pytest_asyncio.fixture
async def hasty(box_settings: Settings, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Box]:
    assert engine.SLOWEST_STATEMENT_S == 5
    monkeypatch.setattr(engine, "SLOWEST_STATEMENT_S", 1.0)
    made = await open_box(box_settings, registry)
    yield made
    await made.close()


_COUNT = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT count(*) FROM n"


@pytest.mark.parametrize("slow", [False, True])
async def test_a_statement_that_takes_too_long_is_broken_off(hasty: Box, slow: bool) -> None:
    statement = f"SELECT pg_sleep({5 if slow else 0.1})"
    if not hasty.deployment.database.is_postgres:
        statement = _COUNT.format(10**9 if slow else 1000)
    route = next(one for one in hasty.app.routes if one.operation == "probe_stock.list_papers")
    listed = route.function

    async def sluggish(work: Work, query: Any) -> Any:
        await work.execute(sa.text(statement))
        return await listed(work, query=query)

    object.__setattr__(route, "function", sluggish)
    answer = await hasty.client("owner").get(PAPERS)
    assert (answer.status_code, "retry-after" in answer.headers) == ((503, True) if slow else (200, False)), answer.text
    object.__setattr__(route, "function", listed)
    assert (await hasty.client("owner").get(PAPERS)).status_code == 200


# what proxies say


@pytest_asyncio.fixture
async def proxied(box_settings: Settings, registry: Registry) -> AsyncIterator[Box]:
    made = await open_box(msgspec.structs.replace(box_settings, trusted_proxies=("127.0.0.1", "10.0.0.0/8")), registry)
    yield made
    await made.close()


FORWARDED = {"X-Forwarded-For": "203.0.113.9, 10.1.2.3", "X-Forwarded-Proto": "https"}


async def test_a_proxy_is_believed_only_when_it_is_trusted(box: Box, proxied: Box) -> None:
    for one, address in ((box, "127.0.0.1"), (proxied, "203.0.113.9")):
        made = await one.client("owner").post(MEASURE, {}, headers=FORWARDED)
        async with one.deployment.database.reader.connect() as connection:
            found = await connection.execute(
                sa.text("SELECT address FROM kernel_audit WHERE request_id = :id"), {"id": made.headers["x-request-id"]}
            )
            assert found.scalar_one() == address
        assert ("strict-transport-security" in made.headers) == (one is proxied)


async def test_https_is_asked_to_stay(box: Box) -> None:
    token = {"Authorization": f"Bearer {box.client('owner').token}"}
    for path in (LOCATIONS, "/api/v1/nothing", "/docs"):
        secure = await box.http.get(f"https://duka.test{path}", headers=token)
        assert secure.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
        assert "strict-transport-security" not in (await box.http.get(path, headers=token)).headers


async def test_a_socket_is_closed_at_once(box: Box) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await box.app({"type": "websocket", "path": "/api/v1/locations", "headers": []}, None, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]


# changes and versions


async def test_every_update_asks_for_the_version_that_was_read(box: Box) -> None:
    owner = box.client("owner")
    ids = {
        "location_id": await box.location(),
        "business_id": box.shop.id,
        "user_id": box.people["mama-njeri", "cashier"].id,
    }
    walked = 0
    for route in box.app.routes:
        if route.method not in ("PATCH", "PUT"):
            continue
        assert route.conditional
        if not route.parameters.keys() <= ids.keys():
            continue
        walked += 1
        path = route.path.format(**ids)
        said = {"location_ids": [str(ids["location_id"])]} if route.path.endswith("/locations") else {}
        for headers, status in (({}, 428), ({"If-Match": '"77"'}, 412), ({"If-Match": 'W/"1"'}, 412)):
            answer = await owner.send(route.method, path, json=said, headers=headers)
            assert answer.status_code == status, (route.path, headers, answer.text)
        any_of = {"If-Match": '"9", "1", "2", "3"'}
        assert (await owner.send(route.method, path, json=said, headers=any_of)).status_code == 200
    assert walked >= 3


async def test_what_has_not_changed_is_not_sent_again(box: Box) -> None:
    owner, path = box.client("owner"), f"{LOCATIONS}/{await box.location()}"
    tag = (await owner.get(path)).headers["etag"]
    for known in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        again = await owner.send("GET", path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (await owner.send("GET", path, headers={"If-None-Match": '"x"'})).status_code == 200
    await owner.patch(path, {"name": "New"}, version=1)
    changed = await owner.send("GET", path, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json()["name"]) == (200, "New")


async def test_a_tag_of_something_living_tells_its_content_and_serves_to_change_it(box: Box) -> None:
    owner, path = box.client("owner"), f"/api/v1/businesses/{box.shop.id}"
    tag = (await owner.get(path)).headers["etag"]
    assert tag.startswith('"1.')
    assert (await owner.send("GET", path, headers={"If-None-Match": tag})).status_code == 304
    await owner.post("/api/v1/plugins/probe_till/disable")  # raises the epoch, not the version
    changed = await owner.send("GET", path, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.headers["etag"] != tag) == (200, True)
    patched = await owner.send("PATCH", path, json={"name": "New"}, headers={"If-Match": changed.headers["etag"]})
    assert patched.status_code == 200


# some fields, and more


async def test_a_reader_may_ask_for_some_fields(box: Box) -> None:
    owner, place = box.client("owner"), await box.location()
    page = (await owner.get(LOCATIONS, params={"fields": "id,name", "limit": 1, "include_total": "true"})).json()
    assert page.keys() == {"items", "next_cursor", "total"}
    assert [one.keys() for one in page["items"]] == [{"id", "name"}]
    rest = await owner.get(LOCATIONS, params={"fields": "code", "cursor": page["next_cursor"]})
    assert [list(one) for one in rest.json()["items"]] == [["code"]]
    one = await owner.get(f"{LOCATIONS}/{place}", params={"fields": "zone"})
    assert (one.json(), one.headers["etag"]) == ({"zone": "Africa/Nairobi"}, '"1"')


@pytest.mark.parametrize("fields", ["", ",", "id,", "id,id", "password_hash", "id,version", "ID", "items", "a" * 300])
async def test_fields_that_are_not_there_are_refused(box: Box, fields: str) -> None:
    answer = await box.client("owner").get(LOCATIONS, params={"fields": fields})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "?fields")
    refused = await box.client("owner").send(
        "POST", f"{MEASURE}?fields=read", json={}, headers={"Idempotency-Key": "1"}
    )
    assert refused.status_code == 422


async def test_the_document_tells_which_fields_may_be_asked_for(box: Box) -> None:
    said = (await box.client("owner").get("/api/v1/openapi.json")).json()
    [fields] = [one for one in said["paths"][LOCATIONS]["get"]["parameters"] if one["name"] == "fields"]
    assert set(fields["schema"]["items"]["enum"]) >= {"id", "code", "name", "zone"}
    assert (fields["style"], fields["explode"], fields["required"]) == ("form", False, False)
    assert not [one for one in said["paths"][MEASURE]["post"]["parameters"] if one["name"] == "fields"]


# languages


@pytest.mark.parametrize(
    ("asked", "language"),
    [("sw", "sw"), ("sw-KE, en;q=0.8", "sw"), ("fr, hi;q=0.5, sw;q=0.4", "hi"), ("en, sw", "en"), ("sw;q=0", "en"),
     ("*", "en"), ("fr", "en"), ("", "en"), ("sw;q=2", "en"), (";;;,,,", "en"), ("x" * 5000, "en"), ("SW", "sw")],
)  # fmt: skip
async def test_a_problem_is_told_in_the_language_asked_for(box: Box, asked: str, language: str) -> None:
    answer = await box.client("owner").send("GET", "/api/v1/nothing", headers={"Accept-Language": asked})
    titles = {"en": "Not found", "sw": "Haikupatikana", "hi": "नहीं मिला"}
    assert answer.json()["title"] == answer.json()["detail"] == titles[language]
    assert answer.headers["content-language"] == language
    assert "Accept-Language" in answer.headers["vary"]
    assert answer.json()["code"] == "not-found"


def _kinds(kind: type[DukaError] = DukaError) -> set[type[DukaError]]:
    return {kind, *(one for below in kind.__subclasses__() for one in _kinds(below))}


def test_every_title_of_the_kernel_is_told_in_every_language() -> None:
    codes = {
        kind.code for kind in _kinds() if kind.__module__.startswith("kernel.") and ".tests." not in kind.__module__
    }
    for language, catalogue in Languages().catalogues.items():
        assert codes - catalogue.titles.keys() == set(), language
    assert {file.stem for file in FOLDER.iterdir()} == {"ar", "hi", "sw"}


def test_a_plugin_adds_its_words_and_takes_none_away(tmp_path: Any) -> None:
    (tmp_path / "sw.json").write_text(json.dumps({"titles": {"out-of-rice": "Mchele umekwisha", "not-found": "?"}}))
    languages = Languages([FOLDER, tmp_path])

    class OutOfRice(DukaError):
        code, title = "out-of-rice", "No rice left"

    told = languages.tell(OutOfRice(), "sw")
    assert (told.title, told.detail, told.languages) == ("Mchele umekwisha", "Mchele umekwisha", "sw")
    partly = languages.tell(OutOfRice("2 wanted"), "sw")
    assert (partly.title, partly.detail, partly.languages) == ("Mchele umekwisha", "2 wanted", "sw, en")
    assert languages.tell(NotFound(), "sw").title == "Haikupatikana"
    assert languages.tell(OutOfRice(), "hi").languages == "en"
    fault = languages.tell(NotFound("x", faults=[Fault("/a", "not-found", "There is no such thing")]), "sw").faults[0]
    assert (fault.pointer, fault.detail) == ("/a", "Kitu kama hicho hakipo")
