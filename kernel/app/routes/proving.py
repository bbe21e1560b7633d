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


async def prove_colleague(
    scene: Scene,
    user_id: uuid.UUID,
    pin: str,
    admit: Callable[[Work, uuid.UUID], Awaitable[None]],
    then: Callable[[Work, uuid.UUID], Awaitable[T]],
) -> T:
    """Run a deed once a colleague has shown their PIN in the sign-in of whoever asks.

    admit: raises for a colleague whose PIN is not asked for here; it comes before the try is counted. A wrong PIN is
    audited. Raises Unauthenticated for it, RateLimited.
    """

    async def begin(work: Work) -> str | None:
        await admit(work, user_id)
        return await pins.try_colleagues_pin(work, user_id)

    if not await pins.pin_matches(await scene.deed(begin), pin):
        await scene.deed(lambda work: _note_wrong(work, user_id))
        raise Unauthenticated("The PIN is wrong")

    async def proved(work: Work) -> T:
        await pins.take_back_colleagues_try(work, user_id)
        return await then(work, user_id)

    return await scene.deed(proved)


async def _note_wrong(work: Work, user_id: uuid.UUID) -> None:
    work.audit(subject=f"user:{user_id}", is_wrong_pin=True)


def till_of(work: Work) -> uuid.UUID:
    """The registered till at which the caller stands. Raises Forbidden."""
    if work.actor.till_id is None:
        raise Forbidden("Only at a registered till")
    return work.actor.till_id
