"""Requests into values: strict, with every fault at its place. msgspec's words become JSON pointers."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any, get_args
from urllib.parse import parse_qsl

import msgspec

from kernel.errors import Fault, Invalid, MalformedJson, NotFound
from kernel.wire import CUSTOM, EXTENDS, invalid, marked

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_WHOLE = re.compile(r"-?[0-9]{1,18}\Z", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", re.ASCII)


def decode_body(body: bytes, kind: Any) -> Any:
    """The body as the route's type. Raises Invalid with a pointer, MalformedJson for what is not JSON."""
    if not body.strip():
        raise Invalid.at("", "A body is required", code="required")
    try:
        return _decoder(kind).decode(body)
    except msgspec.ValidationError as fault:
        raise invalid(str(fault)) from fault
    except msgspec.DecodeError as fault:
        raise MalformedJson(str(fault)[:200]) from fault
    except RecursionError as fault:
        raise MalformedJson("nested too deeply") from fault


def read_query(raw: bytes) -> dict[str, str]:
    """The parameters of a query string. Raises Invalid for one that cannot be read, and for a name given twice."""
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=60)
    except ValueError as fault:
        raise Invalid.at("?", "The query string cannot be read") from fault
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in given:
            raise Invalid.at(f"?{name[:60]}", "Given twice")
        given[name] = value
    return given


def decode_query(given: Mapping[str, str], kind: type[msgspec.Struct] | None) -> Any:
    """Parameters as the route's Struct; where it has none, nothing may be given. Raises Invalid at `?name`."""
    types = _types(kind) if kind else {}
    own, given = _own_fields(given, types)
    for name in given:
        if name not in types:
            raise Invalid.at(f"?{name[:60]}", "Unknown parameter", code="unknown")
    if kind is None:
        return None
    try:
        return msgspec.convert(own | {name: _plain(name, value, types[name]) for name, value in given.items()}, kind)
    except msgspec.ValidationError as fault:
        error = invalid(str(fault))
        faults = [Fault("?" + one.pointer.lstrip("/"), one.code, one.detail) for one in error.faults]
        raise Invalid(error.detail, faults=faults) from fault


def _own_fields(given: Mapping[str, str], types: Mapping[str, Any]) -> tuple[dict[str, Any], Mapping[str, str]]:
    """The filters by fields of a business's own and of plugins, `{"custom": {field: text}, "ext": …}`, and the rest."""
    found: dict[str, Any] = {}
    rest = dict(given)
    for name in (name for name, kind in types.items() if marked(kind, CUSTOM) or marked(kind, EXTENDS)):
        if name in given:
            raise Invalid.at(f"?{name}", f"Write ?{name}.<field>=", code="unknown")
        own = {said: rest.pop(said) for said in given if said.startswith(f"{name}.")}
        for said, value in own.items():
            _refuse_controls(said, value)
        if own:
            found[name] = {said.partition(".")[2]: value for said, value in own.items()}
    return found, rest


def decode_path(name: str, text: str, kind: Any) -> Any:
    """A path parameter. Raises NotFound when it cannot name anything."""
    try:
        return _plain(name, text, kind)
    except Invalid as fault:
        raise NotFound from fault


def convert(value: Any, kind: Any, pointer: str) -> Any:
    """A plain JSON value at a place of the body as a type. Raises Invalid there."""
    try:
        msgspec.json.encode(value)
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as fault:
        error = invalid(str(fault))
        faults = [Fault(pointer + one.pointer, one.code, one.detail) for one in error.faults]
        raise Invalid(error.detail, faults=faults) from fault
    except OverflowError as fault:
        raise Invalid.at(pointer, "The number is too large") from fault


def _plain(name: str, text: str, kind: Any) -> Any:
    """A text as the plain value its annotation asks for; only one spelling of each value is taken."""
    base = _base(kind)
    _refuse_controls(name, text)
    if base is uuid.UUID:
        return uuid.UUID(_matching(_UUID, name, text, "an id"))
    if base is int:
        return int(_matching(_WHOLE, name, text, "a whole number"))
    if base is bool:
        return _matching(re.compile(r"(true|false)\Z"), name, text, "true or false") == "true"
    if base is dt.date:
        try:
            return dt.date.fromisoformat(_matching(_DATE, name, text, "a date, YYYY-MM-DD"))
        except ValueError as fault:
            raise Invalid.at(f"?{name}", "There is no such day") from fault
    return text


def _refuse_controls(name: str, text: str) -> None:
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise Invalid.at(f"?{name[:60]}", "No control characters")


def _matching(pattern: re.Pattern[str], name: str, text: str, wanted: str) -> str:
    if not pattern.match(text):
        raise Invalid.at(f"?{name}", f"Must be {wanted}")
    return text


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind, strict=True)


@cache
def _types(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {one.encode_name: one.type for one in msgspec.structs.fields(kind)}


def _base(kind: Any) -> Any:
    """The plain type below Annotated and `| None`."""
    while hasattr(kind, "__metadata__"):
        kind = kind.__origin__
    for part in get_args(kind):
        if part is not type(None) and type(None) in get_args(kind):
            return _base(part)
    return kind
