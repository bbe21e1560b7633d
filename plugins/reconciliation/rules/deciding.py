"""What a line may come to, what may be decided about a difference, and what a decision comes to in the books."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct

Outcome = Literal["new", "matched", "amount_diff", "fee_diff", "missing_here", "duplicate", "noted"]
"""What a line came to: not looked at yet; it is ours; ours in another amount or at another fee; nobody here knows it;
stated twice; or nothing of ours to hold it against, such as a fee.
"""

DifferenceKind = Literal[
    "missing_here",
    "missing_there",
    "amount_diff",
    "fee_diff",
    "duplicate",
    "refund_here",
    "settlement_diff",
    "restated",
]
"""missing_here: money is stated that nobody here knows. missing_there: we took money that no statement tells of.
amount_diff, fee_diff: it is ours, in another amount, or with more or less kept. duplicate: the same money stated twice.
refund_here: a refund is stated that nobody here made. settlement_diff: a payout is not the sum of its lines, or of
another amount in the bank. restated: a line was stated again in another amount.
"""

DifferenceState = Literal["open", "resolved", "cleared"]

Resolution = Literal["claim", "record_fee", "accept", "write_off", "unidentified", "not_ours", "dismiss"]
"""claim: put the money onto an open document. record_fee: the provider kept it. accept: book it as over or short.
write_off: book it as lost. unidentified: keep it, as money of somebody who is not known yet. not_ours: it is not our
money. dismiss: there is nothing to book.
"""

Account = Literal["clearing", "fees", "over_short", "bad_debts", "unidentified"]
"""Where a resolution is booked: what a provider or bank holds for us, what it costs, what is over or short, what is
lost, and what came from somebody unknown.
"""

RESOLUTIONS: Final[Mapping[DifferenceKind, tuple[Resolution, ...]]] = MappingProxyType(
    {
        "missing_here": ("claim", "unidentified", "not_ours", "dismiss"),
        "missing_there": ("write_off", "dismiss"),
        "amount_diff": ("record_fee", "accept", "write_off", "dismiss"),
        "fee_diff": ("record_fee", "accept", "dismiss"),
        "duplicate": ("unidentified", "not_ours", "dismiss"),
        "refund_here": ("write_off", "not_ours", "dismiss"),
        "settlement_diff": ("record_fee", "accept", "write_off", "dismiss"),
        "restated": ("accept", "dismiss"),
    }
)
"""Kind of difference → what may be decided about it, the likeliest first."""

_AGAINST: Final[Mapping[Resolution, Account]] = MappingProxyType(
    {
        "record_fee": "fees",
        "accept": "over_short",
        "write_off": "bad_debts",
        "unidentified": "unidentified",
    }
)


class Booking(Struct, frozen=True):
    """One account debited and one credited, in minor units above zero."""

    debit: Account
    credit: Account
    amount: int

    @property
    def reversed(self) -> Booking:
        """Its mirror image."""
        return Booking(self.credit, self.debit, self.amount)


def offered(kind: DifferenceKind, amount: int, *, has_tray: bool) -> tuple[Resolution, ...]:
    """What may be decided about a difference, the likeliest first.

    amount: what the statement says less what we say. has_tray: whether the money stands with incoming payments.
    """
    fits = {"claim": has_tray and amount > 0, "write_off": amount < 0, "unidentified": amount > 0}
    return tuple(one for one in RESOLUTIONS[kind] if fits.get(one, True))


def booking(resolution: Resolution, amount: int) -> Booking | None:
    """What a resolution comes to in the books; None where nothing is booked.

    amount: what the statement says less what we say: below zero the provider holds less for us than the books say.
    """
    against = _AGAINST.get(resolution)
    if against is None or not amount:
        return None
    return Booking(against, "clearing", -amount) if amount < 0 else Booking("clearing", against, amount)
