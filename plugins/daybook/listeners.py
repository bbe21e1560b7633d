"""What the day book enters when others act, what must hold of it, and the demo's expenses."""

from __future__ import annotations

from collections.abc import Sequence

from kernel.hooks import Invariant, answers
from kernel.invariants import Rule
from kernel.work import Work
from plugins.daybook.services import Event, enter
from plugins.daybook.services.demo import Demo, spend_for_a_month
from plugins.payments.api import CapturedPayment, MadeRefund
from plugins.sales.api import CompletedSale, VoidedSale


@answers
async def sale_completed(work: Work, sale: CompletedSale) -> None:
    """Enter the sale as a document."""
    enter(
        work,
        Event(
            "sale",
            "sale",
            sale.id,
            sale.number,
            sale.business_date,
            sale.sold_at,
            sale.location_id,
            sale.register_id,
            None,
            "none",
            sale.total,
            f"{len(sale.lines)} lines, {sale.channel}",
            sale.cashier_name,
        ),
    )


@answers
async def sale_voided(work: Work, void: VoidedSale) -> None:
    """Enter the void as a document of its own; the sale's entry stays."""
    sale = void.sale
    enter(
        work,
        Event(
            "void",
            "sale",
            sale.id,
            sale.number,
            void.business_date,
            void.voided_at,
            sale.location_id,
            sale.register_id,
            None,
            "none",
            sale.total,
            void.reason,
            void.voided_by_name,
        ),
    )


@answers
async def payment_captured(work: Work, payment: CapturedPayment) -> None:
    """Enter money that came in."""
    enter(
        work,
        Event(
            "payment",
            "payment",
            payment.id,
            payment.subject.number,
            payment.business_date,
            payment.at,
            payment.location_id,
            payment.register_id,
            payment.method,
            "in",
            payment.amount,
            payment.reference or "",
            payment.actor_name,
        ),
    )


@answers
async def refund_made(work: Work, refund: MadeRefund) -> None:
    """Enter money that went back."""
    enter(
        work,
        Event(
            "refund",
            "refund",
            refund.id,
            refund.subject.number,
            refund.business_date,
            refund.at,
            refund.location_id,
            refund.register_id,
            refund.method,
            "out",
            refund.amount,
            refund.reason,
            refund.actor_name,
        ),
    )


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
