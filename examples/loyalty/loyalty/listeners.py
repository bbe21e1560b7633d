"""What loyalty answers: prices of carts on which points are spent, and sales placed, completed and taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kernel.hooks import Invariant, answers
from kernel.invariants import Rule
from kernel.work import Work
from loyalty.schemas import Spent
from loyalty.services import earn, give_back, points_on, spend
from plugins.sales.api import AmountOff, Answer, CancelledSale, Cart, CompletedSale, PlacedSale, VoidedSale
from plugins.sales.hooks import Facts

_INVARIANTS: Final = (
    Rule(
        "a customer's points are the sum of their entries",
        "SELECT b.customer_id FROM loyalty_balance b LEFT JOIN (SELECT business_id, customer_id, SUM(points) AS points"
        " FROM loyalty_entry GROUP BY business_id, customer_id) e ON e.business_id = b.business_id"
        " AND e.customer_id = b.customer_id WHERE b.points <> coalesce(e.points, 0)",
    ),
)


@answers
async def price_facts(work: Work, cart: Cart) -> Spent | None:
    """What the points spent on a cart take off."""
    return await points_on(work, cart)


@answers
def price_cart(cart: Cart, facts: Facts) -> Sequence[Answer] | None:
    """Take it off the whole."""
    spent = facts.of(Spent)
    if spent is None:
        return None
    return [AmountOff(phase="coupon", rule="points", reason=f"{spent.points} points", amount=spent.off)]


@answers
async def sale_placed(work: Work, sale: PlacedSale) -> None:
    """Take the points that are spent."""
    spend(work, sale)


@answers
async def sale_completed(work: Work, sale: CompletedSale) -> None:
    """Add what the sale earns."""
    await earn(work, sale)


@answers
async def sale_voided(work: Work, void: VoidedSale) -> None:
    """Undo both."""
    await give_back(work, void.sale)


@answers
async def sale_cancelled(work: Work, cancel: CancelledSale) -> None:
    """Give back what was spent."""
    await give_back(work, cancel.sale)


@answers
def invariants() -> Sequence[Invariant] | None:
    """What must hold of points."""
    return _INVARIANTS
