"""A process that runs due jobs once and is killed on the way: `python -m plugins.payments.tests.dying`.

It reads one line of JSON: settings, the time it is, and the port on which the toy's provider is served.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import sys

import httpx

from kernel.app import open_deployment
from kernel.auth.identity import standing_of_business
from kernel.jobs import Runner
from kernel.registry import discover
from kernel.settings import Settings
from kernel.testing.box import Clock
from plugins.payments.services.line import lead_over
from plugins.payments.testing.toy_box import with_toy


class ToPort(httpx.AsyncBaseTransport):
    """Leads every call to a port of this machine, whatever its host."""

    def __init__(self, port: int) -> None:
        self._port, self._inner = port, httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One call."""
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        return await self._inner.handle_async_request(request)


async def run(settings: Settings, now: dt.datetime, port: int) -> None:
    """Run what is due."""
    deployment = open_deployment(settings, registry=with_toy(discover()), clock=Clock(now))
    lead_over(deployment, ToPort(port))
    await Runner(deployment, standing_of_business).run_due()


if __name__ == "__main__":
    said = json.loads(sys.stdin.readline())
    asyncio.run(run(Settings(**said["settings"]), dt.datetime.fromisoformat(said["now"]), said["port"]))
