"""Charts: what bars and ticks stand for as exact decimal text, and how tall they are in thousandths of the chart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import count
from typing import Any, Final

from kernel.money import MICRO, format_micro, parse_micro, round_ratio

WHOLE: Final = 1000
STEPS: Final = 4
"""So many lines stand above the ground line."""
DENSE: Final = 60
"""With more points than this a chart is drawn as a line, by a script where there is one."""


@dataclass(frozen=True)
class Bar:
    """One value: as it came, and where its bar begins and how tall it is, in thousandths of the chart's height."""

    value: str
    low: int
    tall: int


@dataclass(frozen=True)
class Chart:
    """ticks: (thousandths, value) from the ground up. rows: label and bars, one upon the other."""

    ticks: Sequence[tuple[int, str]]
    rows: Sequence[tuple[str, Sequence[Bar]]]


def chart_of(rows: Sequence[tuple[str, Sequence[Any]]]) -> Chart:
    """Bars of rows of decimal strings. What is below nought has no bar, and is told as it is."""
    scaled = [(label, [(str(one), _micro(one)) for one in values]) for label, values in rows]
    top = max((sum(max(0, exact) for _, exact in values) for _, values in scaled), default=0)
    step = next(one for one in _steps() if STEPS * one >= top)
    ticks = [(WHOLE * place // STEPS, format_micro(place * step)) for place in range(STEPS + 1)]
    return Chart(ticks, [(label, _bars(values, STEPS * step)) for label, values in scaled])


def share(part: Any, whole: Any) -> int:
    """A part of a whole in thousandths, for the length of a bar. part, whole: decimal strings; 0 of nothing."""
    most = _micro(whole)
    return round_ratio(WHOLE * max(0, _micro(part)), most) if most > 0 else 0


def trend(values: Sequence[Any]) -> str:
    """Decimal strings as the points of a line in a box of 100 by 24, the first at its left; "" of fewer than two."""
    sums = [max(0, _micro(one)) for one in values]
    most = max(sums, default=0)
    if len(sums) < 2 or not most:
        return ""
    last = len(sums) - 1
    return " ".join(f"{round_ratio(100 * at, last)},{24 - round_ratio(24 * one, most)}" for at, one in enumerate(sums))


def change(now: str, before: str) -> str:
    """By how many whole per cent a decimal string is more or less than another: `+12 %`; "" where that was nothing."""
    was = _micro(before)
    return f"{round_ratio(100 * (_micro(now) - was), was):+d} %" if was > 0 else ""


def exact(value: Any) -> Decimal:
    """A decimal string as a number that compares exactly, and is false at nought; nought for what is no number."""
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)


def _bars(values: Sequence[tuple[str, int]], top: int) -> list[Bar]:
    made, low = [], 0
    for text, value in values:
        reach = low + max(0, value)
        foot, head = (round_ratio(WHOLE * one, top) for one in (low, reach))
        made.append(Bar(text, foot, head - foot))
        low = reach
    return made


def _micro(value: Any) -> int:
    return parse_micro(str(value))


def _steps() -> Iterator[int]:
    """1, 2, 2.5, 5, 10, 20, 25 … in micro."""
    for power in count():
        for first in (10, 20, 25, 50):
            if power or first != 25:
                yield first * MICRO * 10**power // 10
