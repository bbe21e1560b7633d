"""One request to the console, from the browser to its answer."""

from __future__ import annotations

import json
import logging
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode
from weakref import WeakKeyDictionary

from kernel.web import ApiAnswer, Asked, Given, Sentences
from plugins.console.schemas import Elsewhere, Refused, Seen, part
from plugins.console.schemas.contributions import OPERATOR
from plugins.console.services import at_place, forms, listings, sessions, unfit
from plugins.console.services.composing import Composed, Placed, composed_of, current_of
from plugins.console.services.rendering import Environment, Rendering, environment_of
from plugins.console.services.sessions import Session
from plugins.console.services.showing import LANGUAGES

log = logging.getLogger("duka.console")
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PIECE: Final = ""
"""Pieces of pages say none of their own: they have that of the API, under which nothing runs should one be opened."""
PARTS: Final = ("bare", "sheet")
OWN: Final = "/account"
"""Pages of oneself, which are there whatever becomes of the business."""
HTML: Final = "text/html; charset=utf-8"
API: Final = "/api/"
IN_ADDRESSES: Final = "/-._~!$&'()*+,;=:@?#%[]"
"""What stands in an address as it is; all else is written by its bytes."""
MOST_PARAMETERS: Final = 300
THEMES: Final = ("light", "dark")
ENGLISH: Final = Sentences({})
LANGUAGE, THEME = "duka_language", "duka_theme"

_ENVIRONMENTS: WeakKeyDictionary[object, Environment] = WeakKeyDictionary()


@dataclass
class Visit:
    """A request with its session. me: the answer of `/auth/me`, None for strangers."""

    asked: Asked
    session: Session
    me: Mapping[str, Any] | None = None

    @property
    def path(self) -> str:
        """The path below `/console`, without a stroke at its end."""
        return self.asked.path.rstrip("/") or "/"

    @property
    def query(self) -> dict[str, str]:
        """The query string, each name's last value; what comes after its first parameters is not heard."""
        first = b"&".join(self.asked.query.split(b"&", MOST_PARAMETERS)[:MOST_PARAMETERS])
        return dict(parse_qsl(first.decode("latin-1"), keep_blank_values=True))

    @property
    def language(self) -> str:
        """The language to speak: the one chosen here, the person's own, or what the browser asks for."""
        chosen = sessions.cookies_of(self.asked).get(LANGUAGE) or (self.me and self.me.get("language"))
        if chosen in LANGUAGES:
            return str(chosen)
        best = self.asked.languages.best(self.asked.headers.get("accept-language"))
        return best if best in LANGUAGES else "en"

    @property
    def place(self) -> Mapping[str, str] | None:
        """The place that pages look at: id and name; None for all of them."""
        return at_place.place_in(self.asked, self.me)

    @property
    def words(self) -> Mapping[str, str]:
        """The words of pages in that language, by the English."""
        catalogue = self.asked.languages.catalogues.get(self.language)
        return catalogue.words if catalogue else {}

    def word(self, english: str) -> str:
        """Words of pages, or of what the API told, in that language."""
        return self.words.get(english) or self.sentences.said(english)

    @property
    def sentences(self) -> Sentences:
        """What the API tells, in that language."""
        return self.asked.languages.sentences.get(self.language) or ENGLISH

    @property
    def is_part(self) -> bool:
        """Whether a page asks for a part of itself, or for a sheet to lay over itself."""
        return self.asked.headers.get("x-sheet") == "1"

    @property
    def is_rest(self) -> bool:
        """Whether a page that is there asks for itself anew, to take what has changed; then no menu is needed."""
        said = self.asked.headers
        return said.get("hx-request") == "true" and said.get("hx-history-restore-request") != "true"

    @property
    def is_off(self) -> bool:
        """Whether the business has these pages off."""
        return bool(self.me and self.me["business"]) and "console" not in (self.me or STRANGER)["plugins"]

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> ApiAnswer:
        """Ask the API. path: below `/api/v1`."""
        return await sessions.call(self.asked, self.session, method, path, body, **headers)

    async def form(self) -> list[tuple[str, str]]:
        """The fields of the form that was sent."""
        return forms.read_form(await self.asked.body(forms.MOST_BYTES))

    def seen(self, parameters: Mapping[str, str] | None = None) -> Seen:
        """This request, as pages are given it."""

        async def ask(method: str, path: str, query: Any, body: Any, headers: Mapping[str, str]) -> ApiAnswer:
            said = self.session.headers(self.asked) | {"accept-language": self.language} | dict(headers)
            content = b"" if body is None else json.dumps(body).encode()
            if content:
                said["content-type"] = "application/json"
            return await self.asked.api(
                method, f"/api/v1{quote(path, safe='/-._~@:')}", said, query=urlencode(query).encode(), body=content
            )

        query = self.query if self.place is None else {at_place.BY_PLACE: self.place["id"], **self.query}
        now = self.asked.deployment.clock()
        return Seen(self.me or STRANGER, parameters or {}, query, self.language, ask, self.words, self.sentences, now)

    def composed(self) -> Composed:
        """What the plugins that are on here offer; before a business is chosen the console's own, to operators all."""
        if self.me and self.me["business"]:
            return composed_of(self.asked, {"console"} if self.is_off else self.me["plugins"])
        registry = self.asked.deployment.registry
        return composed_of(self.asked, registry.plugins if self.me and self.me["is_operator"] else {"console"})

    def rendering(self, seen: Seen | None = None) -> Rendering:
        """Renders for this request."""
        registry = self.asked.deployment.registry
        environment = _ENVIRONMENTS.get(registry)
        if environment is None:
            environment = _ENVIRONMENTS[registry] = environment_of(self.asked.folders())
        theme = sessions.cookies_of(self.asked).get(THEME, "")
        return Rendering(
            environment,
            self.composed(),
            seen or self.seen(),
            proof=sessions.proof_of(self.session, self.asked),
            path=self.path,
            now=self.asked.deployment.clock(),
            theme=theme if theme in THEMES else "",
        )

    async def html(self, template: str, *, status: int = 200, layout: str = "", **context: Any) -> Given:
        """A page as an answer; in a sheet where a page asked for one."""
        drawn = self.rendering(context.pop("seen", None))
        chosen = layout or ("sheet" if self.is_part else "page" if self.me else "outside")
        if chosen == "page" and self.is_rest and status == 200:
            chosen = "bare"
        if chosen == "page":
            said, _, undo = self._word().partition("\n")
            menu = self.composed().menu(drawn.seen)
            context |= {"menu": menu, "current": current_of(menu, self.path), "said": said, "undo": undo}
            context |= {"at_place": self.place, "bell_follows": self.composed().bell_follows(drawn.seen)}
        policy = PIECE if chosen in PARTS else POLICY
        return self.given(status, (await drawn.page(template, chosen, **context)).encode(), policy=policy)

    def given(
        self, status: int, body: bytes, media_type: str = HTML, *more: tuple[str, str], policy: str = POLICY
    ) -> Given:
        """An answer with what each answer of the console carries."""
        headers = [("Content-Type", media_type), *more, *([("Content-Security-Policy", policy)] if policy else ())]
        if sessions.SAID in sessions.cookies_of(self.asked) and status == 200 and media_type == HTML:
            self.session = replace(self.session, set={sessions.SAID: ("", 0), **self.session.set})
        return Given(status, body, [*headers, *sessions.set_cookies(self.session, is_secure=self.asked.is_secure)])

    def moved(self, to: str, status: int = 303) -> Given:
        """Go on somewhere below `/console`."""
        where = quote(to if to != "/" else "", safe=IN_ADDRESSES)
        return self.given(status, b"", HTML, ("Location", f"/console{where}"))

    def problem(self, status: int, problem: Mapping[str, Any]) -> Given:
        """A problem document, for a script of a page."""
        return self.given(status, json.dumps(problem).encode(), "application/problem+json")

    @property
    def wants_json(self) -> bool:
        """Whether a script asks, which reads no pages."""
        return self.asked.path.startswith(API) or self.asked.headers.get("accept", "").startswith("application/json")

    async def refused(self, refused: Refused) -> Given:
        """A page, or a sheet, that says why the API refused; to scripts the problem document."""
        if self.wants_json:
            return self.problem(refused.status, refused.problem)
        return await self.html("console/refused.html", status=refused.status, problem=refused.problem)

    def _word(self) -> str:
        said = sessions.cookies_of(self.asked).get(sessions.SAID, "")
        try:
            return urlsafe_b64decode(said.encode()).decode()[: 2 * sessions.MOST_SAID + 1]
        except ValueError:
            return ""


STRANGER: Final[Mapping[str, Any]] = {
    **{"id": "", "name": "", "is_operator": False, "business": None, "businesses": [], "permissions": []},
    **{"plugins": [], "email": None, "is_email_verified": False, "language": None, "phone": None, "support": None},
    **{"suspended": None},
}


async def begin(asked: Asked) -> Visit:
    """A request with its session, and who it is. Raises Refused where the API cannot say so now."""
    visit = Visit(asked, await sessions.session_of(asked))
    status = await _recognise(visit)
    if visit.session.support and visit.me is None:
        visit.session = await sessions.come_out(asked, visit.session)
        status = await _recognise(visit)
    if status == 401:
        visit.session = sessions.ended(visit.session)
    return visit


async def _recognise(visit: Visit) -> int:
    """Ask who it is; returns the status of the answer, 0 for a stranger. Raises Refused as `begin`."""
    if not visit.session.access:
        return 0
    told = await visit.call("GET", "/auth/me")
    if told.status == 200:
        visit.me = json.loads(told.body)
    elif sessions.is_busy(told):
        raise Refused(told.status, json.loads(told.body))
    return told.status


async def show(visit: Visit) -> Given:
    """A page of the console's own or of a plugin's."""
    found = visit.composed().find(visit.path)
    if found is None or not (seen := visit.seen(found[1])).may(found[0].page.permission):
        return await visit.html("console/missing.html", status=404)
    placed, _ = found
    if seen.me["suspended"] and placed.page.permission != OPERATOR and not visit.path.startswith(OWN):
        return await visit.html("console/suspended.html", status=403, layout="outside")
    if placed.page.lists is not None:
        seen.listing = await listings.begin(
            seen, placed.page.lists, visit.path, visit.query, has_place=visit.place is not None
        )
        if not (visit.query or visit.is_part or visit.is_rest) and (to := listings.opening(seen.listing)):
            return visit.moved(to)
    try:
        seen, read, left_out = await _read(placed, seen)
    except Refused as refused:
        return await visit.refused(refused)
    except Elsewhere as elsewhere:
        return visit.moved(elsewhere.to)
    return await _drawn(visit, placed, seen, {**read, "unfit": left_out})


async def _read(placed: Placed, seen: Seen) -> tuple[Seen, Mapping[str, Any], dict[str, str]]:
    """What a page shows; its query without what the API cannot take, and what was left out. May raise Refused."""
    left_out: dict[str, str] = {}
    while True:
        try:
            read = await placed.page.read(seen) if placed.page.read else {}
            return seen, read, {name: said for name, said in left_out.items() if said}
        except Refused as refused:
            if listings.is_broken_by(seen, refused):
                less, read = await _without_view(placed, seen, refused)
                return less, read, {}
            found = unfit.unfit_in(refused, seen.query)
            if not found or len(left_out) > unfit.MOST:
                raise
            left_out |= found
            seen = replace(seen, query={name: said for name, said in seen.query.items() if name not in found})


async def _without_view(placed: Placed, seen: Seen, last: Refused) -> tuple[Seen, Mapping[str, Any]]:
    """What a page shows whose view asks for what is no longer there: the rest. Raises Refused."""
    assert placed.page.read is not None and seen.listing is not None  # noqa: S101, PT018 - a page that was refused
    seen.listing.is_broken = True
    for less in listings.without_faults(seen, last):
        try:
            return less, await placed.page.read(less)
        except Refused as refused:
            last = refused
    raise last


async def _drawn(visit: Visit, placed: Placed, seen: Seen, read: Mapping[str, Any]) -> Given:
    about = ":".join((placed.page.subject, *seen.path.values())) if placed.page.subject else ""
    shown = {"title": placed.page.title, "about": about, **read}
    return await visit.html(f"{placed.plugin}/{placed.page.template}", seen=seen, **shown)


async def card(visit: Visit, plugin: str, name: str) -> Given:
    """One card of the dashboard, by itself."""
    seen = visit.seen()
    for owner, one in visit.composed().cards:
        if (owner, one.name) == (plugin, name) and seen.may(one.permission):
            try:
                read = await one.read(seen)
                return await visit.html(f"{owner}/{one.template}", layout="bare", seen=seen, card=one, **read)
            except Refused as refused:
                log.info("card %s of %s: %s", name, plugin, refused)
            except Exception:  # a card of somebody else's never breaks the page it stands on
                log.exception("card %s of %s could not be shown", name, plugin)
            return await visit.html("console/failed.html", layout="bare", plugin=plugin)
    return await visit.html("console/missing.html", status=404, layout="bare")


async def block(visit: Visit, plugin: str, name: str) -> Given:
    """A block that took its time, by itself. What it was given is known by ids alone."""
    given = {key: {"id": part(value)} for key, value in visit.query.items()}
    drawn = visit.rendering()
    try:
        return visit.given(200, (await drawn.block(plugin, name, given)).encode(), policy=PIECE)
    except LookupError:
        return await visit.html("console/missing.html", status=404, layout="bare")
