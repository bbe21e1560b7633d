"""Things that the simulated Razorpay knows, and how they are written: as its documentation's samples are."""

from __future__ import annotations

from typing import Any, Final, Literal

from msgspec import Struct, field

from plugins.gateways_upi.simulator.checks import Shop
from plugins.gateways_upi.simulator.scenarios import Scenario

FEE_SHARE: Final = 200
"""One two-hundredth, and GST of 18 % on it; invented: what an account pays is agreed with Razorpay."""


class Code(Struct, kw_only=True):
    """A QR code. steps_left: how often its payer will still do something by themselves."""

    id: str
    shop: Shop
    name: str = ""
    usage: str = "single_use"
    is_fixed: bool = True
    amount: int | None = None
    description: str = ""
    notes: dict[str, str] = {}
    made_at: int = 0
    close_by: int | None = None
    closed_at: int | None = None
    why: str | None = None
    steps_left: int = 0
    scenario: Scenario = field(default_factory=Scenario)

    @property
    def reference(self) -> str:
        """Duka's note of it."""
        return self.notes.get("reference", "")

    @property
    def link(self) -> str:
        """What is in it."""
        amount = f"&am={self.amount / 100:.2f}" if self.is_fixed and self.amount else ""
        return f"upi://pay?pa=simulated@razorpay&pn=Simulated%20shop&tr=RZP{self.id[3:]}qrv2{amount}&cu=INR&mc=5411"


class Payment(Struct, kw_only=True):
    """A payment in paise. code: of the QR code that was scanned. settlement: which it was paid out with."""

    id: str
    shop: Shop
    amount: int
    vpa: str
    rrn: str
    at: int
    code: str | None = None
    currency: str = "INR"
    status: Literal["created", "authorized", "captured", "failed", "refunded"] = "created"
    reason: str = ""
    returned: int = 0
    settlement: str | None = None

    @property
    def fee(self) -> int:
        """What Razorpay keeps, tax included."""
        return 0 if self.status == "failed" else self.amount // FEE_SHARE + self.tax

    @property
    def tax(self) -> int:
        """The tax in it."""
        return self.amount // FEE_SHARE * 18 // 100


class Refund(Struct, kw_only=True):
    """Money on its way back. key: by which its request is known again; body: what that said."""

    id: str
    payment: str
    shop: Shop
    amount: int
    at: int
    key: str | None = None
    body: Any = None
    currency: str = "INR"
    status: str = "processed"
    speed: str = "normal"
    notes: dict[str, str] = {}
    receipt: str | None = None
    settlement: str | None = None


class Settlement(Struct, kw_only=True):
    """What was paid out to the bank at once."""

    id: str
    shop: Shop
    amount: int
    fees: int
    tax: int
    utr: str
    at: int


def code_json(code: Code, payments: list[Payment], *, is_notice: bool = False) -> dict[str, Any]:
    """A QR code. In notices its times are texts and its counters lag behind, as in the published samples."""
    came = (
        [] if is_notice and code.why != "paid" else [one for one in payments if one.status in ("captured", "refunded")]
    )
    close_by = str(code.close_by) if is_notice and code.close_by is not None else code.close_by
    said = {
        "id": code.id,
        "entity": "qr_code",
        "created_at": code.made_at,
        "name": code.name,
        "usage": code.usage,
        "type": "upi_qr",
        "image_url": f"https://rzp.io/i/{code.id[3:]}",
        "payment_amount": code.amount,
        "status": "active" if code.closed_at is None else "closed",
        "description": code.description,
        "fixed_amount": code.is_fixed,
        "payments_amount_received": sum(one.amount for one in came),
        "payments_count_received": len(came),
        "notes": code.notes or [],
        "customer_id": None,
        "close_by": close_by,
        "closed_at": code.closed_at,
        "close_reason": code.why,
    }
    return said | ({"image_content": code.link} if code.shop.has_content else {})


def payment_json(payment: Payment, *, is_notice: bool = False) -> dict[str, Any]:
    """A payment. Fees are known a moment after it: notices say 0."""
    has_failed = payment.status == "failed"
    return {
        "id": payment.id,
        "entity": "payment",
        "amount": payment.amount,
        "currency": payment.currency,
        "status": payment.status,
        "order_id": None,
        "invoice_id": None,
        "international": False,
        "method": "upi",
        "amount_refunded": payment.returned,
        "refund_status": None if not payment.returned else "full" if payment.status == "refunded" else "partial",
        "captured": payment.status in ("captured", "refunded"),
        "description": "QRv2 Payment",
        "card_id": None,
        "bank": None,
        "wallet": None,
        "vpa": payment.vpa,
        "email": None,
        "contact": "+919000090000",
        "notes": [],
        "fee": 0 if is_notice else payment.fee,
        "tax": 0 if is_notice else payment.tax,
        "error_code": "BAD_REQUEST_ERROR" if has_failed else None,
        "error_description": "Payment failed" if has_failed else None,
        "error_source": "customer" if has_failed else None,
        "error_step": "payment_authorization" if has_failed else None,
        "error_reason": payment.reason if has_failed else None,
        "acquirer_data": {"rrn": None if has_failed else payment.rrn},
        "created_at": payment.at,
    }


def refund_json(refund: Refund) -> dict[str, Any]:
    """A refund."""
    return {
        "id": refund.id,
        "entity": "refund",
        "amount": refund.amount,
        "currency": refund.currency,
        "payment_id": refund.payment,
        "notes": refund.notes or [],
        "receipt": refund.receipt,
        "acquirer_data": {"arn": f"1{refund.at}" if refund.status == "processed" else None},
        "created_at": refund.at,
        "batch_id": None,
        "status": refund.status,
        "speed_processed": "normal",
        "speed_requested": refund.speed,
    }


def settlement_json(settlement: Settlement) -> dict[str, Any]:
    """A settlement."""
    return {
        "id": settlement.id,
        "entity": "settlement",
        "amount": settlement.amount,
        "status": "processed",
        "fees": settlement.fees,
        "tax": settlement.tax,
        "utr": settlement.utr,
        "created_at": settlement.at,
    }


def collection(items: list[dict[str, Any]]) -> dict[str, Any]:
    """A list of things."""
    return {"entity": "collection", "count": len(items), "items": items}
