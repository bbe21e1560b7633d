"""Broken twins of the application: what the promises' tests must catch, or they prove nothing."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.app.application import application
from kernel.work import Tally, Work
from plugins.discounts.services import uses
from plugins.inventory.errors import OutOfStock
from plugins.inventory.models import Level
from plugins.sales.schemas.requests import CartIn
from plugins.sales.services import checkout
from plugins.sales.services.ground import Ground, read_ground


def decides_on_what_it_read_before() -> Any:
    """Stock is looked at in the read phase, and taken later without a second look: read, decide, write."""
    honest_decrement = Work.decrement
    patch = pytest.MonkeyPatch()

    async def looking_first(work: Work, data: CartIn, at: Any) -> Ground:
        ground = await read_ground(work, data, at)
        for line in ground.cart.lines:
            level = await work.session.get(Level, (work.business_id, line.product_id, data.location_id))
            if level is None or level.on_hand < line.quantity:
                raise OutOfStock
        return ground

    def unguarded(self: Work, tally: Tally, key: tuple[Any, ...], amount: int, or_raise: Any) -> None:
        honest_decrement(self, tally, key, amount, None)

    patch.setattr(checkout, "read_ground", looking_first)
    patch.setattr(Work, "decrement", unguarded)
    return application()


def trusts_what_it_read_of_coupons() -> Any:
    """Coupons are looked at in the read phase, and what is left is not taken where it is written."""
    patch = pytest.MonkeyPatch()
    patch.setattr(uses, "_take", lambda *_said: None)
    return application()
