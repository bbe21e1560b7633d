"""One access token for an account over all processes, however many want it at once."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from kernel.app import open_deployment
from kernel.testing.box import Box
from kernel.work import Deployment, Work
from plugins.payments.api import Fault, GatewayFailed, Token
from plugins.payments.models import SharedToken
from plugins.payments.services import tokens
from plugins.payments.services.tokens import Key
from plugins.payments.testing.toy_box import ToyBox
from plugins.payments.tests.looking import rows

ASKERS = 50


class Provider:
    """Gives tokens, one after the other. meets: so many must want one at once, or it gives none."""

    def __init__(self, lasts_s: float = 3600, meets: int = 1) -> None:
        self.lasts_s, self.given, self.fails = lasts_s, 0, 0
        self.barrier = asyncio.Barrier(meets)

    async def fetch(self) -> Token:
        self.given += 1
        given = self.given
        async with asyncio.timeout(30):
            await self.barrier.wait()
        if given <= self.fails:
            raise GatewayFailed(Fault("timeout", "silence"), is_unsure=True)
        return Token(f"token {given}", self.lasts_s)


def key_of(toy: ToyBox) -> Key:
    return Key(toy.box.shop.id, toy.accounts["mama-njeri"])


async def askers(box: Box, key: Key, provider: Provider) -> list[str]:
    """Fifty at once, in two deployments on one database, which know nothing of each other."""
    other = open_deployment(box.deployment.settings, registry=box.deployment.registry, clock=box.clock)
    try:
        each: list[Deployment] = [box.deployment, other] * (ASKERS // 2)
        return await asyncio.gather(*(tokens.token(one, key, provider.fetch) for one in each))
    finally:
        await other.database.dispose()


async def test_fifty_at_once_in_two_processes_fetch_one_token(toy: ToyBox) -> None:
    provider = Provider()
    assert set(await askers(toy.box, key_of(toy), provider)) == {"token 1"}
    assert provider.given == 1
    [row] = await rows(toy.box, SharedToken)
    assert b"token" not in bytes(row.sealed)
    assert row.fetching_until is None


async def test_the_twin_without_a_lease_fetches_more(toy: ToyBox, monkeypatch: pytest.MonkeyPatch) -> None:
    async def everybody(work: Work, _key: Key) -> dt.datetime:
        return work.now + tokens.LEASE

    monkeypatch.setattr(tokens, "take_lease", everybody)
    provider = Provider(meets=2)
    await askers(toy.box, key_of(toy), provider)
    assert provider.given > 1


async def test_a_token_is_renewed_a_minute_early_and_one_of_a_short_life_at_half_of_it(toy: ToyBox) -> None:
    box, key, provider = toy.box, key_of(toy), Provider(180)
    for passes, expected in [(0, 1), (119, 1), (2, 2)]:
        box.clock.pass_by(seconds=passes)
        assert await tokens.token(box.deployment, key, provider.fetch) == f"token {expected}"
    provider.lasts_s = 40
    box.clock.pass_by(seconds=121)
    for passes, expected in [(0, 3), (19, 3), (2, 4)]:
        box.clock.pass_by(seconds=passes)
        assert await tokens.token(box.deployment, key, provider.fetch) == f"token {expected}"


async def test_a_refused_token_is_dropped_unless_there_is_another_by_now(toy: ToyBox) -> None:
    box, key, provider = toy.box, key_of(toy), Provider()
    first = await tokens.token(box.deployment, key, provider.fetch)
    await tokens.forget(box.deployment, key, first)
    second = await tokens.token(box.deployment, key, provider.fetch)
    await tokens.forget(box.deployment, key, first)
    assert await tokens.token(box.deployment, key, provider.fetch) == second
    assert provider.given == 2


async def test_who_fails_to_fetch_lets_the_next_try_and_is_sure_that_nothing_was_said(toy: ToyBox) -> None:
    box, key, provider = toy.box, key_of(toy), Provider()
    provider.fails = 1
    with pytest.raises(GatewayFailed) as failed:
        await tokens.token(box.deployment, key, provider.fetch)
    assert not failed.value.is_unsure
    assert await tokens.token(box.deployment, key, provider.fetch) == "token 2"


async def test_the_lease_of_a_process_that_died_lapses(toy: ToyBox, monkeypatch: pytest.MonkeyPatch) -> None:
    box, key, provider = toy.box, key_of(toy), Provider()
    await box.act(lambda work: tokens.take_lease(work, key))
    with monkeypatch.context() as patch:
        patch.setattr(tokens, "PATIENCE_S", 0.2)
        with pytest.raises(GatewayFailed):
            await tokens.token(box.deployment, key, provider.fetch)
    box.clock.pass_by(seconds=31)
    assert await tokens.token(box.deployment, key, provider.fetch) == "token 1"
