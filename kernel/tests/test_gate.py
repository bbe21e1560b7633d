"""The gate: who may come in, what every answer carries, and what a plugin that is off looks like."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio

from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import Box, open_box
from kernel.web import PUBLIC

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "FOO")
SAFE_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def filled(path: str) -> str:
    return re.sub(r"{\w+}", str(uuid.UUID(int=7)), path)


def stripped(answer: httpx.Response) -> tuple[int, Any]:
    said = answer.json() if answer.content else {}
    said.pop("request_id", None)
    return answer.status_code, said


async def test_who_is_not_signed_in_learns_nothing_of_what_exists(box: Box) -> None:
    nobody = box.client(None)
    known = {filled(route.path) for route in box.app.routes if route.permission != PUBLIC}
    unknown = {
        "/api/v1/nothing",
        "/api/v1/locations/x/y",
        "/console",
        "/docsearch",
        "/favicon.ico",
        "//docs/x",
        "/.env",
    }
    answers = {}
    for path in sorted(known | unknown):
        for method in METHODS:
            answer = await nobody.send(method, path)
            answers[method, path] = answer.status_code
            if answer.status_code == 401 and method != "HEAD":
                assert stripped(answer)[1]["code"] == "unauthenticated"
                assert answer.headers["www-authenticate"] == "Bearer"
    assert {key: status for key, status in answers.items() if status != 401} == {}


async def test_who_is_not_signed_in_may_sign_in_and_read_the_documentation(box: Box) -> None:
    nobody = box.client(None)
    statuses = {path: (await nobody.get(path)).status_code for path in ("/", "/docs", "/api/v1/openapi.json")}
    statuses |= {path: (await nobody.get(path)).status_code for path in ("/health/live", "/health/ready")}
    assert statuses == {"/": 307, "/docs": 200, "/api/v1/openapi.json": 200, "/health/live": 200, "/health/ready": 200}
    public = {(route.method, route.path) for route in box.app.routes if route.permission == PUBLIC}
    assert {(method, path.split("/")[3]) for method, path in public} == {("POST", "auth")}


SPELLINGS = (
    "/api/v1/probe_till/open",
    "/api/v1/probe_till/open/",
    "//api/v1/probe_till/open",
    "/api//v1/probe_till/open",
    "/api/v1//probe_till/open",
    "/api/v1/probe_till//open",
    "/api/v1/probe%5Ftill/open",
    "/api/v1/probe_till/open%20",
    "/%20api/v1/probe_till/open",
    "/api/v1/probe_till",
    "/api/v1/probe_till/nothing",
    "/api/v1/./probe_till/open",
    "/api/v1/x/../probe_till/open",
)


async def test_a_plugin_that_is_off_is_not_there_whatever_the_method(box: Box) -> None:
    owner = box.client("owner")
    assert (await owner.send("POST", SPELLINGS[0])).status_code == 204
    assert (await owner.send("PUT", SPELLINGS[0])).status_code == 405
    assert (await owner.post("/api/v1/plugins/probe_till/disable")).status_code == 200
    nothing = stripped(await owner.get("/api/v1/nothing"))
    assert nothing[0] == 404
    for path in SPELLINGS:
        for method in METHODS:
            answer = await owner.send(method, path)
            assert answer.status_code == 404, (method, path, answer.status_code)
            if method != "HEAD":
                assert stripped(answer) == nothing, (method, path)
    assert (await box.client("owner", "sharma-kirana").send("POST", SPELLINGS[0])).status_code == 204
    assert (await owner.post("/api/v1/plugins/probe_till/enable")).status_code == 200
    assert (await owner.send("POST", SPELLINGS[0])).status_code == 204


@pytest.mark.parametrize("how", ["off", "on"])
async def test_a_body_that_is_not_taken_does_not_tell_that_a_plugin_is_there(box: Box, how: str) -> None:
    """On, it is told what is wrong with the body; off, that there is nothing."""
    owner = box.client("owner")
    if how == "off":
        assert (await owner.post("/api/v1/plugins/probe_till/disable")).status_code == 200
    bodies = {("text/plain", b"x"): 415, ("application/json", b"{"): 400, ("application/json", b"x" * 1_100_000): 413}
    for (media_type, body), status in bodies.items():
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            told = await owner.send(method, SPELLINGS[0], content=body, headers={"Content-Type": media_type})
            assert told.status_code == (404 if how == "off" else status), (method, media_type)
    anonymous = await box.client(None).send("POST", SPELLINGS[0], content=b"x", headers={"Content-Type": "text/plain"})
    assert anonymous.status_code == 401


async def test_every_answer_carries_the_headers_that_keep_browsers_safe(box: Box) -> None:
    owner, nobody = box.client("owner"), box.client(None)
    answers = {
        200: await owner.get("/api/v1/locations"),
        201: await owner.post("/api/v1/locations", {"code": "x", "name": "X", "kind": "storefront"}),
        204: await owner.post("/api/v1/probe_till/open"),
        307: await nobody.get("/"),
        400: await owner.send("POST", "/api/v1/locations", content=b"{", headers={"Content-Type": "application/json"}),
        401: await nobody.get("/api/v1/locations"),
        403: await box.client("cashier").get("/api/v1/users"),
        404: await owner.get("/api/v1/nothing"),
        405: await owner.send("DELETE", "/api/v1/locations"),
        415: await owner.send("POST", "/api/v1/locations", content=b"{}"),
        422: await owner.post("/api/v1/locations", {}),
        428: await owner.patch(f"/api/v1/locations/{await box.location()}", {"name": "x"}),
        431: await owner.send("GET", "/api/v1/locations", headers={"X": "x" * 9000}),
    }
    for status, answer in answers.items():
        assert answer.status_code == status, answer.text
        assert {name: answer.headers.get(name) for name in SAFE_HEADERS} == SAFE_HEADERS, status
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])
        for name in ("content-type", "content-length", "x-request-id"):
            assert len(answer.headers.get_list(name)) <= 1, (status, name)
        assert "server" not in answer.headers
    ids = [answer.headers["x-request-id"] for answer in answers.values()]
    assert len(set(ids)) == len(ids)


async def test_pages_for_browsers_run_nothing_but_their_own_files(box: Box) -> None:
    nobody = box.client(None)
    page = await nobody.get("/docs")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"<script(?![^>]*src=)[^>]*>|\son\w+=", page.text)
    for source in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text):
        assert (await nobody.get(source)).status_code == 200, source


@pytest_asyncio.fixture
async def choosy(box_settings: Settings, registry: Registry) -> AsyncIterator[Box]:
    box = await open_box(msgspec.structs.replace(box_settings, allowed_hosts=("duka.test", "shop.example")), registry)
    yield box
    await box.close()


@pytest.mark.parametrize(
    ("host", "status"),
    [("duka.test", 200), ("Shop.Example", 200), ("shop.example:8400", 200), ("evil.example", 400), ("", 400),
     ("shop.example.evil", 400), ("evil.example:duka.test", 400)],
)  # fmt: skip
async def test_only_named_hosts_are_served(choosy: Box, host: str, status: int) -> None:
    answer = await choosy.client("owner").send("GET", "/api/v1/locations", headers={"Host": host})
    assert answer.status_code == status
    assert status == 200 or answer.json()["code"] == "bad-host"


async def test_a_forwarded_host_is_not_believed(choosy: Box) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": "duka.test"}
    assert (await choosy.client("owner").send("GET", "/api/v1/locations", headers=headers)).status_code == 400


async def listed(box: Box, path: str = "/api/v1/locations", **params: Any) -> httpx.Response:
    return await box.client("owner").get(path, params=params)


async def test_pages_of_a_list_hold_every_row_once(box: Box) -> None:
    owner = box.client("owner")
    for number in range(7):
        await owner.post("/api/v1/locations", {"code": f"L{number % 4}-{number}", "name": "X", "kind": "warehouse"})
    whole = [one["code"] for one in (await listed(box, limit=200)).json()["items"]]
    for limit in (1, 2, 3, 8, 9):
        seen: list[str] = []
        cursor: str | None = None
        while True:
            page = (
                await listed(box, limit=limit, include_total="true", **({"cursor": cursor} if cursor else {}))
            ).json()
            assert page["total"] == 9
            assert len(page["items"]) <= limit
            seen += [one["code"] for one in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == whole


def altered(cursor: str, at: int) -> str:
    """A cursor with another letter at that place."""
    return cursor[:at] + ("B" if cursor[at] == "A" else "A") + cursor[at + 1 :]


async def test_a_cursor_works_for_its_own_list_filter_and_business_only(box: Box) -> None:
    cursor = (await listed(box, limit=1, is_active="true")).json()["next_cursor"]
    assert (await listed(box, limit=50, is_active="true", cursor=cursor)).status_code == 200
    forged = [
        await listed(box, limit=1, cursor=cursor),
        await listed(box, limit=1, is_active="false", cursor=cursor),
        await listed(box, "/api/v1/users", limit=1, is_active="true", cursor=cursor),
        await box.client("owner", "sharma-kirana").get(
            "/api/v1/locations", params={"limit": 1, "is_active": "true", "cursor": cursor}
        ),
        *[
            await listed(box, limit=1, is_active="true", cursor=bad)
            for bad in (cursor[:-1], cursor + "A", altered(cursor, 0), altered(cursor, 30), cursor.upper())
        ],
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in forged] == [(400, "invalid-cursor")] * len(forged)


async def test_sorting_turns_round_and_its_cursor_goes_on(box: Box) -> None:
    owner = box.client("owner")
    for words in "cab":
        await owner.post("/api/v1/probe_stock/measure", {"words": words})
    up = (await listed(box, "/api/v1/probe_stock/papers", sort="number")).json()["items"]
    first = (await listed(box, "/api/v1/probe_stock/papers", sort="-number", limit=2)).json()
    rest = (
        await listed(box, "/api/v1/probe_stock/papers", sort="-number", limit=2, cursor=first["next_cursor"])
    ).json()
    assert first["items"] + rest["items"] == up[::-1]
    assert (
        await listed(box, "/api/v1/probe_stock/papers", sort="number", cursor=first["next_cursor"])
    ).status_code == 400


async def test_a_change_needs_the_version_that_was_read(box: Box) -> None:
    path = f"/api/v1/locations/{await box.location()}"
    owner = box.client("owner")
    read = await owner.get(path)
    assert read.headers["etag"] == '"1"'
    assert (await owner.patch(path, {"name": "New"})).json()["code"] == "precondition-required"
    assert (await owner.patch(path, {"name": "New"}, version=7)).json()["code"] == "precondition-failed"
    changed = await owner.patch(path, {"name": "New"}, version=1)
    assert (changed.status_code, changed.headers["etag"], changed.json()["name"]) == (200, '"2"', "New")
    assert (await owner.patch(path, {"name": "Newer"}, version=1)).status_code == 412
    assert (await owner.get(path)).json()["name"] == "New"


@pytest.mark.parametrize("thing", ["locations", "users", "businesses"])
async def test_of_many_changes_to_one_version_one_is_made(box: Box, thing: str) -> None:
    ids = {
        "locations": await box.location(),
        "users": box.people["mama-njeri", "cashier"].id,
        "businesses": box.shop.id,
    }
    path = f"/api/v1/{thing}/{ids[thing]}"
    owner = box.client("owner")
    answers = await asyncio.gather(*(owner.patch(path, {"name": f"Name {n}"}, version=1) for n in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 7]
    assert (await owner.get(path)).headers["etag"].strip('"').partition(".")[0] == "2"


async def test_a_name_that_is_taken_is_told_with_its_field(box: Box) -> None:
    taken = await box.client("owner").post(
        "/api/v1/locations", {"code": "kilimani", "name": "Again", "kind": "storefront"}
    )
    assert (taken.status_code, taken.json()["code"]) == (409, "already-exists")
    assert [fault["pointer"] for fault in taken.json()["errors"]] == ["/code"]
