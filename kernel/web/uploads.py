"""Bodies that are no JSON: files, received in chunks into a temporary file, and requests taken as they come."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from kernel.errors import Invalid, PayloadTooLarge, RequestTimeout, UnsupportedMediaType
from kernel.web.body import SLOWEST_S, Receive, chunks
from kernel.wire import RawRequest, Upload
from kernel.work import Deployment

_IN_MEMORY = 1_048_576
_MOST_PARAMETERS = 60


@dataclass(frozen=True)
class Takes:
    """What a route takes in place of JSON: files of some media types, up to a size.

    slowest_s: by then the file must have arrived. longest_s: then the request has so long to be answered.
    """

    media_types: tuple[str, ...]
    most_bytes: int
    slowest_s: float = 120.0
    longest_s: float = 30.0


@dataclass(frozen=True)
class TakesRaw:
    """What a route takes as it comes: any media type, unread, up to a size.

    knows: whether a path's values are of our own making, seen without the database. Whoever comes by such a path is
    known, however many come from one address; all others are throttled by it.
    """

    knows: Callable[[Deployment, Mapping[str, str]], bool]
    most_bytes: int = 65_536


async def receive_raw(
    receive: Receive, method: str, headers: Mapping[str, str], query: bytes, address: str | None, takes: TakesRaw
) -> RawRequest:
    """A request as it comes. Raises PayloadTooLarge, UnsupportedMediaType if compressed, RequestTimeout, Invalid."""
    _refuse_unfit(headers, takes.most_bytes, "A body")
    body = b""
    if method not in ("GET", "HEAD"):
        try:
            async with asyncio.timeout(SLOWEST_S):
                body = b"".join([chunk async for chunk in chunks(receive, takes.most_bytes, "A body")])
        except TimeoutError as late:
            raise RequestTimeout from late
    return RawRequest(method, headers, _parameters(query), body, address)


def _parameters(raw: bytes) -> dict[str, str]:
    """The parameters of a query string that somebody else has written."""
    try:
        pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError as fault:
        raise Invalid.at("?", "The query string cannot be read") from fault
    if any(ord(letter) < 32 or ord(letter) == 127 for pair in pairs for text in pair for letter in text):
        raise Invalid.at("?", "No control characters")
    return dict(reversed(pairs))


def _refuse_unfit(headers: Mapping[str, str], most: int, what: str) -> None:
    """Refuse by its headers what is compressed or too large."""
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Send the body without compression")
    said = headers.get("content-length", "")
    if said.isascii() and said.isdigit() and (len(said) > 15 or int(said) > most):
        raise PayloadTooLarge(f"{what} has at most {most} bytes")


async def receive_upload(receive: Receive, headers: Mapping[str, str], takes: Takes) -> Upload:
    """The body as a file. Raises PayloadTooLarge as soon as it is known, UnsupportedMediaType, RequestTimeout."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in takes.media_types:
        raise UnsupportedMediaType(f"Send a file of type {' or '.join(takes.media_types)}")
    _refuse_unfit(headers, takes.most_bytes, "A file")
    try:
        async with asyncio.timeout(takes.slowest_s):
            return await _received(receive, media_type, takes.most_bytes)
    except TimeoutError as late:
        raise RequestTimeout from late


async def _received(receive: Receive, media_type: str, most: int) -> Upload:
    digest, size = hashlib.sha256(), 0
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed as the request ends
    try:
        async for chunk in chunks(receive, most, "A file"):
            size += len(chunk)
            digest.update(chunk)
            file.write(chunk)
        if not size:
            raise Invalid.at("", "A file is required", code="required")
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return Upload(file, media_type, size, digest.hexdigest())
