"""Settlements: what was captured and given back is paid out, less fees, and listed for whoever compares."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from plugins.gateways_upi.simulator.checks import Shop, Wrong
from plugins.gateways_upi.simulator.codes import number, paged
from plugins.gateways_upi.simulator.entities import Payment, Refund, Settlement, collection, settlement_json
from plugins.gateways_upi.simulator.state import State

KOLKATA: Final = ZoneInfo("Asia/Kolkata")


async def settle(state: State, shop: Shop) -> Settlement | None:
    """Pay out everything that was not paid out yet; None where nothing is left over."""
    came = [one for one in _payments(state, shop) if one.settlement is None]
    went = [one for one in _refunds(state, shop) if one.settlement is None]
    net = sum(one.amount - one.fee for one in came) - sum(one.amount for one in went)
    if net <= 0:
        return None
    made = Settlement(
        id=state.new_id("setl"),
        shop=shop,
        amount=net,
        fees=sum(one.fee for one in came),
        tax=sum(one.tax for one in came),
        utr=f"SIMN{state.new_rrn()}",
        at=state.second(),
    )
    state.settlements[made.id] = made
    for payment in came:
        payment.settlement = made.id
    for refund in went:
        refund.settlement = made.id
    await state.tell(shop, "settlement.processed", {"settlement": settlement_json(made)})
    return made


def recon(state: State, shop: Shop, query: Mapping[str, str]) -> dict[str, Any]:
    """A page of the lines of a month or day, in Kolkata, that was settled then. Raises Wrong."""
    year, month = number(query, "year", 0), number(query, "month", 0)
    day = number(query, "day", 0) if "day" in query else None
    if len(query.get("year", "")) != 4:
        raise Wrong("The year must be 4 digits.", reason="input_validation_failed", field="year")
    if not 1 <= month <= 12:
        raise Wrong("The month is not a valid month.", reason="input_validation_failed", field="month")
    if day is not None and not 1 <= day <= 31:
        raise Wrong("The day must be between 1 and 2 digits.", reason="input_validation_failed", field="day")
    mine: list[Payment | Refund] = [*_payments(state, shop), *_refunds(state, shop)]
    rows = []
    for one in sorted(mine, key=lambda one: (one.at, one.id)):
        settlement = state.settlements.get(one.settlement or "")
        at = dt.datetime.fromtimestamp(settlement.at, KOLKATA) if settlement else None
        if settlement and at and (at.year, at.month) == (year, month) and day in (None, at.day):
            rows.append(_row(one, settlement))
    page = paged(rows, {"count": "1000", **query}, 1000)
    return collection(page)


def listed(state: State, shop: Shop, query: Mapping[str, str]) -> dict[str, Any]:
    """A page of a shop's settlements, newest first. Raises Wrong."""
    since, until = number(query, "from", 0), number(query, "to", 10**11)
    own = [one for one in reversed(state.settlements.values()) if one.shop.key_id == shop.key_id]
    return collection([settlement_json(one) for one in paged([one for one in own if since <= one.at <= until], query)])


def _row(one: Payment | Refund, settlement: Settlement) -> dict[str, Any]:
    is_in = isinstance(one, Payment)
    fee, tax = (one.fee, one.tax) if isinstance(one, Payment) else (0, 0)
    return {
        "entity_id": one.id,
        "type": "payment" if is_in else "refund",
        "debit": 0 if is_in else one.amount,
        "credit": one.amount - fee if is_in else 0,
        "amount": one.amount,
        "currency": one.currency,
        "fee": fee,
        "tax": tax,
        "on_hold": False,
        "settled": True,
        "created_at": one.at,
        "settled_at": settlement.at,
        "settlement_id": settlement.id,
        "posted_at": None,
        "credit_type": "default",
        "description": "QRv2 Payment" if is_in else None,
        "notes": "[]",
        "payment_id": None if isinstance(one, Payment) else one.payment,
        "settlement_utr": settlement.utr,
        "order_id": None,
        "order_receipt": None,
        "method": "upi",
        "card_network": None,
        "card_issuer": None,
        "card_type": None,
        "dispute_id": None,
    }


def _payments(state: State, shop: Shop) -> list[Payment]:
    mine = (one for one in state.payments.values() if one.shop.key_id == shop.key_id)
    return [one for one in mine if one.status in ("captured", "refunded")]


def _refunds(state: State, shop: Shop) -> list[Refund]:
    return [one for one in state.refunds.values() if one.shop.key_id == shop.key_id and one.status == "processed"]
