"""The values that rules price: a cart, the answers of hooks to it, and what both come to.

Amounts are minor units of the cart's currency; quantities, unit prices and percentages are scaled by
`kernel.money.MICRO`. All are frozen, so that a hook may keep or share them and change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

from kernel.money import MICRO, StepMode, format_micro
from plugins.taxes.api import ComponentTax, TaxPolicy, Treatment

HUNDRED_PERCENT: Final = 100 * MICRO
"""The whole, as percentages are scaled."""

Phase = Literal["customer", "promotion", "coupon"]
"""When an answer applies: a customer's price before what the cashier gives, the others after it."""

StepPhase = Literal["list", "customer", "hand", "promotion", "coupon", "document"]
"""The phases of a line's price in their order, as steps name them; tax follows the last."""

# What is to be priced


class HandDiscount(Struct, frozen=True):
    """A discount the cashier gives: a percentage or an amount, exactly one, neither negative (ValueError)."""

    reason: str
    percent: int | None = None
    amount: int | None = None

    def __post_init__(self) -> None:
        if (self.percent is None) == (self.amount is None):
            raise ValueError("a discount is either a percentage or an amount")
        if (self.percent or 0) < 0 or (self.amount or 0) < 0:
            raise ValueError("a discount must not be negative")


class Override(Struct, frozen=True):
    """A unit price the cashier sets in place of the shop's; not negative (ValueError)."""

    unit_price: int
    reason: str

    def __post_init__(self) -> None:
        if self.unit_price < 0:
            raise ValueError("a price must not be negative")


class Line(Struct, frozen=True):
    """One line of a cart with all that pricing needs to know of its product.

    `line` counts from 1. `price_rule` says which list price stands there ("retail", "wholesale", a price list's name),
    `price_reason` why, where that says more. `in_unit`: it is known to be of the product's own unit, not of a pack.
    `category_ids` is the path from the product's category to the root. A quantity that is not positive, or a
    negative list price, is a ValueError.
    """

    line: int
    product_id: UUID
    name: str
    sku: str
    quantity: int
    list_price: int
    price_rule: str
    category_ids: tuple[UUID, ...]
    brand_id: UUID | None
    treatment: Treatment
    hand: HandDiscount | None = None
    override: Override | None = None
    mrp: int | None = None
    price_reason: str = ""
    in_unit: bool = False
    pack: str | None = None
    """The pack it is sold in; None for the product's own unit."""
    tags: tuple[str, ...] = ()
    """The product's, as catalog keeps them."""

    def __post_init__(self) -> None:
        if self.quantity <= 0:
            raise ValueError(f"line {self.line}: the quantity must be positive")
        if self.list_price < 0:
            raise ValueError(f"line {self.line}: the list price must not be negative")

    @property
    def in_short(self) -> str:
        """The line in few words."""
        return f"line {self.line}: {format_micro(self.quantity)} × {self.sku} at {format_micro(self.list_price)}"


class Cart(Struct, frozen=True):
    """A cart at an instant: its lines, numbered 1, 2, 3 ... in order, and the circumstances that set prices.

    `hand` is the cashier's discount on the whole document. `exponent` gives the currency's minor digits, the
    same as the policy's (ValueError otherwise).
    """

    lines: tuple[Line, ...]
    customer_id: UUID | None
    channel: str
    currency: str
    exponent: int
    policy: TaxPolicy
    hand: HandDiscount | None
    at: datetime
    location_id: UUID
    ext: Mapping[str, Struct] = {}
    """Plugin → its part of the cart's `ext`, as its Struct read it."""
    region: str = ""
    """The business's, by which figures are written in words."""

    def __post_init__(self) -> None:
        if any(line.line != place for place, line in enumerate(self.lines, 1)):
            raise ValueError("lines must be numbered 1, 2, 3 ... in order")
        if self.exponent != self.policy.exponent:
            raise ValueError("the cart and its tax policy must count the same minor digits")

    @property
    def in_short(self) -> str:
        """The cart in few words."""
        count = len(self.lines)
        return f"{self.channel} cart of {count} line{'' if count == 1 else 's'}"


# What hooks answer


class PercentOff(Struct, frozen=True, kw_only=True, tag="percent_off"):
    """A percentage, 0 to 100, off what the line, or the eligible lines, cost at that point.

    `lines`, only in answers to price_cart, limits it to these line numbers; None means all.
    """

    phase: Phase
    rule: str
    reason: str
    percent: int
    lines: tuple[int, ...] | None = None

    @property
    def in_short(self) -> str:
        """The answer in few words."""
        return f"{format_micro(self.percent)} % off, {self.rule}"


class AmountOff(Struct, frozen=True, kw_only=True, tag="amount_off"):
    """An amount off the line, or off the eligible lines together; at most what they cost at that point.

    `lines`, only in answers to price_cart, limits it to these line numbers; None means all.
    """

    phase: Phase
    rule: str
    reason: str
    amount: int
    lines: tuple[int, ...] | None = None

    @property
    def in_short(self) -> str:
        """The answer in few words."""
        return f"{self.amount} minor units off, {self.rule}"


class SetPrice(Struct, frozen=True, kw_only=True, tag="set_price"):
    """Another unit price for the line, only in answers to price_line.

    In the phase "customer" it replaces the list price, up or down. It never takes back a discount already
    given, and promotions and coupons never raise: there it applies only where the line becomes cheaper.
    """

    phase: Phase
    rule: str
    reason: str
    unit_price: int

    @property
    def in_short(self) -> str:
        """The answer in few words."""
        return f"{format_micro(self.unit_price)} each, {self.rule}"


class LinesOff(Struct, frozen=True, kw_only=True, tag="lines_off"):
    """An amount of its own off each of some lines, only in answers to price_cart, in the phase promotion or coupon.

    `amounts` are pairs of a line's number and minor units; each is at most what its line costs at that point. They come
    off the lines themselves, before anything comes off the document.
    """

    phase: Phase
    rule: str
    reason: str
    amounts: tuple[tuple[int, int], ...]

    @property
    def in_short(self) -> str:
        """The answer in few words."""
        return f"off {len(self.amounts)} lines, {self.rule}"


Answer = PercentOff | AmountOff | SetPrice | LinesOff


class Missed(Struct, frozen=True):
    """A rule that takes nothing off a cart, and in words what is missing for it."""

    rule: str
    words: str


class Applied(Struct, frozen=True):
    """An answer with the name of the plugin that gave it."""

    plugin: str
    answer: Answer


# What it comes to


class Step(Struct, frozen=True):
    """Why a line costs what it does: one rule that changed it, with the figure before and after.

    Figures are decimal strings: the unit price for the list price, SetPrice and overrides, the line's amount
    for discounts. The list price is the first step and has nothing before it.
    """

    phase: StepPhase
    plugin: str
    rule: str
    before: str | None
    after: str
    reason: str


class PricedLine(Struct, frozen=True):
    """A priced line: gross = quantity × unit price, gross - discount is the amount taxed, net + tax = total.

    `taken` says what each (plugin, rule) brought the line down by, in minor units from its gross at the list price.
    Where prices include tax, total = gross - discount; otherwise net = gross - discount.
    """

    line: int
    quantity: int
    unit_price: int
    gross: int
    discount: int
    net: int
    tax: int
    total: int
    components: tuple[ComponentTax, ...]
    steps: tuple[Step, ...]
    taken: tuple[tuple[str, str, int], ...] = ()


class PricedCart(Struct, frozen=True):
    """A priced cart: every figure is the sum of its lines' stored figures, nothing is rounded again.

    total = subtotal - discount_total where prices include tax, and tax_total more where they do not.
    """

    lines: tuple[PricedLine, ...]
    subtotal: int
    discount_total: int
    tax_total: int
    total: int
    currency: str
    exponent: int
    prices_include_tax: bool


class LineTax(Struct, frozen=True):
    """What totals of tax need of a line; a category of None was not kept when it was sold."""

    category: str | None
    net: int
    tax: int
    components: tuple[ComponentTax, ...]


class CategorySum(Struct, frozen=True):
    """All lines of a category together; net + tax = total."""

    category: str | None
    net: int
    tax: int
    total: int


class TaxSum(Struct, frozen=True):
    """What one tax at one rate was taken of, and came to."""

    code: str
    rate: int
    taxable: int
    amount: int


# How it is paid


class Tender(Struct, frozen=True):
    """One means of payment: the amount it is to settle, and for cash what was handed over, if more.

    `step`: it pays in multiples of this, in minor units; 1 where it is exact. `mode`: how it is brought there.
    Amounts are negative when money is paid out for a negative total.
    """

    method: str
    amount: int
    tendered: int | None = None
    is_cash: bool = False
    step: int = 1
    mode: StepMode = "half_up"


class SettledTender(Struct, frozen=True):
    """What one tender settled of the sale, and the change; `tendered` is None for all but cash."""

    method: str
    amount: int
    tendered: int | None
    change: int


class Settlement(Struct, frozen=True):
    """How tenders meet a total: total + rounding = paid + balance_due; change is handed back on top."""

    rounding: int
    paid: int
    change: int
    balance_due: int
    tenders: tuple[SettledTender, ...]
