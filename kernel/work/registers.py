"""Registers, which a plugin above has: whoever below is given the id of one asks here whether it is known."""

from __future__ import annotations

import uuid

from kernel.errors import NotFound
from kernel.hooks import register_known
from kernel.work.unit import Work


async def check_register(
    work: Work, location_id: uuid.UUID, register_id: uuid.UUID, pointer: str = "/register_id"
) -> None:
    """Raise NotFound at the pointer unless a plugin that is on has this register, active, at this location."""
    heard = await work.tell(register_known, work=work, location_id=location_id, register_id=register_id)
    if not any(answer.value for answer in heard):
        raise NotFound.at(pointer, "This location has no such register")
