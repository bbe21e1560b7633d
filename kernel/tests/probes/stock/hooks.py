"""The hooks the probe calls."""

from __future__ import annotations

from typing import Any

from kernel.hooks import spec


@spec
async def taken(work: Any, product: str, amount: int) -> None:
    """Hear that stock was taken."""


@spec
def worth(product: str, amount: int) -> int | None:
    """Say what it is worth."""


@spec
def shelves() -> str | None:
    """Offer a shelf."""
