"""P25: ten guesses at a password in a quarter of an hour, over all processes and spellings; no lock-out."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest

from kernel.settings import Settings
from kernel.testing.box import PASSWORD, Box
from kernel.testing.served import Server, environment_of, running, serving

LOGIN = "/api/v1/auth/login"
CASHIER = "cashier@mama-njeri.example"
NOBODY = "nobody@mama-njeri.example"
TWIN = "tests.promises.guessing_twin:forgets_to_lock"


async def guess(servers: list[Server], bodies: list[dict[str, Any]]) -> Counter[int]:
    """All tries start on one barrier, each over a connection of its own, spread over the servers."""
    limits = httpx.Limits(max_connections=None)
    clients = [httpx.AsyncClient(base_url=one.url, limits=limits, timeout=60) for one in servers]
    barrier = asyncio.Barrier(len(bodies))

    async def one(number: int) -> int:
        await barrier.wait()
        return (await clients[number % len(clients)].post(LOGIN, json=bodies[number])).status_code

    try:
        return Counter(await asyncio.gather(*(one(number) for number in range(len(bodies)))))
    finally:
        for client in clients:
            await client.aclose()


def wrong(username: str, tries: int) -> list[dict[str, Any]]:
    """Wrong passwords for one account under changing spellings."""
    spellings = (username, username.upper(), username.title())
    return [{"username": spellings[n % 3], "password": f"wrong {n}"} for n in range(tries)]


@pytest.mark.parametrize("username", [CASHIER, NOBODY])
async def test_of_forty_guesses_at_once_in_two_processes_ten_are_looked_at(
    box: Box, box_settings: Settings, username: str
) -> None:
    with serving(box_settings, 2) as servers:
        said = await guess(servers, wrong(username, 40))
        right = await guess(servers, [{"username": CASHIER, "password": PASSWORD}])
    assert said == {401: 10, 429: 30}
    assert right == ({429: 1} if username == CASHIER else {200: 1})


async def test_a_known_device_signs_in_while_a_guesser_storms_the_account(box: Box, box_settings: Settings) -> None:
    with serving(box_settings, 2) as servers:
        async with httpx.AsyncClient(base_url=servers[0].url, timeout=60) as owner:
            first = await owner.post(LOGIN, json={"username": CASHIER, "password": PASSWORD})
            known = {"username": CASHIER, "password": PASSWORD, "device_token": first.json()["device_token"]}
            said = await guess(servers, [*wrong(CASHIER, 30), *([known] * 5)])
    assert said == {401: 10, 429: 20, 200: 5}


async def test_the_broken_twin_that_looks_before_it_counts_lets_more_guesses_through(
    box: Box, box_settings: Settings
) -> None:
    with running([TWIN] * 2, environment_of(box_settings)) as servers:
        said = await guess(servers, wrong(CASHIER, 40))
    assert said[401] > 10, said
