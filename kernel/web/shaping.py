"""What a reader asks an answer to hold: `?fields=` leaves out, `?include=` adds what it points at, once each.

Fields are left out where the answer is encoded, so that no route knows of them. An include is one more query for all
of a page, whatever the number of its rows; it stands beside the answer: `"included": {"category": {"<id>": {…}}}`.
"""

from __future__ import annotations

import types
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Union, get_args, get_origin

import msgspec

from kernel.errors import Fault, Forbidden, Invalid
from kernel.wire import Page
from kernel.work import Work
from kernel.work.fields import plain

Load = Callable[[Work, frozenset[uuid.UUID]], Awaitable[Mapping[uuid.UUID, msgspec.Struct]]]
MOST_NAMES = 60


@dataclass(frozen=True)
class Include:
    """Something an answer points at and may bring along.

    key: the field that holds its id. load: ids → what they name, in one query. permission: needed beside the route's.
    """

    name: str
    key: str
    load: Load
    permission: str


class Shape(msgspec.Struct, frozen=True):
    """What is asked for; the whole answer where nothing is."""

    fields: tuple[str, ...] = ()
    include: tuple[Any, ...] = ()


def shape_of(answer: Any, includes: tuple[Include, ...], given: dict[str, str]) -> Shape:
    """Take `fields` and `include` out of a query string. Raises Invalid for names the answer does not have."""
    fields = _names("fields", given.pop("fields"), field_names(answer)) if "fields" in given else ()
    known = {one.name: one for one in includes}
    include = _names("include", given.pop("include"), tuple(known)) if "include" in given else ()
    return Shape(fields, tuple(known[name] for name in include))


@cache
def field_names(answer: Any) -> tuple[str, ...]:
    """The names that `fields` may hold: those of the Struct answered, of a list its items'."""
    return tuple(dict.fromkeys(one.encode_name for kind in structs_of(answer) for one in msgspec.structs.fields(kind)))


def structs_of(answer: Any) -> list[Any]:
    """The Structs that an answer is, or is a page of."""
    if get_origin(answer) is Page:
        return structs_of(get_args(answer)[0])
    if get_origin(answer) in (Union, types.UnionType):
        return [kind for part in get_args(answer) for kind in structs_of(part)]
    return [answer] if isinstance(answer, type) and issubclass(answer, msgspec.Struct) else []


async def shaped(work: Work, value: Any, shape: Shape) -> Any:
    """The answer as it was asked for. Raises Forbidden for an include that the caller may not see."""
    items = value.items if isinstance(value, Page) else [value]
    included = {one.name: await _load(work, one, items) for one in shape.include}
    picked = [_picked(item, shape.fields) for item in items]
    if isinstance(value, Page):
        said: dict[str, Any] = {"items": picked, "next_cursor": value.next_cursor}
        if value.total is not msgspec.UNSET:
            said["total"] = value.total
    else:
        said = picked[0]
    return {**said, "included": included} if shape.include else said


async def _load(work: Work, include: Include, items: list[Any]) -> dict[str, Any]:
    if not work.actor.may(include.permission):
        raise Forbidden(f"include={include.name} needs the permission {include.permission}")
    wanted = frozenset(found for item in items if isinstance(found := getattr(item, include.key, None), uuid.UUID))
    found = await include.load(work, wanted) if wanted else {}
    return {str(id_): plain(one, work.actor.may, work.deployment.registry) for id_, one in found.items()}


def _names(parameter: str, said: str, known: tuple[str, ...]) -> tuple[str, ...]:
    names = said.split(",")
    if not known:
        raise Invalid.at(f"?{parameter}", "Unknown parameter", code="unknown")
    if len(names) > MOST_NAMES or len(set(names)) != len(names):
        raise Invalid.at(f"?{parameter}", "Name each once")
    if wrong := [name[:60] for name in names if name not in known]:
        said = f"There is no {wrong[0]!r} here; there are {', '.join(known)}"
        raise Invalid("The request is not valid", faults=[Fault(f"?{parameter}", "unknown", said)])
    return tuple(names)


def _picked(item: Any, fields: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in _said(item) if not fields or name in fields}


def _said(item: Any) -> Iterator[tuple[str, Any]]:
    for one in msgspec.structs.fields(item):
        value = getattr(item, one.name)
        if value is not msgspec.UNSET:
            yield one.encode_name, value


__all__ = ["Include", "Shape", "field_names", "shape_of", "shaped", "structs_of"]
