"""A line that leads straight into a simulator, with no network, for tests of a gateway by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from plugins.payments.schemas.gateways import Fault, GatewayFailed, Heard, Mode, Token


class DirectLine:
    """One account's line to an ASGI app. sent: every call that was made, as (method, url, body)."""

    def __init__(
        self,
        app: Any,
        config: Any,
        *,
        now: dt.datetime,
        mode: Mode = "test",
        region: str = "KE",
        notify: str = "https://duka.example/api/v1/payments/notices/0",
    ) -> None:
        self.config, self.mode, self.region, self.now, self.notify = config, mode, region, now, notify
        self.sent: list[tuple[str, str, Any]] = []
        self.fetched = 0
        self._token: str | None = None
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app, raise_app_exceptions=False))

    async def send(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Heard:
        """One call into the app."""
        self.sent.append((method, url, json if form is None else dict(form)))
        try:
            answer = await self._http.request(method, url, json=json, data=form, headers=headers)
        except httpx.ConnectError as fault:
            raise GatewayFailed(Fault("provider_down", "The provider cannot be reached", again=True)) from fault
        except httpx.HTTPError as fault:
            raise GatewayFailed(Fault("timeout", "The provider did not answer"), is_unsure=True) from fault
        return Heard(answer.status_code, dict(answer.headers), answer.content)

    async def token(self, fetch: Callable[[], Awaitable[Token]]) -> str:
        """The token, fetched once."""
        if self._token is None:
            self._token, self.fetched = (await fetch()).text, self.fetched + 1
        return self._token

    async def forget_token(self, text: str) -> None:
        """Drop the token."""
        if self._token == text:
            self._token = None
