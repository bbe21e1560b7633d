"""The way from a gateway to a simulator in one process, with the faults that networks have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import httpx

from plugins.payments.testing.simulator import Simulator, Way

ELSEWHERE: Final = "elsewhere.example"
"""Where whoever is sent elsewhere is sent."""
_INSTEAD: Final[Mapping[Way, tuple[int, bytes, Mapping[str, str]]]] = {
    "error page": (502, b"<html>Bad Gateway</html>", {}),
    "sent elsewhere": (307, b"", {"Location": f"https://{ELSEWHERE}/take-it"}),
    "busy": (429, b"{}", {"Retry-After": "2"}),
    "busy for nobody knows how long": (429, b"{}", {}),
}
"""What is answered instead, nothing being done."""
Moved = dict[str, tuple[str, int]]


class FaultyWay(httpx.AsyncBaseTransport):
    """Leads every call to a simulator; what its `way` says befalls the next one.

    hosts: all that were called. tries: how often.
    """

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.hosts: set[str] = set()
        self.tries = 0
        self._inner = httpx.ASGITransport(app=simulator, raise_app_exceptions=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One call."""
        simulator, way = self.simulator, self.simulator.way
        self.hosts.add(request.url.netloc.decode())
        self.tries += 1
        if way == "nobody there" or simulator.is_away:
            simulator.way = "good"
            raise httpx.ConnectError("nobody listens there", request=request)
        if way in _INSTEAD:
            simulator.way = "good"
            status, body, headers = _INSTEAD[way]
            return _whole(status, body, request, headers)
        before = _moved(simulator)
        heard = await self._inner.handle_async_request(request)
        await heard.aread()
        if simulator.hurries:
            await simulator.deliver()
        if way in ("good", "refused") or _moved(simulator) == before:
            return _whole(heard.status_code, heard.content, request)
        simulator.way = "good"
        return _spoilt(way, heard, request)

    async def aclose(self) -> None:
        """Close the way."""
        await self._inner.aclose()


def _spoilt(way: Way, heard: httpx.Response, request: httpx.Request) -> httpx.Response:
    """What is left of the answer to what was done."""
    if way == "answer lost":
        raise httpx.ReadTimeout("no answer came", request=request)
    if way == "error after":
        return _whole(503, b"<html>Service Unavailable</html>", request)
    if way == "strange letters":
        return _whole(heard.status_code, heard.content.decode().encode("utf-16"), request)
    half = heard.content[: len(heard.content) // 2] if way == "broken answer" else b""
    return _whole(heard.status_code, half, request)


def _whole(
    status: int, body: bytes, request: httpx.Request, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """An answer that its receiver has still to read."""
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body), request=request)


def _moved(simulator: Simulator) -> Moved:
    """How every payment stands, with its refunds. Faults after the deed spare calls that move nothing: for tokens."""
    return {id_: (pay.state, len(pay.returned) + len(pay.returning)) for id_, pay in simulator.ledger.items()}
