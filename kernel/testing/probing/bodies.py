"""Requests made from a route's own types: a plain body that is valid, and every spot in it for an id or a name."""

from __future__ import annotations

import base64
import copy
import datetime as dt
import types
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias, Union, get_args, get_origin

import msgspec

from kernel.web import Route

Pointer: TypeAlias = tuple[str | int, ...]
FRESH = {"name", "sku", "code", "slug", "email", "label"}
"""Texts that must not repeat within a business: made from a token of the call."""
EXAMPLES: dict[str, Mapping[str, Any]] = {}
"""What the types cannot say: operation → fields without which its body would be refused.

Plugins say them as EXAMPLES in their testing.py.
"""
RIVALS: dict[str, tuple[str, ...]] = {}
"""Operation → fields of which a patch names one, the others as null."""
INSTEAD: dict[tuple[str, str], tuple[str, ...]] = {}
"""(operation, field) → other fields that a body leaves away when it names this one."""

_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
FILES: Mapping[str, bytes] = {"image/png": base64.b64decode(_PIXEL), "text/csv": b"sku\nPROBE\n"}
"""Small files that routes which take files take."""
FILES_OF: dict[str, bytes] = {}
"""Operation → another small file, where the plain one of its media type would be refused. Plugins say them as FILES."""


def plain_file(route: Route) -> tuple[str, bytes]:
    """A media type that a route takes, and a small file of it."""
    assert route.takes is not None
    media = next(media for media in route.takes.media_types if media in FILES)
    return media, FILES_OF.get(route.operation, FILES[media])


def plain_body(route: Route, own: Mapping[str, str], token: str) -> Any:
    """A small valid body for a route, naming things of one's own."""
    body = example(route.body, "", own, token)
    if isinstance(body, dict):
        body |= copy.deepcopy(dict(EXAMPLES.get(route.operation, {})))
    return body


def example(kind: Any, name: str, own: Mapping[str, str], token: str) -> Any:
    """A value of a type, as small as it may be."""
    bare = alternatives(kind)[0]
    if isinstance(bare, type) and issubclass(bare, msgspec.Struct):
        return _example_struct(bare, own, token)
    if get_origin(bare) in (list, tuple):
        return [example(get_args(bare)[0], name, own, token)]
    if bare is uuid.UUID:
        return own.get(name) or str(uuid.uuid4())
    if bare is str:
        return _text(kind, name, token)
    if get_origin(bare) is Literal:
        return get_args(bare)[0]
    plain: dict[Any, Any] = {bool: False, int: 1, dt.date: "2026-11-20", dt.datetime: "2026-11-20T08:00:00Z"}
    return plain.get(bare, {})


def _example_struct(kind: type[msgspec.Struct], own: Mapping[str, str], token: str) -> dict[str, Any]:
    fields = {one.encode_name: one for one in msgspec.structs.fields(kind)}
    wanted = [name for name, one in fields.items() if one.required]
    by_choice = "product_id" in fields and not any(name.endswith("_id") for name in wanted if name != "location_id")
    is_patch = not wanted and any(one.default is msgspec.UNSET for one in fields.values())
    if by_choice and not is_patch:  # "by product_id or by something else": neither is required alone
        wanted.append("product_id")
    made = {name: example(fields[name].type, name, own, token) for name in dict.fromkeys(wanted)}
    config = kind.__struct_config__
    return {str(config.tag_field): config.tag} | made if config.tag is not None else made


def _text(kind: Any, name: str, token: str) -> str:
    said = [text for meta in metas(kind) for text in (meta.examples or ())]
    made = [f"{token}@probe.example", f"Probe {token}", token, token[-4:].upper()] if name in FRESH else []
    for text in (*(made[1:] if name != "email" else made), *said, token, token[-4:].upper(), ""):
        try:
            return str(msgspec.convert(text, kind))
        except msgspec.ValidationError:
            continue
    raise AssertionError(f"no example for {name}: {kind}")


def metas(kind: Any) -> list[msgspec.Meta]:
    """Every Meta on a type or on its alternatives."""
    found = [one for one in getattr(kind, "__metadata__", ()) if isinstance(one, msgspec.Meta)]
    inner = (kind.__origin__,) if hasattr(kind, "__metadata__") else _members(kind)
    return found + [meta for one in inner for meta in metas(one)]


def alternatives(kind: Any) -> list[Any]:
    """The plain types a type may be, without its constraints and without null and unset."""
    if hasattr(kind, "__metadata__"):
        return alternatives(kind.__origin__)
    if members := _members(kind):
        return [one for member in members for one in alternatives(member)]
    return [] if kind in (type(None), msgspec.UnsetType) else [kind]


def _members(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else ()


def spots(kind: Any, wanted: type, seen: tuple[type, ...] = ()) -> Iterator[Pointer]:
    """Where in a body values of a type stand; the first element stands for all of a list."""
    for bare in alternatives(kind):
        if bare is wanted:
            yield ()
        elif get_origin(bare) in (list, tuple):
            yield from ((0, *rest) for rest in spots(get_args(bare)[0], wanted, seen))
        elif isinstance(bare, type) and issubclass(bare, msgspec.Struct) and bare not in seen:
            for one in msgspec.structs.fields(bare):
                yield from ((one.encode_name, *rest) for rest in spots(one.type, wanted, (*seen, bare)))


def put(route: Route, body: Any, pointer: Pointer, value: str, own: Mapping[str, str], token: str) -> Any:
    """The body with a value at a spot; what must stand around the value is made."""
    body = copy.deepcopy(body)
    here, kind = body, route.body
    for place, step in enumerate(pointer):
        last = place == len(pointer) - 1
        kind = _below(kind, step)
        if not place and isinstance(here, dict):
            for other in INSTEAD.get((route.operation, str(step)), ()):
                here.pop(other, None)
        if last:
            if isinstance(here, list):
                here[:] = [value]
            else:
                _clear_rivals(route, here, str(step), is_top=not place)
                here[step] = value
        elif isinstance(here, dict) and step not in here:
            here[step] = example(_leading(kind, pointer[place + 1]), str(step), own, token)
        elif isinstance(here, list) and not here:
            here.append(example(kind, "", own, token))
        if not last:
            if isinstance(pointer[place + 1], str) and not isinstance(here[step], dict):
                here[step] = next(made for bare in _structs(kind) if (made := _example_struct(bare, own, token)))
            here = here[step]
    return body


def _leading(kind: Any, step: str | int) -> Any:
    """Of several Structs that a type may be, the one with a field; the type itself where there are not several."""
    structs = _structs(kind)
    having = [one for one in structs if step in {field.encode_name for field in msgspec.structs.fields(one)}]
    return having[0] if len(structs) > 1 and having else kind


def _structs(kind: Any) -> list[type[msgspec.Struct]]:
    return [bare for bare in alternatives(kind) if isinstance(bare, type) and issubclass(bare, msgspec.Struct)]


def _clear_rivals(route: Route, here: dict[str, Any], name: str, *, is_top: bool) -> None:
    """Of product, category and barcode a body names one."""
    rivals = {"product_id", "category_id", "barcode"}
    if name in rivals:
        for other in rivals - {name}:
            here.pop(other, None)
        if is_top:
            here |= {other: None for other in RIVALS.get(route.operation, ()) if other != name}


def _below(kind: Any, step: str | int) -> Any:
    for bare in alternatives(kind):
        if isinstance(step, int) and get_origin(bare) in (list, tuple):
            return get_args(bare)[0]
        if isinstance(bare, type) and issubclass(bare, msgspec.Struct):
            for one in msgspec.structs.fields(bare):
                if one.encode_name == step:
                    return one.type
    raise LookupError(step)


def around(body: Any, pointer: Pointer) -> tuple[list[Any], Any]:
    """The innermost list around a spot, and the element of it that leads there."""
    found: tuple[list[Any], Any] | None = None
    here = body
    for step in pointer:
        if isinstance(here, list):
            found = (here, here[0])
        here = here[step]
    if found is None:
        raise LookupError(pointer)
    return found
