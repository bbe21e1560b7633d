"""A payment's row as it is declared with its document, whichever way its money comes."""

from __future__ import annotations

import uuid
from typing import Any, Final

from kernel.db import new_id
from kernel.work import Work
from plugins.payments.models import Attempt
from plugins.payments.schemas.told import Place, Subject, Taken

_NOTHING: Final = {one.name: None for one in Attempt.__table__.c if one.name != "business_id"}
"""All columns, since rows that one deed declares name the same ones."""


def declare_attempt(
    work: Work, subject: Subject, taken: Taken, place: Place, *, captured: int, **values: Any
) -> uuid.UUID:
    """Declare a payment's row; returns its id. captured: in minor units. values: of further columns."""
    id_ = new_id()
    fresh = {
        "id": id_,
        "subject_kind": subject.kind,
        "subject_id": subject.id,
        "subject_number": subject.number,
        "method": taken.method.code,
        "kind": taken.method.kind,
        "gateway": taken.method.gateway,
        "mode": "live",
        "direction": "in",
        "amount": taken.amount,
        "tendered": taken.tendered,
        "change": taken.change,
        "currency": work.shop.currency,
        "captured": captured,
        "refundable": captured,
        "applied": 0,
        "asks": 0,
        "reference": taken.reference,
        "location_id": place.location_id,
        "register_id": place.register_id,
        "customer_id": place.customer_id,
        "business_date": place.business_date,
        "taken_at": place.at or work.now,
        "taken_by": work.actor.id,
        "taken_by_name": work.actor.name,
        "flags": [],
        "version": 1,
    }
    work.insert(Attempt, _NOTHING | fresh | values)
    return id_
