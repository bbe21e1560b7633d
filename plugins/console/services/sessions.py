"""Sessions: the tokens of the API in cookies that no script reads, and the proof that a form came from a page.

A session is a sign-in like any other: it stands in the list of sign-ins, and ends where that ends. Its tokens change as
it signs in, switches and goes on; the proof (CSRF) is bound to the sign-in and to the business it is at work in.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote

from kernel.web import ApiAnswer, Asked
from plugins.console.schemas import Refused

ACCESS: Final = "duka_access"
REFRESH: Final = "duka_refresh"
DEVICE: Final = "duka_device"
SUPPORT: Final = "duka_support"
"""The short name of the business that an operator is in for support."""
SAID: Final = "duka_said"
"""What is told once on the next page."""
SECURE: Final = "__Secure-"
"""Before the names over https."""
PATH: Final = "/console"
A_YEAR: Final = 365 * 24 * 3600
A_MONTH: Final = 30 * 24 * 3600
MOST_SAID: Final = 200
"""Letters of what is told, and of the page that takes it back: a browser keeps no long cookies."""
_PROOF_BYTES: Final = 24


@dataclass(frozen=True)
class Session:
    """Whose browser it is. set: cookies that the answer must set, name → value and seconds (0: forget it).

    support: the short name of the business that an operator is in for support, by an access token of its own beside
    their refresh token. left: of the one that they were in until this request.
    """

    access: str = ""
    refresh: str = ""
    device: str = ""
    support: str = ""
    left: str = ""
    set: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    def headers(self, asked: Asked) -> dict[str, str]:
        """What the API is sent along with a request of this browser."""
        said = {"accept-language": asked.headers.get("accept-language", "")}
        if self.access:
            said["authorization"] = f"Bearer {self.access}"
        return said


def cookies_of(asked: Asked) -> dict[str, str]:
    """The cookies of a request by their names, as they stand there: ours are never quoted.

    Over https only those that browsers take over https alone: nobody between can have planted them (ASVS 3.3.1).
    """
    begins = SECURE if asked.is_secure else ""
    pairs = (one.strip().partition("=") for one in asked.headers.get("cookie", "").split(";"))
    return {name.removeprefix(begins): value for name, _, value in pairs if name.startswith(begins)}


async def session_of(asked: Asked) -> Session:
    """The session of a browser. Its access token is renewed where it has run out; without one it is nobody's.

    An operator who is in a business for support comes in again, as long as its owner lets them.
    Raises what `renewed` raises.
    """
    jar = cookies_of(asked)
    found = Session(jar.get(ACCESS, ""), jar.get(REFRESH, ""), jar.get(DEVICE, ""), jar.get(SUPPORT, ""))
    if found.access and asked.sign_in_of(found.access) is not None:
        return found
    if not found.refresh:
        return ended(found) if found.support else Session(device=found.device)
    if not found.support:
        return await renewed(asked, found)
    own = await come_out(asked, found)
    inside, _ = await let_in(asked, own, found.support)
    return inside


async def let_in(asked: Asked, session: Session, slug: str) -> tuple[Session, ApiAnswer]:
    """An operator's session inside a business, and what the API said; their own where nobody is let in there."""
    told = await call(asked, session, "POST", f"/operating/businesses/{quote(slug, safe='')}/enter")
    if told.status != 200:
        return session, told
    access = json.loads(told.body)["access_token"]
    cookies = {**session.set, ACCESS: (access, A_MONTH), SUPPORT: (slug, A_MONTH)}
    return replace(session, access=access, support=slug, left="", set=cookies), told


async def come_out(asked: Asked, session: Session) -> Session:
    """An operator's own session again; nobody's where their sign-in has ended."""
    return replace(await renewed(asked, session), left=session.support)


async def renewed(asked: Asked, session: Session) -> Session:
    """The session with new tokens; nobody's where its sign-in has ended.

    Raises Refused where the API cannot say so now: the sign-in may well go on.
    """
    body = {"refresh_token": session.refresh, **({"device_token": session.device} if session.device else {})}
    told = await call(asked, Session(), "POST", "/auth/refresh", body)
    if is_busy(told):
        raise Refused(told.status, json.loads(told.body))
    if told.status != 200:
        return ended(session)
    return begun(json.loads(told.body), session)


def is_busy(told: ApiAnswer) -> bool:
    """Whether the API could not answer now: nothing is said about the session then."""
    return told.status == 429 or told.status >= 500


def begun(tokens: Mapping[str, Any], before: Session) -> Session:
    """The session that a pair of tokens begins or goes on with."""
    device = tokens.get("device_token") or before.device
    cookies = {ACCESS: (tokens["access_token"], A_MONTH), REFRESH: (tokens["refresh_token"], A_MONTH)}
    if device:
        cookies[DEVICE] = (device, A_YEAR)
    if before.support:
        cookies[SUPPORT] = ("", 0)
    return Session(tokens["access_token"], tokens["refresh_token"], device or "", set=cookies)


def ended(session: Session) -> Session:
    """Nobody's session, with all forgotten but the device."""
    inside = {SUPPORT: ("", 0)} if session.support else {}
    return Session(device=session.device, set={ACCESS: ("", 0), REFRESH: ("", 0), **inside})


def with_word(session: Session, said: str, undo: str = "") -> Session:
    """The session with something to tell on the next page. undo: the page below `/console` that takes it back."""
    told = said[:MOST_SAID]
    if undo.startswith("/") and len(undo) <= MOST_SAID:
        told += f"\n{undo}"
    return replace(session, set={**session.set, SAID: (urlsafe_b64encode(told.encode()).decode(), 60)})


def set_cookies(session: Session, *, is_secure: bool) -> list[tuple[str, str]]:
    """The headers that keep a session in its browser."""
    begins, secure = (SECURE, "; Secure") if is_secure else ("", "")
    return [
        ("Set-Cookie", f"{begins}{name}={value}; Path={PATH}; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
        for name, (value, seconds) in session.set.items()
    ]


def proof_of(session: Session, asked: Asked) -> str:
    """What a form of this session sends along: bound to its sign-in, so that a new one makes old pages void.

    It is also bound to its business, and to support there: a page of one that was left, in another tab or by whoever
    was let in, writes nothing into the next.

    Each page says it otherwise, so that the length of compressed pages tells nothing of it (BREACH).
    """
    mask = secrets.token_bytes(_PROOF_BYTES)
    return urlsafe_b64encode(mask + _masked(_bound(session, asked), mask)).decode()


def is_proved(session: Session, asked: Asked, said: str) -> bool:
    """Whether a request that changes something came from a page of this session."""
    try:
        read = b64decode(said, altchars=b"-_", validate=True)
    except ValueError:
        return False
    mask, rest = read[:_PROOF_BYTES], read[_PROOF_BYTES:]
    if len(rest) != _PROOF_BYTES:
        return False
    return is_ours(asked) and hmac.compare_digest(_masked(rest, mask), _bound(session, asked))


def _bound(session: Session, asked: Asked) -> bytes:
    at = asked.business_of(session.access) or ""
    who = f"{asked.sign_in_of(session.access) or ''} {at} {session.support}"
    key = hashlib.sha256(b"console.csrf\x00" + asked.deployment.secret.encode()).digest()
    return hmac.digest(key, who.encode(), "sha256")[:_PROOF_BYTES]


def _masked(content: bytes, mask: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(content, mask, strict=True))


def is_ours(asked: Asked) -> bool:
    """Whether a browser says that a page of ours sent it; browsers that say nothing are judged by the proof alone."""
    site = asked.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = asked.headers.get("origin")
    return origin is None or origin.partition("://")[2].lower() == asked.headers.get("host", "").lower()


async def call(asked: Asked, session: Session, method: str, path: str, body: Any = None, **headers: str) -> ApiAnswer:
    """Ask the API in the name of a session. path: below `/api/v1`."""
    said = session.headers(asked) | {name.replace("_", "-"): value for name, value in headers.items()}
    content = b"" if body is None else json.dumps(body).encode()
    if content:
        said["content-type"] = "application/json"
    return await asked.api(method, f"/api/v1{path}", said, body=content)
