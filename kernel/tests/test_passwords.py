"""Passwords: changed by who knows the old one, reset by who reads the mail; other sign-ins end (promises P23, P25)."""

from __future__ import annotations

import statistics
import time
from typing import Any

import httpx
import pytest
import pytest_asyncio
import sqlalchemy as sa

from kernel.auth.models import User
from kernel.auth.secrets import passwords
from kernel.auth.secrets.passwords import password_matches
from kernel.auth.signing_in import sessions
from kernel.auth.signing_in.sessions import Visitor
from kernel.errors import Unauthenticated
from kernel.testing.box import PASSWORD, Box, Client
from kernel.tests.letters import person_id, post, text_of, token_in
from kernel.work import Work

CASHIER = "cashier@mama-njeri.example"
NEW = "quite another password"
DEAR: dict[str, Any] = {name: getattr(passwords, name) for name in ("_HASHER", "_NOBODY")}
"""As they were before `kernel.testing.fixtures` made them cheap, for the length of the run."""


async def login(box: Box, password: str = PASSWORD, username: str = CASHIER, **more: Any) -> httpx.Response:
    return await box.client(None).post("/api/v1/auth/login", {"username": username, "password": password, **more})


async def forgot(box: Box, email: str = CASHIER) -> httpx.Response:
    return await box.client(None).post("/api/v1/auth/password/forgot", {"email": email})


async def reset(box: Box, token: str, password: str = NEW) -> httpx.Response:
    return await box.client(None).post("/api/v1/auth/password/reset", {"token": token, "password": password})


async def works(box: Box, pair: dict[str, Any]) -> bool:
    return (await Client(box.http, pair["access_token"]).get("/api/v1/auth/me")).status_code == 200


async def test_a_password_is_changed_with_the_old_one_and_every_other_sign_in_ends(box: Box) -> None:
    here, there = (await login(box)).json(), (await login(box)).json()
    client = Client(box.http, here["access_token"])
    said = {"old_password": "wrong", "new_password": NEW}
    wrong = await client.post("/api/v1/auth/password", said)
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (422, "wrong-password")
    assert await works(box, there)
    assert (await client.post("/api/v1/auth/password", said | {"old_password": PASSWORD})).status_code == 204
    assert (await works(box, here), await works(box, there)) == (True, False)
    refreshed = await box.client(None).post("/api/v1/auth/refresh", {"refresh_token": there["refresh_token"]})
    assert refreshed.status_code == 401
    assert ((await login(box)).status_code, (await login(box, NEW)).status_code) == (401, 200)
    (told,) = await post(box)
    assert (told["To"], told["Subject"]) == (CASHIER, "Your password was changed")


async def test_the_old_password_is_guessed_ten_times_at_most(box: Box) -> None:
    client = box.client("cashier")
    said = {"old_password": "wrong", "new_password": NEW}
    statuses = [(await client.post("/api/v1/auth/password", said)).status_code for _ in range(12)]
    assert statuses == [422] * 10 + [429] * 2
    assert (await client.post("/api/v1/auth/password", said | {"old_password": PASSWORD})).status_code == 429


async def test_a_sign_in_that_began_with_the_old_password_does_not_outlive_its_change(box: Box) -> None:
    """The password was looked at, then changed, and only then would the sign-in begin."""
    visitor = Visitor("127.0.0.1")
    tried = await box.act(lambda work: sessions.attempt(work, CASHIER, visitor))
    await forgot(box)
    (letter,) = await post(box)
    assert (await reset(box, token_in(letter))).status_code == 204
    with pytest.raises(Unauthenticated):
        await box.act(lambda work: sessions.begin(work, tried, None, visitor))


async def test_a_forgotten_password_is_reset_by_the_mailed_link_once(box: Box) -> None:
    before = (await login(box)).json()
    assert (await forgot(box, CASHIER.upper())).status_code == 204
    (letter,) = await post(box)
    assert letter["To"] == CASHIER
    token = token_in(letter)
    assert f"/console/password#{token}" in text_of(letter)
    assert (await reset(box, token)).status_code == 204
    assert not await works(box, before)
    assert ((await login(box)).status_code, (await login(box, NEW)).status_code) == (401, 200)
    again = await reset(box, token, "a third long password")
    assert (again.status_code, again.json()["code"]) == (422, "link-not-valid")
    assert (await login(box, NEW)).status_code == 200


async def test_a_reset_ends_the_tries_that_a_guesser_has_used_up(box: Box) -> None:
    for _ in range(10):
        await login(box, "wrong")
    assert (await login(box)).status_code == 429
    await forgot(box)
    (letter,) = await post(box)
    await reset(box, token_in(letter))
    assert (await login(box, NEW)).status_code == 200


async def test_links_die_of_age_of_newer_ones_and_of_another_purpose(box: Box) -> None:
    tokens = []
    for _ in range(2):
        await forgot(box)
        tokens.append(token_in((await post(box))[0]))
    assert (await reset(box, tokens[0])).status_code == 422
    assert (await box.client(None).post("/api/v1/auth/email/verify", {"token": tokens[1]})).status_code == 422
    box.clock.pass_by(hours=1)
    assert (await reset(box, tokens[1])).status_code == 422
    await box.client("cashier").post("/api/v1/auth/email/verify/send")
    verify = token_in((await post(box))[-1])
    assert (await reset(box, verify)).status_code == 422
    assert (await login(box)).status_code == 200


async def test_a_link_to_an_address_one_no_longer_has_is_dead(box: Box) -> None:
    await forgot(box)
    (letter,) = await post(box)

    async def move(work: Work) -> None:
        await work.execute(sa.update(User).where(User.email == CASHIER).values(email="moved@x.example"))

    await box.act(move)
    assert (await reset(box, token_in(letter))).status_code == 422


async def test_a_forged_link_is_refused_like_a_used_one(box: Box) -> None:
    answers = [await reset(box, token) for token in ("m_" + "x" * 43, "m_' OR 1=1 --", "r_0123456789")]
    said = [{**answer.json(), "request_id": ""} for answer in answers]
    assert said == [said[0]] * 3
    assert {answer.status_code for answer in answers} == {422}


@pytest.mark.parametrize("password", ["short", "x" * 9, "x" * 201, ""])
async def test_a_new_password_has_its_length(box: Box, password: str) -> None:
    await forgot(box)
    (letter,) = await post(box)
    token = token_in(letter)
    assert (await reset(box, token, password)).status_code == 422
    said = {"old_password": PASSWORD, "new_password": password}
    assert (await box.client("cashier").post("/api/v1/auth/password", said)).status_code == 422
    assert (await reset(box, token)).status_code == 204


async def test_asking_for_a_link_tells_nobody_whether_the_account_exists(box: Box) -> None:
    answers = [await forgot(box, email) for email in (CASHIER, "nobody@mama-njeri.example")]
    assert [answer.status_code for answer in answers] == [204, 204]
    assert answers[0].content == answers[1].content
    headers = [{k: v for k, v in answer.headers.items() if k != "x-request-id"} for answer in answers]
    assert headers[0] == headers[1]
    for email in (CASHIER, "nobody@mama-njeri.example"):
        statuses = [(await forgot(box, email)).status_code for _ in range(5)]
        assert statuses == [204] * 4 + [429]


@pytest_asyncio.fixture
async def dear(box: Box, monkeypatch: pytest.MonkeyPatch) -> Box:
    """A box whose cashier has a password that is as dear to try as outside of tests."""
    for name, value in DEAR.items():
        monkeypatch.setattr(passwords, name, value)
    hashed = await passwords.hash_password(PASSWORD)

    async def write(work: Work) -> None:
        await work.execute(sa.update(User).where(User.email == CASHIER).values(password_hash=hashed))

    await box.act(write)
    return box


def test_the_hash_of_nobodys_password_is_as_dear_as_any() -> None:
    hasher, nobody = DEAR.values()
    assert not hasher.check_needs_rehash(nobody)


async def apart(box: Box) -> float:
    """How many times longer a wrong password takes for an account than for none: medians of interleaved tries.

    In the processor's time, which a busy machine does not stretch.
    """
    took: dict[str, list[float]] = {CASHIER: [], "nobody@mama-njeri.example": []}
    for _ in range(10):
        for email, times in took.items():
            begun = time.process_time()
            await login(box, "wrong", email)
            times.append(time.process_time() - begun)
        box.clock.pass_by(minutes=16)
    known, missing = (statistics.median(times) for times in took.values())
    return known / missing


async def test_existing_and_missing_accounts_take_the_same_time(dear: Box) -> None:
    assert 0.6 < await apart(dear) < 1.6


async def test_the_broken_twin_that_hashes_only_for_accounts_takes_longer_for_them(
    dear: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hasty(stored: str | None, password: str) -> bool:
        return stored is not None and await password_matches(stored, password)

    monkeypatch.setattr("kernel.app.routes.auth.password_matches", hasty)
    assert await apart(dear) > 1.6


async def test_what_someone_else_does_to_their_password_is_nothing_to_me(box: Box) -> None:
    assert person_id(box, "owner") != person_id(box, "cashier")
    said = {"old_password": PASSWORD, "new_password": NEW}
    assert (await box.client("owner").post("/api/v1/auth/password", said)).status_code == 204
    assert (await login(box)).status_code == 200
