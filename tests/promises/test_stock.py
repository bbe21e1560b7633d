"""P4: of many buyers, exactly as many are served as there are units; under `prove` a thousand buyers of a hundred."""

from __future__ import annotations

import uuid

import pytest

from kernel.settings import Settings
from kernel.testing.box import Box
from kernel.testing.served import environment_of, running, serving
from plugins.catalog.testing import a_product
from tests.promises.crowd import Crowd, cart, in_stock, on_hand, statuses, token_for
from tests.proving import ON_POSTGRES

AT_ONCE = [(300, 30), pytest.param((1000, 100), marks=pytest.mark.prove)]
"""Buyers and units."""


@pytest.fixture
def processes(database: str) -> int:
    """Server processes: SQLite is one writer's database, correct under several all the same."""
    return 4 if database == "postgresql" else 2


async def _scarce(box: Box, units: int) -> tuple[uuid.UUID, uuid.UUID]:
    product, location = await a_product(box, price="10.00"), await box.location()
    await in_stock(box, product, location, str(units))
    return product, location


@ON_POSTGRES
@pytest.mark.parametrize("at_once", AT_ONCE)
async def test_as_many_buyers_are_served_as_there_are_units_and_the_others_are_told(
    box: Box, box_settings: Settings, processes: int, at_once: tuple[int, int]
) -> None:
    buyers, units = at_once
    product, location = await _scarce(box, units)
    with serving(box_settings, processes, {"DUKA_JOBS": "off"}) as servers:
        async with Crowd(servers, token_for(box, "cashier")) as crowd:
            answers = await crowd.rush("/sales/sales", [cart(location, [product], "10.00")] * buyers)
    assert statuses(answers) == {201: units, 409: buyers - units}
    refused = [answer.json() for answer in answers if answer.status_code == 409]
    assert {one["code"] for one in refused} == {"out-of-stock"}
    assert await on_hand(box, product) == "0"
    numbers = sorted(answer.json()["number"] for answer in answers if answer.status_code == 201)
    assert numbers == [f"O1-2026-{n:06d}" for n in range(1, units + 1)]


@ON_POSTGRES
@pytest.mark.parametrize("at_once", AT_ONCE)
async def test_a_twin_that_decides_on_what_it_read_before_oversells(
    box: Box, box_settings: Settings, processes: int, at_once: tuple[int, int]
) -> None:
    _, units = at_once
    product, location = await _scarce(box, units)
    environment = environment_of(box_settings, {"DUKA_JOBS": "off"})
    with running(["tests.promises.twins:decides_on_what_it_read_before"] * processes, environment) as servers:
        async with Crowd(servers, token_for(box, "cashier")) as crowd:
            answers = await crowd.rush("/sales/sales", [cart(location, [product], "10.00")] * (units * 4))
    assert statuses(answers)[201] > units
    await in_stock(
        box, product, location, str(statuses(answers)[201])
    )  # mend the level, or the invariants would rightly fail
