"""What payment links answer: money that comes for them, a method that waits for one, what must hold."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from kernel.hooks import Invariant, answers
from kernel.invariants import Rule
from kernel.plugin import CatchUp, Obligation
from kernel.work import Work
from plugins.payment_links.models import Link
from plugins.payment_links.services import OWN, count_missed, missed_money, money_came, still_wanted, take_on
from plugins.payments.api import AppliedMoney, CapturedPayment, Method, Subject

WAIT_MINUTES = 3 * 24 * 60
"""So long a sale waits that is to be paid by a link."""
_METHODS = (Method("payment_link", "Payment link", "other", waits="always", wait_minutes=WAIT_MINUTES),)
_INVARIANTS = (
    Rule(
        "what came by a link is what came of its turns",
        "SELECT l.id FROM payment_links_link l LEFT JOIN payment_links_turn t"
        " ON t.business_id = l.business_id AND t.link_id = l.id"
        " GROUP BY l.business_id, l.id, l.paid HAVING l.paid <> COALESCE(SUM(t.paid), 0)",
    ),
    Rule(
        "no more is counted for a turn than its payments have put onto it",
        "SELECT t.id FROM payment_links_turn t JOIN payment_links_link l"
        " ON l.business_id = t.business_id AND l.id = t.link_id LEFT JOIN payments_attempt p"
        " ON p.business_id = t.business_id AND p.subject_id = t.id AND p.subject_kind = 'payment_link'"
        " WHERE l.subject_kind = 'payment_link'"
        " GROUP BY t.business_id, t.id, t.paid HAVING t.paid > COALESCE(SUM(p.applied), 0)",
    ),
    Rule(
        "a link for one payment is paid when its turn is, and no sooner",
        "SELECT l.id FROM payment_links_link l JOIN payment_links_turn t"
        " ON t.business_id = l.business_id AND t.id = l.id"
        " WHERE NOT l.is_many AND l.state <> 'cancelled'"
        " AND (l.state = 'paid') <> (t.paid >= COALESCE(t.amount, t.paid + 1))",
    ),
)


@answers
def invariants() -> Sequence[Invariant] | None:
    """What must hold of links."""
    return _INVARIANTS


@answers
def payment_methods() -> Sequence[Method]:
    """That a sale is to be paid by a link: it waits, and whoever pays by the link completes it."""
    return _METHODS


@answers
async def money_wanted(work: Work, subject: Subject, amount: int) -> int | None:
    """What a payer's turn still takes."""
    return await still_wanted(work, subject.id, amount) if subject.kind == OWN else None


@answers
async def payment_captured(work: Work, payment: CapturedPayment) -> None:
    """Count it for its link."""
    await money_came(work, payment)


@answers
async def money_applied(work: Work, money: AppliedMoney) -> None:
    """Count what had come before."""
    await take_on(work, money)


@answers
async def catching_up(work: Work) -> CatchUp | None:
    """What was paid by links while they were off."""
    missing = len(await missed_money(work))
    return CatchUp("Payments by links that came meanwhile are counted", missing) if missing else None


@answers
async def switched_on(work: Work) -> None:
    """Count it."""
    await count_missed(work)


@answers
async def obligations(work: Work) -> Sequence[Obligation]:
    """Links that somebody may pay yet."""
    waiting = sa.select(sa.func.count()).where(
        Link.business_id == work.business_id, Link.state == "open", Link.expires_at > work.now
    )
    count = (await work.execute(waiting)).scalar_one()
    return (Obligation("open", "Links that somebody may pay yet", count, "Cancel them, or let them expire"),)
