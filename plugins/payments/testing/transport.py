"""The way from a gateway to a simulator in one process, with the faults that networks have."""

from __future__ import annotations

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
            return httpx.Response(502, html="<html>Bad Gateway</html>", request=request)
        if way == "busy":
            simulator.way = "good"
            return httpx.Response(429, headers={"Retry-After": "2"}, json={}, request=request)
        heard = await self._inner.handle_async_request(request)
        await heard.aread()
        answer = httpx.Response(heard.status_code, headers=heard.headers, content=heard.content, request=request)
        if any(pay.word == "first" for one, pay in simulator.ledger.items() if one not in before):
            await simulator.deliver()
        if way == "good" or not _did_something(simulator, before):
            return answer
        simulator.way = "good"
        if way == "answer lost":
            raise httpx.ReadTimeout("no answer came", request=request)
        if way == "error after":
            return httpx.Response(503, html="<html>Service Unavailable</html>", request=request)
        half = answer.content[: len(answer.content) // 2] if way == "broken answer" else b""
        return httpx.Response(answer.status_code, content=half, request=request)

    async def aclose(self) -> None:
        """Close the way."""
        await self._inner.aclose()


def _did_something(simulator: Simulator, before: dict[str, str]) -> bool:
    """Whether a call moved money or asked for some: faults spare those that fetch a token."""
    after = {one: pay.state for one, pay in simulator.ledger.items()}
    return after != before or any(pay.returned for pay in simulator.ledger.values())
