"""P26: nothing is done for a cookie alone, a sign-in is a new session, every answer tells browsers what to refuse."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from kernel.testing.box import PASSWORD, Box
from plugins.catalog.testing import a_product
from plugins.console.services import sessions, visiting
from plugins.console.testing import Browser
from tests.promises.bodies import FILES
from tests.proving import ON_SQLITE

pytestmark = ON_SQLITE
DOORS = [
    *(("POST", f"/console{path}") for path in ("/do", "/sign-out", "/switch", "/qr", "/api/v1/catalog/brands")),
    *((method, "/console/api/v1/catalog/brands/{brand}") for method in ("PUT", "PATCH", "DELETE")),
]
"""All that writes for a session."""
JSON = '{"name": "Planted"}'
BODIES: list[tuple[str | None, str]] = [
    ("application/x-www-form-urlencoded", "_method=POST&_to=/catalog/brands&name=Planted&text=Planted&business=x"),
    ("application/json", JSON), ("text/plain", JSON), (None, JSON), ("multipart/form-data; boundary=x", "--x--"),
]  # fmt: skip
FROM_ELSEWHERE: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "null"},
    {"Origin": "https://evil.example"}, {"Origin": "https://duka.test.evil.example"},
]  # fmt: skip


def forged(own: str, others: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Proofs and headers of requests that no page of the session sent."""
    for proof in ("", "x", others, own[:-4], own[:-1] + ("A" if own[-1] != "A" else "B"), "é" * 64):
        yield proof, {}
    for headers in FROM_ELSEWHERE:
        yield own, headers


async def proof_of(browser: Browser) -> str:
    """The proof that a page of somebody's session carries."""
    return dict((await browser.get("/account")).form("/console/sign-out").fields)["_proof"]


async def let_in(box: Box, doors: Iterable[tuple[str, str]] = DOORS) -> list[str]:
    """The forgeries that came through."""
    watcher = box.client("manager")
    brand = (await watcher.post("/api/v1/catalog/brands", {"name": uuid.uuid4().hex})).json()["id"]
    browser, found = Browser(box), []
    own, others = await proof_of(browser), await proof_of(Browser(box, "manager"))
    for method, path in doors:
        for kind, body in BODIES:
            for place, (proof, headers) in enumerate(forged(own, others)):
                if place > 2 and (kind == "application/json") != ("/api/" in path):
                    continue  # bodies that such a door is never sent: a few suffice
                said = {
                    "X-Proof": proof,
                    "Idempotency-Key": uuid.uuid4().hex,
                    **({"Content-Type": kind} if kind else {}),
                }
                sent = f"{body}&_proof={proof}" if "=" in body else body
                answer = await browser.http.request(
                    method,
                    path.format(brand=brand),
                    content=sent.encode(),
                    headers=[(name.encode(), value.encode()) for name, value in {**said, **headers}.items()],
                )
                if answer.status_code != 403:
                    found.append(f"{method} {path} {kind} {proof!r} {headers}: {answer.status_code}")
    named = [one["name"] for one in (await watcher.get("/api/v1/catalog/brands")).json()["items"]]
    return [*found, *(["a brand was planted"] if "Planted" in named else [])]


async def test_no_door_of_the_console_does_anything_for_a_cookie_alone(box: Box) -> None:
    assert await let_in(box) == []


async def test_a_door_that_asks_for_no_proof_or_not_where_from_is_found(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twins."""
    doors = (("POST", "/console/qr"), ("POST", "/console/api/v1/catalog/brands"))
    with monkeypatch.context() as patch:
        patch.setattr(sessions, "is_ours", lambda _: True)
        found = await let_in(box, doors)
        assert any("cross-site" in one for one in found)
        assert any("evil.example" in one for one in found)
        assert found[-1] == "a brand was planted"
    monkeypatch.setattr(sessions, "_bound", lambda *_: b"x" * 24)
    found = await let_in(box, doors[:1])
    assert [one for one in found if "/console/qr application/x-www-form-urlencoded" in one], found


async def test_a_page_that_is_only_read_changes_nothing(box: Box) -> None:
    browser = Browser(box)
    said = {"_method": "POST", "_to": "/catalog/brands", "name": "Planted", "_proof": await proof_of(browser)}
    for path in ("/console/do", "/console/sign-out", "/console/switch"):
        assert (await browser.http.get(path, params=said)).status_code == 404
    assert (await browser.get("/")).status == 200
    assert (await box.client("owner").get("/api/v1/catalog/brands")).json()["items"] == []


async def session_stays(box: Box, base: str = "http://duka.test") -> list[str]:
    """What of a session that was there before outlives a sign-in. base: where it is asked for."""
    browser, begins = Browser(box), sessions.SECURE if base.startswith("https") else ""
    browser.http.base_url = httpx.URL(base)
    old = {f"{begins}duka_access": box.client("owner").token or "", f"{begins}duka_refresh": "planted"}
    browser.http.cookies.clear()
    for name, value in old.items():
        browser.http.cookies.set(name, value, path="/console")
    before = await proof_of(browser)
    said = {"username": "owner@mama-njeri.example", "password": PASSWORD, "_to": "/"}
    answer = await browser.http.post("/console/sign-in", data=said, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303, answer.text
    told = {
        name: one.partition("=")[2] for one in answer.headers.get_list("set-cookie") for name in [one.split("=")[0]]
    }
    found = [name for name, value in old.items() if told.get(name, value).startswith(value)]
    wanted = ("HttpOnly", "SameSite=Lax", "Path=/console", *(["Secure"] if begins else []))
    found += [f"{name} lacks {one}" for name, value in told.items() for one in wanted if one not in value.split("; ")]
    form = {"_to": "/catalog/brands", "name": f"Of {base}", "_proof": before}
    if (await browser.http.post("/console/do", data=form)).status_code != 403:
        found.append("the proof of before holds")
    return found


@pytest.mark.parametrize("base", ["http://duka.test", "https://duka.test"])
async def test_a_sign_in_is_a_new_session_whatever_was_there_before(box: Box, base: str) -> None:
    assert await session_stays(box, base) == []


async def test_a_session_that_is_kept_over_a_sign_in_is_found(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin."""
    monkeypatch.setattr(sessions, "begun", lambda _, before: replace(before, set={sessions.ACCESS: (before.access, 9)}))
    assert await session_stays(box) == ["duka_access", "duka_refresh", "the proof of before holds"]


async def test_over_https_a_cookie_that_anybody_between_could_have_planted_opens_nothing(box: Box) -> None:
    browser = Browser(box)
    assert (await browser.get("/")).status == 200
    browser.http.base_url = httpx.URL("https://duka.test")
    assert (await browser.get("/")).status == 303


SAFE = {
    "x-content-type-options": r"nosniff",
    "x-frame-options": r"DENY",
    "referrer-policy": r"same-origin|no-referrer",
    "cache-control": r"no-store|public, max-age=\d+(, immutable)?|private, .*",
    "cross-origin-opener-policy": r"same-origin",
    "cross-origin-resource-policy": r"same-origin",
    "content-security-policy": r"default-src 'none';.*",
    "strict-transport-security": r"max-age=31536000; includeSubDomains",
}


def lacking(answer: httpx.Response) -> list[str]:
    """What an answer lacks of what tells browsers to be careful."""
    found = [name for name, said in SAFE.items() if not re.fullmatch(said, answer.headers.get(name, ""))]
    policy = answer.headers.get("content-security-policy", "")
    rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
    found += [one for one in ("base-uri", "frame-ancestors") if rules.get(one) != "'none'"]
    scripts = rules.get("script-src", rules.get("default-src", ""))
    found += ["script-src"] if scripts not in ("'self'", "'none'") else []
    return [
        *found,
        *(["style-src"] if "unsafe" in rules.get("style-src", "") and "html" not in str(answer.url) else []),
    ]


async def all_kinds(box: Box, monkeypatch: pytest.MonkeyPatch) -> dict[str, httpx.Response]:
    """An answer of every kind that a browser may get, over https."""
    browser, nobody = Browser(box), Browser(box, None)
    for one in (browser, nobody):
        one.http.base_url = httpx.URL("https://duka.test")
    browser.http.cookies.set(f"{sessions.SECURE}duka_access", box.client("owner").token or "", path="/console")
    rice = await a_product(box)
    image = {"content": FILES["image/png"], "headers": {"Content-Type": "image/png"}}
    assert (
        await box.client("owner").send("POST", f"/api/v1/catalog/products/{rice}/image", **image)
    ).status_code == 204
    picture = (await box.client("owner").get(f"/api/v1/catalog/products/{rice}")).json()["image"]["small"]
    get = browser.http.get
    kinds = {
        "page": await get("/console/catalog/products"),
        "sheet": await get(f"/console/catalog/products/{rice}", headers={"X-Sheet": "1"}),
        "card": await get("/console/card/analytics/today"),
        "moved": await nobody.http.get("/console/catalog/products"),
        "sign-in": await nobody.http.get("/console/sign-in"),
        "refused": await browser.http.post("/console/do", data={"_to": "/x"}),
        "missing": await get("/console/nothing"),
        "missing thing": await get(f"/console/catalog/products/{uuid.uuid4()}"),
        "too long": await get("/console/search", params={"q": "x" * 9000}),
        "file": await nobody.http.get("/static/console/duka.js"),
        "style": await nobody.http.get("/static/console/duka.css"),
        "missing file": await nobody.http.get("/static/console/nothing.js"),
        "docs": await nobody.http.get("/docs"),
        "front": await nobody.http.get("/"),
        "picture": await get(f"/console{picture}"),
        "json": await get("/console/api/v1/roles"),
        "problem": await nobody.http.get("/api/v1/roles"),
        "payer's page": await nobody.http.get("/pay/nothing"),
    }

    async def broken(_: Any) -> Any:
        raise RuntimeError("a page that fails")

    with monkeypatch.context() as patch:
        patch.setattr(visiting, "show", broken)
        kinds["fault"] = await get("/console/catalog/products")
    return kinds


async def test_every_kind_of_answer_tells_browsers_to_be_careful(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = await all_kinds(box, monkeypatch)
    statuses = {one.status_code // 100 for one in kinds.values()}
    assert statuses == {2, 3, 4, 5}
    wrong = {kind: found for kind, one in kinds.items() if (found := lacking(one))}
    assert wrong == {"docs": ["style-src"]}, "the API's documentation is drawn by Swagger UI, which styles by itself"
    picture = kinds["picture"]
    assert picture.status_code == 200
    assert picture.headers["content-type"] in ("image/webp", "image/png", "image/jpeg")
    assert picture.headers["content-security-policy"].startswith("default-src 'none'")


async def test_an_answer_that_forgets_who_may_frame_it_is_found(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twins: a page that anybody may frame, and one on which anything runs."""
    loose = visiting.POLICY.replace("frame-ancestors 'none'", "").replace("script-src 'self'", "script-src *")
    monkeypatch.setattr(visiting, "POLICY", loose)
    kinds = await all_kinds(box, monkeypatch)
    assert lacking(kinds["page"]) == ["frame-ancestors", "script-src"]
    assert lacking(kinds["file"]) == []
