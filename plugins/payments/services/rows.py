"""A payment's row as many use it: held, its document, the day at its place, what is told of its money."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from kernel.auth import Location
from kernel.db import Prepared
from kernel.errors import NotFound
from kernel.money import exponent
from kernel.work import Work, business_date
from plugins.payments.models import Attempt
from plugins.payments.rules import UNVERIFIED
from plugins.payments.schemas.told import CapturedPayment, Subject

_A = Attempt.__table__
_HELD = Prepared(
    sa.select(_A)
    .where(_A.c.business_id == sa.bindparam("business_id"), _A.c.id == sa.bindparam("payment_id", type_=sa.Uuid()))
    .with_for_update()
)


async def hold(work: Work, payment_id: uuid.UUID) -> Any:
    """The row of a payment, held to the end of the deed. Raises NotFound."""
    await work.write()
    row = await work.one(_HELD, payment_id=payment_id)
    if row is None:
        raise NotFound
    return row


async def today_at(work: Work, location_id: uuid.UUID) -> dt.date:
    """The business date that runs at a location now. Raises NotFound."""
    place = await work.get(Location, location_id)
    return business_date(work.now, ZoneInfo(place.zone), place.day_cutoff)


def subject_of(row: Any) -> Subject:
    """The document of a payment's row, or a refund's."""
    return Subject(row.subject_kind, row.subject_id, row.subject_number)


def as_captured(row: Any) -> CapturedPayment:
    """A payment's row as it is told once its money has come, which its document waited for."""
    return CapturedPayment(
        id=row.id,
        subject=subject_of(row),
        method=row.method,
        kind=row.kind,
        amount=row.captured,
        tendered=row.tendered,
        change=row.change,
        currency=row.currency,
        exponent=exponent(row.currency),
        reference=row.reference,
        location_id=row.location_id,
        register_id=row.register_id,
        customer_id=row.customer_id,
        business_date=row.business_date,
        at=row.taken_at,
        actor_id=row.taken_by,
        actor_name=row.taken_by_name,
        awaited=True,
        surplus=row.captured - row.applied,
        unverified=UNVERIFIED in row.flags,
    )
