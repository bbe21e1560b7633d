"""What other plugins may use of payments: reading what was asked for, taking money, giving it back."""

from __future__ import annotations

from plugins.payments.errors import NotAwaited, PaymentNotWhole, RefundTooLarge, UnknownMethod
from plugins.payments.rules import check_step, step_of
from plugins.payments.schemas import (
    CapturedPayment,
    Coin,
    Coins,
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
from plugins.payments.services import (
    captured_payments,
    coins,
    give_back,
    give_up_waiting,
    made_refunds,
    methods,
    payments_of,
    read_payments,
    rename_subject,
    take,
)

__all__ = [
    "CapturedPayment",
    "Coin",
    "Coins",
    "MadeRefund",
    "Method",
    "MethodKind",
    "NotAwaited",
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
    "captured_payments",
    "check_step",
    "coins",
    "give_back",
    "give_up_waiting",
    "made_refunds",
    "methods",
    "payments_of",
    "read_payments",
    "rename_subject",
    "step_of",
    "take",
]
