"""Deeds done without a request: by a command line, a seed, a test. The same unit of work, the same commit."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar

from kernel.auth.identity import standing_above, standing_of_business
from kernel.db import Phase, Transaction
from kernel.work import NO_BUSINESS, SYSTEM, Actor, Answered, Deed, Deployment, Origin, Standing, Work

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
) -> T:
    """Run one deed for a business (None: above all businesses) to its commit; returns what it returned.

    at: the time the deed takes for now, for data of the past. origin: the request it comes from, where there is one.
    """
    kept: list[T] = []
    if at is not None:
        deployment = dataclasses.replace(deployment, clock=lambda: at)

    async def identify(transaction: Transaction) -> Standing:
        if business_id is None:
            return await standing_above(transaction, actor)
        return await standing_of_business(transaction, business_id, actor)

    async def keeping(work: Work) -> T:
        kept[:] = [await run(work)]
        return kept[0]

    transaction = await deployment.database.open(Phase.READ, business_id or NO_BUSINESS)
    try:
        await Deed(
            deployment,
            transaction,
            await identify(transaction),
            origin or Origin(deed),
            run=keeping,
            encode=lambda _: Answered(200, b""),
            identify=identify,
            phase=phase,
            read_first=read_first,
        ).perform()
    finally:
        await transaction.close()
    return kept[0]


async def look(
    deployment: Deployment, business_id: uuid.UUID | None, run: Callable[[Work], Awaitable[T]], *, actor: Actor = SYSTEM
) -> T:
    """Read in one snapshot, for a business or above all."""
    async with deployment.database.reading(business_id or NO_BUSINESS) as transaction:
        if business_id is None:
            standing = await standing_above(transaction, actor)
        else:
            standing = await standing_of_business(transaction, business_id, actor)
        return await run(Work(deployment, transaction, standing, Origin("look")))
