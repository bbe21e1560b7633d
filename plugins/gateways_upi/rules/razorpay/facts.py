"""What Razorpay says, as facts: payments, QR codes and refunds, the same for notices and for answers.

The entity says what is so, not the name of the event: `refund.created` may carry a refund that is made, and counters of
a QR code lag behind its payment.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import structs

from plugins.gateways_upi.rules.razorpay.reasons import LAPSED, UNSURE, meaning
from plugins.gateways_upi.rules.razorpay.values import (
    currency,
    id_,
    inside,
    masked,
    moment,
    note,
    paise,
    text,
    whole_number,
)
from plugins.payments.api import FactKind, GatewayFact

QR: Final = "qr"
PAYMENT: Final = "payment"
REFUND: Final = "refund"
REFERENCE: Final = "reference"
"""The note of a QR code that says which payment of ours it is for."""
OURS: Final = "refund"
"""The note of a refund that says which of ours it is."""

_REFUNDS: Final[Mapping[str, FactKind]] = {
    "processed": "refund_done",
    "pending": "refund_pending",
    "created": "refund_pending",
    "failed": "refund_failed",
}


def notice_facts(said: Any) -> Sequence[GatewayFact]:
    """What a notice says. Of money that another system asked for by an order, and of settlements, nothing."""
    event = inside(said, "event")
    payment, qr, refund = (inside(said, "payload", name, "entity") for name in ("payment", "qr_code", "refund"))
    if not isinstance(event, str):
        return ()
    if event.startswith("refund."):
        return refund_facts(refund)
    if event.startswith("payment.") or event == "qr_code.credited":
        return _told_payment(payment, qr)
    if event in ("qr_code.created", "qr_code.closed"):
        return qr_facts(qr)
    return ()


def payment_facts(said: Any, *, qr: str | None = None, reference: str | None = None) -> Sequence[GatewayFact]:
    """What a payment comes to; nothing where it has no id.

    A payment that failed is no end while its QR code can be scanned: it asks the customer to try again.
    """
    payment = id_(inside(said, "id"), "pay")
    if payment is None:
        return ()
    status = inside(said, "status")
    reference = reference or note(said, REFERENCE)
    about: dict[str, Any] = {
        "reference": reference,
        "ids": {PAYMENT: payment} | ({QR: qr} if qr else {}),
        "payer": masked(inside(said, "vpa")),
        "at": moment(inside(said, "created_at")),
    }
    if status in ("captured", "refunded"):
        return (_captured(payment, said, about),)
    if status == "authorized":
        amount, unit = paise(inside(said, "amount")), currency(inside(said, "currency"))
        return (GatewayFact(kind="authorised", key=f"{payment}:authorized", amount=amount, currency=unit, **about),)
    if status == "failed":
        return (_failed(payment, said, about),)
    word = text(status, 40)
    kind: FactKind = "pending" if status == "created" else "unknown"
    return (GatewayFact(kind=kind, key=f"{payment}:{word}", code=word, **about),)


def qr_facts(said: Any, failed: GatewayFact | None = None) -> Sequence[GatewayFact]:
    """What a QR code of ours comes to by itself: it can be scanned, or has ended without a payment.

    failed: the last payment that failed there, which says why. Of a QR code that was paid its payment speaks.
    """
    qr, reference = id_(inside(said, "id"), "qr"), note(said, REFERENCE)
    if qr is None or reference is None:
        return ()
    about: dict[str, Any] = {"reference": reference, "ids": {QR: qr}}
    status = text(inside(said, "status"), 40)
    if status == "closed":
        return (_closed(qr, said, failed, about),)
    kind: FactKind = "pending" if status == "active" else "unknown"
    return (GatewayFact(kind=kind, key=f"{qr}:{status}", code=status, **about),)


def refund_facts(said: Any) -> Sequence[GatewayFact]:
    """What a refund comes to: by its status, whatever the event is called."""
    refund, payment = id_(inside(said, "id"), "rfnd"), id_(inside(said, "payment_id"), "pay")
    status, amount = inside(said, "status"), paise(inside(said, "amount"))
    unit = currency(inside(said, "currency"))
    kind = _REFUNDS.get(status) if isinstance(status, str) else None
    if refund is None or payment is None or amount is None or unit is None or kind is None:
        return ()
    number = _number(said, "arn") or _number(said, "rrn") or _number(said, "utr")
    return (
        GatewayFact(
            kind=kind,
            key=f"{refund}:{status}",
            money_key=payment,
            amount=amount,
            currency=unit,
            ids={REFUND: refund},
            refund_id=_ours(said),
            at=moment(inside(said, "created_at")),
            fault="unknown" if kind == "refund_failed" else None,
            code=status if kind == "refund_failed" else "",
            words=number,
            said="Razorpay could not give the money back" if kind == "refund_failed" else "",
        ),
    )


def items(said: Any) -> Sequence[Any]:
    """What a list of Razorpay's holds."""
    found = inside(said, "items")
    return found if isinstance(found, list) else ()


def is_ours(refund: Any, id_of_ours: str) -> bool:
    """Whether a refund is the one with an id of ours."""
    return _ours(refund) == id_of_ours or inside(refund, "receipt") == id_of_ours


def _told_payment(payment: Any, qr: Any) -> Sequence[GatewayFact]:
    """What a notice says of a payment. Bad news about what cannot be named as ours is nobody's."""
    if inside(payment, "order_id") or inside(payment, "invoice_id"):
        return ()
    found = payment_facts(payment, qr=id_(inside(qr, "id"), "qr"), reference=note(qr, REFERENCE))
    return [fact for fact in found if fact.kind == "captured" or fact.reference is not None]


def _captured(payment: str, said: Any, about: Mapping[str, Any]) -> GatewayFact:
    """Money; what says so and does not say how much is a reason to ask."""
    amount, unit = paise(inside(said, "amount")), currency(inside(said, "currency"))
    if amount is None or unit is None:
        return GatewayFact(kind="unknown", key=f"{payment}:unclear", fault="unknown", **about)
    fee, rrn = whole_number(inside(said, "fee")) or 0, _number(said, "rrn")
    return GatewayFact(
        kind="captured",
        key=f"{payment}:captured",
        money_key=payment,
        amount=amount,
        currency=unit,
        fee=fee if 0 < fee < amount else None,
        words=rrn,
        **about,
    )


def _closed(qr: str, said: Any, failed: GatewayFact | None, about: Mapping[str, Any]) -> GatewayFact:
    why, at = inside(said, "close_reason"), moment(inside(said, "closed_at"))
    if why == "paid" or (whole_number(inside(said, "payments_count_received")) or 0) > 0:
        return GatewayFact(kind="pending", key=f"{qr}:paid", **about)
    if why == "on_demand":
        return GatewayFact(kind="cancelled", key=f"{qr}:closed", at=at, code="on_demand", **about)
    if failed is not None:
        return structs.replace(failed, kind="failed", key=f"{qr}:failed", at=at, **about)
    return GatewayFact(
        kind="expired",
        key=f"{qr}:closed",
        at=at,
        fault=LAPSED.fault,
        code=text(why, 40) or "expired",
        said=LAPSED.said,
        tells=LAPSED.tells,
        **about,
    )


def _failed(payment: str, said: Any, about: Mapping[str, Any]) -> GatewayFact:
    reason = text(inside(said, "error_reason"), 100)
    known = meaning(reason)
    return GatewayFact(
        kind="unknown" if reason in UNSURE else "action",
        key=f"{payment}:failed",
        fault=known.fault,
        code=reason or text(inside(said, "error_code"), 100),
        words=text(inside(said, "error_description")),
        said=known.said,
        tells=known.tells,
        **about,
    )


def _number(said: Any, name: str) -> str:
    """A number that a bank gave it, as text with its zeros: `RRN 001234567890`."""
    found = inside(said, "acquirer_data", name)
    number = found if isinstance(found, str) else ""
    return f"{name.upper()} {number[:60]}" if number.isascii() and number.isalnum() else ""


def _ours(refund: Any) -> str | None:
    try:
        return str(uuid.UUID(note(refund, OURS) or ""))
    except ValueError:
        return None


def newest(facts: Sequence[GatewayFact]) -> GatewayFact | None:
    """Of facts that say when they were, the last."""
    return max(facts, key=lambda fact: fact.at or dt.datetime.min.replace(tzinfo=dt.UTC), default=None)
