"""What offers do and what they lack, in words for receipts, tills and their cashiers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from kernel.money import format_micro, show_amount, show_price
from plugins.discounts.rules.sets import Lack
from plugins.discounts.schemas.terms import (
    HUNDRED,
    AmountOff,
    AnyFor,
    Bundle,
    BuyGet,
    CheapestFree,
    NewPrice,
    Offer,
    PercentOff,
    Terms,
    Tier,
    Tiers,
)

LONGEST: Final = 200
"""Characters of a reason; more is cut."""


class Words:
    """Words with figures of one currency, as people of a region read them."""

    def __init__(self, currency: str, region: str) -> None:
        self.currency, self.region = currency, region

    def reason(self, offer: Offer) -> str:
        """What an offer does, with the coupon it was asked for by."""
        said = self.terms(offer.terms)
        return (f"coupon {offer.code}: {said}" if offer.code else said)[:LONGEST]

    def terms(self, terms: Terms) -> str:
        """What a promotion does."""
        effect = terms.effect
        if isinstance(effect, AmountOff):
            return f"{self.amount(effect.amount)} off" + ("" if terms.is_for_document else " each")
        said: str = _SAYS[type(effect)](self, effect)
        return said

    def lack(self, offer: Offer, lack: Lack) -> str:
        """What an offer lacks; what it would do comes last: `1 more for any 3 for KSh 100.00`."""
        does = self.terms(offer.terms)
        said = {
            "closed": f"{lack.other}: {does}",
            "goods": f"none of its goods is in the cart: {does}",
            "units": f"{lack.number} more for {does}",
            "gets": f"add {lack.number} of what it gives: {does}",
            "quantity": f"{format_micro(lack.number)} more for {does}",
            "amount": f"{self.amount(lack.number)} more for {does}",
            "together": f"does not go together with {lack.other}: {does}",
            "budget": f"its budget is used up: {does}",
            "cheaper": f"the goods cost no more than that already: {does}",
        }[lack.why]
        return said[:LONGEST]

    def amount(self, minor: int) -> str:
        """An amount with its currency."""
        return show_amount(minor, self.currency, self.region)

    def price(self, micro: int) -> str:
        """A unit price with its currency."""
        return show_price(micro, self.currency, self.region)

    def _buy_get(self, effect: BuyGet) -> str:
        return f"buy {effect.buy}, get {effect.get} {_less(effect.percent)}"

    def _cheapest(self, effect: CheapestFree) -> str:
        some = "the cheapest" if effect.free == 1 else f"the {effect.free} cheapest"
        return f"{some} of {effect.count} {_less(effect.percent)}"

    def _bundle(self, effect: Bundle) -> str:
        count = sum(part.count for part in effect.parts)
        if effect.percent is not None:
            return f"{count} together {_percent(effect)}"
        return f"{count} together for {self.amount(effect.amount or 0)}"

    def _tiers(self, effect: Tiers) -> str:
        return "; ".join(f"from {format_micro(tier.least)} on {self._tier(tier)}" for tier in effect.tiers)

    def _tier(self, tier: Tier) -> str:
        if tier.percent is not None:
            return f"{format_micro(tier.percent)} % off"
        return (
            f"{self.amount(tier.amount)} off each" if tier.amount is not None else f"{self.price(tier.price or 0)} each"
        )


def _less(percent: int) -> str:
    return "free" if percent == HUNDRED else f"at {format_micro(percent)} % off"


def _percent(effect: PercentOff | Bundle) -> str:
    return f"{format_micro(effect.percent or 0)} % off"


_SAYS: Final[Mapping[type, Callable[[Words, Any], str]]] = {
    PercentOff: lambda _, effect: _percent(effect),
    NewPrice: lambda words, effect: f"{words.price(effect.price)} each",
    AnyFor: lambda words, effect: f"any {effect.count} for {words.amount(effect.amount)}",
    BuyGet: Words._buy_get,
    CheapestFree: Words._cheapest,
    Bundle: Words._bundle,
    Tiers: Words._tiers,
}
