"""Deeds of public routes for a business that no sign-in names, but what is asked by proves to be meant."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar

from kernel.auth.identity import standing_of_business
from kernel.db import Transaction
from kernel.errors import NotFound
from kernel.logs import now_known
from kernel.work import Deployment, Origin, Standing, Work, carry_out

T = TypeVar("T")


async def deed_for(
    deployment: Deployment,
    business_id: uuid.UUID,
    run: Callable[[Work], Awaitable[T]],
    *,
    origin: Origin,
    plugin: str,
    read_first: bool = False,
) -> T:
    """Run one deed for a business to its commit, as Duka itself. plugin: whose route it is.

    The rows it writes are their own trail: no audit row is left. A business that is suspended is heard as well.
    Raises NotFound where the business or the plugin is gone, Overloaded.
    """

    async def stand(transaction: Transaction, business: uuid.UUID) -> Standing:
        try:
            return await standing_of_business(transaction, business)
        except LookupError as gone:
            raise NotFound from gone

    async def there(work: Work) -> T:
        if plugin in deployment.registry.set_aside:
            raise NotFound
        return await run(work)

    now_known(business=business_id)
    await deployment.visitors.acquire()
    try:
        return await carry_out(
            deployment, business_id, there, identify=stand, origin=origin, read_first=read_first, audited=False
        )
    finally:
        deployment.visitors.release()
