"""Notices over HTTP."""

from __future__ import annotations

from typing import Final

import httpx

TIMEOUT_S: Final = 10


async def over_http(url: str, body: bytes) -> tuple[int, bytes]:
    """Send a notice to its address; status 0 where nothing came back."""
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as client:
            answer = await client.post(url, content=body, headers={"content-type": "application/json"})
    except httpx.HTTPError:
        return 0, b""
    return answer.status_code, answer.content
