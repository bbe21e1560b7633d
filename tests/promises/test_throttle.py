"""Limits on requests hold across processes, cost little, and are told in the standard fields."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import time
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest_asyncio
import sqlalchemy as sa

from kernel.auth.models import Limit
from kernel.auth.signing_in.throttle import BLOCKS, Throttle, TooManyRequests, network_of
from kernel.registry import Registry
from kernel.settings import Settings, load_settings
from kernel.testing.box import Box, open_box
from kernel.testing.served import environment_of, running
from tests.proving import ON_POSTGRES

LOCATIONS = "/api/v1/locations"
MOST, PROCESSES, TRIES = 40, 3, 50
BLOCK = MOST // BLOCKS


@pytest_asyncio.fixture
async def strict(box_settings: Settings, registry: Registry) -> AsyncIterator[Box]:
    settings = msgspec.structs.replace(
        box_settings, enable_api_throttle="true", requests_per_principal=MOST, requests_per_address=3 * MOST
    )
    made = await open_box(settings, registry)
    yield made
    await made.close()


async def served(applications: list[str], settings: Settings, token: str, extra: dict[str, str]) -> int:
    """How many requests of one caller, spread over processes and sent at once, are let through in one minute."""
    with running(applications, environment_of(settings, extra)) as servers:
        begun, ended = 0, -1
        answers: list[httpx.Response] = []
        while begun != ended:
            if (past := time.time() % 60) > 50 or answers:
                await asyncio.sleep(60.5 - past)
            begun = int(time.time() // 60)
            async with httpx.AsyncClient(timeout=300, headers={"Authorization": f"Bearer {token}"}) as http:
                asked = [http.get(server.url + LOCATIONS) for _ in range(TRIES) for server in servers]
                answers = await asyncio.gather(*asked)
            ended = int(time.time() // 60)  # if it is another minute, some were counted in each: once more
    refused = [answer for answer in answers if answer.status_code != 200]
    assert {answer.status_code for answer in refused} == {429}
    assert {answer.json()["code"] for answer in refused} == {"rate-limited"}
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in refused)
    return len(answers) - len(refused)


@ON_POSTGRES
async def test_a_limit_holds_over_several_processes(box: Box) -> None:
    box.clock.now = dt.datetime.now(dt.UTC)
    extra = {"ENABLE_API_THROTTLE": "true", "DUKA_REQUESTS_PER_PRINCIPAL": str(MOST), "DUKA_JOBS": "off"}
    token = box.client("owner").token or ""
    passed = await served(["kernel.app.application:application"] * PROCESSES, box.deployment.settings, token, extra)
    assert MOST - (PROCESSES - 1) * (BLOCK - 1) <= passed <= MOST


@ON_POSTGRES
async def test_a_throttle_that_counts_for_itself_is_caught(box: Box) -> None:
    """The twin lets through the limit of every process; the test above would fail on it."""
    box.clock.now = dt.datetime.now(dt.UTC)
    extra = {"ENABLE_API_THROTTLE": "true", "DUKA_REQUESTS_PER_PRINCIPAL": str(MOST), "DUKA_JOBS": "off"}
    token = box.client("owner").token or ""
    twins = ["tests.promises.throttle_twin:application"] * PROCESSES
    assert await served(twins, box.deployment.settings, token, extra) > MOST


async def test_an_answer_tells_the_limit_and_what_is_left(strict: Box) -> None:
    owner = strict.client("owner")
    first = await owner.get(LOCATIONS)
    assert first.headers["ratelimit-policy"] == f'"address";q={3 * MOST};w=60, "principal";q={MOST};w=60'
    assert first.headers["ratelimit"] == f'"address";r={3 * MOST - 1};t=60, "principal";r={MOST - 1};t=60'
    strict.clock.pass_by(seconds=20)
    statuses = [(await owner.get(LOCATIONS)).status_code for _ in range(MOST)]
    assert statuses == [200] * (MOST - 1) + [429]
    refused = await owner.get(LOCATIONS)
    assert refused.headers["retry-after"] == "40"
    assert re.search(r'"principal";r=0;t=40', refused.headers["ratelimit"])
    assert refused.headers.get_list("ratelimit-policy") == [first.headers["ratelimit-policy"]]
    assert (await strict.client("cashier").get(LOCATIONS)).status_code == 200
    strict.clock.pass_by(seconds=40)
    assert (await owner.get(LOCATIONS)).status_code == 200


async def test_an_address_is_limited_whoever_it_says_it_is(strict: Box) -> None:
    forged = {"Authorization": "Bearer x", "X-Forwarded-For": "203.0.113.1"}
    answers = [await strict.http.get(LOCATIONS, headers=forged) for _ in range(3 * MOST + 2)]
    assert [answer.status_code for answer in answers] == [401] * 3 * MOST + [429] * 2
    assert (await strict.client("owner").get(LOCATIONS)).status_code == 429
    assert network_of("2001:db8:1:2:3::4") == network_of("2001:db8:1:2:ffff::") == "2001:db8:1:2::/64"
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1")


async def test_few_requests_touch_the_shared_row_and_old_rows_go(strict: Box) -> None:
    taken = 0
    throttle = strict.app.gate.throttle
    honest = throttle._take

    async def counted(key: str, wanted: int, ends: dt.datetime) -> int:
        nonlocal taken
        taken += 1
        return await honest(key, wanted, ends)

    throttle._take = counted
    owner = strict.client("owner")
    for _ in range(2 * MOST):
        await owner.get(LOCATIONS)
    assert taken <= 2 * BLOCKS + 1
    strict.clock.pass_by(hours=3)
    strict.app.gate.throttle = Throttle(strict.deployment)
    await owner.get(LOCATIONS)
    async with strict.deployment.database.reader.connect() as connection:
        ends = (await connection.execute(sa.select(Limit.window_ends).where(Limit.key.startswith("api:")))).scalars()
        assert all(one > strict.clock.now for one in ends)


async def test_throttles_at_once_on_one_database_keep_to_the_limit(strict: Box) -> None:
    throttles = [Throttle(strict.deployment) for _ in range(4)]
    passed = 0

    async def ask(throttle: Throttle) -> None:
        nonlocal passed
        try:
            await throttle.address("203.0.113.7")
            passed += 1
        except TooManyRequests:
            pass

    await asyncio.gather(*(ask(throttle) for _ in range(100) for throttle in throttles))
    assert passed == 3 * MOST


def test_it_is_off_in_development_and_on_in_production() -> None:
    def throttles(**environ: str) -> bool:
        return load_settings(environ, None).throttles

    assert not throttles()
    assert throttles(DUKA_ENVIRONMENT="production")
    assert throttles(ENABLE_API_THROTTLE="true")
    assert throttles(DUKA_ENABLE_API_THROTTLE="True")
    assert not throttles(DUKA_ENVIRONMENT="production", ENABLE_API_THROTTLE="false")
