"""A client of the REST API: signs in and stays so, sends every request so that it may be sent again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any, Final

import httpx

TRIES: Final = 6
BUSY: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
PAGE: Final = 200
"""The most rows a list gives at once."""


class Refused(Exception):
    """The server will not do it; `code` is the problem's stable name."""

    def __init__(self, method: str, path: str, answer: httpx.Response) -> None:
        problem = _problem(answer)
        self.code: str = problem.get("code", "")
        self.status = answer.status_code
        where = ", ".join(one["pointer"] for one in problem.get("errors", [])[:3])
        said = problem.get("detail") or answer.text[:200]
        super().__init__(f"{method} {path}: {self.status} {self.code} {said} {where}".strip())


class Client:
    """One person's connection. Many tasks may share it."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._access = self._refresh = ""
        self._renewing = asyncio.Lock()

    async def sign_in(self, email: str, password: str) -> None:
        """Sign in; every later request goes out in this person's name. Raises `Refused`."""
        body = {"username": email, "password": password, "device": "online_retail"}
        self._take(await self._asked("POST", "/auth/login", json=body))

    async def switch(self, slug: str) -> None:
        """Go on in another business."""
        self._take(await self._asked("POST", "/auth/switch", json={"business": slug}))

    async def get(self, path: str, **query: Any) -> Any:
        """Read."""
        return await self._asked("GET", path, params=query)

    async def every(self, path: str, **query: Any) -> AsyncIterator[Any]:
        """All items of a list, page by page."""
        cursor: str | None = None
        while True:
            at = {"limit": PAGE, **query} | ({"cursor": cursor} if cursor else {})
            page = await self._asked("GET", path, params=at)
            for item in page["items"]:
                yield item
            cursor = page["next_cursor"]
            if not cursor:
                return

    async def count(self, path: str, **query: Any) -> int:
        """How many items a list has."""
        total: int = (await self.get(path, limit=1, include_total="true", **query))["total"]
        return total

    async def post(self, path: str, body: Mapping[str, Any], key: str) -> Any:
        """Write, once: the same key again gives the same answer and changes nothing. Raises `Refused`."""
        return await self._asked("POST", path, json=body, headers={"Idempotency-Key": key})

    async def make(self, path: str, body: Mapping[str, Any], key: str) -> Any:
        """Post a thing whose id we chose; read it instead where it is there already, from a replay long ago.

        What a second sale of the same goods lacks first may be the goods, so any conflict is looked into.
        """
        try:
            return await self.post(path, body, key)
        except Refused as refused:
            if refused.status != HTTPStatus.CONFLICT:
                raise
            try:
                return await self.get(f"{path}/{body['id']}")
            except Refused:
                raise refused from None

    async def _asked(self, method: str, path: str, **how: Any) -> Any:
        answer = await self._sent(method, path, how)
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            raise Refused(method, path, answer)
        return answer.json()

    async def _sent(self, method: str, path: str, how: Mapping[str, Any]) -> httpx.Response:
        """Send until there is an answer that means something; the last try decides."""
        for _ in range(TRIES - 1):
            access = self._access
            try:
                answer = await self._once(method, path, how)
            except httpx.TransportError:
                await asyncio.sleep(1)
                continue
            if answer.status_code == HTTPStatus.UNAUTHORIZED and access:
                await self._renew(access)
            elif _is_passing(answer):
                await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))
            else:
                return answer
        return await self._once(method, path, how)

    async def _once(self, method: str, path: str, how: Mapping[str, Any]) -> httpx.Response:
        headers = dict(how.get("headers", {}))
        if self._access:
            headers["Authorization"] = f"Bearer {self._access}"
        return await self._http.request(method, f"/api/v1{path}", **{**how, "headers": headers})

    async def _renew(self, stale: str) -> None:
        """Exchange the refresh token, which is good for one use: the first task does it for all."""
        async with self._renewing:
            if self._access != stale:
                return
            body = {"refresh_token": self._refresh}
            answer = await self._http.post("/api/v1/auth/refresh", json=body)
            if answer.is_error:
                raise Refused("POST", "/auth/refresh", answer)
            self._take(answer.json())

    def _take(self, pair: Mapping[str, str]) -> None:
        self._access, self._refresh = pair["access_token"], pair["refresh_token"]


def _is_passing(answer: httpx.Response) -> bool:
    """Whether the same request may succeed in a moment: too busy, or a twin of it is still running."""
    return answer.status_code in BUSY or _problem(answer).get("code") == "idempotency-in-progress"


def _problem(answer: httpx.Response) -> dict[str, Any]:
    if not answer.headers.get("Content-Type", "").startswith("application/problem+json"):
        return {}
    problem: dict[str, Any] = answer.json()
    return problem
