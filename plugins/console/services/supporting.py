"""Support: an owner lets operators of the deployment in; an operator goes in, is seen to be in, and leaves."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, Final

from kernel.web import Given
from plugins.console.schemas import Nav, Notice, Page, Seen, Waiting, Waits
from plugins.console.services import sessions
from plugins.console.services.forms import own_of
from plugins.console.services.sending import stale
from plugins.console.services.visiting import Visit

GRANTS: Final = "support.grant"
ENTERED: Final = "operating.enter_business"
LENGTHS: Final[Mapping[int, str]] = {1: "An hour", 4: "Four hours", 24: "A day", 72: "Three days"}
"""For how many hours somebody may be let in, 72 at most."""
FEW: Final = 20
MOST: Final = 200


async def enter(visit: Visit) -> Given:
    """Go into a business that lets operators in."""
    fields = dict(await visit.form())
    if not sessions.is_proved(visit.session, visit.asked, own_of(fields.items()).get("proof", "")):
        return await stale(visit)
    visit.session, told = await sessions.let_in(visit.asked, visit.session, fields.get("business", ""))
    if told.status != 200:
        return await visit.html("console/refused.html", status=told.status, problem=json.loads(told.body))
    return visit.moved("/")


async def leave(visit: Visit) -> Given:
    """Go back to where the operator came from."""
    if not sessions.is_proved(visit.session, visit.asked, own_of(await visit.form()).get("proof", "")):
        return await stale(visit)
    if not visit.session.support:
        return visit.moved("/")
    visit.session = await sessions.come_out(visit.asked, visit.session)
    return _back(visit, "You have left the business")


async def put_out(visit: Visit) -> Given:
    """What an operator is answered whose support has ended since their last click: nothing is done elsewhere for it."""
    if visit.asked.method not in ("GET", "HEAD") or visit.is_part or visit.is_rest:
        return await stale(visit)
    return _back(visit, "Support has ended: the business lets you in no longer")


def _back(visit: Visit, said: str) -> Given:
    visit.session = sessions.with_word(visit.session, visit.words.get(said, said))
    return visit.moved(f"/operating/businesses/{visit.session.left}")


async def _support(seen: Seen) -> Mapping[str, Any]:
    """Whether operators are let in, what they did here, and what one may let them in for."""
    access, roles, done = await asyncio.gather(
        seen.look("/support-access"),
        seen.look("/roles", limit=200),
        seen.look("/audit", supporting=True, limit=FEW),
    )
    ends = [((seen.now + dt.timedelta(hours=hours)).isoformat(), word) for hours, word in LENGTHS.items()]
    named = {one["id"]: one["name"] for one in roles["items"]} if roles else {}
    return {
        "access": access if access and access["is_open"] else None,
        "ends": [(until, seen.word(word)) for until, word in ends],
        "roles": list(named.items()),
        "role": named.get(access["role_id"], "") if access else "",
        "done": done["items"] if done else [],
    }


async def _let_in(seen: Seen) -> Waiting:
    """That operators are let in, and who of them came: until it ends, or somebody ends it."""
    access = await seen.get("/support-access")
    if not access["is_open"]:
        return Waiting()
    came = await seen.look("/audit", deed=ENTERED, supporting=True, limit=MOST)
    since = dt.datetime.fromisoformat(access["granted_at"])
    rows = [one for one in (came or {"items": ()})["items"] if dt.datetime.fromisoformat(one["at"]) >= since]
    names = sorted({one["actor_name"] for one in rows})
    word = seen.word("{names} came in").format(names=", ".join(names)) if names else seen.word("Nobody came in so far")
    return Waiting([Waits(access["reason"], "/support", word)])


NAVS: Final = (Nav("system", "Support", "/support", "circle-help", GRANTS, order=97),)
PAGES: Final = (Page("/support", "support.html", "Support", GRANTS, _support),)
NOTICES: Final = (
    Notice(
        *("support", "Support is let in", "circle-help", _let_in, GRANTS, "/support", "warn", 12),
        follows=("support_access", "operating"),
    ),
)
