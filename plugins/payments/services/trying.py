"""Trying an account out, and telling the provider where to leave word: calls to a provider that move no money."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from kernel.auth import count_try
from kernel.web import Scene
from kernel.work import Work
from plugins.payments.schemas.accounts import TrialOut
from plugins.payments.schemas.gateways import Gateway, GatewayFailed, Line
from plugins.payments.services.accounts import gateway_named
from plugins.payments.services.cleaning import plain
from plugins.payments.services.line import AccountLine
from plugins.payments.services.paths import notify_url
from plugins.payments.services.setting_up import account_of, need_person

TRIES, WINDOW = 20, dt.timedelta(minutes=15)
LONGEST_S = 20.0
Call = Callable[[Gateway, Line], Awaitable[str]]


class Prepared(NamedTuple):
    """What a call is made with, once its deed is committed."""

    gateway: Gateway
    line: Line
    version: int


async def check_account(scene: Scene, account_id: uuid.UUID) -> TrialOut:
    """Try an account without moving money, and keep what it came to. Raises NotFound, RateLimited, SealBroken."""
    return await _call(scene, account_id, lambda gateway, line: gateway.check(line))


async def enrol_account(scene: Scene, account_id: uuid.UUID) -> TrialOut:
    """Tell the provider where to send its notices. Raises NotFound, RateLimited, SealBroken."""
    return await _call(scene, account_id, lambda gateway, line: gateway.enrol(line))


async def _call(scene: Scene, account_id: uuid.UUID, call: Call) -> TrialOut:
    """A deed that counts the try, the call with no transaction open, a deed that keeps what came of it."""

    async def prepare(work: Work) -> Prepared:
        need_person(work)
        await count_try(work, f"gateway-account:{work.business_id}", TRIES, WINDOW)
        row = await account_of(work, account_id)
        gateway = gateway_named(work.deployment, row.gateway)
        notify = notify_url(work.deployment, work.business_id, "account", row.id, row.generation)
        region = work.shop.region
        line = AccountLine(work.deployment, work.business_id, row, gateway, region=region, notify=notify)
        return Prepared(gateway, line, row.version)

    gateway, line, version = await scene.deed(prepare)
    found = await _spoken(gateway, line, call, scene.deployment.clock)

    async def keep(work: Work) -> None:
        row = await account_of(work, account_id, to_change=True)
        if row.version == version:  # what was changed meanwhile was not tried
            row.tested_at, row.tested_as = found.at, found.words
            row.version += 1
        work.audit(subject=f"gateway_account:{account_id}", is_well=found.is_well, fault=found.fault)

    await scene.deed(keep)
    return found


async def _spoken(gateway: Gateway, line: Line, call: Call, clock: Callable[[], dt.datetime]) -> TrialOut:
    try:
        async with asyncio.timeout(LONGEST_S):
            words = await call(gateway, line)
    except GatewayFailed as failed:
        return TrialOut(False, plain(failed.fault.said), failed.fault.kind, clock())
    except TimeoutError:
        return TrialOut(False, "The provider did not answer in time", "timeout", clock())
    return TrialOut(True, plain(words), None, clock())
