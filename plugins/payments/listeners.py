"""The methods that need no gateway, recorded by hand; and what must always hold of payments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from kernel.hooks import Invariant, answers
from kernel.invariants import Rule
from kernel.plugin import Obligation
from kernel.work import Work
from plugins.payments.models import Attempt, Refund
from plugins.payments.schemas.values import Method
from plugins.payments.services import adopting
from plugins.payments.services import resealing as seals
from plugins.payments.services.demo import Demo, open_for_demo

THREE_DAYS: Final = 3 * 24 * 60

METHODS: Final = (
    Method("cash", "Cash", "cash"),
    Method("bank_transfer", "Bank transfer", "bank", waits="may", wait_minutes=THREE_DAYS),
    Method("card", "Card", "card"),
    Method("other", "Other", "other", waits="may", wait_minutes=THREE_DAYS),
)

_UNDER_WAY: Final = ("created", "pending", "requires_action", "unknown")

_SUMS = "SELECT business_id, attempt_id, sum(amount) AS total FROM"
_BY_PAYMENT = "GROUP BY business_id, attempt_id"
_SAME = "s.business_id = a.business_id AND s.attempt_id = a.id"

RULES: Final = (
    Rule(
        "what may be refunded is what was captured less the refunds, never below zero",
        f"SELECT a.business_id, a.id FROM payments_attempt a LEFT JOIN ({_SUMS} payments_refund"  # noqa: S608 - constants
        f" WHERE state IN ('pending', 'done') {_BY_PAYMENT}) s ON {_SAME}"
        " WHERE a.refundable < 0 OR a.refundable <> a.captured - coalesce(s.total, 0)",
    ),
    Rule(
        "what a payment without a gateway captured is the sum of its captured events",
        f"SELECT a.business_id, a.id FROM payments_attempt a LEFT JOIN ({_SUMS} payments_event"  # noqa: S608 - constants
        f" WHERE kind = 'captured' {_BY_PAYMENT}) s ON {_SAME} WHERE a.gateway IS NULL"
        " AND a.captured <> coalesce(s.total, 0)",
    ),
    Rule(
        "a payment by a gateway captured money if, and only if, a provider said so in its currency",
        "SELECT a.business_id, a.id FROM payments_attempt a WHERE a.gateway IS NOT NULL AND (a.captured > 0) <> EXISTS"
        " (SELECT 1 FROM payments_event e WHERE e.business_id = a.business_id AND e.attempt_id = a.id"
        " AND e.kind = 'captured' AND (e.currency IS NULL OR e.currency = a.currency))",
    ),
    Rule(
        "the refunds that are done are those that its events tell of",
        f"SELECT a.business_id, a.attempt_id FROM ({_SUMS} payments_refund WHERE state = 'done' {_BY_PAYMENT}) a"  # noqa: S608
        " LEFT JOIN (SELECT business_id, attempt_id, sum(amount) AS total FROM (SELECT e.business_id, e.attempt_id,"
        " coalesce(max(r.amount), max(e.amount)) AS amount FROM payments_event e LEFT JOIN payments_refund r"
        " ON r.business_id = e.business_id AND r.id = e.refund_id WHERE e.kind = 'refund_done'"
        " GROUP BY e.business_id, e.attempt_id, coalesce(e.refund_id, e.id)) one GROUP BY business_id, attempt_id) s"
        " ON s.business_id = a.business_id AND s.attempt_id = a.attempt_id WHERE a.total <> coalesce(s.total, 0)",
    ),
    Rule(
        "a provider's word that a refund is done makes it done",
        "SELECT e.business_id, e.id FROM payments_event e JOIN payments_refund r ON r.business_id = e.business_id"
        " AND r.id = e.refund_id WHERE e.kind = 'refund_done' AND r.state <> 'done'",
    ),
    Rule(
        "one piece of a provider's money is credited once",
        "SELECT business_id, account_id, money_key FROM payments_money GROUP BY business_id, account_id, money_key"
        " HAVING count(*) > 1",
    ),
    Rule(
        "a document took no more of a payment than came, and all of one that needs no gateway",
        "SELECT business_id, id FROM payments_attempt WHERE applied > captured"
        " OR (gateway IS NULL AND applied <> captured)",
    ),
    Rule(
        "every captured fact that names its money stands for money that is credited to that payment",
        "SELECT e.business_id, e.id FROM payments_event e JOIN payments_attempt a ON a.business_id = e.business_id"
        " AND a.id = e.attempt_id LEFT JOIN payments_money m ON m.business_id = e.business_id"
        " AND m.account_id = a.account_id AND m.money_key = e.money_key AND m.attempt_id = e.attempt_id"
        " WHERE e.kind = 'captured' AND e.money_key IS NOT NULL AND m.id IS NULL",
    ),
)


@answers
def payment_methods() -> Sequence[Method]:
    """Cash, transfer, card and other, as the person says."""
    return METHODS


@answers
async def obligations(work: Work) -> Sequence[Obligation]:
    """Payments that are on their way, and refunds."""
    here = sa.and_(Attempt.business_id == work.business_id, Attempt.state.in_(_UNDER_WAY))
    count = (await work.execute(sa.select(sa.func.count()).select_from(Attempt).where(here))).scalar_one()
    returning = sa.and_(Refund.business_id == work.business_id, Refund.state == "pending")
    back = (await work.execute(sa.select(sa.func.count()).select_from(Refund).where(returning))).scalar_one()
    return [
        Obligation("pending", "Payments that are on their way", count, "Confirm them, or give them up"),
        Obligation("returning", "Money that is on its way back", back, "Wait until the provider has sent it"),
    ]


@answers
def invariants() -> Sequence[Invariant]:
    """What must hold of payments, events and refunds."""
    return RULES


@answers
async def started(work: Work) -> Sequence[str] | None:
    """Accounts that the environment describes, at gateways where the business has none."""
    return await adopting.adopt_at_start(work) or None


@answers
async def resealing(work: Work) -> int | None:
    """The secrets of accounts at gateways."""
    return await seals.reseal_accounts(work) or None


@answers
async def seed_demo(demo: Demo) -> None:
    """Open accounts at the simulators of the gateways that are on, and switch them on in the region for tests."""
    await open_for_demo(demo)
