"""What a document or a movement of money is in the book: the same words whether it is told or found afterwards."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from msgspec import Struct

from plugins.daybook.schemas import Direction, Kind


class Event(Struct, frozen=True):
    """What is to be entered. `account` is None for documents, which move no money by themselves."""

    kind: Kind
    document_kind: str
    document_id: uuid.UUID
    document_number: str
    business_date: dt.date
    at: dt.datetime
    location_id: uuid.UUID
    register_id: uuid.UUID | None
    account: str | None
    direction: Direction
    amount: int
    words: str
    by_name: str


def sale_event(sale: Any, lines: int) -> Event:
    """A completed sale. sale: as it is told, or a row of `sale_columns`."""
    return Event(
        "sale",
        "sale",
        sale.id,
        sale.number,
        sale.business_date,
        sale.sold_at,
        sale.location_id,
        sale.register_id,
        None,
        "none",
        sale.total,
        f"{lines} {'line' if lines == 1 else 'lines'}, {sale.channel}",
        sale.cashier_name,
    )


def void_event(sale: Any, day: dt.date, at: dt.datetime, reason: str, by_name: str) -> Event:
    """A void, a document of its own. sale: as it is told, or a row of `sale_columns`."""
    return Event(
        "void",
        "sale",
        sale.id,
        sale.number,
        day,
        at,
        sale.location_id,
        sale.register_id,
        None,
        "none",
        sale.total,
        reason,
        by_name,
    )


def payment_event(payment: Any, number: str) -> Event:
    """Money that came in, under a number of what it was for. payment: as told, or a row of `captured_payments`."""
    return Event(
        "payment",
        "payment",
        payment.id,
        number,
        payment.business_date,
        payment.at,
        payment.location_id,
        payment.register_id,
        payment.method,
        "in",
        payment.amount,
        payment.reference or "",
        payment.actor_name,
    )


def refund_event(refund: Any, number: str) -> Event:
    """Money that went back, under a number of what it was for. refund: as told, or a row of `made_refunds`."""
    return Event(
        "refund",
        "refund",
        refund.id,
        number,
        refund.business_date,
        refund.at,
        refund.location_id,
        refund.register_id,
        refund.method,
        "out",
        refund.amount,
        refund.reason,
        refund.actor_name,
    )
