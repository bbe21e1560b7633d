"""Bad inputs (promises P29, P30, P31): each is refused by a problem document of the right kind, and writes nothing.

Each table below is sent in one go; what comes out wrong is listed by name.
"""

# ruff: noqa: E501, RUF001 - tables of one row a line, with digits and letters that look like others

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Iterable
from typing import Any, NamedTuple

import httpx
import pytest
import sqlalchemy as sa

from kernel.db import Base
from kernel.testing.box import Box

LOCATIONS, MEASURE = "/api/v1/locations", "/api/v1/probe_stock/measure"


class Bad(NamedTuple):
    """A request, and how it must be refused."""

    name: str
    status: int
    code: str
    method: str = "POST"
    path: str = LOCATIONS
    body: bytes | None = None
    headers: dict[str, str] = {}
    role: str | None = "owner"


def raw(name: str, status: int, code: str, body: bytes | str, path: str = LOCATIONS, **headers: str) -> Bad:
    content = body.encode() if isinstance(body, str) else body
    return Bad(name, status, code, "POST", path, content, {"Content-Type": "application/json", **headers})


def location(title: str, /, **fields: Any) -> Bad:
    body = {"code": "x", "name": "X", "kind": "storefront", **fields}
    return raw(title, 422, "validation", json.dumps({k: v for k, v in body.items() if v is not ...}))


def measured(field: str, *values: Any) -> list[Bad]:
    return [raw(f"{field} {value!r}"[:60], 422, "validation", json.dumps({field: value}), MEASURE) for value in values]


def get(name: str, status: int, code: str, path: str, role: str | None = "owner") -> Bad:
    return Bad(name, status, code, "GET", path, role=role)


NOT_AMOUNTS: tuple[Any, ...] = (
    "NaN", "nan", "Infinity", "-inf", "1e309", "1e999999", "-0", "-0.00", "-1", "9" * 5000, "1_000", " 12 ", "+12",
    "1,5", "0x10", "", "١٢", "１２", "1\n", ".5", "5.", "00.5", 0.1, 12, True, None, [], {}, "1000000000000000000",
)  # fmt: skip
MONEY = [
    raw("bare NaN", 400, "malformed-json", '{"price": NaN}', MEASURE),
    raw("bare Infinity", 400, "malformed-json", '{"price": -Infinity}', MEASURE),
    raw("1e309", 400, "malformed-json", '{"price": 1e309}', MEASURE),
    raw("a number of 5,000 digits", 400, "malformed-json", '{"price": ' + "1" * 5000 + "}", MEASURE),
    raw("a number of 4,000 digits", 422, "validation", '{"count": ' + "1" * 4000 + "}", MEASURE),
    *measured("price", *NOT_AMOUNTS),
    *measured("quantity", *NOT_AMOUNTS, "0.0000001"),
    *measured("percent", *NOT_AMOUNTS),
    *measured("count", True, "1", 1.5, 2**31 + 1, 2**63, 2**64, -1, None),
    *measured("flag", 1, 0, "true", None),
]
IDS = [
    *measured("id", "", "x", "01935f4e6d2c7a518f0e3b1f5a0c9d1", 7, None),
    *measured("ids", [], ["x"], [None], "x"),
    raw("an id too many", 422, "validation", json.dumps({"ids": [str(uuid.UUID(int=n)) for n in range(2001)]}), MEASURE),
    get("unknown id", 404, "not-found", f"{LOCATIONS}/{uuid.uuid4()}"),
    *(
        get(f"path id {id_[:20]}", 404, "not-found", f"{LOCATIONS}/{id_}")
        for id_ in ("x", "1_000", "%D9%A1", "-1", "9223372036854775808", "1" * 4301, "..%2f..%2fetc%2fpasswd", "%00", "%FF", "%F0%9F%8D%9A")
    ),
]  # fmt: skip
TEXTS = [
    location("NUL", name="a\x00b"),
    location("CR LF", name="a\r\nb"),
    location("tab", name="a\tb"),
    location("escape", name="\x1b[31m"),
    location("delete", name="a\x7fb"),
    raw("a raw control character", 400, "malformed-json", b'{"code": "a\x01b"}'),
    raw("half a surrogate pair", 400, "malformed-json", '{"code": "x", "name": "\\ud800", "kind": "storefront"}'),
    raw("half a pair as a key, and NUL", 400, "malformed-json", '{"\\ud800": "\\u0000"}'),
    raw("NUL below half a pair", 400, "malformed-json", '{"a": {"\\udfff": ["\\u0000"]}}'),
    raw("not UTF-8", 400, "malformed-json", b'{"name": "\xff\xfe"}'),
    raw("a raw surrogate", 400, "malformed-json", b'{"name": "\xed\xa0\x80"}'),
    raw("UTF-16", 400, "malformed-json", '{"code": "x"}'.encode("utf-16")),
    raw("a byte order mark", 400, "malformed-json", b'\xef\xbb\xbf{"code": "x"}'),
    location("blank", name=" "),
    location("empty", name=""),
    location("space at the end", name="x "),
    location("too long", name="x" * 201),
    location("half a megabyte", name="x" * 500_000),
    location("a code in Cyrillic", code="\u0430\u0431\u0432"),
    location("an unknown kind", kind="kiosk"),
    location("a zone by its letters", zone="EAT"),
    location("a zone in the file system", zone="../../etc/passwd"),
    location("a zone far away", zone="Etc/GMT-99"),
    location("a zone too long", zone="A" * 100_000),
    location("a cut-off past midnight", day_cutoff="24:00"),
    location("a cut-off in Arabic digits", day_cutoff="٠١:٠٠"),
    location("an unknown field", total="1"),
    location("another business", business_id=str(uuid.uuid4())),
    location("a missing field", name=...),
    location("null for a text", name=None),
]
JSON = [
    raw("no body", 422, "validation", b""),
    raw("blank body", 400, "malformed-json", b"  \n "),
    raw("null", 422, "validation", "null"),
    raw("a list", 422, "validation", "[]"),
    raw("a text", 422, "validation", '"x"'),
    raw("deep brackets", 400, "too-deep", "[" * 100_000),
    raw("deep objects", 400, "too-deep", '{"a":' * 5000 + "1" + "}" * 5000),
    raw("33 levels", 400, "too-deep", '{"a":' + "[" * 32 + "]" * 32 + "}"),
    raw("32 levels", 422, "validation", '{"a":' + "[" * 31 + "]" * 31 + "}"),
    raw("duplicate keys", 400, "malformed-json", '{"code": "a", "code": "b", "name": "x", "kind": "storefront"}'),
    raw("duplicate keys below", 400, "malformed-json", '{"a": [{"b": 1, "b": 1}]}'),
    raw("trailing comma", 400, "malformed-json", '{"code": "a",}'),
    raw("comment", 400, "malformed-json", '{"code": "a"} // x'),
    raw("two documents", 400, "malformed-json", '{"code": "a"} {"code": "b"}'),
    raw("single quotes", 400, "malformed-json", "{'code': 'a'}"),
    raw("ends early", 400, "malformed-json", '{"code": "a'),
    raw("many strings that never end", 400, "malformed-json", b"[" + b"[]," * 40 + b'"' + b'\\"' * 500_000),
    raw("500,000 unknown keys", 413, "payload-too-large", "{" + ",".join(f'"k{n}":1' for n in range(200_000)) + "}"),
    raw("a megabyte and one", 413, "payload-too-large", b'"' + b"x" * (2**20 - 1) + b'"'),
    raw("exactly a megabyte", 422, "validation", b'"' + b"x" * (2**20 - 2) + b'"'),
    raw("a length that is no number", 422, "validation", "[]", **{"Content-Length": "²"}),
    raw("a length of 5,000 digits", 413, "payload-too-large", "[]", **{"Content-Length": "9" * 5000}),
    raw("text/plain", 415, "unsupported-media-type", "{}", **{"Content-Type": "text/plain"}),
    raw("xml", 415, "unsupported-media-type", "{}", **{"Content-Type": "application/xml"}),
    raw("a form", 415, "unsupported-media-type", "a=b", **{"Content-Type": "application/x-www-form-urlencoded"}),
    raw("merge-patch", 415, "unsupported-media-type", "{}", **{"Content-Type": "application/merge-patch+json"}),
    raw("no type", 415, "unsupported-media-type", "{}", **{"Content-Type": ""}),
    raw("UTF-16 said", 415, "unsupported-media-type", "{}", **{"Content-Type": "application/json; charset=utf-16"}),
    raw("gzip", 415, "unsupported-media-type", "{}", **{"Content-Encoding": "gzip"}),
]
QUERIES = [
    *(
        get(f"?{said}"[:50], 422, "validation", f"{LOCATIONS}?{said}")
        for said in (
            "limit=0", "limit=201", "limit=-1", "limit=100000000000000000000", "limit=1e3", "limit=", "limit=١", "limit=%D9%A1", "limit=1_0",
            "limit=5&limit=6", "unknown=1", "kind=kiosk", "is_active=1", "is_active=True", "kind=%FF", "kind=%00",
            "cursor=" + "x" * 2001, "include_total=yes",
        )
    ),
    *(
        get(f"cursor {cursor[:20]}", 400, "invalid-cursor", f"{LOCATIONS}?cursor={cursor}")
        for cursor in ("x", "AAAA", "A" * 40, "%27%3B--", "W10", "A" * 1999)
    ),
    *(
        get(f"sort {sort}", 422, "validation", f"/api/v1/probe_stock/papers?sort={sort}")
        for sort in ("id;drop", "password_hash", "--number", "business.secret", "", "NUMBER")
    ),
    get("query on a route that has none", 422, "validation", f"{LOCATIONS}/{uuid.uuid4()}?x=1"),
    Bad("query on a POST", 422, "validation", "POST", f"{LOCATIONS}?dry_run=true", b"{}", {"Content-Type": "application/json"}),
    get("61 parameters", 422, "validation", LOCATIONS + "?" + "&".join(f"a{n}=1" for n in range(61))),
]  # fmt: skip
PATHS = [
    *(
        get(f"path {path[:40]}", 404, "not-found", path)
        for path in ("/api/v1/nothing", "/api/v1/", "/api/v2/locations", "/nothing", "/api/v1/locations%2f..", "/docsearch")
    ),
    *(Bad(f"{method} on a list", 405, "method-not-allowed", method) for method in ("DELETE", "PATCH", "PUT", "TRACE", "FOO")),
    Bad("POST on an item", 405, "method-not-allowed", "POST", f"{LOCATIONS}/{uuid.uuid4()}", b"{}", {"Content-Type": "application/json"}),
    Bad("GET on the sign-in", 405, "method-not-allowed", "GET", "/api/v1/auth/login"),
    Bad("FOO on the sign-in", 405, "method-not-allowed", "FOO", "/api/v1/auth/login", role=None),
    Bad("DELETE on the document", 405, "method-not-allowed", "DELETE", "/api/v1/openapi.json"),
    Bad("a header too large", 431, "headers-too-large", "GET", LOCATIONS, headers={"X-Long": "x" * 8193}),
    Bad("a token too large", 431, "headers-too-large", "GET", LOCATIONS, headers={"Authorization": "Bearer " + "x" * 2**21}),
    get("a file of ours", 404, "not-found", "/static/kernel/..%2f..%2fsettings.py"),
    get("a file of theirs", 404, "not-found", "/static/kernel/%2e%2e/%2e%2e/%2e%2e/etc/passwd"),
    get("a folder", 404, "not-found", "/static/kernel/swagger-ui"),
    get("a file with NUL", 404, "not-found", "/static/kernel/docs.css%00.html"),
]  # fmt: skip


async def contents(box: Box) -> dict[str, str]:
    """A hash of every table."""
    found: dict[str, str] = {}
    async with box.deployment.database.reader.connect() as connection:
        for table in Base.metadata.sorted_tables:
            if table.name.startswith(("kernel_", *(f"{name}_" for name in box.deployment.registry.plugins))):
                rows = (await connection.execute(sa.select(table).order_by(*table.primary_key.columns))).all()
                found[table.name] = hashlib.sha256(repr([tuple(row) for row in rows]).encode()).hexdigest()
    return found


async def send(box: Box, bad: Bad) -> httpx.Response:
    headers = {**({"Idempotency-Key": uuid.uuid4().hex} if bad.method == "POST" else {}), **bad.headers}
    lines = {name: value.encode("latin-1") for name, value in headers.items()}
    return await box.client(bad.role).send(bad.method, bad.path, content=bad.body, headers=lines)


def wrong_with(bad: Bad, answer: httpx.Response, seconds: float) -> Iterable[str]:
    if answer.status_code != bad.status:
        yield f"{answer.status_code}, not {bad.status}: {answer.text[:150]}"
        return
    if seconds > 1:
        yield f"took {seconds:.1f} s"
    if bad.method == "HEAD":
        return
    if answer.headers["content-type"] != "application/problem+json":
        yield "no problem document"
        return
    said = answer.json()
    if said["code"] != bad.code or said["type"] != f"/problems/{bad.code}":
        yield f"{said['code']}, not {bad.code}: {said['detail']}"
    if said["status"] != bad.status or said["request_id"] != answer.headers["x-request-id"] or not said["title"]:
        yield "not a whole problem document"
    if bad.status == 405 and not answer.headers.get("allow"):
        yield "405 without Allow"
    if "Traceback" in answer.text or len(answer.content) > 5000:
        yield "says too much"


async def refused(box: Box, table: list[Bad]) -> list[str]:
    before = await contents(box)
    wrong = []
    for bad in table:
        start = time.process_time()
        answer = await send(box, bad)
        wrong += [f"{bad.name}: {what}" for what in wrong_with(bad, answer, time.process_time() - start)]
        if bad.status >= 500:
            wrong.append(f"{bad.name}: expects a server error")
    if (after := await contents(box)) != before:
        wrong.append(f"written: {[name for name in after if after[name] != before[name]]}")
    return wrong


@pytest.mark.parametrize(
    "table",
    [MONEY, IDS, TEXTS, JSON, QUERIES, PATHS],
    ids=["money", "ids", "texts", "json", "queries", "paths"],
)
async def test_bad_input_is_refused_by_name_and_writes_nothing(box: Box, table: list[Bad]) -> None:
    wrong = await refused(box, table)
    assert not wrong, "\n" + "\n".join(wrong)


async def test_the_hash_of_the_tables_notices_a_write(box: Box) -> None:
    """Without this, the tests above could not fail."""
    before = await contents(box)
    made = await box.client("owner").post(LOCATIONS, {"code": "x", "name": "X", "kind": "storefront"})
    assert made.status_code == 201
    changed = {name for name, hash_ in (await contents(box)).items() if hash_ != before[name]}
    assert changed == {"kernel_location", "kernel_business", "kernel_audit", "kernel_idempotency"}


@pytest.mark.parametrize(
    "name",
    ["Kürbis & Söhne", "👨‍👩‍👧‍👦 Family", "=HYPERLINK(1)", "@SUM", "<script>alert(1)</script>", "{{7*7}} ${7*7}", "x" * 200, "'; --",
     "مرحبا", "a\u0301", "%00", "\\u0000 spelt out"],
)  # fmt: skip
async def test_unusual_names_come_back_as_they_were_sent(box: Box, name: str) -> None:
    owner = box.client("owner")
    made = await owner.post(LOCATIONS, {"code": "x", "name": name, "kind": "storefront"})
    assert made.status_code == 201, made.text
    read = await owner.get(f"{LOCATIONS}/{made.json()['id']}")
    assert read.json()["name"] == made.json()["name"] == name


async def test_a_fault_is_pointed_at(box: Box) -> None:
    cases: list[tuple[Any, str, str]] = [
        ({"ids": [str(uuid.uuid4()), "x"]}, "/ids/1", "invalid"),
        ({"a/b~c": 1}, "/a~1b~0c", "unknown"),
        ({"price": "x"}, "/price", "invalid"),
        ({"name": "a\x00"}, "/name", "control-character"),
        ({"words": {"a/b": "\x00"}}, "/words/a~1b", "control-character"),
    ]
    for body, pointer, code in cases:
        [fault] = (await box.client("owner").post(MEASURE, body)).json()["errors"]
        assert (fault["pointer"], fault["code"]) in ((pointer, code), ("", "unknown")), body
    [missing] = (await box.client("owner").post(LOCATIONS, {"code": "x"})).json()["errors"]
    assert missing["code"] == "required"


async def test_limits_hold_at_the_limit(box: Box) -> None:
    owner = box.client("owner")
    assert (await owner.get(LOCATIONS, params={"limit": 200})).status_code == 200
    assert (await owner.get(LOCATIONS, params={"limit": 1})).status_code == 200
    ids = [str(uuid.uuid4()) for _ in range(2000)]
    assert (await owner.post(MEASURE, {"ids": ids})).status_code == 200
    for field, value in (("price", "999999999999"), ("quantity", "0.000001"), ("percent", "100"), ("count", 2**31)):
        answer = await owner.post(MEASURE, {field: value})
        assert answer.status_code == 200, (field, answer.text)
    long = {"X-Long": "x" * 8192}
    assert (await owner.send("GET", LOCATIONS, headers=long)).status_code == 200


async def test_a_time_that_the_database_can_not_hold_is_refused(box: Box) -> None:
    owner = box.client("owner")
    said = {"name": "Shop", "scopes": ["audit.see"], "expires_at": "9999-12-31T23:59:59-14:00"}
    assert (await owner.post("/api/v1/keys", said)).status_code == 422
    for path in ("/api/v1/audit", "/api/v1/audit/export"):
        assert (await owner.get(f"{path}?from=0001-01-01")).status_code == 422
