"""What must always hold of statements, matches and differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from kernel.hooks import Invariant, answers
from kernel.invariants import Rule
from kernel.plugin import Obligation
from kernel.work import Work
from plugins.reconciliation.services.sources import count_applying, ensure_sources

RULES: Final = (
    Rule(
        "a line of a statement is kept once",
        "SELECT business_id, source_id, line_key FROM reconciliation_line GROUP BY business_id, source_id, line_key"
        " HAVING count(*) > 1",
    ),
    Rule(
        "a payment, refund or deposit is told of by one line at most",
        "SELECT business_id, subject_kind, subject_id FROM reconciliation_match"
        " GROUP BY business_id, subject_kind, subject_id HAVING count(*) > 1",
    ),
    Rule(
        "a line that is matched by number is the payment or refund that is there, and differs by what is said",
        "SELECT m.business_id, m.line_id FROM reconciliation_match m JOIN reconciliation_line l"
        " ON l.business_id = m.business_id AND l.id = m.line_id LEFT JOIN payments_attempt p"
        " ON p.business_id = m.business_id AND p.id = m.subject_id LEFT JOIN payments_refund r"
        " ON r.business_id = m.business_id AND r.id = m.subject_id"
        " WHERE (m.subject_kind = 'payment' AND (p.id IS NULL OR l.gross - p.captured <> m.difference))"
        " OR (m.subject_kind = 'refund' AND (r.id IS NULL OR l.gross + r.amount <> m.difference))",
    ),
    Rule(
        "a line has the outcome of a match if, and only if, it has one",
        "SELECT l.business_id, l.id FROM reconciliation_line l LEFT JOIN reconciliation_match m"
        " ON m.business_id = l.business_id AND m.line_id = l.id WHERE l.outcome <> 'new' AND"
        " ((m.line_id IS NULL AND l.outcome IN ('matched', 'amount_diff')) OR (m.line_id IS NOT NULL"
        " AND l.outcome IN ('missing_here', 'duplicate', 'noted')))",
    ),
    Rule(
        "what does not agree on a line stands as a difference",
        "SELECT l.business_id, l.id FROM reconciliation_line l LEFT JOIN reconciliation_difference d"
        " ON d.business_id = l.business_id AND d.line_id = l.id"
        " WHERE l.outcome IN ('missing_here', 'amount_diff', 'fee_diff', 'duplicate') AND d.id IS NULL",
    ),
    Rule(
        "each resolution of a difference is booked at most once, and reversed at most once",
        "SELECT business_id, difference_id, nth FROM reconciliation_posting GROUP BY business_id, difference_id, nth"
        " HAVING sum(CASE WHEN is_reversal THEN 0 ELSE 1 END) <> 1 OR count(*) > 2",
    ),
    Rule(
        "what is booked of a difference is its whole amount while it is resolved, and nothing while it is open",
        "SELECT d.business_id, d.id FROM reconciliation_difference d JOIN (SELECT business_id, difference_id,"
        " sum(CASE WHEN is_reversal THEN -amount ELSE amount END) AS booked FROM reconciliation_posting"
        " GROUP BY business_id, difference_id) p ON p.business_id = d.business_id AND p.difference_id = d.id"
        " WHERE p.booked <> CASE WHEN d.state = 'resolved' AND d.resolution IN ('record_fee', 'accept', 'write_off',"
        " 'unidentified') THEN abs(d.amount) ELSE 0 END",
    ),
    Rule(
        "a deposit that is taken back is taken back whole",
        "SELECT b.business_id, b.id FROM reconciliation_deposit b LEFT JOIN reconciliation_deposit d"
        " ON d.business_id = b.business_id AND d.id = b.reverses_id"
        " WHERE (b.reverses_id IS NULL AND b.amount <= 0) OR (b.reverses_id IS NOT NULL"
        " AND (d.id IS NULL OR d.amount <> -b.amount))",
    ),
)


@answers
def invariants() -> Sequence[Invariant]:
    """What must hold."""
    return RULES


@answers
async def account_opened(work: Work, account_id: UUID) -> None:
    """It has a source at once, so that statements may come as files before the first is fetched."""
    await ensure_sources(work)


@answers
async def obligations(work: Work) -> Sequence[Obligation]:
    """Files that are being taken in."""
    count = await count_applying(work)
    return [Obligation("applying", "Statements that are being taken in", count, "Wait until they are")]
