"""Coming in and going out: sign-in with its second factor, sign-out, another business, language and light."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import unquote

import segno

from kernel.web import ApiAnswer, Given
from plugins.console.schemas import Refused, part
from plugins.console.services import at_place, halfway, sessions
from plugins.console.services.forms import own_of
from plugins.console.services.sending import enter, stale
from plugins.console.services.showing import LANGUAGES
from plugins.console.services.visiting import LANGUAGE, THEME, THEMES, Visit

SIGN_IN: Final = "/sign-in"
ACCEPT: Final = "/auth/invitations/accept"
TOO_LATE: Final = "The code came too late. Enter your password once more."
WHO: Final[tuple[str, ...]] = ("username", "password")
NEEDS_CODE: Final = ("second-factor-required", "second-factor-wrong")


async def sign_in(visit: Visit) -> Given:
    """The page to sign in on; whoever is signed in goes on."""
    if visit.me is not None:
        return visit.moved(_wanted(visit.query.get("to", "")))
    return await _to_sign_in(visit, {"_to": visit.query.get("to", "")})


async def signed_in(visit: Visit) -> Given:
    """Try a sign-in. Its session is a new one, whatever the browser had before."""
    if not sessions.is_ours(visit.asked):
        return await stale(visit)
    fields = dict(await visit.form())
    said = {name: fields[name] for name in WHO if name in fields}
    if half := fields.get("half"):
        given = halfway.whole(visit.asked.deployment, half)
        if given is None:
            return await _to_sign_in(visit, fields, 401, {"title": visit.word(TOO_LATE)})
        said = given
    if fields.get("code"):
        said["code"] = fields["code"].replace(" ", "")
    told = await _try(visit, said)
    answer: Mapping[str, Any] = json.loads(told.body)
    if told.status == 200:
        return visit.moved(_wanted(fields.get("_to", "")))
    asks = answer.get("code") in NEEDS_CODE
    problem = None if answer.get("code") == NEEDS_CODE[0] else answer
    held = halfway.half(visit.asked.deployment, said["username"], said["password"]) if asks else ""
    return await _to_sign_in(visit, {**fields, **said}, told.status, problem, held)


async def _to_sign_in(
    visit: Visit, fields: Mapping[str, str], status: int = 200, problem: Any = None, half: str = ""
) -> Given:
    """The page to sign in on: for e-mail and password, or with half of it given for the code."""
    shown = {"to": fields.get("_to", ""), "username": fields.get("username", ""), "problem": problem, "half": half}
    return await visit.html("console/sign_in.html", status=status, **shown)


async def _try(visit: Visit, said: Mapping[str, str]) -> ApiAnswer:
    """Sign in, and end the sign-in that was here before; the API's answer."""
    more = {"device_token": visit.session.device} if visit.session.device else {}
    more["device"] = visit.asked.headers.get("user-agent", "")[:200]
    told = await sessions.call(
        visit.asked, sessions.Session(), "POST", "/auth/login", {**said, **more}, accept_language=visit.language
    )
    if told.status == 200:
        if visit.me is not None:  # who was signed in here before is so no longer, nowhere
            await visit.call("POST", "/auth/logout")
        visit.session = sessions.begun(json.loads(told.body), visit.session)
    return told


async def sign_out(visit: Visit) -> Given:
    """End the sign-in. While the API cannot, the browser keeps it and says so: it is not forgotten and still good."""
    if not await _is_proved(visit):
        return await stale(visit)
    told = await visit.call("POST", "/auth/logout")
    if sessions.is_busy(told):
        return await visit.refused(Refused(told.status, json.loads(told.body)))
    visit.session = sessions.ended(visit.session)
    return visit.moved(SIGN_IN)


async def switch(visit: Visit) -> Given:
    """Go on in another business."""
    fields = dict(await visit.form())
    if not sessions.is_proved(visit.session, visit.asked, own_of(fields.items()).get("proof", "")):
        return await stale(visit)
    told = await enter(visit, fields.get("business", ""))
    if told.status != 200:
        return await visit.html("console/refused.html", status=told.status, problem=json.loads(told.body))
    return visit.moved("/")


async def look(visit: Visit) -> Given:
    """Choose the place to look at, or all of them."""
    seen, own = visit.seen(), (visit.me or {}).get("locations")
    if visit.asked.method != "POST":
        places = [one for one in await seen.places(is_active=True) if own is None or one[0] in own]
        layout, at = "bare" if visit.is_rest else "", (visit.place or {}).get("id", "")
        return await visit.html("console/look.html", layout=layout, title="Place", seen=seen, places=places, at=at)
    fields = dict(await visit.form())
    if not sessions.is_proved(visit.session, visit.asked, own_of(fields.items()).get("proof", "")):
        return await stale(visit)
    chosen = fields.get("place", "")
    try:
        place = await seen.get(f"/locations/{part(chosen)}") if chosen else None
    except Refused as refused:
        return await visit.refused(refused)
    visit.session = replace(visit.session, set={**visit.session.set, **at_place.kept(seen.business or {}, place)})
    return visit.moved(_wanted(fields.get("to", "")))


async def prefer(visit: Visit) -> Given:
    """Keep how this browser wants the console: its language, light or dark."""
    fields = dict(await visit.form())
    if not sessions.is_ours(visit.asked):
        return await stale(visit)
    kept = {}
    if (language := fields.get("language")) in LANGUAGES:
        kept[LANGUAGE] = (str(language), sessions.A_YEAR)
    if (theme := fields.get("theme")) is not None:
        kept[THEME] = (theme, sessions.A_YEAR) if theme in THEMES else ("", 0)
    visit.session = replace(visit.session, set={**visit.session.set, **kept})
    return visit.moved(_wanted(fields.get("_to", "")))


async def forgot(visit: Visit) -> Given:
    """Ask for a link to set a new password. The answer tells nothing of who has an account."""
    if visit.asked.method == "GET":
        return await visit.html("console/entering/forgot.html", layout="outside", sent=False, problem=None)
    if not sessions.is_ours(visit.asked):
        return await stale(visit)
    status, problem = await _tell(visit, "/auth/password/forgot", {"email": dict(await visit.form()).get("email", "")})
    shown = {"sent": status == 200, "problem": problem}
    return await visit.html("console/entering/forgot.html", layout="outside", status=status, **shown)


async def new_password(visit: Visit) -> Given:
    """Set a new password with the token of a mailed link."""
    return await _by_link(visit, "password", "/auth/password/reset", ("token", "password"))


async def proved_email(visit: Visit) -> Given:
    """Prove an address with the token of a mailed link."""
    return await _by_link(visit, "email", "/auth/email/verify", ("token",))


async def new_email(visit: Visit) -> Given:
    """Take a new address with the token mailed to it."""
    return await _by_link(visit, "new-email", "/auth/email/change/confirm", ("token",))


async def join(visit: Visit) -> Given:
    """Accept an invitation: make an account, or join with the one that is signed in."""
    if visit.asked.method == "POST" and visit.me is not None:
        return await _by_link(visit, "join", "/auth/invitations/join", ("token",))
    return await _by_link(visit, "join", ACCEPT, ("token", "name", "password"))


async def invited(visit: Visit) -> Given:
    """What an invitation offers, for the page's script to show."""
    if not sessions.is_ours(visit.asked):
        return await stale(visit)
    status, answer = await _tell(visit, "/auth/invitations/show", {"token": dict(await visit.form()).get("token", "")})
    return visit.given(200, json.dumps({"problem": answer} if status >= 400 else answer).encode(), "application/json")


async def qr(visit: Visit) -> Given:
    """A text as a QR code, SVG: for secrets that stand in no address."""
    fields = dict(await visit.form())
    if not sessions.is_proved(visit.session, visit.asked, fields.get("_proof", "")):
        return await stale(visit)
    drawn = segno.make(fields.get("text", "")[:1000], error="m", micro=False)
    return visit.given(200, drawn.svg_inline(scale=5, border=2, light="#fff").encode(), "image/svg+xml")


async def _by_link(visit: Visit, page: str, to: str, names: tuple[str, ...]) -> Given:
    """A page that a mailed link leads to: it sends the link's token with what it asks for."""
    problem: Any = None
    status, is_done = 200, False
    said = dict.fromkeys(names, "")
    if visit.asked.method == "POST":
        if not sessions.is_ours(visit.asked):
            return await stale(visit)
        fields = dict(await visit.form())
        said = {name: fields.get(name, "") for name in names}
        said["token"] = said["token"].strip().rpartition("#")[2]  # without scripts the whole link may be pasted
        status, problem = await _tell(visit, to, said)
        is_done = status < 300
        if is_done and to == ACCEPT:
            told = await _try(visit, {"username": problem["email"], "password": said["password"]})
            if told.status == 200:
                visit.session = sessions.with_word(visit.session, visit.word("Welcome!"))
                return visit.moved("/")
    shown = {"page": page, "problem": None if is_done else problem, "is_done": is_done, "names": names}
    shown |= {"token": said["token"], "name": said.get("name", "")}
    return await visit.html("console/entering/by_link.html", layout="outside", status=status, **shown)


async def _tell(visit: Visit, path: str, body: Mapping[str, str]) -> tuple[int, Any]:
    """Ask the API; with the status of the page that says what came of it, which has a body (RFC 9110, 15.3.5)."""
    told = await visit.call("POST", path, dict(body), accept_language=visit.language)
    return 200 if told.status < 300 else told.status, json.loads(told.body) if told.body else None


async def _is_proved(visit: Visit) -> bool:
    return sessions.is_proved(visit.session, visit.asked, own_of(await visit.form()).get("proof", ""))


def _wanted(to: str) -> str:
    """Where somebody wanted to go, if it is here: below `/console`, also by what browsers make of `..`."""
    is_plain = to.startswith("/") and "\\" not in to and all(32 < ord(one) < 127 for one in to)
    path = unquote(to.partition("?")[0].partition("#")[0])
    is_here = is_plain and not path.startswith("//") and ".." not in path.split("/")
    return to if is_here else "/"
