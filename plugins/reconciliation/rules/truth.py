"""Whether what a till took by one way of paying is all accounted for."""

from __future__ import annotations

from msgspec import Struct


class Takings(Struct, frozen=True, kw_only=True):
    """A way of paying at a location on a business day, in minor units. All that the till took is in exactly one of
    stated_of (payments that a statement tells of, as we took them), in_transit, missing, unverified and by_hand.

    stated: the same payments as the statements say them.
    """

    taken: int = 0
    given_back: int = 0
    stated_of: int = 0
    stated: int = 0
    stated_back: int = 0
    in_transit: int = 0
    missing: int = 0
    unverified: int = 0
    by_hand: int = 0
    spent: int = 0
    banked: int = 0

    @property
    def differing(self) -> int:
        """What statements say more or less of the payments that they tell of."""
        return self.stated - self.stated_of

    @property
    def is_whole(self) -> bool:
        """Whether the parts are all that was taken."""
        parts = self.stated_of + self.in_transit + self.missing + self.unverified + self.by_hand
        return parts == self.taken

    def difference(self, *, is_cash: bool) -> int:
        """Of cash: what is neither banked, spent nor given back. Otherwise what is stated less what was taken, without
        what is on its way, in somebody's hands or word alone.
        """
        if is_cash:
            return self.taken - self.given_back - self.spent - self.banked
        return self.differing - self.missing

    def agrees(self, *, is_cash: bool) -> bool:
        """Whether nothing is missing and nothing differs; a person's word alone is no agreement."""
        return not self.difference(is_cash=is_cash) and not self.missing and not self.unverified
