"""The console's site: which request is answered by what."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import quote

from kernel.errors import DukaError
from kernel.web import Asked, Given, PassOn, Site
from plugins.console.schemas import Refused
from plugins.console.services import cards, entering, finding, noticing, saving, sending, supporting, visiting
from plugins.console.services.sessions import Session
from plugins.console.services.visiting import API, Visit

log = logging.getLogger("duka.console")

Answers = Callable[[Visit], Awaitable[Given]]
OPEN: Final[Mapping[tuple[str, str], Answers]] = {
    ("GET", entering.SIGN_IN): entering.sign_in,
    ("POST", entering.SIGN_IN): entering.signed_in,
    ("POST", "/prefer"): entering.prefer,
    ("POST", "/invited"): entering.invited,
    **{
        (method, path): page
        for method in ("GET", "POST")
        for path, page in (
            ("/forgot", entering.forgot),
            ("/password", entering.new_password),
            ("/email", entering.proved_email),
            ("/new-email", entering.new_email),
            ("/join", entering.join),
        )
    },
}
"""For anybody."""
SIGNED_IN: Final[Mapping[tuple[str, str], Answers]] = {
    ("POST", "/sign-out"): entering.sign_out,
    ("POST", "/switch"): entering.switch,
    ("POST", "/support/enter"): supporting.enter,
    ("POST", "/support/leave"): supporting.leave,
    ("GET", "/look"): entering.look,
    ("POST", "/look"): entering.look,
    ("POST", "/do"): sending.do,
    ("POST", "/qr"): entering.qr,
    ("GET", "/find"): finding.find,
    ("GET", "/search"): finding.search,
    ("GET", "/bell"): noticing.bell,
    ("GET", "/cards"): cards.page,
    ("GET", "/notices"): noticing.page,
    ("GET", "/views/new"): saving.new,
    ("GET", "/views/change"): saving.change,
    ("GET", "/views/columns"): saving.columns,
}
PIECES: Final[Mapping[str, Callable[[Visit, str, str], Awaitable[Given]]]] = {
    "card": visiting.card,
    "block": visiting.block,
}
"""Parts of pages: `/card/<plugin>/<name>`."""


async def answer(asked: Asked) -> Given | PassOn:
    """Answer a browser."""
    try:
        visit = await visiting.begin(asked)
    except Refused as refused:  # who asks is not known: the session stays as it is in the browser
        return await Visit(asked, Session()).refused(refused)
    try:
        return await _answer(visit)
    except DukaError as error:
        problem = {"title": error.title, "detail": error.detail, "code": error.code, "status": error.status}
        return await visit.html("console/refused.html", status=error.status, problem=problem)
    except Exception:
        log.exception("a page could not be shown")
        problem = {"title": "This page could not be shown", "detail": "It has been noted.", "code": "internal"}
        return await visit.html("console/refused.html", status=500, problem=problem, layout="outside")


async def _answer(visit: Visit) -> Given | PassOn:
    method = "GET" if visit.asked.method == "HEAD" else visit.asked.method
    if handler := OPEN.get((method, visit.path)):
        return await handler(visit)
    if visit.me is None:
        return await _asked_in(visit, method)
    if visit.session.left:
        return await supporting.put_out(visit)
    return await _within(visit, method)


async def _within(visit: Visit, method: str) -> Given | PassOn:
    """What somebody is answered who is signed in."""
    if visit.asked.path.startswith(API):
        return await sending.through(visit)
    if handler := SIGNED_IN.get((method, visit.path)):
        return await handler(visit)
    if method != "GET" or visit.is_off:
        said = ("console/off.html", "outside") if visit.is_off else ("console/missing.html", "")
        return await visit.html(said[0], status=404, layout=said[1])
    return await _piece_or_page(visit)


async def _asked_in(visit: Visit, method: str) -> Given:
    """Somebody who is not signed in: to the sign-in, and from there on to where they wanted."""
    asked = visit.asked
    if visit.wants_json:
        return visit.problem(401, {"title": "Sign in first", "code": "unauthenticated", "status": 401})
    if method != "GET":
        return visit.moved(entering.SIGN_IN)
    wanted = visit.path + (f"?{asked.query.decode('latin-1')}" if asked.query else "")
    return visit.moved(entering.SIGN_IN + (f"?to={quote(wanted)}" if wanted != "/" else ""))


async def _piece_or_page(visit: Visit) -> Given:
    kind, _, rest = visit.path[1:].partition("/")
    if kind in PIECES and rest.count("/") == 1:
        return await PIECES[kind](visit, *rest.split("/"))
    return await visiting.show(visit)


SITE = Site(answer)
