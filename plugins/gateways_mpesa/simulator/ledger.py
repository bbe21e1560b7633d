"""The provider's own book: every movement of money with its receipt, against which Duka's is held."""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal

from msgspec import Struct

Kind = Literal["prompt", "c2b", "reversal", "payout"]
_LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_STRIDE: Final = 7_368_787
"""A prime without a factor in common with 36⁷: receipts are unique and do not look counted."""
OPENING: Final = 10_000


class Entry(Struct, kw_only=True):
    """One movement, in whole shillings; of a reversal `original` is what it took back."""

    receipt: str
    kind: Kind
    shortcode: str
    payer: str
    amount: int
    reference: str
    at: dt.datetime
    original: str | None = None

    @property
    def is_in(self) -> bool:
        """Whether the shop got it."""
        return self.kind in ("prompt", "c2b")


class Ledger:
    """All movements, oldest first. Every shop begins with 10,000 shillings."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._made = 0

    def enter(
        self,
        kind: Kind,
        shortcode: str,
        payer: str,
        amount: int,
        reference: str,
        at: dt.datetime,
        original: str | None = None,
    ) -> Entry:
        """Move money."""
        entry = Entry(
            receipt=self.receipt(),
            kind=kind,
            shortcode=shortcode,
            payer=payer,
            amount=amount,
            reference=reference,
            at=at,
            original=original,
        )
        self.entries.append(entry)
        return entry

    def receipt(self) -> str:
        """A number that was never given before: ten capitals and figures."""
        self._made += 1
        rest, shown = self._made * _STRIDE % 36**7, ""
        for _ in range(7):
            rest, place = divmod(rest, 36)
            shown = _LETTERS[place] + shown
        return f"SIM{shown}"

    def found(self, receipt: str) -> Entry | None:
        """A movement by its receipt."""
        return next((one for one in self.entries if one.receipt == receipt), None)

    def reversal_of(self, receipt: str) -> Entry | None:
        """What took a payment back."""
        return next((one for one in self.entries if one.original == receipt), None)

    def balance(self, shortcode: str) -> int:
        """What a shop has."""
        own = [one for one in self.entries if one.shortcode == shortcode]
        return OPENING + sum(one.amount if one.is_in else -one.amount for one in own)
