"""The caller's own password, asked for again before what would help a thief of their sign-in."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from kernel.auth.passwords import password_matches
from kernel.auth.proving import forget_own_password_tries, try_own_password
from kernel.errors import Forbidden
from kernel.web import Scene
from kernel.wire import Request


class OwnPassword(Request, frozen=True):
    """The caller's own password."""

    password: Annotated[str, Meta(min_length=1, max_length=200, examples=["DemoPass123!"])]


async def prove_password(scene: Scene, password: str) -> None:
    """Raise Forbidden unless this is the caller's own password, RateLimited after ten wrong ones."""
    stored = await scene.deed(try_own_password)
    if not await password_matches(stored, password):
        raise Forbidden("That is not your password")
    await scene.deed(forget_own_password_tries)
