"""A place that a request names: a location of the business, and a register there."""

from __future__ import annotations

import uuid

from kernel.auth import Location
from kernel.errors import NotFound
from kernel.work import Work, check_register


async def place_named(
    work: Work, location_id: uuid.UUID, register_id: uuid.UUID | None, *, before: str = "/"
) -> Location:
    """The location. before: what stands before its name in pointers. Raises NotFound at what is not there."""
    try:
        place = await work.get(Location, location_id)
    except NotFound as fault:
        raise NotFound.at(f"{before}location_id", "There is no such location") from fault
    if register_id is not None:
        await check_register(work, location_id, register_id, f"{before}register_id")
    return place
