"""The way from a gateway to a simulator in one process, with the faults that networks have."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from plugins.payments.testing.simulator import Simulator


class FaultyWay(httpx.AsyncBaseTransport):
    """Leads every call to a simulator; what its `way` says befalls the next one."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self._inner = httpx.ASGITransport(app=simulator, raise_app_exceptions=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One call."""
        simulator = self.simulator
        before = {one: pay.state for one, pay in simulator.ledger.items()}
        way = simulator.way
        if way == "nobody there":
            simulator.way = "good"
            raise httpx.ConnectError("nobody listens there", request=request)
        if way == "error page":
            simulator.way = "good"
            return _whole(502, b"<html>Bad Gateway</html>", request)
        if way == "busy":
            simulator.way = "good"
            return _whole(429, b"{}", request, {"Retry-After": "2"})
        heard = await self._inner.handle_async_request(request)
        await heard.aread()
        answer = _whole(heard.status_code, heard.content, request)
        if any(pay.word == "first" for one, pay in simulator.ledger.items() if one not in before):
            await simulator.deliver()
        if way == "good" or not _did_something(simulator, before):
            return answer
        simulator.way = "good"
        if way == "answer lost":
            raise httpx.ReadTimeout("no answer came", request=request)
        if way == "error after":
            return _whole(503, b"<html>Service Unavailable</html>", request)
        half = heard.content[: len(heard.content) // 2] if way == "broken answer" else b""
        return _whole(heard.status_code, half, request)

    async def aclose(self) -> None:
        """Close the way."""
        await self._inner.aclose()


def _whole(
    status: int, body: bytes, request: httpx.Request, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """An answer that its receiver has still to read."""
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body), request=request)


def _did_something(simulator: Simulator, before: dict[str, str]) -> bool:
    """Whether a call moved money or asked for some: faults spare those that fetch a token."""
    after = {one: pay.state for one, pay in simulator.ledger.items()}
    return after != before or any(pay.returned for pay in simulator.ledger.values())
