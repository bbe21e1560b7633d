"""Where one is signed in; devices that are known; refreshing twice (promises P23, P24, P25)."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy import event

from kernel.auth.limits import address_key, count_try
from kernel.auth.models import Device, RefreshToken, SignIn
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import PASSWORD, Box, Client, open_box
from kernel.tests.letters import everything_stored
from kernel.work import Work

CASHIER = "cashier@mama-njeri.example"
SIGN_INS = "/api/v1/auth/sign-ins"


@pytest_asyncio.fixture
async def other_process(box: Box, box_settings: Settings, registry: Registry) -> AsyncIterator[Box]:
    second = await open_box(box_settings, registry, clock=box.clock)
    yield second
    await second.close()


async def login(box: Box, password: str = PASSWORD, username: str = CASHIER, **more: Any) -> httpx.Response:
    return await box.client(None).post("/api/v1/auth/login", {"username": username, "password": password, **more})


async def refresh(box: Box, token: str, device_token: str | None = None) -> httpx.Response:
    said = {"refresh_token": token} | ({"device_token": device_token} if device_token else {})
    return await box.client(None).post("/api/v1/auth/refresh", said)


def as_one(box: Box, pair: dict[str, Any]) -> Client:
    return Client(box.http, pair["access_token"])


async def works(box: Box, pair: dict[str, Any]) -> bool:
    return (await as_one(box, pair).get("/api/v1/auth/me")).status_code == 200


async def test_one_sees_where_one_is_signed_in_and_which_is_this_one(box: Box) -> None:
    await login(box, device="Till 1")
    box.clock.pass_by(minutes=5)
    here = (await login(box, device="Phone")).json()
    listed = (await as_one(box, here).get(SIGN_INS)).json()["items"]
    said = [(one["device"], one["address"], one["is_current"]) for one in listed]
    assert said[:2] == [("Phone", "127.0.0.1", True), ("Till 1", "127.0.0.1", False)]
    first, second = (dt.datetime.fromisoformat(one["created_at"]) for one in listed[:2])
    assert first - second == dt.timedelta(minutes=5)


async def test_being_seen_is_noted_at_a_refresh_and_no_request_writes(box: Box) -> None:
    pair = (await login(box)).json()
    client = as_one(box, pair)
    box.clock.pass_by(minutes=10)
    written: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.lstrip().upper().startswith(("SELECT", "BEGIN", "PRAGMA")):
            written.append(statement)

    for engine in {box.deployment.database.reader.sync_engine, box.deployment.database.writer.sync_engine}:
        event.listen(engine, "before_cursor_execute", note)
    listed = (await client.get(SIGN_INS)).json()["items"]
    assert written == []
    this = next(one for one in listed if one["is_current"])
    assert this["seen_at"] == this["created_at"]
    again = (await refresh(box, pair["refresh_token"])).json()
    listed = (await as_one(box, again).get(SIGN_INS)).json()["items"]
    this = next(one for one in listed if one["is_current"])
    assert dt.datetime.fromisoformat(this["seen_at"]) == box.clock()


async def test_one_device_is_signed_out_from_another(box: Box) -> None:
    there, here = (await login(box)).json(), (await login(box)).json()
    listed = (await as_one(box, here).get(SIGN_INS)).json()["items"]
    path = f"{SIGN_INS}/{listed[1]['id']}"
    assert (await as_one(box, here).send("DELETE", path)).status_code == 204
    assert (await works(box, there), await works(box, here)) == (False, True)
    assert (await refresh(box, there["refresh_token"])).status_code == 401
    assert (await as_one(box, here).send("DELETE", path)).status_code == 404
    assert listed[1]["id"] not in (await as_one(box, here).get(SIGN_INS)).text


async def test_nobody_sees_or_ends_the_sign_ins_of_another(box: Box) -> None:
    pair = (await login(box)).json()
    mine = (await as_one(box, pair).get(SIGN_INS)).json()["items"]
    assert mine[0]["id"] not in (await box.client("owner").get(SIGN_INS)).text
    assert (await box.client("owner").send("DELETE", f"{SIGN_INS}/{mine[0]['id']}")).status_code == 404
    assert await works(box, pair)


async def test_signing_out_everywhere_ends_all_and_forgets_the_devices(box: Box) -> None:
    pairs = [(await login(box)).json() for _ in range(3)]
    assert (await as_one(box, pairs[0]).post("/api/v1/auth/logout/everywhere")).status_code == 204
    assert [await works(box, pair) for pair in pairs] == [False] * 3
    for pair in pairs:
        assert (await refresh(box, pair["refresh_token"], pair["device_token"])).status_code == 401

    async def devices(work: Work) -> int:
        return int((await work.execute(sa.select(sa.func.count()).select_from(Device))).scalar_one())

    assert await box.look(devices) == 0
    assert (await login(box)).status_code == 200


async def test_a_device_keeps_its_token_and_only_its_hash_is_stored(box: Box) -> None:
    first = (await login(box)).json()["device_token"]
    again = (await login(box, device_token=first)).json()["device_token"]
    assert again == first
    assert (await login(box)).json()["device_token"] != first
    assert first not in await everything_stored(box)


async def test_a_guesser_cannot_lock_the_owner_out_from_a_known_device(box: Box) -> None:
    device = (await login(box)).json()["device_token"]
    assert [(await login(box, "wrong")).status_code for _ in range(11)] == [401] * 10 + [429]
    assert (await login(box)).status_code == 429
    assert (await login(box, device_token=device)).status_code == 200
    wrong = [(await login(box, "wrong", device_token=device)).status_code for _ in range(11)]
    assert wrong == [401] * 10 + [429]
    assert (await login(box)).status_code == 429, "the tries of the device are its own"


async def test_a_known_device_is_not_stopped_by_its_neighbours_on_the_network(box: Box) -> None:
    device = (await login(box)).json()["device_token"]
    for _ in range(100):
        await box.act(_try_from_here)
    assert (await login(box, username="manager@mama-njeri.example")).status_code == 429
    assert (await login(box, device_token=device)).status_code == 200


async def test_the_broken_twin_without_known_devices_locks_the_owner_out(box: Box) -> None:
    for _ in range(10):
        await login(box, "wrong")
    assert (await login(box, device_token="d_" + "x" * 43)).status_code == 429


async def test_a_device_of_another_person_is_no_known_device(box: Box) -> None:
    theirs = (await login(box, username="manager@mama-njeri.example")).json()["device_token"]
    statuses = [(await login(box, "wrong", device_token=theirs)).status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]


async def test_a_device_unseen_for_half_a_year_is_forgotten(box: Box) -> None:
    device = (await login(box)).json()["device_token"]
    box.clock.pass_by(days=181)
    for _ in range(10):
        await login(box, "wrong")
    assert (await login(box, device_token=device)).status_code == 429


async def test_an_answer_that_was_lost_is_given_again_to_the_same_device_for_ten_seconds(box: Box) -> None:
    first = (await login(box)).json()
    second = (await refresh(box, first["refresh_token"], first["device_token"])).json()
    box.clock.pass_by(seconds=10)
    again = await refresh(box, first["refresh_token"], first["device_token"])
    assert again.status_code == 200
    assert again.json()["refresh_token"] != second["refresh_token"]
    assert [await works(box, pair) for pair in (second, again.json())] == [True, True]
    for pair in (second, again.json()):
        assert (await refresh(box, pair["refresh_token"], first["device_token"])).status_code == 200


async def test_after_the_grace_a_used_token_ends_the_family_from_its_own_device_too(box: Box) -> None:
    first = (await login(box)).json()
    second = (await refresh(box, first["refresh_token"], first["device_token"])).json()
    box.clock.pass_by(seconds=11)
    assert (await refresh(box, first["refresh_token"], first["device_token"])).status_code == 401
    assert not await works(box, second)
    assert (await refresh(box, second["refresh_token"], first["device_token"])).status_code == 401


async def test_within_the_grace_another_device_ends_the_family(box: Box) -> None:
    for thief in (None, "d_" + "x" * 43, (await login(box)).json()["device_token"]):
        first = (await login(box)).json()
        second = (await refresh(box, first["refresh_token"], first["device_token"])).json()
        assert (await refresh(box, first["refresh_token"], thief)).status_code == 401
        assert not await works(box, second)


async def test_the_grace_gives_three_answers_more_and_no_others(box: Box) -> None:
    first = (await login(box)).json()
    statuses = [(await refresh(box, first["refresh_token"], first["device_token"])).status_code for _ in range(5)]
    assert statuses == [200] * 4 + [401]


async def test_two_windows_of_one_device_may_refresh_at_once(box: Box, other_process: Box) -> None:
    first = (await login(box)).json()
    answers = await asyncio.gather(
        *(refresh(server, first["refresh_token"], first["device_token"]) for server in (box, other_process))
    )
    assert [answer.status_code for answer in answers] == [200, 200]
    assert await works(box, first)


async def test_the_broken_twin_that_forgets_the_device_answers_a_thief(box: Box) -> None:
    """A grace for whoever asks: what the test above must not let through."""
    first = (await login(box)).json()
    await refresh(box, first["refresh_token"], first["device_token"])

    async def twin(work: Work) -> int:
        again = sa.update(RefreshToken).where(RefreshToken.used_at >= work.now - dt.timedelta(seconds=10))
        return (await work.execute(again.values(repeats=RefreshToken.repeats + 1))).rowcount

    assert await box.act(twin) == 1


async def test_a_sign_in_that_is_over_is_not_revived_by_the_grace(box: Box) -> None:
    first = (await login(box)).json()
    assert (await as_one(box, first).post("/api/v1/auth/logout")).status_code == 204
    assert (await refresh(box, first["refresh_token"], first["device_token"])).status_code == 401

    async def alive(work: Work) -> int:
        found = sa.select(sa.func.count()).where(SignIn.revoked_at.is_(None), SignIn.device_id.is_not(None))
        return int((await work.execute(found)).scalar_one())

    assert await box.look(alive) == 0


async def _try_from_here(work: Work) -> None:
    await count_try(work, address_key("address", "127.0.0.1"), 100)
