"""The hooks that sales calls: others give it facts, change prices, and act with a sale inside its transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from msgspec import Struct

from kernel.hooks import spec
from kernel.work import Work
from plugins.sales.schemas.told import CancelledSale, CompletedSale, PlacedSale, VoidedSale
from plugins.sales.schemas.values import Answer, Cart, Line

F = TypeVar("F", bound=Struct)


class Facts:
    """What plugins read from the database for one cart, by the type of what they answered."""

    def __init__(self, found: Sequence[Struct]) -> None:
        self._found = {type(one): one for one in found}

    def of(self, kind: type[F]) -> F | None:
        """The facts of one type, or None."""
        found = self._found.get(kind)
        return found if isinstance(found, kind) else None


@spec
async def price_facts(work: Work, cart: Cart) -> Struct | None:
    """Read what your price answers need from the database.

    When: once per cart, before it is priced, in the read phase; never inside the write transaction.
    Answer: one Struct of a type of your own, which you find again with `facts.of(YourStruct)`.
    Errors: refuse the cart. Since: 0.1.
    Not for: reading per line (read for all lines at once), or writing anything.
    """


@spec
def price_line(cart: Cart, line: Line, facts: Facts) -> Sequence[Answer] | None:
    """Say what changes the price of one line.

    When: once per line, each time a cart is priced. Must be pure: the same cart and facts, the same answer.
    Answer: PercentOff, AmountOff or SetPrice, each with its phase, the rule's name and the reason shown to people.
    Errors: refuse the cart (500 with the plugin's name in the log). Since: 0.1.
    Not for: discounts that depend on other lines (answer price_cart).
    """


@spec
def price_cart(cart: Cart, facts: Facts) -> Sequence[Answer] | None:
    """Say what comes off the document as a whole, or off some of its lines together.

    When: once per cart, after the lines. Must be pure. Amounts are spread over the lines by largest remainder.
    Answer: PercentOff or AmountOff; `lines` names the lines it is for, None all. Never SetPrice.
    Errors: as price_line. Since: 0.1.
    Not for: discounts on one line (answer price_line), charges, or tax.
    """


@spec
async def sale_placed(work: Work, sale: PlacedSale) -> None:
    """Take or keep what a sale needs, whether its money is there or still to come: stock, uses of an offer.

    When: once per sale, inside the write transaction of the checkout, after the sale's own rows were declared and
    before anything is flushed. A sale that is paid at once is told as completed right afterwards.
    Answer: nothing; declare effects on `work` (insert, decrement, later). You may read; do not write by statement.
    Errors: a DukaError refuses the sale and undoes everything. Since: 0.1.
    Not for: revenue and books (answer sale_completed). Who answers this answers sale_cancelled and sale_voided too.
    """


@spec
async def sale_cancelled(work: Work, cancel: CancelledSale) -> None:
    """Give back what you took when the sale was placed: it waited for money in vain.

    When: inside the cancelling transaction; told to every plugin that is enabled and to those that took part. Such a
    sale was never told as completed.
    Answer: nothing; declare effects that reverse yours.
    Errors: a DukaError keeps the sale waiting. Since: 0.1.
    Not for: money that had come for it already (it goes back by payments: answer refund_made).
    """


@spec
async def sale_completed(work: Work, sale: CompletedSale) -> None:
    """Act with a sale that is paid whole: note it in your books.

    When: once per sale, inside the write transaction: of the checkout, after sale_placed, or of the last payment it
    waited for, perhaps days later. Nothing is flushed yet.
    Answer: nothing; declare effects on `work` (insert, decrement, later). You may read; do not write by statement.
    Errors: a DukaError refuses the sale or the payment and undoes everything. Since: 0.1.
    Not for: taking stock (answer sale_placed), slow or outside work (declare a job with `work.later`).
    """


@spec
async def sale_voided(work: Work, void: VoidedSale) -> None:
    """Undo what you did when the sale was placed and completed.

    When: inside the voiding transaction; told to every plugin that is enabled and to those that took part in the sale.
    Answer: nothing; declare effects that reverse yours. Never edit or delete what you wrote then.
    Errors: a DukaError refuses the void. Since: 0.1.
    Not for: returns of single lines.
    """
