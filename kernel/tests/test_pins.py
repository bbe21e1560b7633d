"""PINs: weak ones are refused, a dump gives none, and guessing stops one person at one till (P25)."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from kernel.auth.credentials import Pin
from kernel.auth.models import Limit
from kernel.auth.signing_in import pins
from kernel.errors import Invalid
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import PASSWORD, Box, Client, open_box
from kernel.tests.at_tills import MY_PIN, PIN, SECRET_DIGITS, enter, register, set_pin
from kernel.tests.factors import login, told
from kernel.work import Work


@pytest_asyncio.fixture
async def other_process(box: Box, box_settings: Settings, registry: Registry) -> AsyncIterator[Box]:
    second = await open_box(box_settings, registry, clock=box.clock)
    yield second
    await second.close()


async def counts(box: Box) -> dict[str, int]:
    async def read(work: Work) -> dict[str, int]:
        rows = await work.execute(sa.select(Limit.key, Limit.count.label("tries")).where(Limit.key.like("pin%")))
        return {row.key.partition(":")[0]: row.tries for row in rows.all()}

    return await box.look(read)


# setting a PIN


@pytest.mark.parametrize(
    "pin",
    ["0000", "1234", "4321", "0123", "9876", "7890", "3210", "1212", "123123", "112233", "1100", "2580", "1987", "2024",
     "12345678", "87654321", "99999999", "45454545"],
)  # fmt: skip
def test_a_pin_that_is_guessed_first_is_weak(pin: str) -> None:
    with pytest.raises(Invalid):
        pins.refuse_weak(pin)


@pytest.mark.parametrize("pin", [SECRET_DIGITS, "8642", "13579", "271828", "31415926", "0917"])
def test_other_pins_are_taken(pin: str) -> None:
    pins.refuse_weak(pin)


def test_most_pins_of_four_digits_are_taken() -> None:
    refused = 0
    for number in range(10_000):
        try:
            pins.refuse_weak(f"{number:04d}")
        except Invalid:
            refused += 1
    assert refused < 450


@pytest.mark.parametrize(
    "pin",
    ["", "729", "729472947", "72 4", "729a", "\u0667\u0662\u0669\u0664", "7294\n", 7294, None],
)
async def test_a_pin_that_is_none_is_refused(box: Box, pin: Any) -> None:
    answer = await box.client("cashier").post(MY_PIN, {"pin": pin, "password": PASSWORD})
    assert told(answer) == (422, "validation")


async def test_setting_a_pin_takes_the_password_and_refuses_weak_ones(box: Box) -> None:
    cashier = box.client("cashier")
    assert told(await cashier.post(MY_PIN, {"pin": SECRET_DIGITS, "password": "not it"})) == (403, "forbidden")
    weak = await cashier.post(MY_PIN, {"pin": "1234", "password": PASSWORD})
    assert (told(weak), weak.json()["errors"][0]["code"]) == ((422, "validation"), "weak")


async def test_a_stored_pin_is_sealed_so_that_a_dump_has_nothing_to_try_pins_on(box: Box) -> None:
    await set_pin(box)

    async def sealed(work: Work) -> bytes:
        found = await work.execute(sa.select(Pin.sealed).where(Pin.business_id == work.business_id))
        return bytes(found.scalar_one())

    stored = await box.look(sealed)
    assert b"argon2" not in stored
    assert SECRET_DIGITS.encode() not in stored


# guessing


async def test_five_wrong_pins_stop_one_person_at_one_till_and_nobody_else(box: Box) -> None:
    _, front = await register(box)
    _, back = await register(box, "Back")
    await set_pin(box)
    await set_pin(box, "manager", "86420")
    statuses = [(await enter(box, front, pin="8642")).status_code for _ in range(7)]
    assert statuses == [401] * 5 + [429] * 2
    assert told(await enter(box, front)) == (429, "rate-limited")
    assert (await enter(box, front, "manager", "86420")).status_code == 200
    assert (await enter(box, back)).status_code == 200
    assert (await login(box)).status_code == 200
    box.clock.pass_by(minutes=15, seconds=1)
    assert (await enter(box, front)).status_code == 200


async def test_twenty_wrong_pins_a_day_are_all(box: Box) -> None:
    _, device = await register(box)
    await set_pin(box)
    looked_at = 0
    for _ in range(8):
        for _ in range(5):
            looked_at += (await enter(box, device, pin="8642")).status_code == 401
        box.clock.pass_by(minutes=16)
    assert looked_at == 20
    box.clock.pass_by(days=1)
    assert (await enter(box, device)).status_code == 200


async def test_a_stolen_till_is_stopped_after_sixty_wrong_pins_whoever_they_are_for(box: Box) -> None:
    _, device = await register(box)
    _, other = await register(box, "Back")
    await set_pin(box)
    guesses = [await device.post(PIN, {"user_id": str(uuid.uuid4()), "pin": SECRET_DIGITS}) for _ in range(62)]
    assert [one.status_code for one in guesses] == [401] * 60 + [429] * 2
    assert (await enter(box, other)).status_code == 200


async def test_right_pins_use_nothing_up(box: Box) -> None:
    _, device = await register(box)
    await set_pin(box)
    await enter(box, device, pin="8642")
    for _ in range(8):
        assert (await enter(box, device)).status_code == 200
    assert await counts(box) == {"pin-till": 1}


async def test_the_limit_holds_for_pins_at_once_in_two_processes(box: Box, other_process: Box) -> None:
    _, device = await register(box)
    await set_pin(box)
    barrier = asyncio.Barrier(16)

    async def one(server: Box) -> int:
        await barrier.wait()
        return (await enter(box, Client(server.http, device.token), pin="8642")).status_code

    statuses = await asyncio.gather(*(one((box, other_process)[n % 2]) for n in range(16)))
    assert sorted(statuses) == [401] * 5 + [429] * 11


async def test_the_broken_twin_that_looks_and_never_counts_is_found_out(
    box: Box, other_process: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, device = await register(box)
    await set_pin(box)

    async def uncounted(work: Work, key: str, most: int, _window: Any) -> None:
        known = (await work.execute(sa.select(Limit.count).where(Limit.key == key))).scalar() or 0
        if known >= most:
            raise AssertionError("nobody has counted")

    monkeypatch.setattr("kernel.auth.signing_in.pins.count_try", uncounted)
    statuses = await asyncio.gather(
        *(enter(box, Client((box, other_process)[n % 2].http, device.token), pin="8642") for n in range(16))
    )
    assert [one.status_code for one in statuses].count(401) > 5


async def test_somebody_tied_to_another_location_takes_no_turn_at_this_till(box: Box) -> None:
    _, device = await register(box)
    await set_pin(box)
    path = f"/api/v1/users/{box.people['mama-njeri', 'cashier'].id}/locations"
    owner = box.client("owner")
    for place, names, status in (("store", [], 401), ("kilimani", ["Cashier"], 200)):
        etag = (await owner.get(path)).headers["etag"]
        tied = {"location_ids": [str(await box.location(place))]}
        assert (await owner.send("PATCH", path, json=tied, headers={"If-Match": etag})).status_code == 200
        shown = (await device.get("/api/v1/tills/me/people")).json()["people"]
        assert [one["name"] for one in shown] == names
        assert (await enter(box, device)).status_code == status
