"""What a payment comes to, whatever the order in which its facts arrive; and what coins there are.

State and amounts are computed from the facts, never set: any order and any repetition of the same facts gives the
same payment. Money that came wins over every bad news, before or after it.
"""

from __future__ import annotations

import hashlib
import math
import uuid
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal, get_args

from msgspec import Struct

from kernel.money import MICRO, parse_micro

State = Literal[
    "created",
    "unknown",
    "pending",
    "requires_action",
    "expired",
    "cancelled",
    "failed",
    "authorised",
    "released",
    "captured",
    "settled",
]
"""The states of a payment, from the least telling to the most: the best that any fact says is the state."""

FactKind = Literal[
    "accepted",
    "pending",
    "action",
    "unknown",
    "expired",
    "cancelled",
    "failed",
    "authorised",
    "released",
    "captured",
    "settled",
    "refund_pending",
    "refund_failed",
    "refund_done",
]
Source = Literal["hand", "provider", "query", "statement", "clock"]
"""Who says so: a person, a provider's message or answer to our question, a statement, or our own time-out."""

RefundState = Literal["pending", "failed", "done"]

ReviewKind = Literal[
    "late",
    "paid_twice",
    "overpaid",
    "underpaid",
    "currency",
    "counted_elsewhere",
    "contradicted",
    "orphan",
    "forged",
    "unknown",
    "refund_failed",
    "refund_unknown",
    "unverified",
]
"""Why money needs a person: it came late, twice, in another amount or currency; it belongs to nobody, or twice; two
sources contradict each other; a notice is forged; nobody knows how a payment or refund ended; a person said that money
came, and no statement shows it.
"""

Action = Literal["refund", "refund_by_hand", "accept", "apply", "ask_again", "dismiss"]
"""What a person may decide.

refund: give what nobody wants, or what failed, back through the gateway. refund_by_hand: it was given back by hand.
accept: keep it as it is. apply: put it onto its document, or another open one. ask_again: ask the provider once more.
dismiss: there is nothing to decide.
"""

UNVERIFIED: Final = "unverified"
"""The flag of a payment by a gateway whose money only a person has seen."""

PRECEDENCE: Final[tuple[State, ...]] = get_args(State)

FINAL: Final = frozenset({"expired", "cancelled", "failed", "released", "captured", "settled"})
"""States after which the provider has nothing more to tell, unless it was wrong."""

GIVEN_UP: Final = "given_up"
"""The flag of a payment for which its document waits no more; its money may still come."""

STATE_OF: Final[Mapping[str, State]] = MappingProxyType(
    {
        "accepted": "pending",
        "pending": "pending",
        "action": "requires_action",
        "unknown": "unknown",
        "expired": "expired",
        "cancelled": "cancelled",
        "failed": "failed",
        "authorised": "authorised",
        "released": "released",
        "captured": "captured",
        "settled": "settled",
    }
)
"""The state that one fact by itself stands for. Refunds stand for none: they never take a capture back."""

_ENDINGS: Final = frozenset({"expired", "cancelled", "failed"})
REFUND_FACTS: Final = frozenset({"refund_pending", "refund_failed", "refund_done"})
_REFUNDS: Final[Mapping[str, RefundState]] = MappingProxyType(
    {"refund_pending": "pending", "refund_failed": "failed", "refund_done": "done"}
)
_REFUND_ORDER: Final[tuple[RefundState, ...]] = get_args(RefundState)

CASH_STEPS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "AUD": 5,  # 1 and 2 cents withdrawn 1992: Royal Australian Mint
        "CAD": 5,  # cent no longer distributed since 2013-02-04: Royal Canadian Mint
        "CHF": 5,  # 1 Rappen out of circulation 2007-01-01, 2 Rappen 1978: Swiss National Bank
        "CZK": 100,  # 50 haléř invalid since 2008-09-01: Czech National Bank
        "DKK": 50,  # 25 øre invalid since 2008-10-01: Danmarks Nationalbank
        "HUF": 500,  # 1 and 2 forint withdrawn 2008-03-01: Magyar Nemzeti Bank
        "MYR": 5,  # rounding mechanism since 2008-04-01: Bank Negara Malaysia
        "NOK": 100,  # 50 øre invalid since 2012-05-01: Norges Bank
        "NZD": 10,  # 5 cents demonetised 2006-11-01: Reserve Bank of New Zealand
        "TZS": 100,  # cents are counted and not coined: Bank of Tanzania, coins in circulation
        "SEK": 100,  # 50 öre invalid since 2010-09-30: Sveriges Riksbank
    }
)
"""Smallest coin in minor units, where law or coinage leaves nothing smaller; looked up 2026-11. All others: 1."""


REGION_STEPS: Final[Mapping[tuple[str, str], int]] = MappingProxyType(
    {
        ("BE", "EUR"): 5,  # since 2019-12-01: Federal Public Service Economy
        ("FI", "EUR"): 5,  # since 2002-01-01: Bank of Finland
        ("IE", "EUR"): 5,  # since 2015-10-28: Central Bank of Ireland
        ("NL", "EUR"): 5,  # since 2004-09-01: De Nederlandsche Bank
        ("SK", "EUR"): 5,  # since 2022-07-01: National Bank of Slovakia
    }
)
"""Smallest sum in cash, in minor units, where a region's habit or law is coarser than its currency."""


class Fact(Struct, frozen=True):
    """One thing that became known of a payment.

    dedupe_key: what a provider may repeat. money_key: the provider's name for the money itself, the same whichever way
    the news came. amount, currency: None where they were not said. refund_ref: which refund a refund fact speaks of.
    """

    kind: FactKind
    source: Source
    dedupe_key: str
    amount: int | None = 0
    currency: str | None = ""
    money_key: str | None = None
    refund_ref: str = ""


class Projection(Struct, frozen=True):
    """What the facts come to. Flags: `underpaid`, `overpaid`, `needs_review`."""

    state: State
    captured: int
    refunded: int = 0
    refund_pending: int = 0
    flags: tuple[str, ...] = ()


def higher(one: State, other: State) -> State:
    """The more telling of two states."""
    return max(one, other, key=PRECEDENCE.index)


TRANSITIONS: Final[Mapping[State, Mapping[str, State]]] = MappingProxyType(
    {state: {kind: higher(state, said) for kind, said in STATE_OF.items()} for state in PRECEDENCE}
)
"""State → kind of fact → next state: the precedence written out. A state is never left for a lesser one."""


def project(amount: int, currency: str, facts: Iterable[Fact]) -> Projection:
    """What a payment of an amount in a currency has come to, by all its facts in any order.

    Money in another currency is never credited, and asks for review; so does money reported twice with two amounts, of
    which the lesser counts. Money that came without an amount is all that was asked for.
    """
    heard = list(facts)
    ours = [fact for fact in heard if fact.kind != "captured" or fact.currency in (None, currency)]
    state: State = "created"
    for fact in ours:
        state = TRANSITIONS[state].get(_as_credible(fact), state)
    money = _money(ours)
    captured = sum(min(amounts, default=amount) for amounts in money)
    done, pending = _refunds(ours)
    strange = len(ours) < len(heard) or any(len(amounts) > 1 for amounts in money)
    return Projection(state, captured, done, pending, tuple(_flags(amount, captured, strange)))


def came_late(facts: Sequence[Fact]) -> bool:
    """Whether money came after the payment had ended without it: the one thing that depends on the order of the log."""
    ended = False
    for fact in facts:
        if fact.kind == "captured" and ended:
            return True
        ended = ended or _as_credible(fact) in _ENDINGS
    return False


def is_word_only(facts: Iterable[Fact]) -> bool:
    """Whether money came of which only a person has said so: a provider's or a statement's word proves it."""
    said = {fact.source for fact in facts if fact.kind == "captured"}
    return said == {"hand"}


RefundRefusal = Literal["none", "part", "late"]
"""Why a provider gives money back in no way, not in parts, or no more."""


def refund_refusal(
    refunds: Literal["none", "whole", "parts"], pays_out: bool, refund_days: int | None, *, is_whole: bool, days: int
) -> RefundRefusal | None:
    """Whether a provider that can do so much gives money back, days after it came; None where it does."""
    if refunds == "none":
        return None if pays_out else "none"
    if refund_days is not None and days > refund_days:
        return "late"
    return "part" if refunds == "whole" and not is_whole and not pays_out else None


def refund_state(known: RefundState, heard: Iterable[str]) -> RefundState:
    """What a refund has come to by the kinds of its facts, in any order: money that went back wins over bad news."""
    states = [known, *(_REFUNDS[kind] for kind in heard if kind in _REFUNDS)]
    return max(states, key=_REFUND_ORDER.index)


_DECISIONS: Final[Mapping[ReviewKind, tuple[Action, ...]]] = MappingProxyType(
    {
        "late": ("refund", "refund_by_hand", "apply", "accept"),
        "paid_twice": ("refund", "refund_by_hand", "apply", "accept"),
        "overpaid": ("refund", "refund_by_hand", "apply", "accept"),
        "underpaid": ("ask_again", "accept", "dismiss"),
        "currency": ("accept", "dismiss"),
        "counted_elsewhere": ("accept", "dismiss"),
        "contradicted": ("ask_again", "accept", "dismiss"),
        "orphan": ("accept", "dismiss"),
        "forged": ("accept", "dismiss"),
        "unknown": ("ask_again", "accept", "dismiss"),
        "unverified": ("accept", "dismiss"),
        "refund_failed": ("refund", "refund_by_hand", "accept"),
        "refund_unknown": ("ask_again", "refund", "refund_by_hand", "accept"),
    }
)


def actions_for(
    kind: ReviewKind, *, sends_back: bool, is_asked: bool, surplus: int, refundable: int
) -> tuple[Action, ...]:
    """What may be decided about something, the likeliest first. sends_back, is_asked: whether a provider gives money
    back, or can be asked. surplus: what its document does not take and was not given back; refundable: what may still
    be given back, of the payment; both in minor units.
    """
    fits = {
        "refund": sends_back and (kind == "refund_unknown" or refundable > 0),
        "refund_by_hand": kind == "refund_unknown" or refundable > 0,
        "apply": surplus > 0,
        "ask_again": is_asked,
    }
    found = tuple(action for action in _DECISIONS[kind] if fits.get(action, True))
    return found if "dismiss" in found or refundable or kind == "refund_unknown" else (*found, "dismiss")


def cash_step(currency: str, region: str = "") -> int:
    """The smallest coin of a currency in minor units; in a region, the smallest sum that is paid in cash there."""
    return REGION_STEPS.get((region, currency), CASH_STEPS.get(currency, 1))


def check_step(step: str) -> None:
    """Raise ValueError for a step that no coinage has."""
    value = parse_micro(step)
    if not MICRO // 100 <= value <= 100_000 * MICRO or str(value).rstrip("0") not in ("1", "2", "25", "5"):
        raise ValueError(f"a step is 1, 2, 2.5 or 5 with a power of ten, from 0.01 to 100000, not {step}")


def step_of(step: str, exponent: int) -> int:
    """A step in minor units; 1 where it is finer than they are."""
    minor: int = parse_micro(step) * 10**exponent // MICRO
    return max(1, minor)


def _as_credible(fact: Fact) -> str:
    """Our own clock cannot end a payment: what it says only means that we do not know."""
    return "unknown" if fact.source == "clock" and fact.kind in _ENDINGS else fact.kind


def _money(facts: Iterable[Fact]) -> list[set[int]]:
    """Each piece of money once, with the amounts reported for it; no amount means all that was asked for.

    The provider's number names a piece, otherwise the key of the fact. Money that is reported with a number and
    without is the same money in two ways: a query proves what a notice names later.
    """
    numbered: dict[str, set[int]] = {}
    unnumbered: dict[str, set[int]] = {}
    for fact in facts:
        if fact.kind == "captured":
            kept = numbered if fact.money_key else unnumbered
            kept.setdefault(fact.money_key or fact.dedupe_key, set()).update(
                () if fact.amount is None else (fact.amount,)
            )
    return list((numbered or unnumbered).values())


def _refunds(facts: Iterable[Fact]) -> tuple[int, int]:
    """Amounts given back and on their way back; of each refund the most telling fact counts."""
    latest: dict[str, tuple[int, int]] = {}
    for fact in facts:
        if said := _REFUNDS.get(fact.kind):
            told = (_REFUND_ORDER.index(said), fact.amount or 0)
            latest[fact.refund_ref] = max(told, latest.get(fact.refund_ref, told))
    sums = {state: sum(a for place, a in latest.values() if _REFUND_ORDER[place] == state) for state in _REFUND_ORDER}
    return sums["done"], sums["pending"]


def _flags(amount: int, captured: int, strange: bool) -> Iterable[str]:
    if 0 < captured < amount:
        yield "underpaid"
    if captured > amount:
        yield "overpaid"
    if strange:
        yield "needs_review"


FEWEST, POINTS, Z = 20, 0.10, 2.33
"""A trial is judged from so many payments on, fails by so much less success, with less than 1 % of chance."""


def is_trial_till(till_id: uuid.UUID, gateway: str, percent: int) -> bool:
    """Whether a till is among the first so many of a hundred that try a gateway; always the same ones."""
    digest = hashlib.sha256(f"{gateway}/{till_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % 100 < percent


class Tally(Struct, frozen=True):
    """How many payments came to an end, and how many of them brought money."""

    ended: int = 0
    paid: int = 0

    @property
    def rate(self) -> float:
        """The share that brought money; 0 of none."""
        return self.paid / self.ended if self.ended else 0.0

    def __str__(self) -> str:
        return f"{self.paid} of {self.ended} ({self.rate:.0%})"


def why_trial_fails(trial: Tally, others: Tally) -> str | None:
    """Why a gateway on trial is to be switched off, or None.

    From 20 payments on each side: the trial tills succeed at least 10 points less often, and chance alone would show
    that less than once in a hundred (one-sided test of two proportions). Without 20 elsewhere: less than half succeed.
    """
    if trial.ended < FEWEST:
        return None
    if others.ended < FEWEST:
        return f"{trial} payments on trial succeeded; less than half" if trial.paid * 2 < trial.ended else None
    both = (trial.paid + others.paid) / (trial.ended + others.ended)
    spread = math.sqrt(both * (1 - both) * (1 / trial.ended + 1 / others.ended))
    less = others.rate - trial.rate
    if less < POINTS or less < Z * spread:
        return None
    return f"{trial} payments on trial succeeded, elsewhere {others}"
