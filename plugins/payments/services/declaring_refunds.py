"""Refunds as they are declared: done at once by hand, or pending while a gateway sends the money."""

from __future__ import annotations

import uuid
from typing import Any, Final

from msgspec import Struct

from kernel.db import new_id
from kernel.errors import Fault, Invalid
from kernel.money import exponent, format_amount
from kernel.work import Work
from plugins.payments.errors import RefundNotSupported, RefundTooLarge
from plugins.payments.models import REFUNDABLE, Operation, Refund
from plugins.payments.rules import FactKind, RefundRefusal, RefundState, refund_refusal
from plugins.payments.schemas.answers import FaultOut, RefundOut
from plugins.payments.schemas.gateways import Gateway
from plugins.payments.schemas.told import MadeRefund, Place, Subject
from plugins.payments.schemas.values import Method, MethodKind
from plugins.payments.services.accounts import installed
from plugins.payments.services.events import note
from plugins.payments.services.rows import subject_of

SEND_BACK: Final = "payments.send_back"
"""The job that has a gateway give money back. Payload: `refund_id`."""
GIVE_BACK: Final = "give_back"
"""The kind of operation that gives money back."""
_WORDS: Final[dict[RefundRefusal, str]] = {
    "none": "{title} gives no money back",
    "part": "{title} gives back whole payments only",
    "late": "{title} gives money back for {days} days after it came, no longer",
}
_BY_HAND: Final = "Give it back by hand, and record it with by_hand, or with another method such as cash"


class ByHand(Struct, frozen=True):
    """Money that somebody gave back themselves. method: by which, if not the payment's. reference: its number there."""

    method: Method | None = None
    reference: str | None = None


class Declared(Struct, frozen=True):
    """A refund as it was declared. made: what is told of it; None while a gateway sends the money."""

    out: RefundOut
    made: MadeRefund | None


def why_not(work: Work, row: Any, amount: int) -> str | None:
    """Why the gateway of a payment's row cannot give an amount of it back, in words; None where it can, or has none."""
    if row.gateway is None:
        return None
    gateway: Gateway | None = installed(work.deployment).get(row.gateway)
    if gateway is None or row.account_id is None:
        return f"The gateway {row.gateway} is not there any more"
    can = gateway.capabilities
    refusal = refund_refusal(
        can.refunds,
        can.pays_out,
        can.refund_days,
        is_whole=amount == row.captured,
        days=(work.now - row.taken_at).days,
    )
    return None if refusal is None else _WORDS[refusal].format(title=gateway.title, days=can.refund_days)


def declare_refund(
    work: Work, row: Any, subject: Subject, amount: int, reason: str, place: Place, by_hand: ByHand | None = None
) -> Declared:
    """Declare one refund of a payment's row, in minor units. Raises RefundNotSupported before anything is asked of it.

    by_hand: the money is given back already; None sends it by the payment's gateway, if it came by one.
    """
    digits = exponent(row.currency)
    if amount <= 0:
        raise Invalid.at("/amount", "Must be above zero")
    if amount > row.refundable:  # before a gateway is thought of; however many ask at once, the flush decides
        raise RefundTooLarge.above(format_amount(row.refundable, digits))
    is_sent = by_hand is None and row.gateway is not None
    if is_sent and (said := why_not(work, row, amount)):
        raise RefundNotSupported(said, faults=[Fault("/by_hand", RefundNotSupported.code, _BY_HAND)])
    work.decrement(
        REFUNDABLE, (row.id,), amount, or_raise=lambda left: RefundTooLarge.above(format_amount(left, digits))
    )
    method = by_hand.method if by_hand else None
    state: RefundState = "pending" if is_sent else "done"
    values = {
        "id": new_id(),
        "attempt_id": row.id,
        "subject_kind": subject.kind,
        "subject_id": subject.id,
        "subject_number": subject.number,
        "method": method.code if method else row.method,
        "amount": amount,
        "currency": row.currency,
        "state": state,
        "provider_ids": {"reference": by_hand.reference} if by_hand and by_hand.reference else None,
        "fault": None,
        "reason": reason,
        "location_id": place.location_id,
        "register_id": place.register_id,
        "business_date": place.business_date,
        "at": place.at or work.now,
        "made_by": work.actor.id,
        "made_by_name": work.actor.name,
    }
    work.insert(Refund, values)
    refund = _Row(values)
    kind: FactKind = "refund_pending" if is_sent else "refund_done"
    note(work, row.id, kind, "hand", amount, row.currency, refund.id, place.at)
    if is_sent:
        _plan(work, row.id, refund.id)
        return Declared(refund_out(refund), None)
    return Declared(refund_out(refund), as_made(refund, method.kind if method else row.kind, row.customer_id))


def _plan(work: Work, attempt_id: uuid.UUID, refund_id: uuid.UUID) -> None:
    """Have the gateway give the money back once this is committed."""
    work.insert(
        Operation,
        {
            "id": new_id(),
            "attempt_id": attempt_id,
            "refund_id": refund_id,
            "kind": GIVE_BACK,
            "state": "planned",
            "created_at": work.now,
            "sent_at": None,
            "ended_at": None,
            "fault": None,
        },
    )
    work.later(SEND_BACK, {"refund_id": str(refund_id)})


class _Row:
    """Values of a row by name, as a row that was read has them."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)

    id: uuid.UUID


def as_made(refund: Any, kind: MethodKind, customer_id: uuid.UUID | None) -> MadeRefund:
    """A refund's row as it is told once its money has gone back."""
    return MadeRefund(
        refund.id,
        refund.attempt_id,
        subject_of(refund),
        refund.method,
        kind,
        refund.amount,
        refund.currency,
        exponent(refund.currency),
        refund.reason,
        refund.location_id,
        refund.register_id,
        customer_id,
        refund.business_date,
        refund.at,
        refund.made_by,
        refund.made_by_name,
    )


def refund_out(refund: Any) -> RefundOut:
    """A refund's row as answers show it."""
    return RefundOut(
        refund.id,
        refund.attempt_id,
        refund.method,
        format_amount(refund.amount, exponent(refund.currency)),
        refund.state,
        refund.reason,
        refund.subject_kind,
        refund.subject_id,
        refund.subject_number,
        refund.location_id,
        refund.register_id,
        refund.business_date,
        refund.at,
        refund.made_by_name,
        (refund.provider_ids or {}).get("reference"),
        fault_out(refund.fault),
    )


def fault_out(fault: dict[str, Any] | None) -> FaultOut | None:
    """What went wrong, as it was stored."""
    if fault is None:
        return None
    said, code, tells = (fault.get(name) or "" for name in ("said", "code", "tells"))
    return FaultOut(fault["kind"], said, code, tells)
