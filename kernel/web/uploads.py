"""Bodies that are files: received in chunks into a temporary file, within what their route declares."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

from kernel.errors import Invalid, PayloadTooLarge, RequestTimeout, UnsupportedMediaType
from kernel.web.body import Receive, chunks
from kernel.wire import Upload

_IN_MEMORY = 1_048_576


@dataclass(frozen=True)
class Takes:
    """What a route takes in place of JSON: files of some media types, up to a size.

    slowest_s: by then the file must have arrived. longest_s: then the request has so long to be answered.
    """

    media_types: tuple[str, ...]
    most_bytes: int
    slowest_s: float = 120.0
    longest_s: float = 30.0


async def receive_upload(receive: Receive, headers: Mapping[str, str], takes: Takes) -> Upload:
    """The body as a file. Raises PayloadTooLarge as soon as it is known, UnsupportedMediaType, RequestTimeout."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in takes.media_types:
        raise UnsupportedMediaType(f"Send {' or '.join(takes.media_types)}")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Send the body without compression")
    said = headers.get("content-length", "")
    if said.isascii() and said.isdigit() and (len(said) > 15 or int(said) > takes.most_bytes):
        raise PayloadTooLarge(f"A file has at most {takes.most_bytes} bytes")
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
