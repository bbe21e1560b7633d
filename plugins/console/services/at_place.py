"""The place that somebody looks at: chosen in the menu, taken by every page whose list or figures go by places.

A page that says a place itself, or all of them, is shown as it says.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final

from kernel.web import Asked
from plugins.console.services import sessions

PLACE: Final = "duka_place"
BY_PLACE: Final = "location_id"
"""What lists and figures of the API take a place by."""
_HALF: Final = re.compile(r"[\ud800-\udfff]")
"""Half a surrogate pair, which no page can say."""


def place_in(asked: Asked, me: Mapping[str, Any] | None) -> dict[str, str] | None:
    """The place chosen for the business at work in: id and name; None for all of them."""
    at_work = (me or {}).get("business")
    try:
        business, place, name = json.loads(urlsafe_b64decode(sessions.cookies_of(asked).get(PLACE, "").encode()))
    except (ValueError, TypeError, RecursionError):
        return None
    said = {"id": str(place), "name": str(name)}
    is_text = not any(_HALF.search(one) for one in said.values())
    return said if is_text and at_work and business == at_work["id"] else None


def kept(business: Mapping[str, Any], place: Mapping[str, Any] | None) -> dict[str, tuple[str, int]]:
    """The cookie that keeps a place of a business; None forgets it."""
    if place is None:
        return {PLACE: ("", 0)}
    said = json.dumps([business["id"], place["id"], place["name"]]).encode()
    return {PLACE: (urlsafe_b64encode(said).decode(), sessions.A_YEAR)}
