"""P19: under more load than can be served, requests are answered in time or refused at once, and none wrongly."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from kernel.errors import Overloaded
from kernel.settings import Settings
from kernel.testing.box import Box
from kernel.testing.served import serving
from kernel.work.admission import Admission
from plugins.catalog.testing import a_product
from tests.promises.crowd import cart, in_stock, on_hand, token_for
from tests.proving import ON_POSTGRES

SLOW_S = 0.05
LONGEST_S = 0.2
"""How long the queue may stand, and how long anybody waits in one that does."""


class Hour:
    """A clock that is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_burst_waits_and_a_standing_queue_sends_away() -> None:
    clock = Hour()
    admission = Admission(1, standing_s=2, longest_s=0.05, clock=clock)
    await admission.acquire()
    patient = asyncio.create_task(admission.acquire())
    await asyncio.sleep(0.1)
    assert not patient.done(), "it came in a burst"
    clock.now = 2.1
    begun = time.monotonic()
    with pytest.raises(Overloaded):
        await admission.acquire()
    assert 0.04 < time.monotonic() - begun < 30
    admission.release()
    await patient
    clock.now = 10
    later = asyncio.create_task(admission.acquire())
    await asyncio.sleep(0.1)
    assert not later.done(), "the queue was empty in between"
    admission.release()
    await later


async def test_a_full_queue_sends_away_at_once_but_nobody_who_goes_on_with_work() -> None:
    admission = Admission(1, most_waiting=1)
    await admission.acquire()
    first = asyncio.create_task(admission.acquire())
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await admission.acquire()
    again = asyncio.create_task(admission.acquire(again=True))
    await asyncio.sleep(0)
    assert admission.waiting == 2
    admission.release()
    await first
    admission.release()
    await again
    admission.release()
    assert (admission.free, admission.waiting) == (1, 0)


async def test_who_gives_up_waiting_takes_no_place_along() -> None:
    admission, inside, most = Admission(2, standing_s=-1, longest_s=0.01), 0, 0

    async def come(length_s: float) -> None:
        nonlocal inside, most
        await admission.acquire()
        inside += 1
        most = max(most, inside)
        try:
            await asyncio.sleep(length_s)
        finally:
            inside -= 1
            admission.release()

    luck = random.Random(19)
    tasks: list[asyncio.Task[None]] = []
    for _ in range(400):
        tasks.append(asyncio.create_task(come(luck.choice((0, 0.001, 0.009, 0.01)))))
        if luck.random() < 0.3:
            luck.choice(tasks).cancel()
        await asyncio.sleep(luck.choice((0, 0, 0.001)))
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(one) for one in ended} == {type(None), Overloaded, asyncio.CancelledError}
    assert (admission.free, admission.waiting, most) == (2, 0, 2)


Answers = list[tuple[float, httpx.Response]]


async def overloaded(box: Box, admission: Admission, count: int) -> tuple[Answers, float]:
    """Five times as many requests as one place can serve, whether those before were answered or not.

    Returns each answer with the seconds it took, and what is too long: a few times what this machine needs for one.
    """
    box.deployment.visitors = admission
    owner = box.client("owner")

    async def one() -> tuple[float, httpx.Response]:
        begun = time.monotonic()
        answer = await owner.get("/api/v1/locations")
        return time.monotonic() - begun, answer

    begun, tasks = time.monotonic(), []
    for _ in range(count):
        tasks.append(asyncio.create_task(one()))
        await asyncio.sleep(SLOW_S / 5)
    found = await asyncio.gather(*tasks)
    each = (time.monotonic() - begun) / len(waits(found))
    return found, 2 * LONGEST_S + 10 * each


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request takes its place for a while."""
    visit = sys.modules["kernel.web.perform"].Visit
    honest = visit.identify

    async def slowly(self: Any, transaction: Any) -> Any:
        await asyncio.sleep(SLOW_S)
        return await honest(self, transaction)

    monkeypatch.setattr(visit, "identify", slowly)


def waits(found: Answers) -> list[float]:
    return sorted(seconds for seconds, answer in found if answer.status_code == 200)


@pytest.mark.usefixtures("slow")
async def test_five_times_too_many_are_answered_in_time_or_sent_away(box: Box) -> None:
    admission = Admission(1, standing_s=LONGEST_S, longest_s=LONGEST_S)
    found, too_long = await overloaded(box, admission, 200)
    assert {answer.status_code for _, answer in found} == {200, 503}
    late = [one for one in found[len(found) // 2 :] if one[1].status_code == 200]
    assert late, "there is work done all along"
    assert max(waits(late)) < too_long
    for _, answer in found:
        if answer.status_code == 503:
            assert (answer.json()["code"], answer.headers["retry-after"]) == ("overloaded", "1")
    assert (admission.free, admission.waiting) == (1, 0)


@pytest.mark.parametrize("database", ["sqlite"])
@pytest.mark.usefixtures("slow")
async def test_a_queue_without_end_lets_everybody_wait(box: Box, database: str) -> None:
    """The broken twin: whoever comes waits, until nobody is answered in time."""
    found, too_long = await overloaded(box, Admission(1, most_waiting=10**9, standing_s=10**9), 80)
    assert {answer.status_code for _, answer in found} == {200}
    assert max(waits(found[len(found) // 2 :])) > too_long


@pytest.mark.parametrize("database", ["sqlite"])
async def test_health_is_told_while_requests_wait(box: Box, database: str) -> None:
    box.deployment.visitors = Admission(0, longest_s=0.1, standing_s=-1)
    assert (await box.client("owner").get("/api/v1/locations")).status_code == 503
    for path in ("/health/live", "/health/ready", "/metrics"):
        assert (await box.client(None).get(path)).status_code == 200


@pytest.mark.parametrize("database", ["sqlite"])
async def test_beyond_so_many_no_body_is_read(box: Box, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    box.app.gate.in_flight = 1000
    refused = await box.client("owner").post("/api/v1/locations", {"code": "x", "name": "X", "kind": "storefront"})
    assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
    assert (await box.client(None).get("/health/live")).status_code == 200
    box.app.gate.in_flight = 0


def memory_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1])


async def _sold_under_load(box: Box, settings: Settings, rate: float, seconds: float) -> tuple[Counter[int], float]:
    """Sales at a rate, in an open loop against a real server; how they were answered, and how memory grew."""
    shop, product = await box.location(), await a_product(box)
    await in_stock(box, product, shop, "100000")
    body, headers = cart(shop, [product], "380.00"), {"Authorization": f"Bearer {token_for(box, 'cashier')}"}
    limits = httpx.Limits(max_connections=800, max_keepalive_connections=200)
    with serving(settings, 1, {"DUKA_JOBS": "off"}) as (server,):
        async with httpx.AsyncClient(base_url=server.url, headers=headers, limits=limits, timeout=60) as http:

            async def sell(number: int) -> int:
                key = {"Idempotency-Key": f"load-{number}"}
                return (await http.post("/api/v1/sales/sales", json=body, headers=key)).status_code

            assert await sell(-1) == 201
            before, peak = memory_of(server.process.pid), 0
            tasks: list[asyncio.Task[int]] = []
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                tasks.append(asyncio.create_task(sell(len(tasks))))
                if len(tasks) % 50 == 0:
                    assert (await http.get("/health/live")).status_code == 200
                    peak = max(peak, memory_of(server.process.pid))
                await asyncio.sleep(1 / rate)
            found = Counter(await asyncio.gather(*tasks))
    left = await on_hand(box, product)
    assert Decimal(left) == 100000 - 1 - found[201], "what was answered 201 is sold, and nothing else"
    return found, max(peak, before) / before


@ON_POSTGRES
async def test_under_load_every_sale_is_whole_or_refused(box: Box, box_settings: Settings) -> None:
    found, grown = await _sold_under_load(box, box_settings, 100, 2)
    assert found.keys() <= {201, 429, 503}
    assert found[201] > 0
    assert grown < 2


@pytest.mark.prove
@pytest.mark.parametrize("database", ["postgresql"])
async def test_five_times_the_capacity_for_a_minute(box: Box, box_settings: Settings, database: str) -> None:
    found, grown = await _sold_under_load(box, box_settings, 600, 60)
    assert found.keys() <= {201, 429, 503}
    assert found[503] > 0, "it was not more than the server can do"
    assert found[201] > 1000
    assert grown <= 1.5
