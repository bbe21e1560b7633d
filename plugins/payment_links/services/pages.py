"""Pages for payers, rendered: in their language, with nothing in them that another address would serve."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import jinja2
import segno

from kernel.money import exponent, format_amount, mark_of, show_amount
from kernel.web import Languages
from kernel.wire import RawAnswer
from plugins.payment_links.rules import fingerprint, is_picture, is_safe_address
from plugins.payment_links.schemas.screens import Screen

ROOM: Final = Path(__file__).parent.parent
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Vary": "Accept-Language",
}
NAMES: Final = {"en": "English", "sw": "Kiswahili", "hi": "हिन्दी"}
STATUS: Final = {"closed": 404}
_MEDIA: Final = "text/html; charset=utf-8"


def page(screen: Screen, token: str, accept: str | None, wanted: str | None) -> RawAnswer:
    """The page of a screen. token: of its address; wanted: the language chosen on the page, before what is accepted."""
    language = wanted if wanted in NAMES else languages().best(accept)
    html = (
        _template()
        .render(
            screen=screen,
            language=language,
            names=NAMES,
            token=token,
            files=_files(),
            _=_told(language),
            money=lambda minor: show_amount(minor, screen.currency, screen.region),
            mark=mark_of(screen.currency).strip(),
            plain=lambda minor: format_amount(minor, exponent(screen.currency)),
            moment=lambda at: f"{at.astimezone(ZoneInfo(screen.zone)):%d.%m.%Y %H:%M}",
            code=_code(screen),
            button=_button(screen),
        )
        .encode()
    )
    return RawAnswer(422 if screen.wrong else STATUS.get(screen.face, 200), html, _MEDIA, HEADERS)


def moved(token: str, wanted: str | None) -> RawAnswer:
    """Send a browser to a page, so that loading it again sends nothing."""
    query = f"?lang={wanted}" if wanted in NAMES else ""
    return RawAnswer(303, b"", _MEDIA, HEADERS | {"Location": f"/pay/{token}{query}"})


@cache
def languages() -> Languages:
    """The languages in which pages are."""
    return Languages([ROOM / "locale"])


def _told(language: str) -> Callable[[str], str]:
    catalogue = languages().catalogues.get(language)
    words: Mapping[str, str] = catalogue.words if catalogue else {}
    return lambda english: words.get(english, english)


def _code(screen: Screen) -> str:
    """The picture to scan, as data."""
    waiting = screen.waiting
    if waiting is None or not waiting.text:
        return ""
    if waiting.show == "picture":
        return waiting.text if is_picture(waiting.text) else ""
    if waiting.show == "qr":
        made = segno.make(waiting.text, error="m", micro=False)
        return made.svg_data_uri(scale=6, border=4, dark="#000", light="#fff")
    return ""


def _button(screen: Screen) -> str:
    """The address behind the button, if it may stand there."""
    waiting = screen.waiting
    if waiting is None or waiting.show not in ("qr", "page") or not is_safe_address(waiting.text):
        return ""
    return waiting.text


@cache
def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(ROOM / "templates")
    made = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return made.get_template("pay.html")


@cache
def _files() -> Mapping[str, str]:
    """What a page loads: name → its address, which changes with what is in it."""
    names = ("pay.css", "pay.js")
    return {one: f"/static/payment_links/{one}?v={fingerprint((ROOM / 'static' / one).read_text())}" for one in names}
