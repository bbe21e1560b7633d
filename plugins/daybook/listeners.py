"""What the day book enters when others act, what must hold of it, and the demo's expenses."""

from __future__ import annotations

from collections.abc import Sequence

from kernel.hooks import Invariant, answers
from kernel.invariants import Rule
from kernel.plugin import CatchUp
from kernel.work import Work
from plugins.daybook.services import (
    begin_catching_up,
    count_missing,
    enter,
    payment_event,
    refund_event,
    sale_event,
    void_event,
)
from plugins.daybook.services.demo import Demo, spend_for_a_month
from plugins.payments.api import CapturedPayment, MadeRefund
from plugins.sales.api import CompletedSale, VoidedSale


@answers
async def sale_completed(work: Work, sale: CompletedSale) -> None:
    """Enter the sale as a document."""
    enter(work, sale_event(sale, len(sale.lines)))


@answers
async def sale_voided(work: Work, void: VoidedSale) -> None:
    """Enter the void as a document of its own; the sale's entry stays."""
    enter(work, void_event(void.sale, void.business_date, void.voided_at, void.reason, void.voided_by_name))


@answers
async def payment_captured(work: Work, payment: CapturedPayment) -> None:
    """Enter money that came in."""
    enter(work, payment_event(payment, payment.subject.number))


@answers
async def refund_made(work: Work, refund: MadeRefund) -> None:
    """Enter money that went back."""
    enter(work, refund_event(refund, refund.subject.number))


@answers
async def catching_up(work: Work) -> CatchUp | None:
    """What was sold, taken and given back while the book was off."""
    missing = await count_missing(work)
    return CatchUp(missing.words, missing.total) if missing.total else None


@answers
async def switched_on(work: Work) -> None:
    """Have it entered."""
    await begin_catching_up(work)


_INVARIANTS = (
    Rule(
        "an entered sale has the sale's total and business date",
        "SELECT e.id FROM daybook_entry e JOIN sales_sale s ON s.business_id = e.business_id AND s.id = e.document_id"
        " WHERE e.kind = 'sale' AND (e.amount <> s.total OR e.business_date <> s.business_date)",
    ),
    Rule(
        "an entered payment has what was captured",
        "SELECT e.id FROM daybook_entry e JOIN payments_attempt p ON p.business_id = e.business_id"
        " AND p.id = e.document_id WHERE e.kind = 'payment' AND e.amount <> p.captured",
    ),
    Rule(
        "an entered refund has what was given back, and a void what its sale came to",
        "SELECT e.id FROM daybook_entry e LEFT JOIN payments_refund r ON r.business_id = e.business_id"
        " AND r.id = e.document_id LEFT JOIN sales_sale s ON s.business_id = e.business_id AND s.id = e.document_id"
        " WHERE (e.kind = 'refund' AND (r.id IS NULL OR e.amount <> r.amount OR e.business_date <> r.business_date))"
        " OR (e.kind = 'void' AND (s.id IS NULL OR e.amount <> s.total))",
    ),
    Rule(
        "a sale that is entered has every payment taken with it entered",
        "SELECT p.id FROM payments_attempt p JOIN daybook_entry e ON e.business_id = p.business_id"
        " AND e.document_id = p.subject_id AND e.kind = 'sale' LEFT JOIN daybook_entry m"
        " ON m.business_id = p.business_id AND m.document_id = p.id AND m.kind = 'payment'"
        " WHERE p.gateway IS NULL AND p.captured > 0 AND m.id IS NULL",
    ),
    Rule(
        "documents move no money, payments bring it, refunds and expenses take it",
        "SELECT id FROM daybook_entry WHERE amount < 0 OR (account IS NULL) <> (direction = 'none')"
        " OR direction <> CASE WHEN kind IN ('sale', 'void') THEN 'none'"
        " WHEN kind IN ('payment', 'expense_reversal') THEN 'in' ELSE 'out' END",
    ),
    Rule(
        "a void has its sale's entry, unless the book was off when it was sold",
        "SELECT s.id FROM sales_sale s JOIN daybook_entry e ON e.business_id = s.business_id AND e.document_id = s.id"
        " AND e.kind = 'sale' LEFT JOIN daybook_entry v ON v.business_id = s.business_id AND v.document_id = s.id"
        " AND v.kind = 'void' WHERE (s.status = 'voided') <> (v.id IS NOT NULL)",
    ),
    Rule(
        "every entry's document exists",
        "SELECT e.id FROM daybook_entry e"
        " LEFT JOIN sales_sale s ON s.business_id = e.business_id AND s.id = e.document_id"
        " LEFT JOIN payments_attempt p ON p.business_id = e.business_id AND p.id = e.document_id"
        " LEFT JOIN payments_refund r ON r.business_id = e.business_id AND r.id = e.document_id"
        " LEFT JOIN daybook_expense x ON x.business_id = e.business_id AND x.id = e.document_id"
        " WHERE s.id IS NULL AND p.id IS NULL AND r.id IS NULL AND x.id IS NULL",
    ),
    Rule(
        "every expense has its entry",
        "SELECT x.id FROM daybook_expense x LEFT JOIN daybook_entry e ON e.business_id = x.business_id"
        " AND e.document_id = x.id WHERE e.id IS NULL OR e.amount <> x.amount OR e.business_date <> x.business_date"
        " OR e.account <> x.method OR e.location_id <> x.location_id",
    ),
)


@answers
def invariants() -> Sequence[Invariant] | None:
    """What must hold of the book."""
    return _INVARIANTS


@answers
async def seed_demo(demo: Demo) -> None:
    """Spend a little at each storefront."""
    await spend_for_a_month(demo)
