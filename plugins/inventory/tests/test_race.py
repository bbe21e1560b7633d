"""P4: of many who want the last units at once, exactly as many are served as there are; a careless twin oversells."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable

import sqlalchemy as sa

from kernel.invariants import broken
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import Box, open_box
from kernel.work import Work
from plugins.catalog.testing import a_product
from plugins.inventory.errors import OutOfStock
from plugins.inventory.models import Level
from plugins.inventory.schemas import AdjustedLine, AdjustmentIn
from plugins.inventory.services import adjust_stock
from plugins.inventory.testing import on_hand, stock

BUYERS, UNITS = 200, 50
Take = Callable[[Work], Awaitable[object]]


async def _rush(box: Box, take: Take) -> tuple[int, int]:
    """(served, refused) when all start on one barrier."""
    barrier = asyncio.Event()

    async def one() -> bool:
        await barrier.wait()
        try:
            await box.act(take, read_first=True)
        except OutOfStock:
            return False
        return True

    tasks = [asyncio.create_task(one()) for _ in range(BUYERS)]
    await asyncio.sleep(0)
    barrier.set()
    served = sum(await asyncio.gather(*tasks))
    return served, BUYERS - served


async def _scarce(box: Box) -> tuple[uuid.UUID, uuid.UUID]:
    rice, kilimani = await a_product(box), await box.location()
    await stock(box, rice, kilimani, str(UNITS))
    return rice, kilimani


async def test_of_two_hundred_who_take_one_of_fifty_exactly_fifty_are_served(box: Box) -> None:
    rice, kilimani = await _scarce(box)
    one_less = AdjustmentIn(location_id=kilimani, reason="Rush", lines=[AdjustedLine(product_id=rice, quantity="-1")])
    assert await _rush(box, lambda work: adjust_stock(work, one_less)) == (UNITS, BUYERS - UNITS)
    assert await on_hand(box, rice, kilimani) == "0"


async def test_a_twin_that_reads_then_writes_oversells_and_the_invariants_tell(
    box_settings: Settings, registry: Registry
) -> None:
    box = await open_box(box_settings, registry)
    rice, kilimani = await _scarce(box)
    here = sa.and_(Level.business_id == box.shop.id, Level.product_id == rice, Level.location_id == kilimani)

    async def careless(work: Work) -> None:
        left = (await work.execute(sa.select(Level.on_hand).where(here))).scalar_one()
        if left < 1_000_000:
            raise OutOfStock
        await work.write()
        await work.execute(sa.update(Level).where(here).values(on_hand=left - 1_000_000))

    served, _ = await _rush(box, careless)
    faults = await broken(box.deployment)
    await box.close()
    assert served > UNITS
    assert any(fault.startswith("a level is the sum of its moves") for fault in faults)
