"""The body gate: what a body must be before anything decodes it, checked in the order of cost."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any

from kernel.errors import (
    Fault,
    Invalid,
    MalformedJson,
    PayloadTooLarge,
    RequestTimeout,
    TooDeep,
    UnsupportedMediaType,
)

MOST_BYTES = 1_048_576
DEEPEST = 32
SLOWEST_S = 15.0
"""By then the whole body must have arrived."""
_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""Strings, ended or not, and brackets; possessive, so that its time grows with the body's length and no faster."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_HALF = re.compile(r"[\ud800-\udfff]")

Receive = Callable[[], Coroutine[Any, Any, Mapping[str, Any]]]


async def read_body(receive: Receive, headers: Mapping[str, str]) -> bytes:
    """The whole body. Raises PayloadTooLarge as soon as it is known, RequestTimeout for one that comes in drops,
    UnsupportedMediaType for anything but JSON.
    """
    said = headers.get("content-length", "")
    if said.isascii() and said.isdigit() and (len(said) > 15 or int(said) > MOST_BYTES):
        raise PayloadTooLarge(f"A body has at most {MOST_BYTES} bytes")
    try:
        async with asyncio.timeout(SLOWEST_S):
            body = b"".join([chunk async for chunk in chunks(receive, MOST_BYTES, "A body")])
    except TimeoutError as late:
        raise RequestTimeout from late
    if body:
        _check_media_type(headers)
    return body


def parse(body: bytes) -> Any:
    """The body as plain values. Raises MalformedJson, TooDeep, or Invalid for control characters in texts."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise MalformedJson("The body is not UTF-8") from fault
    _check_depth(body)
    try:
        parsed = _DECODER.decode(text.strip(" \t\r\n"))
    except ValueError as fault:
        raise MalformedJson(str(fault)[:200]) from fault
    if b"\\u" in body or b"\x7f" in body or b"\\b" in body or b"\\f" in body:
        _check_texts(parsed, "")
    return parsed


async def chunks(receive: Receive, most: int, what: str) -> AsyncIterator[bytes]:
    """What comes of a body, piece by piece. Raises PayloadTooLarge above `most` bytes, MalformedJson if it ends early.

    what: how it is called in the refusal.
    """
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise MalformedJson("The connection ended before the body did")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise PayloadTooLarge(f"{what} has at most {most} bytes")
        yield chunk
        more = bool(message.get("more_body"))


def _check_media_type(headers: Mapping[str, str]) -> None:
    kind, _, parameters = headers.get("content-type", "").partition(";")
    if kind.strip().lower() != "application/json":
        raise UnsupportedMediaType
    if parameters.strip().lower().replace(" ", "").replace('"', "") not in ("", "charset=utf-8"):
        raise UnsupportedMediaType("The body must be UTF-8")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Send the body without compression")


def _check_depth(body: bytes) -> None:
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return
    depth = 0
    for token in _TOKENS.finditer(body):
        first = token.group()[:1]
        if first in b"[{":
            depth += 1
            if depth > DEEPEST:
                raise TooDeep(f"At most {DEEPEST} levels")
        elif first in b"]}":
            depth -= 1


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:60]!r} stands twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("a number is out of range")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_distinct, parse_constant=_no_constant, parse_float=_finite)


def _check_texts(value: Any, pointer: str) -> None:
    if isinstance(value, str):
        if _HALF.search(value):
            raise MalformedJson("A text holds half a surrogate pair")
        if _CONTROL.search(value):
            raise Invalid(
                "A text holds a control character",
                faults=[Fault(pointer, "control-character", "no control characters")],
            )
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check_texts(name, pointer)
            _check_texts(inner, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            _check_texts(inner, f"{pointer}/{place}")
