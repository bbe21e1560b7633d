"""P17: Redis goes away while shops sell: no sale is lost or refused, letters are written, limits on guesses hold."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Iterator

import msgspec
import pytest

from kernel.auth.signing_in.throttle import Throttle, TooManyRequests
from kernel.settings import Settings
from kernel.testing.box import Box
from kernel.testing.served import serving
from kernel.testing.servers import Redis
from plugins.catalog.testing import a_product
from tests.promises.crowd import Crowd, cart, in_stock, on_hand, statuses, token_for
from tests.promises.test_guessing import CASHIER, guess, wrong
from tests.proving import ON_POSTGRES

SALES = 30


@pytest.fixture
def mortal() -> Iterator[Redis]:
    """A Redis of the test's own, which it may stop."""
    with Redis() as one:
        yield one


@ON_POSTGRES
async def test_selling_goes_on_and_guesses_stay_limited_without_redis(
    box: Box, box_settings: Settings, mortal: Redis
) -> None:
    product, location = await a_product(box, price="10.00"), await box.location()
    await in_stock(box, product, location, "100")
    extra = {"DUKA_REDIS_URL": mortal.url(), "ENABLE_API_THROTTLE": "true", "DUKA_REQUESTS_PER_PRINCIPAL": "100000"}
    sales = [cart(location, [product], "10.00")] * SALES
    with serving(box_settings, 2, extra) as servers:
        async with Crowd(servers, token_for(box, "cashier")) as crowd:
            before = await crowd.rush("/sales/sales", sales)
            mortal.stop()
            after = await crowd.rush("/sales/sales", sales)
            said = await guess(servers, wrong(CASHIER, 30))
    assert statuses([*before, *after]) == Counter({201: 2 * SALES})
    assert await on_hand(box, product) == str(100 - 2 * SALES)
    assert said == {401: 10, 429: 20}


async def passed(throttles: list[Throttle], tries: int) -> int:
    """How many of so many requests of one address are let through, over some processes' throttles."""
    let_through = 0
    for number in range(tries):
        try:
            await throttles[number % len(throttles)].address("203.0.113.7")
            let_through += 1
        except TooManyRequests:
            continue
    return let_through


async def test_a_limit_on_requests_holds_with_redis_and_when_it_has_gone(box: Box, mortal: Redis) -> None:
    settings = msgspec.structs.replace(
        box.deployment.settings, enable_api_throttle="true", requests_per_address=40, redis_url=mortal.url()
    )
    box.deployment.settings = settings
    throttles = [Throttle(box.deployment) for _ in range(3)]
    assert 36 <= await passed(throttles, 100) <= 40
    mortal.stop()
    box.clock.pass_by(minutes=1)
    began = time.monotonic()
    assert 36 <= await passed(throttles, 100) <= 40, "never open, and counted in the database"
    assert time.monotonic() - began < 10, "each process asks a Redis that is away once, not for every request"
    for one in throttles:
        await one.close()


async def test_a_throttle_that_is_open_while_redis_is_away_is_caught(box: Box, mortal: Redis) -> None:
    """The broken twin: what could not be counted in Redis counts as nothing."""
    settings = msgspec.structs.replace(
        box.deployment.settings, enable_api_throttle="true", requests_per_address=40, redis_url=mortal.url()
    )
    box.deployment.settings = settings

    class Open(Throttle):
        async def _take_from_row(self, key: str, wanted: int, ends: dt.datetime) -> int:
            return 0

    twin = Open(box.deployment)
    assert await passed([twin], 100) == 40
    mortal.stop()
    box.clock.pass_by(minutes=1)
    assert await passed([twin], 100) == 100
    await twin.close()
