"""P18: told to stop, a server is not ready first, then answers what it has accepted, and no sale is lost or doubled."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
import pytest

from kernel.settings import Settings
from kernel.testing.box import Box
from kernel.testing.served import environment_of, free_port
from plugins.catalog.testing import a_product
from tests.promises.crowd import cart, token_for
from tests.proving import ON_POSTGRES

DUKA = (sys.executable, "-W", "ignore", "-c", "from kernel.cli import main; main()")
TWIN = (sys.executable, "-W", "ignore", "-m", "tests.promises.drain_twin")
CLIENTS = 6


@dataclass
class Told:
    """What clients were told: answers by status, and requests that broke off after their connection was accepted."""

    statuses: Counter[int] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    refused: int = 0


class Shop:
    """A server on one port, started again and again, and clients that go on selling all the while."""

    def __init__(self, box: Box, settings: Settings, command: Sequence[str], body: object, **extra: str) -> None:
        self.port, self.command, self.body = free_port(), command, body
        self.url = f"http://127.0.0.1:{self.port}"
        said = {"DUKA_DRAIN_SECONDS": "2", "DUKA_PORT": str(self.port), **extra}
        self.environment = environment_of(settings, said)
        self.headers = {"Authorization": f"Bearer {token_for(box, 'cashier')}"}
        self.told, self.is_over = Told(), asyncio.Event()

    def start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*self.command, "run"], env=self.environment)

    async def sell(self) -> None:
        """One client, with a connection that it keeps; it tries again only what was refused a connection."""
        async with httpx.AsyncClient(base_url=self.url, headers=self.headers, timeout=120) as client:
            while not self.is_over.is_set():
                try:
                    key = {"Idempotency-Key": uuid.uuid4().hex}
                    answer = await client.post("/api/v1/sales/sales", json=self.body, headers=key)
                    self.told.statuses[answer.status_code] += 1
                except httpx.ConnectError:
                    self.told.refused += 1
                    await asyncio.sleep(0.05)
                except httpx.TransportError as error:
                    self.told.broken.append(repr(error))

    async def readiness(self) -> str:
        """What a proxy that asks is told."""
        try:
            async with httpx.AsyncClient(base_url=self.url, timeout=60) as client:
                return str((await client.get("/health/ready")).status_code)
        except httpx.ConnectError:
            return "refused"
        except httpx.TransportError:
            return "broken off"

    async def be_ready(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + 120
        while (said := await self.readiness()) != "200":
            assert process.poll() is None, "the server has ended"
            assert time.monotonic() < end, f"the server is not ready: {said}"
            await asyncio.sleep(0.1)

    async def stop(self, process: subprocess.Popen[bytes], again: int = 1) -> list[str]:
        """Tell it to stop, more than once if wanted; returns what a proxy that asks is told until it has ended."""
        heard = []
        for _ in range(again):
            process.send_signal(signal.SIGTERM)
        while process.poll() is None:
            said = await self.readiness()
            if said not in heard:
                heard.append(said)
            await asyncio.sleep(0.05)
        return heard


async def check(shop: Shop, box: Box, rounds: int) -> list[str]:
    """Stop and start a busy server; returns what was wrong."""
    faults: list[str] = []
    clients = [asyncio.create_task(shop.sell()) for _ in range(CLIENTS)]
    for number in range(rounds):
        process = shop.start()
        try:
            await shop.be_ready(process)
            await asyncio.sleep(0.5 + 0.13 * number)
            heard = await shop.stop(process, again=2 - number % 2)
        finally:
            process.kill()
            code = process.wait()
        if code != 0:
            faults.append(f"ended with {code}")
        if [one for one in heard if one != "200"][:1] != ["503"]:
            faults.append(f"readiness told {heard}")
    shop.is_over.set()
    await asyncio.gather(*clients)
    listed = await box.client("manager").get("/api/v1/sales/sales", params={"include_total": "true"})
    sold = listed.json()["total"]
    if set(shop.told.statuses) != {201}:
        faults.append(f"answers {dict(shop.told.statuses)}")
    if sold != shop.told.statuses[201]:
        faults.append(f"{shop.told.statuses[201]} sales were acknowledged, {sold} are there")
    print(f"{sold} sales over {rounds} stops, {shop.told.refused} refused connections, {faults}")
    return [*faults, *shop.told.broken]


async def a_shop(box: Box, settings: Settings, command: Sequence[str], **extra: str) -> Shop:
    product = await a_product(box, price="10.00", track_stock=False)
    return Shop(box, settings, command, cart(await box.location(), [product], "10.00"), **extra)


@ON_POSTGRES
@pytest.mark.parametrize("rounds", [1, pytest.param(15, marks=pytest.mark.prove)])
async def test_stopping_a_busy_server_loses_no_sale_and_doubles_none(
    box: Box, box_settings: Settings, rounds: int
) -> None:
    shop = await a_shop(box, box_settings, DUKA)
    assert await check(shop, box, rounds) == []


@pytest.mark.parametrize("database", ["postgresql"])
@pytest.mark.parametrize("rounds", [1, pytest.param(15, marks=pytest.mark.prove)])
async def test_stopping_busy_workers_loses_no_sale_and_doubles_none(
    box: Box, box_settings: Settings, database: str, rounds: int
) -> None:
    shop = await a_shop(box, box_settings, DUKA, DUKA_WORKERS="2")
    assert await check(shop, box, rounds) == []


@pytest.mark.parametrize("database", ["sqlite"])
async def test_a_server_that_ends_at_once_is_caught(box: Box, box_settings: Settings, database: str) -> None:
    shop = await a_shop(box, box_settings, TWIN)
    for _ in range(5):  # a round may end between two requests of every client
        assert await check(shop, box, 1)
        if shop.told.broken:
            return
        shop.is_over.clear()
    pytest.fail("nobody was broken off")
