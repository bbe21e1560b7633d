"""Registered tills: devices of a shop at which its people take turns by PIN."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from kernel.auth.credentials import Till
from kernel.auth.models import Location, SignIn
from kernel.auth.secrets.bearer import make_lasting
from kernel.db import new_id
from kernel.errors import Invalid, NotFound
from kernel.work import Work, check_register


async def register_till(
    work: Work, name: str, location_id: uuid.UUID, register_id: uuid.UUID | None
) -> tuple[uuid.UUID, str]:
    """Register a device; returns the till's id and the device token, which is shown this once.

    Raises Invalid for a location or a register that is not here, or a warehouse.
    """
    place = await work.session.get(Location, (work.business_id, location_id))
    if place is None:
        raise NotFound.at("/location_id", "There is no such location")
    if place.kind != "storefront":
        raise Invalid.at("/location_id", "A warehouse has no till")
    if register_id is not None:
        await check_register(work, location_id, register_id)
    id_ = new_id()
    token, hash_ = make_lasting("dt", work.business_id, id_)
    work.session.add(
        Till(id=id_, name=name, location_id=location_id, register_id=register_id, hash=hash_, created_at=work.now)
    )
    await work.session.flush()
    work.audit(subject=f"till:{id_}", name=name)
    return id_, token


async def revoke_till(work: Work, till_id: uuid.UUID) -> None:
    """Take a device out of service: its token and the sign-ins made at it open nothing from the next request on.

    The gate asks for the till itself, so that a sign-in that is being made just now does not slip through; the sign-ins
    are ended too, so that lists of them tell the truth. Raises NotFound.
    """
    here = sa.and_(Till.business_id == work.business_id, Till.id == till_id)
    ended = await work.execute(
        sa.update(Till)
        .where(here)
        .values(revoked_at=sa.func.coalesce(Till.revoked_at, work.now), version=Till.version + 1)
    )
    if not ended.rowcount:
        raise NotFound
    at_till = sa.and_(SignIn.till_business_id == work.business_id, SignIn.till_id == till_id)
    await work.execute(sa.update(SignIn).where(at_till, SignIn.revoked_at.is_(None)).values(revoked_at=work.now))
    work.changed(Till, till_id, {"revoked_at": None}, {"revoked_at": work.now})
    work.audit(subject=f"till:{till_id}")
