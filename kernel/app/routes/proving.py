"""Further proof of a person: the caller's own password again, or somebody's PIN at a registered till."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from msgspec import Meta

from kernel.auth.secrets.passwords import password_matches
from kernel.auth.signing_in import pins
from kernel.auth.signing_in.proving import forget_own_password_tries, try_own_password
from kernel.errors import Forbidden, Unauthenticated
from kernel.web import Scene
from kernel.wire import Request
from kernel.work import Work

T = TypeVar("T")
Digits = Annotated[str, Meta(pattern=r"\A[0-9]{4,8}\Z", description="Four to eight digits.", examples=["7294"])]


class OwnPassword(Request, frozen=True):
    """The caller's own password."""

    password: Annotated[str, Meta(min_length=1, max_length=200, examples=["DemoPass123!"])]


async def prove_password(scene: Scene, password: str) -> None:
    """Raise Forbidden unless this is the caller's own password, RateLimited after ten wrong ones."""
    stored = await scene.deed(try_own_password)
    if not await password_matches(stored, password):
        raise Forbidden("That is not your password")
    await scene.deed(forget_own_password_tries)


async def prove_pin(scene: Scene, user_id: uuid.UUID, pin: str, then: Callable[[Work], Awaitable[T]]) -> T:
    """Run a deed once somebody has shown their PIN at the registered till that is calling, signed in there or not.

    Raises Unauthenticated for a wrong PIN or nobody who has one here, RateLimited, Forbidden anywhere but at a till.
    """
    stored = await scene.deed(lambda work: pins.try_pin(work, till_of(work), user_id))
    if not await pins.pin_matches(stored, pin):
        raise Unauthenticated("The PIN is wrong")

    async def proved(work: Work) -> T:
        await pins.forget_pin_tries(work, till_of(work), user_id)
        return await then(work)

    return await scene.deed(proved)


def till_of(work: Work) -> uuid.UUID:
    """The registered till at which the caller stands. Raises Forbidden."""
    if work.actor.till_id is None:
        raise Forbidden("Only at a registered till")
    return work.actor.till_id
