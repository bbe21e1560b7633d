"""What a cart costs: the price of each line through its phases, discounts on the document, tax, totals.

list price → customer price → override and discount by hand → promotion → coupon → discounts on the document →
tax → total. A line's promotions are those it was given by itself, then those of the cart; so are its coupons. A figure
is rounded where it arises and never again: quantity × price, each percentage, each tax.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.money import WHOLE_DIGITS, allocate, extend, format_amount, format_price, percent_of
from plugins.sales.rules.answers import BadAnswer, check_cart_answers, check_line_answers, in_phase
from plugins.sales.schemas.values import (
    HUNDRED_PERCENT,
    AmountOff,
    Applied,
    Cart,
    HandDiscount,
    Line,
    LinesOff,
    PercentOff,
    PricedCart,
    PricedLine,
    SetPrice,
    Step,
    StepPhase,
)
from plugins.taxes.api import TaxableLine, TaxedLine, tax


class DiscountTooLarge(ValueError):
    """A discount given by hand exceeds 100 % or what it is taken from; `line` is None for the document."""

    def __init__(self, line: int | None) -> None:
        where = "the document" if line is None else f"line {line}"
        super().__init__(f"the discount on {where} exceeds its amount")
        self.line = line


class AmountTooLarge(ValueError):
    """The cart comes to more than 12 digits of major units, which neither the wire nor the books can hold."""


def price(cart: Cart, line_answers: Sequence[Sequence[Applied]], cart_answers: Sequence[Applied]) -> PricedCart:
    """Price a cart with the answers of price_line, one sequence for each line, and of price_cart.

    Within a phase answers apply in the order given. No answer takes a line below zero: AmountOff is cut to
    what is left. An override replaces the price and what a customer's price took off before it. Discounts on
    the document come in the order customer, by hand, promotion, coupon; each is computed on the current
    amounts of its lines and split over them by largest remainder.

    Raises `BadAnswer` for nonsense, `DiscountTooLarge` for a discount by hand beyond its base,
    `AmountTooLarge` for a total that cannot be stored, ValueError when answers and lines differ in number.
    """
    return finish(begin(cart, line_answers), cart_answers)


def begin(cart: Cart, line_answers: Sequence[Sequence[Applied]]) -> Begun:
    """Price the lines by themselves, up to the promotions of each: what promotions of the cart go by."""
    for answers in line_answers:
        check_line_answers(answers)
    drafts = [_listed(line, cart.exponent) for line in cart.lines]
    for draft, answers in zip(drafts, line_answers, strict=True):
        _apply_all(in_phase(answers, "customer"), draft)
        _apply_hand(draft)
        _apply_all(in_phase(answers, "promotion"), draft)
    return Begun(cart, drafts, line_answers)


def finish(begun: Begun, cart_answers: Sequence[Applied]) -> PricedCart:
    """Go on with the answers of price_cart: off lines, off the document; then tax and totals."""
    cart, drafts = begun.cart, begun.drafts
    check_cart_answers(cart_answers, len(cart.lines))
    _take_off_lines(in_phase(cart_answers, "promotion"), drafts)
    for draft, answers in zip(drafts, begun.line_answers, strict=True):
        _apply_all(in_phase(answers, "coupon"), draft)
    _take_off_lines(in_phase(cart_answers, "coupon"), drafts)
    _discount_document(cart, cart_answers, drafts)
    taxables = [TaxableLine(draft.amount, draft.line.quantity, draft.line.treatment) for draft in drafts]
    taxed = tax(taxables, cart.policy)
    return _totalled(cart, tuple(_priced(*pair) for pair in zip(drafts, taxed, strict=True)))


@dataclass(slots=True)
class _Draft:
    """A line at work: `gross` is quantity × unit price, `amount` what discounts have left of it so far.

    `listed` is the gross at the list price; `taken` says what each (plugin, rule) brought it down by since.
    """

    line: Line
    exponent: int
    unit_price: int
    gross: int
    amount: int
    steps: list[Step]
    listed: int
    taken: dict[tuple[str, str], int]

    def set_price(self, unit_price: int, phase: StepPhase, plugin: str, rule: str, reason: str) -> None:
        """Replace the unit price and with it all discounts so far."""
        before, after = (format_price(each, self.exponent) for each in (self.unit_price, unit_price))
        self.unit_price = unit_price
        self.gross = self.amount = extend(self.line.quantity, unit_price, self.exponent)
        self.taken = {(plugin, rule): self.listed - self.gross}
        self.steps.append(Step(phase, plugin, rule, before, after, reason))

    def take_off(self, off: int, phase: StepPhase, plugin: str, rule: str, reason: str) -> None:
        """Lower the amount by minor units that the caller has limited to it."""
        before, after = (format_amount(each, self.exponent) for each in (self.amount, self.amount - off))
        self.amount -= off
        self.taken[plugin, rule] = self.taken.get((plugin, rule), 0) + off
        self.steps.append(Step(phase, plugin, rule, before, after, reason))


@dataclass(slots=True)
class Begun:
    """A cart at work, its lines priced by themselves; good for one `finish`."""

    cart: Cart
    drafts: list[_Draft]
    line_answers: Sequence[Sequence[Applied]]

    @property
    def amounts(self) -> tuple[int, ...]:
        """What each line costs so far, in minor units."""
        return tuple(draft.amount for draft in self.drafts)


def _listed(line: Line, exponent: int) -> _Draft:
    gross = extend(line.quantity, line.list_price, exponent)
    shown = format_price(line.list_price, exponent)
    first = Step("list", "catalog", f"{line.price_rule} price", None, shown, line.price_reason or line.price_rule)
    return _Draft(line, exponent, line.list_price, gross, gross, [first], gross, {})


def _apply_all(answers: Sequence[Applied], draft: _Draft) -> None:
    for applied in answers:
        _apply(applied, draft)


def _apply(applied: Applied, draft: _Draft) -> None:
    """Apply an answer to its line; one that changes nothing leaves no step."""
    answer = applied.answer
    if isinstance(answer, SetPrice):
        if _may_set(answer, draft):
            draft.set_price(answer.unit_price, answer.phase, applied.plugin, answer.rule, answer.reason)
    elif not isinstance(answer, LinesOff) and (off := _off(answer, draft.amount)):
        draft.take_off(off, answer.phase, applied.plugin, answer.rule, answer.reason)


def _may_set(answer: SetPrice, draft: _Draft) -> bool:
    """A customer's price stands where nothing is taken off yet; every other one only where it is cheaper."""
    if answer.unit_price == draft.unit_price:
        return False
    if answer.phase == "customer" and draft.amount == draft.gross:
        return True
    return extend(draft.line.quantity, answer.unit_price, draft.exponent) < draft.amount


def _apply_hand(draft: _Draft) -> None:
    """Apply what the cashier set and gave; it always leaves its step, for it answers to a person."""
    override, hand = draft.line.override, draft.line.hand
    if override is not None:
        draft.set_price(override.unit_price, "hand", "sales", "override", override.reason)
    if hand is not None:
        off = _hand_off(hand, draft.amount, draft.line.line)
        draft.take_off(off, "hand", "sales", "discount", hand.reason)


def _take_off_lines(answers: Sequence[Applied], drafts: list[_Draft]) -> None:
    """Apply amounts off lines, each cut to what is left of its line."""
    for applied in answers:
        if isinstance(answer := applied.answer, LinesOff):
            for line, amount in answer.amounts:
                draft = drafts[line - 1]
                if off := min(amount, draft.amount):
                    draft.take_off(off, answer.phase, applied.plugin, answer.rule, answer.reason)


def _discount_document(cart: Cart, answers: Sequence[Applied], drafts: list[_Draft]) -> None:
    """Apply discounts on the document in the order of a line's phases."""
    for applied in in_phase(answers, "customer"):
        _share_answer(applied, drafts)
    if cart.hand is not None:
        off = _hand_off(cart.hand, _sum(drafts), None)
        _share_out(off, drafts, "sales", "document discount", cart.hand.reason)
    for applied in in_phase(answers, "promotion") + in_phase(answers, "coupon"):
        _share_answer(applied, drafts)


def _share_answer(applied: Applied, drafts: list[_Draft]) -> None:
    """Share what a rule takes off the document over its lines.

    Of equal remainders the lower product bears the unit, in whatever order the lines were scanned.
    """
    answer = applied.answer
    if isinstance(answer, LinesOff):
        return
    if isinstance(answer, SetPrice):
        raise BadAnswer(applied.plugin, "an answer to price_cart sets a unit price")
    chosen = drafts if answer.lines is None else [drafts[line - 1] for line in answer.lines]
    chosen = sorted(chosen, key=_scanned_anyhow)
    _share_out(_off(answer, _sum(chosen)), chosen, applied.plugin, answer.rule, answer.reason)


def _share_out(off: int, drafts: list[_Draft], plugin: str, rule: str, reason: str) -> None:
    """Split minor units over lines by largest remainder; lines that bear none of it get no step."""
    for draft, share in zip(drafts, allocate(off, [draft.amount for draft in drafts]), strict=True):
        if share:
            draft.take_off(share, "document", plugin, rule, reason)


def _scanned_anyhow(draft: _Draft) -> tuple[bytes, int, int, int]:
    return draft.line.product_id.bytes, draft.line.quantity, draft.amount, draft.line.line


def _sum(drafts: list[_Draft]) -> int:
    return sum(draft.amount for draft in drafts)


def _off(answer: PercentOff | AmountOff, base: int) -> int:
    """Minor units off a base: a percentage of it rounded once, or an amount cut to it."""
    if isinstance(answer, PercentOff):
        return percent_of(base, answer.percent)
    return min(answer.amount, base)


def _hand_off(hand: HandDiscount, base: int, line: int | None) -> int:
    """Minor units a cashier's discount takes off a base; beyond the base it is refused, not cut."""
    off = percent_of(base, hand.percent) if hand.percent is not None else hand.amount or 0
    if off > base or (hand.percent or 0) > HUNDRED_PERCENT:
        raise DiscountTooLarge(line)
    return off


def _priced(draft: _Draft, taxed: TaxedLine) -> PricedLine:
    return PricedLine(
        line=draft.line.line,
        quantity=draft.line.quantity,
        unit_price=draft.unit_price,
        gross=draft.gross,
        discount=draft.gross - draft.amount,
        net=taxed.net,
        tax=taxed.tax,
        total=taxed.total,
        components=taxed.components,
        steps=tuple(draft.steps),
        taken=tuple((plugin, rule, off) for (plugin, rule), off in draft.taken.items()),
    )


def _totalled(cart: Cart, lines: tuple[PricedLine, ...]) -> PricedCart:
    subtotal, total = sum(line.gross for line in lines), sum(line.total for line in lines)
    if max(subtotal, total) >= 10 ** (WHOLE_DIGITS + cart.exponent):
        raise AmountTooLarge(f"the cart comes to more than {WHOLE_DIGITS} digits")
    return PricedCart(
        lines=lines,
        subtotal=subtotal,
        discount_total=sum(line.discount for line in lines),
        tax_total=sum(line.tax for line in lines),
        total=total,
        currency=cart.currency,
        exponent=cart.exponent,
        prices_include_tax=cart.policy.prices_include_tax,
    )
