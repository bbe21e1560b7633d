"""The shell: who gets in, what a form needs, and what no page lets through."""

from __future__ import annotations

import datetime as dt
import re
import time
from base64 import urlsafe_b64encode
from typing import Any

import msgspec
import pytest

from kernel.auth.secrets.tokens import make_access_token, read_access_token
from kernel.testing.box import PASSWORD, Box
from kernel.web import ApiAnswer, Asked
from plugins.catalog.testing import a_product
from plugins.console.services import sessions
from plugins.console.testing import Browser

pytestmark = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
"""What is proved here asks nothing of the database."""


async def test_a_stranger_signs_in_and_lands_where_they_wanted(box: Box) -> None:
    browser = Browser(box, None)
    asked = await browser.get("/catalog/products?q=rice")
    assert asked.status == 303
    assert asked.answer.headers["location"] == "/console/sign-in?to=/catalog/products%3Fq%3Drice"
    page = await browser.get("/sign-in?to=/catalog/products")
    refused = await browser.submit(
        page.form("/console/sign-in"), {"username": "nobody@duka.example", "password": "Hapana-4711!"}
    )
    assert refused.status == 401
    assert "nobody@duka.example" in refused.text, "what was typed stays"
    assert "Hapana-4711!" not in refused.text, "but for the password"


@pytest.mark.parametrize(
    "to",
    [
        *("//evil.example", "/\\evil.example", "https://evil.example", "evil", "/\x0aSet-Cookie:a"),
        *("/%2f/evil.example", "/../pay/abc", "/%2e%2E/pay/abc", "/customers/..//../pay"),
    ],
)
async def test_nobody_is_sent_elsewhere_by_a_link_to_the_sign_in(box: Box, to: str) -> None:
    browser = Browser(box)
    answer = await browser.http.get("/console/sign-in", params={"to": to})
    assert answer.headers["location"] == "/console"


@pytest.mark.parametrize("query", ["&".join(f"a{n}=1" for n in range(5000)), "&" * 5000, "q=%00%ff", "=&=;&%"])
async def test_no_query_string_whatever_breaks_a_page(box: Box, query: str) -> None:
    owner, nobody = Browser(box), Browser(box, None)
    assert (await owner.get(f"/catalog/products?{query}")).status < 500
    assert (await nobody.get(f"/sign-in?{query}")).status < 500


async def test_the_session_lives_in_cookies_that_no_script_reads_and_no_api_is_sent(box: Box) -> None:
    asked = Browser(box)
    page = await asked.get("/")
    form = next(one for one in page.forms if one.action == "/console/prefer")
    answer = await asked.http.post(form.action, data={"theme": "dark"}, headers={"Sec-Fetch-Site": "same-origin"})
    said = answer.headers["set-cookie"]
    assert "HttpOnly" in said
    assert "SameSite=Lax" in said
    assert "Path=/console" in said
    assert (await asked.http.get("/api/v1/auth/me")).status_code == 401, "the API never reads a cookie"


async def test_an_access_token_that_has_run_out_is_renewed_behind_the_page(box: Box) -> None:
    browser = Browser(box)
    claims = read_access_token(browser.http.cookies["duka_access"], box.deployment.secret, box.clock())
    old = make_access_token(
        claims, box.deployment.secret, box.clock() - dt.timedelta(hours=1), dt.timedelta(minutes=15)
    )
    browser.http.cookies.set("duka_access", old, path="/console")
    answer = await browser.get("/")
    assert answer.status == 303, "without a refresh token it is a stranger's"
    assert (await browser.get("/sign-in")).status == 200


@pytest.mark.parametrize("path", ["/console/do", "/console/sign-out", "/console/switch"])
async def test_a_form_of_somewhere_else_does_nothing(box: Box, path: str) -> None:
    browser = Browser(box)
    said = {"_method": "POST", "_to": "/catalog/brands", "name": "Planted", "business": "mama-njeri", "_key": "k" * 20}
    for proof in ("", "x", 200 * "x"):
        answer = await browser.http.post(path, data={**said, "_proof": proof})
        assert answer.status_code == 403
    page = await browser.get("/")
    proof = dict(page.form("/console/sign-out").fields)["_proof"]
    cross = await browser.http.post(path, data={**said, "_proof": proof}, headers={"Sec-Fetch-Site": "cross-site"})
    assert cross.status_code == 403, "the browser itself says where it comes from"
    foreign = await browser.http.post(path, data={**said, "_proof": proof}, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    other = Browser(box, "manager")
    theirs = dict((await other.get("/")).form("/console/sign-out").fields)["_proof"]
    assert (await browser.http.post(path, data={**said, "_proof": theirs})).status_code == 403, "bound to the sign-in"
    brands = (await box.client("owner").get("/api/v1/catalog/brands")).json()["items"]
    assert "Planted" not in [one["name"] for one in brands]


async def test_each_page_says_its_proof_otherwise_and_all_of_them_hold(box: Box) -> None:
    """What is compressed beside words of somebody else shows in its length (BREACH)."""
    browser = Browser(box)
    pages = [await browser.get(f"/?q={number}") for number in range(3)]
    proofs = {dict(page.form("/console/sign-out").fields)["_proof"] for page in pages}
    assert len(proofs) == 3
    assert all(page.answer.headers["content-encoding"] == "gzip" for page in pages)
    for number, proof in enumerate(sorted(proofs)):
        said = {"_to": "/catalog/brands", "name": f"Brand {number}", "_proof": proof, "_key": f"{number}" * 20}
        assert (await browser.http.post("/console/do", data=said)).status_code == 303
        worn = {**said, "_proof": proof[:-1] + ("A" if proof[-1] != "A" else "B")}
        assert (await browser.http.post("/console/do", data=worn)).status_code == 403


async def test_a_console_that_believes_every_form_is_caught(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin."""
    monkeypatch.setattr(sessions, "is_proved", lambda *_: True)
    browser = Browser(box)
    said = {"_method": "POST", "_to": "/catalog/brands", "name": "Planted"}
    assert (
        await browser.http.post("/console/do", data=said, headers={"Sec-Fetch-Site": "cross-site"})
    ).status_code == 303
    brands = (await box.client("owner").get("/api/v1/catalog/brands")).json()["items"]
    assert "Planted" in [one["name"] for one in brands]


async def test_the_api_behind_the_session_writes_only_with_the_proof(box: Box) -> None:
    browser = Browser(box)
    assert (await browser.http.get("/console/api/v1/auth/me")).json()["business"]["slug"] == "mama-njeri"
    refused = await browser.http.post("/console/api/v1/catalog/brands", json={"name": "Planted"})
    assert refused.status_code == 403
    proof = dict((await browser.get("/")).form("/console/sign-out").fields)["_proof"]
    done = await browser.http.post(
        "/console/api/v1/catalog/brands",
        json={"name": "Tilda"},
        headers={"X-Proof": proof, "Idempotency-Key": "k" * 20},
    )
    assert done.status_code == 201, done.text


async def test_no_page_carries_what_its_policy_forbids(box: Box) -> None:
    await a_product(box, sku="XSS-1", name="<script>alert(1)</script>")
    browser = Browser(box)
    for path in ("/", "/catalog/products", "/sign-in", "/nothing-here"):
        page = await browser.get(path)
        policy = page.answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<script(?![^>]*\bsrc=)", page.text)
        assert not re.search(r"\sstyle=|\son[a-z]+=|javascript:|hx-on|https?://(?!www\.w3\.org)", page.text)
        assert "alert(1)</script>" not in page.text


async def test_what_the_api_refuses_stands_on_the_page_and_changes_nothing(box: Box) -> None:
    browser = Browser(box)
    page = await browser.get("/catalog/products/new")
    said = await browser.script(page.form("/catalog/products"), {"name": "Rice", "price": "abc"})
    assert said["problem"]["errors"][0]["pointer"] == "/price"
    done = await browser.submit(page.form("/catalog/products"), {"name": "Rice", "sku": "RICE-9", "price": "9.50"})
    assert done.status == 200
    assert "Rice" in done.text
    listed = (await box.client("owner").get("/api/v1/catalog/products?q=RICE-9")).json()["items"]
    assert [one["price"] for one in listed] == ["9.50"]


async def test_who_may_not_see_a_page_finds_none_and_no_way_to_it(box: Box) -> None:
    stock, till = Browser(box, "stock_keeper"), Browser(box, "cashier")
    assert (await stock.get("/catalog/products/new")).status == 200
    assert (await till.get("/catalog/products/new")).status == 404
    assert "/console/catalog/products/new" not in (await till.get("/catalog/products")).links.values()
    assert (await Browser(box, None).get("/catalog/products")).status == 303


async def test_the_search_finds_things_and_pages_as_one_types_and_as_a_page(box: Box) -> None:
    await a_product(box, sku="RICE-2KG", name="Rice 2kg")
    owner, till = Browser(box), Browser(box, "cashier")
    typed, entered = await owner.get("/find?q=rice"), await owner.get("/search?q=rice")
    assert "Rice 2kgRICE-2KG" in typed.links
    assert "Rice 2kg" in entered.links
    assert "Roles" in (await owner.get("/find?q=role")).links
    assert "Roles" not in (await till.get("/search?q=role")).links


async def test_what_goes_beyond_a_limit_is_answered_on_a_second_persons_own_screen(box: Box) -> None:
    product = await a_product(box, sku="RICE-9", name="Basmati", price="400.00", track_stock=False)
    half = {"percent": "50", "reason": "torn bag"}
    cart = {
        "location_id": str(await box.location()),
        "lines": [{"product_id": str(product), "discount": half}],
        "payments": [{"method": "cash", "amount": "200.00"}],
    }
    cashier = box.client("cashier")
    asked = (await cashier.post("/api/v1/sales/sales", json=cart)).json()
    assert (await Browser(box, "cashier").get("/approvals")).status == 404
    page = await Browser(box, "owner").get("/approvals")
    assert "50 % off by hand" in page.text
    await Browser(box, "owner").submit(page.form("/approvals/*/approve"), {"reason": "seen it"})
    given = await cashier.post("/api/v1/sales/sales", json=cart, headers={"X-Approval": asked["approval"]})
    assert given.status_code == 201
    used = (await Browser(box, "owner").get("/approvals?state=used")).text
    assert "seen it" in used


async def two_tabs(box: Box) -> tuple[Browser, dict[str, str]]:
    """An operator who has gone on in a business; with a form that is open in another tab from before."""
    browser = Browser(box, "operator")
    claims = read_access_token(browser.http.cookies["duka_access"], box.deployment.secret, box.clock())
    above = msgspec.structs.replace(claims, business_id=None)
    token = make_access_token(above, box.deployment.secret, box.clock(), dt.timedelta(minutes=15))
    browser.http.cookies.set("duka_access", token, path="/console")
    form = dict((await browser.get("/account")).form("/console/sign-out").fields)
    answer = await browser.http.post("/console/switch", data={**form, "business": "mama-njeri"})
    assert answer.status_code == 303, answer.text
    browser.http.cookies.clear()
    for name, value in answer.cookies.items():
        browser.http.cookies.set(name, value, path="/console")
    return browser, form


async def test_a_form_of_a_business_that_was_left_in_another_tab_writes_nothing_into_the_next(box: Box) -> None:
    browser, form = await two_tabs(box)
    said = {**form, "_method": "POST", "_to": "/catalog/brands", "name": "Of the other", "_key": "k" * 20}
    refused = await browser.http.post("/console/do", data=said)
    assert refused.status_code == 403
    assert "gone on in another business" in refused.text
    fresh = dict((await browser.get("/")).form("/console/sign-out").fields)
    assert (await browser.http.post("/console/do", data={**said, **fresh})).status_code == 303


async def test_a_console_that_binds_forms_to_the_person_alone_is_caught(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin."""
    monkeypatch.setattr(Asked, "business_of", lambda *_: None)
    browser, form = await two_tabs(box)
    said = {**form, "_method": "POST", "_to": "/catalog/brands", "name": "Of the other"}
    assert (await browser.http.post("/console/do", data=said)).status_code == 303
    brands = (await box.client("owner").get("/api/v1/catalog/brands")).json()["items"]
    assert "Of the other" in [one["name"] for one in brands], "planted in a business that the form is not of"


async def test_a_sign_in_ends_the_one_that_was_in_the_browser_before(box: Box) -> None:
    browser = Browser(box, "manager")
    before = browser.http.cookies["duka_access"]
    said = {"username": "owner@mama-njeri.example", "password": PASSWORD}
    assert (await browser.http.post("/console/sign-in", data=said)).status_code == 303
    told = await browser.http.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {before}"})
    assert told.status_code == 401


@pytest.mark.parametrize("status", [429, 503])
async def test_who_asks_while_the_api_cannot_answer_stays_signed_in(
    box: Box, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    async def busy(*_: Any, **__: Any) -> ApiAnswer:
        return ApiAnswer(status, {}, b'{"title": "Too much to do", "code": "busy", "status": 503}')

    browser = Browser(box)
    browser.http.cookies.set("duka_refresh", "r_of_somebody", path="/console")
    with monkeypatch.context() as patch:
        patch.setattr(sessions, "call", busy)
        for token in (browser.http.cookies["duka_access"], "worn"):
            browser.http.cookies.set("duka_access", token, path="/console")
            page = await browser.get("/catalog/products")
            assert page.status == status
            assert "Too much to do" in page.text
            assert "set-cookie" not in page.answer.headers, "what the browser keeps of its session stays"
            told = await browser.http.post("/console/do", headers={"Accept": "application/json"})
            assert told.json()["title"] == "Too much to do"
    browser.http.cookies.set("duka_access", box.client("owner").token or "", path="/console")
    assert (await browser.get("/")).status == 200


@pytest.mark.parametrize(
    "cookie", [b'a="' + b"\\" * 8000 + b'"', b"=;" * 4000, b"duka_said=%; duka_place=5; \xff\xfe=\xff"]
)
async def test_no_cookies_whatever_take_time_or_break_a_page(box: Box, cookie: bytes) -> None:
    browser = Browser(box, None)
    begun = time.process_time()
    answer = await browser.http.get("/console/sign-in", headers={b"Cookie": cookie})
    assert answer.status_code == 200
    assert time.process_time() - begun < 0.5


async def test_a_place_of_a_cookie_that_is_nested_without_end_is_not_heard(box: Box) -> None:
    browser = Browser(box)
    browser.http.cookies.set("duka_place", urlsafe_b64encode(b"[" * 5500).decode(), path="/console")
    assert (await browser.get("/")).status == 200


async def test_a_page_that_says_that_it_was_done_has_words(box: Box) -> None:
    """Of a 204 a browser shows nothing, and a body after it is read as the next answer."""
    browser = Browser(box, None)
    asked = await browser.get("/forgot")
    page = await browser.submit(asked.form("/console/forgot"), {"email": "nobody@duka.example"})
    assert page.status == 200
    assert "is on its way" in page.text


@pytest.mark.parametrize("name", ["_tag", "_key", "_approval"])
@pytest.mark.parametrize("said", ["पर", "a\r\nb"])
async def test_no_header_is_made_of_what_none_may_hold(box: Box, name: str, said: str) -> None:
    browser = Browser(box)
    form = dict((await browser.get("/")).form("/console/sign-out").fields)
    answer = await browser.http.post(
        "/console/do", data={**form, "_to": "/catalog/brands", "name": "Tilda", name: said}
    )
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("then", "where"),
    [
        ("/पर", "/console/%E0%A4%AA%E0%A4%B0"),
        ("/a\r\nSet-Cookie: b=c", "/console/a%0D%0ASet-Cookie:%20b=c"),
        ("//evil.example", "/console//evil.example"),
        ("/?name={name}&a=1", "/console/?name=A%26B%20%C3%A9&a=1"),
    ],
)
async def test_where_a_form_leads_is_an_address_whatever_it_says(box: Box, then: str, where: str) -> None:
    browser = Browser(box)
    form = dict((await browser.get("/")).form("/console/sign-out").fields)
    said = {**form, "_to": "/catalog/brands", "name": "A&B é", "_then": then}
    answer = await browser.http.post("/console/do", data=said)
    assert (answer.status_code, answer.headers["location"]) == (303, where)


async def test_what_is_told_on_the_next_page_is_short_whatever_a_form_says(box: Box) -> None:
    browser = Browser(box)
    form = (await browser.get("/customers/customers/new")).form("/customers/customers")
    said = {**dict(form.fields), "name": "Asha", "_said": "s" * 100_000, "_undo": "/" + "u" * 100_000}
    answer = await browser.http.post("/console/do", data=said, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303
    assert sum(len(one) for one in answer.headers.get_list("set-cookie")) < 2_000, "a browser drops what is longer"


@pytest.mark.parametrize("status", [429, 503])
async def test_nobody_is_told_that_they_are_signed_out_while_their_sign_in_goes_on(
    box: Box, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    browser, call = Browser(box), sessions.call

    async def busy(asked: Asked, session: Any, method: str, path: str, *more: Any, **headers: str) -> ApiAnswer:
        if path == "/auth/logout":
            return ApiAnswer(status, {}, b'{"title": "Too much to do", "code": "busy", "status": 503}')
        return await call(asked, session, method, path, *more, **headers)

    form = (await browser.get("/")).form("/console/sign-out")
    with monkeypatch.context() as patch:
        patch.setattr(sessions, "call", busy)
        page = await browser.submit(form)
        assert page.status == status
        assert "Too much to do" in page.text
        assert "duka_access" in browser.http.cookies
    assert (await browser.submit(form)).form("/console/sign-in").fields
