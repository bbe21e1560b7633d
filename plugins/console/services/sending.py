"""What a page sends: forms to the API, and what its scripts ask of the API behind the session."""

from __future__ import annotations

import json
from urllib.parse import quote

from kernel.errors import BadRequest
from kernel.web import ApiAnswer, Given, PassOn
from plugins.console.schemas import Refused
from plugins.console.services import forms, sessions
from plugins.console.services.visiting import Visit


async def do(visit: Visit) -> Given:
    """Send a form to the API, and go where it says."""
    fields = await visit.form()
    own = forms.own_of(fields)
    if not sessions.is_proved(visit.session, visit.asked, own.get("proof", "")):
        return await stale(visit)
    method, to = own.get("method", "POST"), own.get("to", "")
    if method not in forms.METHODS or not to.startswith("/") or "//" in to:
        return await visit.html("console/missing.html", status=404)
    body = None if method == "DELETE" else forms.body_of(fields)
    headers = {
        name: own[key]
        for name, key in (("idempotency_key", "key"), ("if_match", "tag"), ("x_approval", "approval"))
        if own.get(key)
    }
    if not all(value.isascii() and value.isprintable() for value in headers.values()):
        raise BadRequest("The form cannot be read")
    told = await visit.call(method, quote(to, safe="/-._~@:?&=%"), body, accept_language=visit.language, **headers)
    value = json.loads(told.body) if told.body and "json" in told.headers.get("content-type", "") else None
    if told.status >= 400:
        if visit.wants_json:  # a form that is refused is an answer like another; the browser need not cry about it
            return visit.given(200, json.dumps({"problem": value or {}}).encode(), "application/json")
        again = own.get("again", "")
        return await visit.html("console/refused.html", status=told.status, problem=value or {}, again=again)
    if own.get("enter"):
        await enter(visit, forms.filled(own["enter"], value))
    if own.get("said"):
        visit.session = sessions.with_word(visit.session, own["said"], forms.filled(own.get("undo", ""), value))
    then = forms.filled(own.get("then", ""), value)
    if visit.wants_json:
        return visit.given(200, json.dumps({"then": then, "answer": value}).encode(), "application/json")
    return visit.moved(then if then.startswith("/") else "/")


async def enter(visit: Visit, business: str) -> ApiAnswer:
    """Go on in another business, where its API lets one."""
    told = await visit.call("POST", "/auth/switch", {"business": business})
    if told.status == 200:
        visit.session = sessions.begun(json.loads(told.body), visit.session)
    return told


async def stale(visit: Visit) -> Given:
    """A form of a session that has ended, or from somewhere else."""
    problem = {
        "title": visit.word("This page is out of date"),
        "detail": visit.word(
            "You have signed in anew or gone on in another business since. Load it again and send the form once more."
        ),
        "code": "stale-page",
        "status": 403,
    }
    return await visit.refused(Refused(403, problem))


async def through(visit: Visit) -> Given | PassOn:
    """The API itself, by the session: for scripts of pages, pictures, files and streams of events."""
    asked = visit.asked
    if asked.method not in ("GET", "HEAD") and not sessions.is_proved(
        visit.session, asked, asked.headers.get("x-proof", "")
    ):
        return await stale(visit)
    kept = ("accept", "content-type", "content-length", "if-match", "if-none-match", "idempotency-key", "x-approval")
    headers = {name: asked.headers[name] for name in kept if name in asked.headers}
    headers |= visit.session.headers(asked) | {"accept-language": visit.language}
    return PassOn(asked.path, headers, sessions.set_cookies(visit.session, is_secure=asked.is_secure))
