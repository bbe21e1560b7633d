"""Fields that not everyone may see or set: marked once on the Struct, heeded on every way in and out.

`Annotated[UnitPrice | None, needs("catalog.see_cost")]` (see `kernel.wire`) takes the field out of answers, examples
and schemas for those who do not hold the permission, and refuses a request of theirs that sets it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from typing import Any, get_args, get_origin

import msgspec

from kernel.errors import Fault, Forbidden
from kernel.registry import Registry
from kernel.wire import EXTENDS, LIKE, NEEDS, marked

May = Callable[[str], bool]
"""Whether the caller holds a permission."""
_NOBODY = ""
"""In place of a permission: of a plugin that is not there, nobody is shown anything."""


@dataclass(eq=False)
class _Shape:
    """What is guarded of one Struct, list or mapping, and what lies below it: its fields, or each of its elements.

    ext: fields that plugins extend, and their subjects.
    leads: the fields by which anything guarded is reached, with what a pointer calls them; made once.
    """

    needs: dict[str, str] = field(default_factory=dict)
    ext: dict[str, str] = field(default_factory=dict)
    below: dict[str, tuple[_Shape, ...]] = field(default_factory=dict)
    each: tuple[_Shape, ...] = ()

    @cached_property
    def leads(self) -> tuple[tuple[str, str], ...]:
        said = self.needs | self.ext | {name: "" for name, shapes in self.below.items() if any(map(_holds, shapes))}
        return tuple((name, _in_pointer(name)) for name in said)


def shown(body: bytes, kind: Any, may: May, registry: Registry | None = None) -> bytes:
    """An encoded answer of a type without what the caller may not see; the same bytes where nothing is hidden.

    registry: the plugins that may extend what is answered; so for all below.
    """
    if kind is None:
        return body
    permissions, extended = _guards(kind, registry)
    if all(map(may, permissions)) and not any(name in body for name in extended):
        return body
    value = msgspec.json.decode(body)
    hide(value, kind, may, registry)
    return msgspec.json.encode(value)


def plain(value: msgspec.Struct, may: May, registry: Registry | None = None) -> Any:
    """A Struct as plain JSON values, without what the caller may not see: for exports and includes."""
    said = msgspec.json.decode(msgspec.json.encode(value))
    hide(said, type(value), may, registry)
    return said


def hide(value: Any, kind: Any, may: May, registry: Registry | None = None) -> None:
    """Take what the caller may not see out of plain JSON values of a type."""
    for needs, here, pointer in list(_guarded(value, shapes_of(kind), "", registry)):
        if needs == _NOBODY or not may(needs):
            here.pop(pointer.rpartition("/")[2], None)


def hide_ext(ext: Any, subject: str, may: May, registry: Registry) -> None:
    """Take what is marked and may not be seen out of a stored `ext` that a person is handed out about themselves.

    What a plugin keeps that is not there stays: it is the person's.
    """
    for needs, here, pointer in list(_guarded_ext(ext, subject, "", registry)):
        if needs != _NOBODY and not may(needs):
            here.pop(pointer.rpartition("/")[2], None)


def keep_unheld(new: dict[str, Any], old: Mapping[str, Any], kind: Any, may: May) -> None:
    """Keep, in plain values of a Struct that take the place of others, what the caller can neither see nor set."""
    for shape in shapes_of(kind):
        new |= {name: old[name] for name, needs in shape.needs.items() if name in old and not may(needs)}


def refuse_unheld(value: Any, kind: Any, may: May, pointer: str = "") -> None:
    """Raise Forbidden, with pointers, where plain JSON values of a type set what the caller may not.

    pointer: where in the request the value stands.
    """
    if all(map(may, permissions_in(kind))):
        return
    said = [(needs, pointer) for needs, _, pointer in _guarded(value, shapes_of(kind), pointer) if not may(needs)]
    if said:
        faults = [Fault(pointer, "forbidden", f"This needs the permission {needs}") for needs, pointer in said]
        raise Forbidden(faults[0].detail, faults=faults)


def visible(schema: Any, may: May) -> Any:
    """A JSON schema without the properties that the caller may not see."""
    if isinstance(schema, list):
        return [visible(part, may) for part in schema]
    if not isinstance(schema, dict):
        return schema
    gone = {
        name
        for name, said in (schema.get("properties") or {}).items()
        if isinstance(said, dict) and "x-needs" in said and not may(said["x-needs"])
    }
    kept = dict(schema)
    if gone:
        kept["properties"] = {name: said for name, said in schema["properties"].items() if name not in gone}
        kept["required"] = [name for name in schema.get("required", ()) if name not in gone]
    return {name: visible(part, may) for name, part in kept.items()}


@cache
def permissions_in(kind: Any) -> frozenset[str]:
    """The permissions that fields of a type, at any depth, ask for."""
    return frozenset(needs for shape in _reached(shapes_of(kind)) for needs in shape.needs.values())


@cache
def shapes_of(kind: Any) -> tuple[_Shape, ...]:
    """The shapes a value of a type may have: one for each alternative that can hold guarded fields."""
    return _shapes(kind, {})


@lru_cache(maxsize=4096)
def _guards(kind: Any, registry: Registry | None) -> tuple[frozenset[str], tuple[bytes, ...]]:
    """The permissions that a type and what extends it ask for, and how its extended fields begin that hold any."""
    permissions, names = set(permissions_in(kind)), set()
    for shape in _reached(shapes_of(kind)):
        for name, subject in shape.ext.items() if registry else ():
            names.add(msgspec.json.encode(name) + b':{"')
            for extension in registry.extensions_of(subject) if registry else ():
                permissions |= permissions_in(extension)
    return frozenset(permissions), tuple(names)


def _guarded(
    value: Any, shapes: tuple[_Shape, ...], pointer: str, registry: Registry | None = None
) -> Iterator[tuple[str, dict[str, Any], str]]:
    """(permission, the object around it, pointer) of every guarded field that is there."""
    if isinstance(value, dict):
        for shape in shapes:
            leads = [(name, _in_pointer(name)) for name in value] if shape.each else shape.leads
            for name, said in leads:
                if name not in value:
                    continue
                inner, here = value[name], f"{pointer}/{said}"
                if name in shape.needs:
                    yield shape.needs[name], value, here
                if name in shape.ext and registry is not None:
                    yield from _guarded_ext(inner, shape.ext[name], here, registry)
                yield from _guarded(inner, shape.below.get(name, shape.each), here, registry)
    elif isinstance(value, list):
        for shape in shapes:
            for place, inner in enumerate(value):
                yield from _guarded(inner, shape.each, f"{pointer}/{place}", registry)


def _guarded_ext(ext: Any, subject: str, pointer: str, registry: Registry) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The same of what plugins keep with a subject; and all of a plugin that is not there to say what it guards."""
    for plugin, part in ext.items() if isinstance(ext, dict) else ():
        kind, here = registry.extension(subject, plugin), f"{pointer}/{plugin}"
        if kind is None:
            yield _NOBODY, ext, here
        else:
            yield from _guarded(part, shapes_of(kind), here, registry)


@cache
def _holds(shape: _Shape) -> bool:
    """Whether anything is guarded in a shape or below it."""
    return any(one.needs or one.ext for one in _reached([shape]))


def _reached(shapes: Iterable[_Shape]) -> Iterator[_Shape]:
    """Shapes and all below them, each once."""
    seen: set[int] = set()
    waiting = list(shapes)
    while waiting:
        shape = waiting.pop()
        if id(shape) not in seen:
            seen.add(id(shape))
            waiting += [*shape.each, *(one for below in shape.below.values() for one in below)]
            yield shape


def _in_pointer(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _shapes(kind: Any, known: dict[Any, _Shape]) -> tuple[_Shape, ...]:
    while hasattr(kind, "__metadata__"):
        kind = kind.__origin__
    origin, arguments = get_origin(kind), get_args(kind)
    if _is_struct(kind) or _is_struct(origin):
        return (known[kind] if kind in known else _struct(kind, known),)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return (_Shape(each=_shapes(arguments[1], known)),)
    if isinstance(origin, type) and issubclass(origin, list | tuple | set | frozenset):
        return (_Shape(each=tuple(shape for one in arguments for shape in _shapes(one, known))),)
    return tuple(shape for one in arguments for shape in _shapes(one, known))


def _struct(kind: Any, known: dict[Any, _Shape]) -> _Shape:
    shape = known[kind] = _Shape()
    for one in msgspec.structs.fields(kind):
        if permission := marked(one.type, NEEDS):
            shape.needs[one.encode_name] = permission
        if subject := marked(one.type, EXTENDS):
            shape.ext[one.encode_name] = subject
        shape.below[one.encode_name] = _shapes(marked(one.type, LIKE) or one.type, known)
    return shape


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
