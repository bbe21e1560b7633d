"""What stands on a page, and what never does; rendered without a server."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from pathlib import Path

import pytest
import segno

from plugins.payment_links.rules import FAULTS, is_picture, is_safe_address
from plugins.payment_links.schemas.screens import Came, Screen, Waiting, Way
from plugins.payment_links.services.pages import POLICY, ROOM, page
from plugins.payment_links.services.showing import CLOSED

UPI = "upi://pay?pa=shop@bank&pn=Shop&am=12.00&cu=INR&tr=X1"
EVIL = "<script>alert(1)</script>\" onerror=x '"
WAYS = (Way("mpesa", "M-PESA", True), Way("card", "Card", False))
BASE = {"shop": "Mama", "region": "KE", "currency": "KES", "number": "PL-1", "words": "Shoes"}


def waiting(show: str, text: str = "", status: str = "pending") -> Screen:
    about = Waiting(uuid.uuid4(), "UPI", status, show, text, None)  # type: ignore[arg-type]
    return Screen(face="wait", amount=1200, waiting=about, **BASE)  # type: ignore[arg-type]


def html(screen: Screen, language: str | None = None) -> str:
    return page(screen, "t" * 68, None, language).body.decode()


SCREENS = {
    "choose": Screen(face="choose", amount=1200, ways=WAYS, **BASE),  # type: ignore[arg-type]
    "open": Screen(face="choose", least=1, most=2, ways=WAYS, **BASE),  # type: ignore[arg-type]
    "failed": Screen(face="choose", amount=1200, ways=WAYS, fault="Time ran out.", **BASE),  # type: ignore[arg-type]
    "unknown": Screen(face="choose", amount=1200, ways=WAYS, fault="unknown", **BASE),  # type: ignore[arg-type]
    "none": Screen(face="choose", amount=1200, **BASE),  # type: ignore[arg-type]
    "prompt": waiting("prompt"),
    "asked": waiting("prompt", status="unknown"),
    "qr": waiting("qr", UPI),
    "page": waiting("page", "https://pay.example/1"),
    "sent": waiting("wait"),
    "paid": Screen(
        face="paid",
        amount=1200,
        paid=1200,
        came=(Came(1200, "R1", 100),),
        paid_at=dt.datetime(2026, 11, 21, tzinfo=dt.UTC),
        **BASE,  # type: ignore[arg-type]
    ),
    "late": Screen(face="paid", paid=1200, came=(Came(1200, None, 0),), is_late=True, **BASE),  # type: ignore[arg-type]
    "closed": CLOSED,
}


@pytest.mark.parametrize("name", SCREENS)
def test_a_page_asks_nobody_else_for_anything_and_holds_nothing_inline(name: str) -> None:
    said = html(SCREENS[name])
    loaded = re.findall(r'(?:src|href|action)="([^"]+)"', said)
    links = [one for one in loaded if not one.startswith(("/static/payment_links/", "/pay/", "data:"))]
    assert set(links) <= {UPI.replace("&", "&amp;"), "https://pay.example/1"}
    assert re.findall(r"<script(?![^>]* src=)|<style|\bstyle=|\bon[a-z]+=", said) == []
    assert "unsafe" not in POLICY
    assert page(SCREENS[name], "t", None, None).headers["Content-Security-Policy"] == POLICY


@pytest.mark.parametrize("language", ["sw", "hi"])
def test_every_word_of_every_page_is_in_the_payers_language(language: str) -> None:
    known = json.loads((ROOM / "locale" / f"{language}.json").read_text())["words"]
    template = (ROOM / "templates" / "pay.html").read_text()
    said = (
        set(re.findall(r'_\("([^"]+)"\)', template)) | set(re.findall(r"_\('([^']+)'\)", template)) | {*FAULTS.values()}
    )
    for file in ("services/paying.py", "rules.py"):
        said |= set(
            re.findall(
                r'(?:_Wrong\("\w+", |"(?:little|much)": |FAULTS\.get\(kind, )"([^"]+)"', (ROOM / file).read_text()
            )
        )
    assert len(said) > 50
    assert said - set(known) == set()
    assert all(known[one] and known[one] != one for one in said)
    assert f'<html lang="{language}">' in html(SCREENS["choose"], language)


def test_a_text_of_the_shop_is_shown_as_text() -> None:
    evil = {**BASE, "shop": EVIL, "words": EVIL}
    way = Way('"><b>', EVIL, True)
    said = html(Screen(face="choose", ways=(way,), typed={"phone": EVIL}, wrong={"phone": "x"}, **evil))  # type: ignore[arg-type]
    assert "<script>alert" not in said
    assert '"><b>' not in said
    assert "&lt;script&gt;" in said


@pytest.mark.parametrize(
    "text",
    ["javascript:alert(1)", "data:text/html,x", "http://shop.example", "https://a b", "upi:pay", "//x", "\nupi://x"],
)
def test_an_address_that_could_do_harm_gets_no_button(text: str) -> None:
    assert not is_safe_address(text)
    assert text not in html(waiting("page", text))


def test_a_picture_is_shown_only_as_a_picture() -> None:
    assert is_picture("data:image/png;base64,AAAA")
    assert not is_picture("data:text/html;base64,AAAA")
    assert "text/html" not in html(waiting("picture", "data:text/html;base64,AAAA"))
    assert 'src="data:image/png;base64,AAAA"' in html(waiting("picture", "data:image/png;base64,AAAA"))


def test_a_code_on_the_page_is_drawn_of_what_the_provider_said() -> None:
    drawn = segno.make(UPI, error="m", micro=False).svg_data_uri(scale=6, border=4, dark="#000", light="#fff")
    assert drawn.replace("'", "&#39;") in html(waiting("qr", UPI))


def test_only_a_page_that_waits_loads_itself_again_and_only_without_scripts() -> None:
    for name, screen in SCREENS.items():
        is_waiting = '<noscript><meta http-equiv="refresh"' in html(screen)
        assert is_waiting == (screen.face == "wait"), name


def test_the_script_and_the_sheet_ask_nobody_else() -> None:
    for name in ("pay.js", "pay.css"):
        text = Path(ROOM / "static" / name).read_text()
        assert "http:" not in text.replace("http-equiv", "")
        assert "https:" not in text
        assert "@import" not in text
        assert "innerHTML" not in text
