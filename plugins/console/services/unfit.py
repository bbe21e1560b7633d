"""What of a page's query fits nothing: it is left out, and said beside its field, where the API refuses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from plugins.console.schemas import Refused

FAULTS: Final = (400, 422)
MOST: Final = 12
"""So many times a page is read anew, each time without some of its query."""
MOST_SAID: Final = 60
CURSOR: Final = "cursor"
"""One of another question begins at the first page, and nobody needs to hear of it."""


def unfit_in(refused: Refused, query: Mapping[str, str]) -> dict[str, str]:
    """Name in a page's query → what stands there ("": not to be said), of what the API refused in a question.

    A page may ask by another name than its own: then what was sent tells which is meant. {}: it was something else.
    """
    if refused.problem.get("code") == "invalid-cursor":
        return {CURSOR: ""} if CURSOR in query else {}
    errors = refused.problem.get("errors") or ()
    if refused.status not in FAULTS or not errors:
        return {}
    found: dict[str, str] = {}
    for error in errors:
        name = str(error.get("pointer", ""))
        meant = _meant(name[1:], refused.asked, query) if name.startswith("?") else []
        if not meant:
            return {}
        found |= {one: query[one][:MOST_SAID] for one in meant}
    return found


def _meant(name: str, asked: Mapping[str, str], query: Mapping[str, str]) -> list[str]:
    """The names of the page's query behind a parameter of the API."""
    sent = asked.get(name)
    alike = [one for one, value in query.items() if sent is not None and value.strip() == sent.strip()]
    return alike or [one for one in (name,) if one in query]
