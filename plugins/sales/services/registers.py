"""Registers: the tills of storefronts."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from kernel.auth import Location
from kernel.db import new_id
from kernel.errors import Invalid, NotFound
from kernel.work import Work
from plugins.sales.models import Register
from plugins.sales.schemas.requests import RegisterIn


async def add_office(work: Work, location_id: uuid.UUID) -> None:
    """Make the register that stands for the office of a storefront, unless it has one: O1, O2 …"""
    codes = set(
        (await work.execute(sa.select(Register.code).where(Register.business_id == work.business_id))).scalars()
    )
    has = await work.execute(
        sa.select(Register.id).where(
            Register.business_id == work.business_id,
            Register.location_id == location_id,
            Register.is_office.is_(True),
        )
    )
    if has.scalar_one_or_none() is not None:
        return
    code = next(name for number in range(1, 1000) if (name := f"O{number}") not in codes)
    await work.execute(
        sa.insert(Register).values(
            business_id=work.business_id,
            id=new_id(),
            location_id=location_id,
            code=code,
            name="Office",
            is_office=True,
            is_active=True,
            version=1,
        )
    )


async def add_register(work: Work, data: RegisterIn) -> Register:
    """Add a till to a storefront. Raises NotFound for an unknown location, Invalid for a warehouse."""
    place = await work.session.get(Location, (work.business_id, data.location_id))
    if place is None:
        raise NotFound.at("/location_id", "There is no such location")
    if place.kind != "storefront":
        raise Invalid.at("/location_id", "A warehouse has no till")
    register = Register(
        location_id=place.id, code=data.code, name=data.name, is_office=False, is_active=True, version=1
    )
    work.session.add(register)
    await work.session.flush()
    return register
