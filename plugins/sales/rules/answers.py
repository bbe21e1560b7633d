"""What the answers of hooks must be like before they touch a price: plugins are strangers until checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, get_args

from kernel.money import MICRO_DIGITS, WHOLE_DIGITS
from plugins.sales.schemas.values import (
    HUNDRED_PERCENT,
    AmountOff,
    Applied,
    LinesOff,
    Missed,
    PercentOff,
    Phase,
    SetPrice,
)

PHASES: Final[tuple[Phase, ...]] = get_args(Phase)
"""The phases of answers in the order in which they apply."""

_MOST: Final = 10 ** (WHOLE_DIGITS + MICRO_DIGITS) - 1
_LONGEST_WORDS: Final = 200


class BadAnswer(ValueError):
    """A plugin answered a pricing hook with something no price can be made of; `reason` says what."""

    def __init__(self, plugin: str, reason: str) -> None:
        super().__init__(f"{plugin} answered nonsense: {reason}")
        self.plugin = plugin
        self.reason = reason


def line_complaint(answers: Sequence[object]) -> str | None:
    """What is wrong with answers to price_line, in words; None if they are sound and name no lines."""
    for answer in answers:
        for complaint in _complaints(answer):
            return complaint
        if isinstance(answer, LinesOff) or getattr(answer, "lines", None) is not None:
            return "an answer to price_line names lines"
    return None


def cart_complaint(answers: Sequence[object], count: int, *, may_set: bool = False) -> str | None:
    """What is wrong with answers to price_cart, in words; None if they are sound and name only lines of 1 to `count`.

    may_set: leave it to others to refuse a SetPrice.
    """
    for answer in answers:
        for complaint in _complaints(answer):
            return complaint
        if isinstance(answer, SetPrice) and not may_set:
            return "an answer to price_cart sets a unit price"
        if isinstance(answer, LinesOff) and answer.phase == "customer":
            return "amounts off lines are no customer's price"
        if not _are_lines(_lines_of(answer), count):
            return f"its lines are not distinct numbers of 1 to {count}"
    return None


def missed_complaint(answers: Sequence[object]) -> str | None:
    """What is wrong with answers to missed_offers, in words; None if they are sound."""
    for answer in answers:
        if not isinstance(answer, Missed):
            return f"a {type(answer).__name__} is no answer"
        if not (_are_words(answer.rule) and _are_words(answer.words)):
            return f"its words are no text of at most {_LONGEST_WORDS} printable characters"
    return None


def check_line_answers(answers: Sequence[Applied]) -> None:
    """Raise `BadAnswer` unless each answer to price_line is sound and names no lines."""
    for applied in answers:
        if complaint := line_complaint((applied.answer,)):
            raise BadAnswer(applied.plugin, complaint)


def check_cart_answers(answers: Sequence[Applied], count: int) -> None:
    """Raise `BadAnswer` unless each answer to price_cart is sound and names only lines of 1 to `count`."""
    for applied in answers:
        if complaint := cart_complaint((applied.answer,), count, may_set=True):
            raise BadAnswer(applied.plugin, complaint)


def in_phase(answers: Sequence[Applied], phase: Phase) -> list[Applied]:
    """Pick the answers of one phase, in the order given."""
    return [applied for applied in answers if applied.answer.phase == phase]


def _complaints(answer: object) -> Iterator[str]:
    if not isinstance(answer, PercentOff | AmountOff | SetPrice | LinesOff):
        yield f"a {type(answer).__name__} is no answer"
        return
    # Complaints quote nothing of the answer: it may be of any size.
    if answer.phase not in PHASES:
        yield "its phase is none of " + ", ".join(PHASES)
    if not _are_words(answer.rule) or not answer.rule:
        yield f"its rule is no name of 1 to {_LONGEST_WORDS} printable characters"
    if not _are_words(answer.reason):
        yield f"its reason is no text of at most {_LONGEST_WORDS} printable characters"
    if isinstance(answer, LinesOff) and not _are_pairs(answer.amounts):
        yield "its amounts are not pairs of a line and an amount"
        return
    most = HUNDRED_PERCENT if isinstance(answer, PercentOff) else _MOST
    if any(type(figure) is not int or not 0 <= figure <= most for figure in _figures(answer)):
        yield f"its figure is not a whole number of 0 to {most}"


def _figures(answer: PercentOff | AmountOff | SetPrice | LinesOff) -> list[object]:
    """The numbers an answer carries, which may be of any type yet."""
    if isinstance(answer, LinesOff):
        return [amount for _, amount in answer.amounts]
    if isinstance(answer, PercentOff):
        return [answer.percent]
    return [answer.amount if isinstance(answer, AmountOff) else answer.unit_price]


def _are_pairs(amounts: object) -> bool:
    return isinstance(amounts, tuple) and all(isinstance(one, tuple) and len(one) == 2 for one in amounts)


def _lines_of(answer: object) -> object:
    """The lines an answer names; None for all."""
    if isinstance(answer, LinesOff):
        return tuple(line for line, _ in answer.amounts)
    return getattr(answer, "lines", None)


def _are_words(text: object) -> bool:
    return isinstance(text, str) and len(text) <= _LONGEST_WORDS and text.isprintable()


def _are_lines(lines: object, count: int) -> bool:
    if lines is None:
        return True
    if not isinstance(lines, tuple) or not all(type(line) is int and 1 <= line <= count for line in lines):
        return False
    return len(set(lines)) == len(lines)
