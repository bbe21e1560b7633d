"""The probe's answers to the kernel."""

from __future__ import annotations

from kernel.hooks import answers
from kernel.invariants import Rule


@answers
def invariants() -> list[Rule]:
    """Stock is never below what moved."""
    return [
        Rule(
            "probe stock is what moved",
            "SELECT l.business_id, l.product, sum(l.on_hand) FROM probe_stock_level l"
            " WHERE l.product LIKE 'booked%' GROUP BY l.business_id, l.product"
            " HAVING sum(l.on_hand) <> (SELECT coalesce(sum(m.amount), 0) FROM probe_stock_move m"
            " WHERE m.business_id = l.business_id AND m.product = l.product)",
        )
    ]
