"""Where a person works: requests that name another location are refused, before anything is read for them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from kernel.errors import Elsewhere
from kernel.work import Actor

NAME = "location_id"
"""The name under which every request, row and answer of Duka names the location it belongs to."""


def refuse_elsewhere(actor: Actor, method: str, given: Mapping[str, Any], body: Any) -> None:
    """Raise Elsewhere where a request names a location at which the actor does not work, whether it exists or not.

    given: the decoded parameters of the route. body: the plain JSON. A location in the path may be read all the same.
    """
    if actor.locations is None:
        return
    for pointer, location_id in _named(method, given, body):
        if not actor.works_at(location_id):
            raise Elsewhere.at(pointer)


def _named(method: str, given: Mapping[str, Any], body: Any) -> Iterator[tuple[str, uuid.UUID]]:
    asked = getattr(given.get("query"), NAME, None)
    if isinstance(asked, uuid.UUID):
        yield f"?{NAME}", asked
    if method != "GET" and isinstance(given.get(NAME), uuid.UUID):
        yield "", given[NAME]
    yield from _in_json(body, "")


def _in_json(said: Any, pointer: str) -> Iterator[tuple[str, uuid.UUID]]:
    if isinstance(said, dict):
        for name, value in said.items():
            here = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            if name == NAME and (location_id := _read(value)):
                yield here, location_id
            yield from _in_json(value, here)
    elif isinstance(said, list):
        for place, value in enumerate(said):
            yield from _in_json(value, f"{pointer}/{place}")


def _read(value: Any) -> uuid.UUID | None:
    try:
        return uuid.UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
