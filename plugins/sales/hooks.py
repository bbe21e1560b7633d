"""The hooks that sales calls: others give it facts, change prices, and act with a sale inside its transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from msgspec import Struct

from kernel.hooks import spec
from kernel.work import Work
from plugins.sales.rules.answers import cart_complaint, line_complaint, missed_complaint
from plugins.sales.schemas.told import CancelledSale, CompletedSale, PlacedSale, VoidedSale
from plugins.sales.schemas.values import Answer, Cart, Line, Missed

F = TypeVar("F", bound=Struct)


class Facts(Struct, frozen=True):
    """What plugins read from the database for one cart, by the type of what they answered."""

    found: tuple[Struct, ...] = ()

    def of(self, kind: type[F]) -> F | None:
        """The facts of one type, or None."""
        return next((one for one in self.found if type(one) is kind), None)


def _check_facts(value: Any, _arguments: Mapping[str, Any]) -> str | None:
    return None if value.__struct_config__.frozen else "answered facts that can be changed: the Struct is not frozen"


def _check_line(value: Any, _arguments: Mapping[str, Any]) -> str | None:
    return line_complaint(value)


def _check_cart(value: Any, arguments: Mapping[str, Any]) -> str | None:
    return cart_complaint(value, len(arguments["cart"].lines))


def _check_missed(value: Any, _arguments: Mapping[str, Any]) -> str | None:
    return missed_complaint(value)


@spec(failing="skip", budget_ms=3_000, check=_check_facts)
async def price_facts(work: Work, cart: Cart) -> Struct | None:
    """Read what your price answers need from the database.

    When: once per cart, before it is priced, in the read phase; never inside the write transaction.
    Answer: one frozen Struct of a type of your own, which you find again with `facts.of(YourStruct)`.
    Errors: a DukaError refuses the cart; any other leaves your facts out, and the cart is priced. Since: 0.1.
    Not for: reading per line (read for all lines at once), or writing anything.
    """


@spec(failing="skip", budget_ms=500, check=_check_line)
def price_line(cart: Cart, line: Line, facts: Facts) -> Sequence[Answer] | None:
    """Say what changes the price of one line.

    When: once per line, each time a cart is priced. Must be pure: the same cart and facts, the same answer.
    Answer: PercentOff, AmountOff or SetPrice, each with its phase, the rule's name and the reason shown to people.
    Errors: a DukaError refuses the cart; any other, or an answer that is none of these, leaves your answers out of
    the whole cart. Since: 0.1.
    Not for: discounts that depend on other lines (answer price_cart).
    """


@spec(failing="skip", budget_ms=500, check=_check_cart)
def price_cart(cart: Cart, amounts: tuple[int, ...], facts: Facts) -> Sequence[Answer] | None:
    """Say what comes off the document as a whole, or off some of its lines together.

    When: once per cart, after the lines. Must be pure. `amounts`: what each line costs by then, in minor units: after
    customer's prices, what was given by hand and the promotions of single lines.
    Answer: PercentOff or AmountOff, spread over the lines by largest remainder; `lines` names the lines it is for, None
    all. LinesOff: an amount of its own off each of some lines, before anything comes off the document. Never SetPrice.
    Errors: as price_line. Since: 0.1.
    Not for: discounts on one line (answer price_line), charges, or tax.
    """


@spec(failing="skip", budget_ms=500, check=_check_missed)
def missed_offers(cart: Cart, amounts: tuple[int, ...], facts: Facts) -> Sequence[Missed] | None:
    """Say what does not come off a cart, and what is missing for it: "1 more for any 3 for 100.00".

    When: once per quote, after its prices; never at a checkout. Must be pure; `amounts` and `facts` as in price_cart.
    Answer: Missed, the nearest first; each with the rule's name and words that a cashier can say aloud.
    Errors: any leaves your answers out of the quote. Since: 0.1.
    Not for: what came off (every line tells its steps), or advertising goods that the cart has nothing to do with.
    """


@spec(failing="refuse", budget_ms=3_000)
async def sale_placed(work: Work, sale: PlacedSale) -> None:
    """Take or keep what a sale needs, whether its money is there or still to come: stock, uses of an offer.

    When: once per sale, inside the write transaction of the checkout, after the sale's own rows were declared and
    before anything is flushed. A sale that is paid at once is told as completed right afterwards.
    Answer: nothing; declare effects on `work` (insert, decrement, later). You may read; do not write by statement.
    Errors: a DukaError refuses the sale and undoes everything. Since: 0.1.
    Not for: revenue and books (answer sale_completed). Who answers this answers sale_cancelled and sale_voided too.
    """


@spec(failing="refuse", budget_ms=3_000)
async def sale_cancelled(work: Work, cancel: CancelledSale) -> None:
    """Give back what you took when the sale was placed: it waited for money in vain.

    When: inside the cancelling transaction; told to every plugin that is enabled and to those that took part. Such a
    sale was never told as completed.
    Answer: nothing; declare effects that reverse yours.
    Errors: a DukaError keeps the sale waiting. Since: 0.1.
    Not for: money that had come for it already (it goes back by payments: answer refund_made).
    """


@spec(failing="refuse", budget_ms=3_000)
async def sale_completed(work: Work, sale: CompletedSale) -> None:
    """Act with a sale that is paid whole: note it in your books.

    When: once per sale, inside the write transaction: of the checkout, after sale_placed, or of the last payment it
    waited for, perhaps days later. Nothing is flushed yet.
    Answer: nothing; declare effects on `work` (insert, decrement, later). You may read; do not write by statement.
    Errors: a DukaError refuses the sale or the payment and undoes everything. Since: 0.1.
    Not for: taking stock (answer sale_placed), slow or outside work (declare a job with `work.later`).
    """


@spec(failing="refuse", budget_ms=3_000)
async def sale_voided(work: Work, void: VoidedSale) -> None:
    """Undo what you did when the sale was placed and completed.

    When: inside the voiding transaction; told to every plugin that is enabled and to those that took part in the sale.
    Answer: nothing; declare effects that reverse yours. Never edit or delete what you wrote then.
    Errors: a DukaError refuses the void. Since: 0.1.
    Not for: returns of single lines.
    """
