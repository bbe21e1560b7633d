"""What Razorpay states of a day's settlements, as lines of a statement.

Source: razorpay.com/docs/api/settlements/fetch-recon. Its fee holds the tax on it; a line's does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from plugins.gateways_upi.rules.razorpay.facts import PAYMENT, REFUND
from plugins.gateways_upi.rules.razorpay.values import currency, id_, inside, moment, note, paise, text, whole_number
from plugins.payments.api import StatementLine

_KINDS: Final[Mapping[str, str]] = {"payment": "payment", "refund": "refund"}
SETTLEMENT: Final = "settlement"
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,60}\Z", re.ASCII)


def stated(row: Any) -> StatementLine | None:
    """A row of `recon/combined`; None for what moves nothing, or cannot be read as money.

    What is neither payment nor refund, transfers among them, puts something right: an adjustment.
    """
    key, amount, unit = _name(row, "entity_id"), paise(inside(row, "amount")), currency(inside(row, "currency"))
    at, of = moment(inside(row, "created_at")), text(inside(row, "type"), 40)
    credit, debit = _whole(row, "credit"), _whole(row, "debit")
    if key is None or amount is None or unit is None or at is None or credit == debit:
        return None
    fee, tax = _whole(row, "fee"), _whole(row, "tax")
    paid = id_(inside(row, "entity_id"), "pay") if of == "payment" else id_(inside(row, "payment_id"), "pay")
    refund = id_(inside(row, "entity_id"), "rfnd")
    return StatementLine(
        line_key=key,
        kind=_KINDS.get(of, "adjustment"),  # type: ignore[arg-type]
        gross=amount if credit > debit else -amount,
        currency=unit,
        occurred_at=at,
        fee=fee - tax,
        tax=tax,
        net=credit - debit,
        money_key=paid if of in _KINDS else None,
        merchant_ref=note(row, "reference"),
        ids=({PAYMENT: paid} if of == "payment" and paid else {}) | ({REFUND: refund} if refund else {}),
        settlement_id=id_(inside(row, "settlement_id"), "setl"),
        settlement_ref=_name(row, "settlement_utr"),
        said_at=str(inside(row, "created_at")),
        words=text(inside(row, "description"), 200) or ("" if of in _KINDS else of),
    )


def paid_out(settlement: Any) -> StatementLine | None:
    """A settlement: what went to the bank at once."""
    key, amount = id_(inside(settlement, "id"), "setl"), paise(inside(settlement, "amount"))
    at = moment(inside(settlement, "created_at"))
    if key is None or amount is None or at is None or inside(settlement, "status") != "processed":
        return None
    return StatementLine(
        line_key=key,
        kind="payout",
        gross=-amount,
        currency="INR",
        occurred_at=at,
        net=-amount,
        ids={SETTLEMENT: key},
        settlement_id=key,
        settlement_ref=_name(settlement, "utr"),
        said_at=str(inside(settlement, "created_at")),
    )


def _name(row: Any, name: str) -> str | None:
    """An id or a bank's number, as it is."""
    found = inside(row, name)
    return found if isinstance(found, str) and _NAME.match(found) else None


def _whole(row: Any, name: str) -> int:
    return max(0, whole_number(inside(row, name)) or 0)
