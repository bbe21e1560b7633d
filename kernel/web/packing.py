"""Packing: pages and their files go out compressed to browsers that can read it (RFC 9110, sections 8.4 and 12.5.3).

So do answers of the API that pass to a page of a site. Others go as they are: most are short, and a server before Duka
may pack them.
"""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from functools import lru_cache
from typing import Any, Final

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LEAST: Final = 256
"""Bytes; what is shorter gains nothing."""
MOST_FILES: Final = 128
"""Files kept compressed in the process, those asked for last."""
VARY: Final = ("Vary", "Accept-Encoding")
_VARY: Final = b"Accept-Encoding"
_GZIP: Final = 16 + zlib.MAX_WBITS
_QUICK, _SMALL = 6, 9


def takes_gzip(headers: Mapping[str, str]) -> bool:
    """Whether whoever asks says that gzip may be sent. headers: by lower-case name."""
    for said in headers.get("accept-encoding", "").lower().split(","):
        name, _, quality = said.partition(";")
        if name.strip() in ("gzip", "x-gzip", "*"):
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def packed_page(
    body: bytes, lines: Iterable[tuple[str, str]], headers: Mapping[str, str]
) -> tuple[bytes, list[tuple[str, str]]]:
    """The body of an answer and its headers as they go out: HTML compressed, all else as it is.

    No cache keeps pages, so none needs to be told that they vary.
    """
    kept = list(lines)
    if not any(name.lower() == "content-type" and value.startswith("text/html") for name, value in kept):
        return body, kept
    if len(body) < LEAST or not takes_gzip(headers):
        return body, kept
    return _packed(body, _QUICK), [*kept, ("Content-Encoding", "gzip")]


def packed_file(content: bytes, headers: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
    """A file of text as it goes out, compressed as far as it goes, once; and the headers that say so."""
    if len(content) < LEAST or not takes_gzip(headers):
        return content, dict([VARY])
    return _small(content), dict([VARY, ("Content-Encoding", "gzip")])


def packing(send: Send, headers: Mapping[str, str]) -> Send:
    """Sends on what an app answers; JSON that comes in one piece compressed, streams as they come."""
    begun: list[MutableMapping[str, Any]] = []

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start" and _is_json(message):
            begun.append(message)
            return
        if begun:
            start, body = begun.pop(), message.get("body", b"")
            if not message.get("more_body") and len(body) >= LEAST:
                message = {**message, "body": (body := _packed(body, _QUICK))}
                kept = [line for line in start["headers"] if line[0].lower() != b"content-length"]
                said = {b"content-length": str(len(body)).encode(), b"content-encoding": b"gzip", b"vary": _VARY}
                start = {**start, "headers": [*kept, *said.items()]}
            await send(start)
        await send(message)

    return sending if takes_gzip(headers) else send


def _is_json(start: Mapping[str, Any]) -> bool:
    return start["status"] == 200 and any(
        name.lower() == b"content-type" and value.startswith(b"application/json") for name, value in start["headers"]
    )


@lru_cache(maxsize=MOST_FILES)
def _small(content: bytes) -> bytes:
    return _packed(content, _SMALL)


def _packed(content: bytes, level: int) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, _GZIP)
    return packer.compress(content) + packer.flush()
