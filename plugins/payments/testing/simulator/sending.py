"""Notices over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import httpx

TIMEOUT_S: Final = 10


async def over_http(url: str, body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
    """Send a notice to its address; status 0 where nothing came back."""
    said = {"content-type": "application/json", **(headers or {})}
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as client:
            answer = await client.post(url, content=body, headers=said)
    except httpx.HTTPError:
        return 0, b""
    return answer.status_code, answer.content
