"""Values and calls as Python, in the form that ruff gives them at the width of a plugin's project."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from kernel.app.recording import Thing

WIDTH: Final = 120


class Code(str):
    """Python, to be written as it stands."""


def assigned(name: str, value: Any, indent: int, annotation: str = "") -> str:
    """An assignment, over several lines where one is too short."""
    start = f"{' ' * indent}{name}{annotation} = "
    return start + _fitting(value, indent, len(start), 0)


def call(name: str, arguments: Iterable[Any], options: Mapping[str, Any], indent: int, before: str) -> str:
    """A call of arguments and options. before: what stands before its name, such as "await "."""
    start = f"{' ' * indent}{before}{name}("
    parts = [("", one) for one in arguments] + [(f"{key}=", value) for key, value in options.items()]
    flat = ", ".join(key + literal(value) for key, value in parts)
    if len(start) + len(flat) + 1 <= WIDTH:
        return f"{start}{flat})"
    inner = " " * (indent + 4)
    if len(inner) + len(flat) <= WIDTH:
        return f"{start}\n{inner}{flat}\n{' ' * indent})"
    lines = [f"{inner}{key}{_fitting(value, indent + 4, indent + 4 + len(key), 1)}," for key, value in parts]
    return "\n".join([start, *lines, f"{' ' * indent})"])


def _fitting(value: Any, indent: int, used: int, after: int) -> str:
    """A value on the rest of its line, or one part a line. used: columns before it; after: behind it."""
    flat = literal(value)
    if used + len(flat) + after <= WIDTH or not value or not isinstance(value, dict | list):
        return flat
    inner = " " * (indent + 4)
    if isinstance(value, dict):
        parts = [f"{literal(key)}: " for key in value]
        items = zip(parts, value.values(), strict=True)
        opening, closing = "{", "}"
    else:
        items = zip([""] * len(value), value, strict=True)
        opening, closing = "[", "]"
    lines = [f"{inner}{key}{_fitting(one, indent + 4, indent + 4 + len(key), 1)}," for key, one in items]
    return "\n".join([opening, *lines, f"{' ' * indent}{closing}"])


def literal(value: Any) -> str:
    """A value in one line. A thing is written as the text of its id."""
    for kind, written in _WRITTEN.items():
        if isinstance(value, kind):
            return written(value)
    return repr(value)


def _thing(thing: Thing) -> str:
    return "None" if thing.expression in ("", "None") else f"str({thing.expression})"


def _mapping(value: Mapping[Any, Any]) -> str:
    return "{" + ", ".join(f"{literal(key)}: {literal(one)}" for key, one in value.items()) + "}"


def _moment(value: dt.datetime) -> str:
    at = value.astimezone(dt.UTC)
    parts = [at.year, at.month, at.day, at.hour, at.minute, at.second, *([at.microsecond] if at.microsecond else [])]
    return f"dt.datetime({', '.join(map(str, parts))}, tzinfo=dt.UTC)"


_WRITTEN: Final[Mapping[type[Any], Callable[[Any], str]]] = {
    Thing: _thing,
    Code: str,
    str: lambda value: json.dumps(value, ensure_ascii=False),
    dict: _mapping,
    list: lambda value: "[" + ", ".join(map(literal, value)) + "]",
    tuple: lambda value: "[" + ", ".join(map(literal, value)) + "]",
    uuid.UUID: lambda value: f'UUID("{value}")',
    dt.datetime: _moment,
    dt.date: lambda value: f"dt.date({value.year}, {value.month}, {value.day})",
}
