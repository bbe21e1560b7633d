"""What can be wrong with a cart, a sale or a void."""

from __future__ import annotations

from kernel.errors import Conflict, Forbidden, Invalid


class PaymentShort(Invalid):
    """The payments do not cover the total, and no enabled plugin takes the rest."""

    code, title = "payment-short", "The payments do not cover the total"


class Overpaid(Invalid):
    """A payment other than cash is more than what is due."""

    code, title = "overpaid", "More is paid than is due"


class DiscountTooLarge(Invalid):
    """A discount by hand is more than what it is taken from."""

    code, title = "discount-too-large", "The discount is larger than the amount"


class AboveMrp(Invalid):
    """A price above the maximum retail price, in a region where that is unlawful."""

    code, title = "above-mrp", "The price is above the maximum retail price"


class AmountTooLarge(Invalid):
    """The cart comes to more than can be stored."""

    code, title = "amount-too-large", "The amount is too large"


class NotSold(Invalid):
    """A product that is switched off, or that cannot be sold in this quantity."""

    code, title = "not-sold", "This cannot be sold"


class RegisterClosed(Conflict):
    """The register or its location is switched off, or the location is not a storefront."""

    code, title = "register-closed", "Nothing can be sold here"


class NotVoidable(Conflict):
    """The sale is not a completed one of the current business day."""

    code, title = "not-voidable", "This sale cannot be voided"


class HeldGone(Conflict):
    """The held cart was taken up or thrown away by someone else."""

    code, title = "held-gone", "This held cart is no longer there"


class MayNotDiscount(Forbidden):
    """A discount by hand without the permission."""


class MayNotOverride(Forbidden):
    """A price by hand without the permission."""


class MayNotImport(Forbidden):
    """A sale of the past without the permission."""


class NotWaiting(Conflict):
    """The sale waits for no money: it is completed, was given up, or its time ran out."""

    code, title = "not-waiting", "The sale is not waiting for money"
