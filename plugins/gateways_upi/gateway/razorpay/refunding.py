"""Giving money back: all of a payment, a part, or many parts; once for each id of ours, however often it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from plugins.gateways_upi.gateway.razorpay.calls import call, refused
from plugins.gateways_upi.rules.razorpay.facts import OURS, PAYMENT, REFUND, is_ours, items, refund_facts
from plugins.gateways_upi.rules.razorpay.values import id_, inside
from plugins.gateways_upi.schemas.razorpay import RazorpayConfig
from plugins.payments.api import Back, Fault, GatewayFact, GatewayFailed, Line, Started

IDEMPOTENCY: Final = "X-Refund-Idempotency"
DAYS: Final = 180
"""Six months, of which no one is shorter than 28 days; Razorpay itself says where exactly the end is."""
LEAST: Final = 100
_LOST: Final = "Razorpay did not answer. The money may have gone back all the same"


async def give(line: Line, back: Back) -> Started:
    """Give back. The id of ours is the key by which Razorpay knows the same refund again. Raises GatewayFailed."""
    config: RazorpayConfig = line.config
    payment = _payment(back)
    if payment is None:
        raise GatewayFailed(Fault("validation", "The payment's number at Razorpay is not known yet", again=True))
    if back.amount < LEAST:
        raise refused("limit", "Razorpay gives back ₹1 or more. Give cash")
    body = {
        "amount": back.amount,
        "speed": config.refund_speed,
        "notes": {OURS: back.id},
        "receipt": back.id,
    }
    said = await call(line, "POST", f"/payments/{payment}/refund", body, moves=True, headers={IDEMPOTENCY: back.id})
    facts, refund = refund_facts(said), id_(inside(said, "id"), "rfnd")
    if refund is None or not facts:
        raise GatewayFailed(Fault("timeout", _LOST), is_unsure=True)
    return Started({REFUND: refund}, facts=tuple(facts))


async def find(line: Line, back: Back) -> Sequence[GatewayFact]:
    """What Razorpay says of a refund, by its id, or by ours where its answer was lost. Raises GatewayFailed."""
    refund, payment = back.ids.get(REFUND), _payment(back)
    if refund is not None:
        return refund_facts(await call(line, "GET", f"/refunds/{refund}"))
    if payment is None:
        return ()
    said = await call(line, "GET", f"/payments/{payment}/refunds?count=100")
    return [fact for one in items(said) if is_ours(one, back.id) for fact in refund_facts(one)]


def _payment(back: Back) -> str | None:
    """What Razorpay calls the payment: the number of its money."""
    keys = [*back.payment.money_keys, back.payment.ids.get(PAYMENT)]
    return next((one for one in keys if id_(one, "pay")), None)
