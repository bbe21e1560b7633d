"""Refunds: one for each key, never more than came, told of; and asked about."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from plugins.gateways_upi.simulator.checks import REFUND, Shop, Wrong, check, check_key
from plugins.gateways_upi.simulator.codes import NOBODY
from plugins.gateways_upi.simulator.entities import Payment, Refund, collection, payment_json, refund_json
from plugins.gateways_upi.simulator.scenarios import Scenario
from plugins.gateways_upi.simulator.state import State

SIX_MONTHS_S: Final = 183 * 86_400
ENDS_AFTER_S: Final = 30


async def give_back(state: State, shop: Shop, payment_id: str, said: Any, key: str | None) -> dict[str, Any]:
    """Give money back; the same again for the same key. Raises Wrong."""
    key, body = check_key(key), check(said, REFUND)
    known = next((one for one in state.refunds.values() if key and one.key == key), None)
    if known is not None:
        if known.body != body:
            raise Wrong("Different request with the same idempotency key has already been processed.", status=409)
        return refund_json(known)
    payment = _refundable(state, shop, payment_id)
    amount = body.get("amount") or payment.amount - payment.returned
    if payment.returned + amount > payment.amount:
        raise Wrong("The refund amount provided is greater than amount captured", reason="input_validation_failed")
    scenario = state.scenario("refund", amount) or Scenario(on="refund")
    refund = Refund(
        id=state.new_id("rfnd"),
        payment=payment_id,
        shop=shop,
        amount=amount,
        at=state.second(),
        key=key,
        body=body,
        currency=payment.currency,
        status=scenario.status,
        speed=body.get("speed") or "normal",
        notes=body.get("notes") or {},
        receipt=body.get("receipt"),
    )
    state.refunds[refund.id] = refund
    if refund.status != "failed":
        take(payment, amount)
    await _tell(state, refund, "refund.created")
    if refund.status != "pending":
        await _tell(state, refund, f"refund.{refund.status}")
    elif scenario.ends is not None:
        state.clock.later(ENDS_AFTER_S, partial(end, state, refund, scenario.ends))
    return refund_json(refund)


async def end(state: State, refund: Refund, status: str) -> None:
    """Let a refund arrive, or come to nothing."""
    payment = state.payments[refund.payment]
    if status == "failed" and refund.status != "failed":
        take(payment, -refund.amount)
    refund.status = status
    await _tell(state, refund, f"refund.{status}")


def take(payment: Payment, amount: int) -> None:
    """Note that so much of a payment went back."""
    payment.returned += amount
    payment.status = "refunded" if payment.returned == payment.amount else "captured"


def show(state: State, shop: Shop, refund_id: str) -> dict[str, Any]:
    """A refund. Raises Wrong."""
    found = state.refunds.get(refund_id)
    if found is None or found.shop.key_id != shop.key_id:
        raise Wrong(NOBODY)
    return refund_json(found)


def listed(state: State, shop: Shop, payment_id: str) -> dict[str, Any]:
    """The refunds of a payment, newest first. Raises Wrong."""
    if (payment := state.payments.get(payment_id)) is None or payment.shop.key_id != shop.key_id:
        raise Wrong(f"{payment_id} is not a valid id")
    return collection([refund_json(one) for one in reversed(state.refunds.values()) if one.payment == payment_id])


def _refundable(state: State, shop: Shop, payment_id: str) -> Payment:
    payment = state.payments.get(payment_id)
    if payment is None or payment.shop.key_id != shop.key_id:
        raise Wrong(f"{payment_id} is not a valid id")
    if payment.status == "refunded":
        raise Wrong("The payment has been fully refunded already")
    if payment.status != "captured":
        raise Wrong("The payment status should be captured for action to be taken", reason="input_validation_failed")
    if state.second() - payment.at > SIX_MONTHS_S:
        raise Wrong("Refund is not supported for payments more than 6 months old")
    return payment


async def _tell(state: State, refund: Refund, event: str) -> None:
    payment = payment_json(state.payments[refund.payment], is_notice=True)
    await state.tell(refund.shop, event, {"refund": refund_json(refund), "payment": payment})
