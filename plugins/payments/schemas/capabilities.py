"""What a provider can do, as its gateway declares it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Span(Struct, frozen=True):
    """What may be paid at once in a currency. step: amounts are multiples of it. None: no upper end."""

    currency: str
    least: int = 1
    most: int | None = None
    step: int = 1


class Capabilities(Struct, frozen=True, kw_only=True):
    """What a provider can do; static, shown to operators, and what the conformance kit expects of the gateway.

    regions: ISO codes where it is offered. notices: whether it signs what it sends on its own, or sends hints only.
    confirmed_by_hand: whether a person may say that money is there, who saw it on the shop's own phone; it counts as
    unverified until a statement shows it.
    refunds: none, of whole payments only, or in parts. pays_out: whether parts can be paid back as a payment of ours.
    cancels: whether an unpaid request can be called back. finds_by_reference: whether it can be asked for a payment by
    our reference alone. retry_is_safe: whether asking twice with the same reference makes one payment.
    holds: whether money may be promised first, and be taken or let go later. notices_tell_mode: whether its notices say
    if they are of test or of real money. notices_hold_s: how many seconds a signature holds that bears its time.
    asks_after_s: seconds after the request at which it is asked; then every `asks_last_s`. None and 0: it cannot be
    asked. lives_s: how long a request can be paid. reference_most, reference_letters: what our reference may look like
    there.
    """

    regions: tuple[str, ...]
    spans: tuple[Span, ...]
    notices: Literal["signed", "hint", "none"]
    confirmed_by_hand: bool = False
    refunds: Literal["none", "whole", "parts"] = "none"
    refund_days: int | None = None
    pays_out: bool = False
    cancels: bool = False
    takes_unasked: bool = False
    finds_by_reference: bool = False
    retry_is_safe: bool = False
    holds: bool = False
    notices_tell_mode: bool = False
    notices_hold_s: int | None = None
    asks_after_s: tuple[int, ...] = (10, 20, 35, 55, 80, 120, 300, 600, 1800)
    asks_last_s: int = 86_400
    lives_s: int = 120
    reference_most: int = 12
    reference_letters: str = "ABCDEFGHJKMNPQRSTVWXYZ0123456789"

    @property
    def is_asked(self) -> bool:
        """Whether the provider can be asked how a payment stands."""
        return bool(self.asks_after_s or self.asks_last_s > 0)

    @property
    def sends_back(self) -> bool:
        """Whether money goes back through the provider at all."""
        return self.refunds != "none" or self.pays_out

    @property
    def ends_by_word(self) -> bool:
        """Whether only people can say how a payment ended: nothing is sent, and nobody can be asked."""
        return self.confirmed_by_hand and self.notices == "none" and not self.is_asked
