"""The till's answers to the stock's hooks."""

from __future__ import annotations

from kernel.db import new_id
from kernel.errors import Conflict
from kernel.hooks import answers
from kernel.tests.probes.stock.models import Move
from kernel.work import Work


@answers
async def taken(work: Work, product: str, amount: int) -> None:
    """Book what was taken; refuse what is cursed."""
    if product == "cursed":
        raise Conflict("The till does not like it")
    if product.startswith("booked"):
        work.insert(Move, {"id": new_id(), "product": product, "amount": -amount})


@answers
def worth(amount: int) -> int:
    """Three each."""
    return 3 * amount


@answers
def shelves() -> str:
    """The counter."""
    return "counter"
