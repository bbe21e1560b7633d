"""What is sold below what it cost the shop: of each product its lines together, after discounts and without tax."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from msgspec import Struct


class Costed(Struct, frozen=True):
    """A line beside its cost, both in minor units. cost: None where nobody knows it.

    by_hand: a person lowered its price.
    """

    line: int
    product_id: UUID
    net: int
    cost: int | None
    by_hand: bool = False


def below_cost(lines: Iterable[Costed], *, by_hand_only: bool = False) -> list[tuple[int, ...]]:
    """The lines of each product that brings in less than it cost; a product without a cost is not looked at.

    All lines of a product count together, so that it makes no difference how many times it was scanned. A line costs
    its quantity times the cost price, rounded as its own price is: what is sold at cost is never below it by rounding.
    by_hand_only: only products of which a person lowered a price.
    """
    found: dict[UUID, list[Costed]] = {}
    for line in lines:
        found.setdefault(line.product_id, []).append(line)
    return [
        tuple(line.line for line in some)
        for some in found.values()
        if _is_below(some) and (not by_hand_only or any(line.by_hand for line in some))
    ]


def _is_below(some: list[Costed]) -> bool:
    costs = [line.cost for line in some if line.cost is not None]
    return len(costs) == len(some) and sum(line.net for line in some) < sum(costs)
