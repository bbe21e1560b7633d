"""However notices come, each piece of money is credited once, no forgery is, and every mismatch is asked about (P8)."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.served import environment_of, running
from plugins.payments.services import hearing
from tests.promises.storm import Message, Storm, brew, credited_twice, events_of, faults_after
from tests.promises.storm_served import NOW
from tests.promises.storm_voices import RAZORPAY, TOY, Voice

AT_ONCE = 4
BUSY = 503
"""Come again: on a machine that is too busy, and a provider does."""
PAYMENTS = 1_000
LATE = dt.timedelta(hours=72)
VOICES = [pytest.param(voice, id=voice.method) for voice in (TOY, RAZORPAY)]


async def pour(
    storm: Storm, messages: list[Message], way: Callable[[int], httpx.AsyncClient], at_once: int = AT_ONCE
) -> None:
    """Send messages, so many at once, and again what was answered 503; `way`: by which server the nth goes."""
    waiting = iter(enumerate(messages))

    async def one_by_one() -> None:
        for n, message in waiting:
            while (status := await send(way(n), message)) == BUSY:
                storm.answers[BUSY] += 1
            storm.note(message, status)

    await asyncio.gather(*(one_by_one() for _ in range(at_once)))


async def send(http: httpx.AsyncClient, message: Message) -> int:
    """Send a message; how it was answered."""
    return (await http.post(message.path, content=message.body, headers=message.headers)).status_code


async def pour_inside(storm: Storm) -> None:
    """Send all of a storm to the box itself, and read it; the late ones three days on."""
    box = storm.ground.box
    for late in (False, True):
        await pour(storm, [one for one in storm.messages if one.late is late], lambda _: box.http)
        await box.run_jobs()
        box.clock.now += LATE


@pytest.mark.parametrize("voice", VOICES)
async def test_a_storm_of_notices_credits_every_piece_of_money_once(
    box_settings: Settings, registry: Registry, voice: Voice
) -> None:
    async with voice.ground(box_settings, registry) as ground:
        storm = await brew(ground, voice, 5)
        await pour_inside(storm)
        assert not await faults_after(storm)
        assert storm.answers.keys() - {BUSY} == {200, 401}


async def test_a_twin_that_counts_money_by_the_message_instead_of_its_number_is_caught(
    box_settings: Settings, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It leaves out the key that is unique: whoever names a number is credited with it."""

    async def counted(_work: Any, row: Any, *_: Any) -> Any:
        return row.id

    async def run() -> None:
        async with TOY.ground(box_settings, registry) as ground:
            storm = await brew(ground, TOY, 5)
            await pour_inside(storm)
            assert await credited_twice(ground.box, ground.shop)

    monkeypatch.setattr(hearing, "claim_for", counted)
    with pytest.raises(AssertionError, match="names its money stands for money"):
        await run()


@pytest.mark.prove
@pytest.mark.parametrize("voice", VOICES)
async def test_a_thousand_payments_of_ten_messages_each_over_four_processes(
    box_settings: Settings, registry: Registry, voice: Voice
) -> None:
    settings = msgspec.structs.replace(box_settings, pool_size=10)
    async with voice.ground(settings, registry) as ground:
        storm = await brew(ground, voice, PAYMENTS)
        begun = time.perf_counter()
        for late in (False, True):
            messages = [one for one in storm.messages if one.late is late]
            environment = environment_of(settings, {NOW: ground.box.clock().isoformat()})
            with running(["tests.promises.storm_served:application"] * 4, environment) as servers:
                clients = [httpx.AsyncClient(base_url=one.url, timeout=60) for one in servers]
                await pour(storm, messages, lambda n, clients=clients: clients[n % 4], 16)  # type: ignore[misc]
                for client in clients:
                    await client.aclose()
            await ground.box.run_jobs()
            ground.box.clock.now += LATE
        seconds = time.perf_counter() - begun
        await ground.box.run_jobs()
        assert not await faults_after(storm)
        assert len(storm.messages) >= 10 * PAYMENTS
        assert storm.answers.keys() == {200, 401}
        print(
            f"{len(storm.payments)} payments, {len(storm.messages)} messages over 4 processes in {seconds:.0f} s:"
            f" answers {dict(storm.answers)}, {await events_of(ground.box, ground.shop)} facts"
        )
