"""Steering and watching a simulator: paths below `/_sim`, and the page on which a person does it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from msgspec import Meta, Struct

from plugins.payments.testing.simulator.clock import Clock
from plugins.payments.testing.simulator.web import Reply, as_json

KEPT: Final = 500
HERE: Final = Path(__file__).parent

Said = tuple[int, Any]
Deed = Callable[[Any], Awaitable[Said]]
"""Answers a path below `/_sim` with a status and plain values. Raises ValueError for what cannot be."""


class Ahead(Struct, frozen=True, forbid_unknown_fields=True):
    """So many seconds."""

    seconds: Annotated[float, Meta(ge=0, le=10_000_000)]


class Told(Struct, kw_only=True):
    """A notice and what came back for it; 0 for nothing."""

    at: dt.datetime
    url: str
    body: Any
    status: int


class Diary:
    """What was said to and fro, redacted, the newest 500 of each."""

    def __init__(self, redacted: Callable[[Any], Any]) -> None:
        self.requests: list[dict[str, Any]] = []
        self.notices: list[Told] = []
        self._redacted = redacted

    def note_call(self, at: dt.datetime, method: str, path: str, body: Any, status: int) -> None:
        """Keep a call."""
        said = self._redacted(body)
        self.requests.append({"at": at, "method": method, "path": path, "body": said, "status": status})
        del self.requests[:-KEPT]

    def note_notice(self, at: dt.datetime, url: str, body: Any, status: int) -> None:
        """Keep a notice."""
        self.notices.append(Told(at=at, url=url, body=self._redacted(body), status=status))
        del self.notices[:-KEPT]


async def steer(method: str, path: str, headers: Mapping[str, str], body: Any, deeds: Mapping[str, Deed]) -> Reply:
    """Answer a path below `/_sim`. deeds: by method and path, which may end in `/*` for any last part, then given to
    the deed as (part, body). Other pages than the simulator's own are refused.
    """
    if _is_foreign(headers):
        return as_json(403, {"error": "asked from another page"})
    head, _, last = path.rpartition("/")
    exact, any_last = deeds.get(f"{method} {path}"), deeds.get(f"{method} {head}/*")
    try:
        if exact is not None:
            return as_json(*await exact(body))
        if any_last is not None:
            return as_json(*await any_last((last, body)))
    except (msgspec.ValidationError, ValueError) as fault:
        return as_json(422, {"error": str(fault)})
    return as_json(404, {"error": "no such path", "paths": list(deeds)})


def watching(diary: Diary, clock: Clock) -> dict[str, Deed]:
    """What every simulator can be told: to show what was said, and to let time pass."""

    async def requests(body: Any) -> Said:
        return 200, {"requests": diary.requests}

    async def notices(body: Any) -> Said:
        return 200, {"notices": diary.notices}

    async def advance(body: Any) -> Said:
        await clock.advance(msgspec.convert(body, Ahead).seconds)
        return 200, {"now": clock.now()}

    return {"GET /_sim/requests": requests, "GET /_sim/notices": notices, "POST /_sim/advance": advance}


@cache
def page(path: Path) -> Reply:
    """A simulator's page: a Jinja template that fills the blocks of `simulator/page.html`, which is alike for all."""
    frame = FileSystemLoader(HERE)
    pages = ChoiceLoader([PrefixLoader({"simulator": frame}), frame])
    made = Environment(loader=pages, undefined=StrictUndefined, autoescape=True)
    whole = made.from_string(path.read_text(encoding="utf-8")).render()
    return Reply(200, whole.encode(), "text/html; charset=utf-8")


def _is_foreign(headers: Mapping[str, str]) -> bool:
    """Whether another page than ours asks: a browser says so."""
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2] != headers.get("host")
