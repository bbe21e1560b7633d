"""Deeds done without a request: by a command line, a seed, a test. The same unit of work, the same commit."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar

from kernel.auth.identity import standing_of_business
from kernel.db import Phase, Transaction
from kernel.errors import PluginFailed
from kernel.hooks import LeftOut, Pair
from kernel.work import NO_BUSINESS, SYSTEM, Actor, Deployment, Origin, Standing, Work, carry_out, heed
from kernel.work.leaving_out import note_strike, one_more

T = TypeVar("T")


async def act(
    deployment: Deployment,
    business_id: uuid.UUID | None,
    run: Callable[[Work], Awaitable[T]],
    *,
    actor: Actor = SYSTEM,
    deed: str = "command line",
    phase: Phase = Phase.WRITE,
    read_first: bool = False,
    at: dt.datetime | None = None,
    origin: Origin | None = None,
    audited: bool = True,
) -> T:
    """Run one deed for a business (None: above all businesses) to its commit; returns what it returned.

    at: the time the deed takes for now, for data of the past. origin: the request it comes from, where there is one.
    """
    if at is not None:
        deployment = dataclasses.replace(deployment, clock=lambda: at)

    async def identify(transaction: Transaction, business: uuid.UUID) -> Standing:
        return await standing_of_business(transaction, business, actor)

    return await carry_out(
        deployment,
        business_id or NO_BUSINESS,
        run,
        identify=identify,
        origin=origin or Origin(deed),
        phase=phase,
        read_first=read_first,
        audited=audited,
    )


async def look(
    deployment: Deployment, business_id: uuid.UUID | None, run: Callable[[Work], Awaitable[T]], *, actor: Actor = SYSTEM
) -> T:
    """Read in one snapshot, for a business or above all; again without an answer that fails and may be left out."""
    left_out: frozenset[Pair] = frozenset()
    while True:
        async with deployment.database.reading(business_id or NO_BUSINESS) as transaction:
            standing = await standing_of_business(transaction, business_id or NO_BUSINESS, actor)
            await heed(deployment, transaction, standing)
            try:
                return await run(Work(deployment, transaction, standing, Origin("look"), left_out=left_out))
            except LeftOut as failed:
                left_out = one_more(deployment, standing, left_out, failed)
            except PluginFailed as failed:
                note_strike(deployment, standing, failed)
                raise
