"""A deed without a request: by a job, a loop, a command line, a seed, a test. The same unit of work and commit."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar

from kernel.db import Phase, Transaction
from kernel.work.deeds import Answered, Deed
from kernel.work.deployment import Deployment
from kernel.work.heeding import heed
from kernel.work.standing import Origin, Standing
from kernel.work.unit import Work

T = TypeVar("T")
Identify = Callable[[Transaction, uuid.UUID], Awaitable[Standing]]
"""Reads on what ground a deed for a business stands, or for `NO_BUSINESS` one above all."""


async def carry_out(
    deployment: Deployment,
    business_id: uuid.UUID,
    run: Callable[[Work], Awaitable[T]],
    *,
    identify: Identify,
    origin: Origin,
    phase: Phase = Phase.WRITE,
    read_first: bool = False,
    audited: bool = True,
) -> T:
    """Run one deed to its commit; returns what it returned in the try that was committed."""
    kept: list[T] = []

    async def keeping(work: Work) -> None:
        kept[:] = [await run(work)]

    async def stand(transaction: Transaction) -> Standing:
        standing = await identify(transaction, business_id)
        await heed(deployment, transaction, standing)
        return standing

    transaction = await deployment.database.open(Phase.READ, business_id)
    try:
        await Deed(
            deployment,
            transaction,
            await stand(transaction),
            origin,
            run=keeping,
            encode=lambda _: Answered(200, b""),
            identify=stand,
            phase=phase,
            read_first=read_first,
            audited=audited,
        ).perform()
    finally:
        await transaction.close()
    return kept[0]
