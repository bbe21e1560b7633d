"""What other plugins may use of payments: reading what was asked for, taking money, giving it back."""

from __future__ import annotations

from plugins.payments.errors import PaymentNotWhole, RefundTooLarge, UnknownMethod
from plugins.payments.schemas import (
    CapturedPayment,
    MadeRefund,
    Method,
    MethodKind,
    PaymentIn,
    PaymentOut,
    Place,
    RefundOut,
    Subject,
    Taken,
    Wanted,
)
from plugins.payments.services import give_back, methods, payments_of, read_payments, take

__all__ = [
    "CapturedPayment",
    "MadeRefund",
    "Method",
    "MethodKind",
    "PaymentIn",
    "PaymentNotWhole",
    "PaymentOut",
    "Place",
    "RefundOut",
    "RefundTooLarge",
    "Subject",
    "Taken",
    "UnknownMethod",
    "Wanted",
    "give_back",
    "methods",
    "payments_of",
    "read_payments",
    "take",
]
