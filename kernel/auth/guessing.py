"""Wrong guesses at secrets that are looked up in the middle of a deed: counted though the deed is refused."""

from __future__ import annotations

import asyncio
import contextvars
import functools

from kernel.auth.acting import act
from kernel.auth.limits import count_guess
from kernel.work import Work


async def wrong_guess(work: Work, key: str, most: int) -> None:
    """Count a wrong guess in a deed of its own, which stays whatever becomes of this one. Raises RateLimited.

    For deeds that are reading yet; who answers a hook may call it too, though it may not end transactions.
    """
    count = functools.partial(count_guess, key=key, most=most)
    deed = act(work.deployment, work.business_id, count, deed="guess", audited=False)
    await asyncio.get_running_loop().create_task(deed, context=contextvars.Context())
