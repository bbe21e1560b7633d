"""What Razorpay's reasons mean for those who stand at the till.

By `reason`, never by the text beside it, which changes; source: razorpay.com/docs/errors. Texts are English; `locale/`
holds the others by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from plugins.payments.api import FaultKind


class Meaning(Struct, frozen=True):
    """What a reason comes to. said: for whoever stands at the till. tells: for the customer. again: whether paying
    once more may help.
    """

    fault: FaultKind
    said: str
    tells: str
    again: bool = True


_OTHER: Final = "Please pay another way"
_AGAIN: Final = "The payment did not go through. Please try again"
_BANK: Final = Meaning(
    "provider_down", "A bank of UPI has trouble just now. Scan again, or take another way of paying", _AGAIN
)
_SET_UP: Final = Meaning(
    "configuration", "Razorpay is not set up rightly for this shop. Tell the owner; take another way of paying", _OTHER
)
_DECLINED: Final = Meaning(
    "payer_declined", "The customer's bank declined the payment", "Your bank declined the payment"
)
_LIMIT: Final = Meaning(
    "limit", "The customer's limit for UPI is reached", "Your limit for UPI payments is reached", again=False
)
_LATE: Final = Meaning("payer_unreachable", "The customer did not finish the payment in time", "The time ran out")
_CANCELLED: Final = Meaning("payer_declined", "The customer cancelled the payment", "You cancelled the payment")
_PIN: Final = Meaning("payer_declined", "The UPI PIN was wrong", "The UPI PIN was wrong")
_APP: Final = Meaning(
    "payer_declined", "The customer's UPI app could not pay. Another app may", "Your UPI app could not pay. Try another"
)
_WRONG: Final = Meaning("validation", "Razorpay does not accept this request as it is", _OTHER, again=False)

UNKNOWN: Final = Meaning("unknown", "Razorpay did not say why it was not paid", _AGAIN)
"""A reason that nobody has told us of."""

LAPSED: Final = Meaning("payer_unreachable", "Nobody paid before the QR code ran out", "The time ran out")

REASONS: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        "insufficient_funds": Meaning(
            "insufficient_funds", "The customer's account has too little money", "Your account has too little money"
        ),
        "funds_blocked_by_mandate": Meaning(
            "insufficient_funds", "The customer's money is set aside for another payment", _OTHER
        ),
        **dict.fromkeys(("incorrect_pin", "incorrect_atm_pin", "authentication_failed"), _PIN),
        "pin_attempts_exceeded": Meaning(
            "payer_declined",
            "The customer typed a wrong UPI PIN too often",
            "You typed a wrong UPI PIN too often",
            again=False,
        ),
        "pin_not_set": Meaning("payer_declined", "The customer has set no UPI PIN", "Set a UPI PIN in your app first"),
        "payment_cancelled": _CANCELLED,
        **dict.fromkeys(("payment_declined", "debit_declined", "payment_failed", "user_not_eligible"), _DECLINED),
        **dict.fromkeys(("bank_account_invalid", "debit_instrument_blocked", "debit_instrument_inactive"), _DECLINED),
        **dict.fromkeys(("payment_risk_check_failed", "compliance_violation", "card_declined"), _DECLINED),
        **dict.fromkeys(("payment_timed_out", "payment_collect_request_expired", "payment_session_expired"), _LATE),
        **dict.fromkeys(("transaction_limit_exceeded", "transaction_daily_limit_exceeded"), _LIMIT),
        **dict.fromkeys(("transaction_daily_count_exceeded", "transaction_frequency_limit_exceeded"), _LIMIT),
        **dict.fromkeys(("bank_technical_error", "gateway_technical_error", "issuer_technical_error"), _BANK),
        **dict.fromkeys(("bank_not_available", "bank_cutoff_in_progress", "psp_not_available"), _BANK),
        **dict.fromkeys(("request_timed_out", "server_error", "invalid_response_from_gateway"), _BANK),
        **dict.fromkeys(("payment_declined_due_to_high_traffic", "capture_failed", "duplicate_rrn_found"), _BANK),
        **dict.fromkeys(("authorisation_declined_by_psp", "upi_app_technical_error", "invalid_device"), _APP),
        **dict.fromkeys(("psp_not_registered", "psp_app_not_supported", "invalid_vpa", "vpa_resolution_failed"), _APP),
        **dict.fromkeys(("merchant_not_activated", "live_mode_not_enabled", "bank_not_enabled"), _SET_UP),
        **dict.fromkeys(("payment_method_not_enabled", "upi_intent_not_enabled", "upi_collect_not_enabled"), _SET_UP),
        **dict.fromkeys(("collect_on_mcc_blocked", "credit_failed", "credit_not_permitted"), _SET_UP),
        **dict.fromkeys(("beneficiary_account_does_not_exist", "beneficiary_account_dormant"), _SET_UP),
        **dict.fromkeys(("transaction_on_vpa_restricted",), _SET_UP),
        **dict.fromkeys(("input_validation_failed", "invalid_request", "invalid_amount", "invalid_currency"), _WRONG),
        **dict.fromkeys(("amount_less_than_minimum_amount",), _WRONG),
        "deemed_transaction": Meaning(
            "unknown", "The bank knows only tomorrow whether it was paid. Wait, or take another way of paying", _OTHER
        ),
        "refund_limit_crossed": Meaning(
            "limit", "Razorpay gives no more back for this account today. Tell the owner", "", again=False
        ),
    }
)
"""Of payments that failed, and of calls that were refused."""

UNSURE: Final = frozenset({"deemed_transaction", "payment_pending", "collect_request_pending"})
"""Reasons that are no end: what became of the payment is told later."""


def meaning(reason: str) -> Meaning:
    """What a reason means; `UNKNOWN` where nobody has told."""
    return REASONS.get(reason, UNKNOWN)
