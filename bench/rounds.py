"""Interleaved rounds: what is compared is measured in turn within one run, and its figures are medians."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from typing import TypeVar

from bench.load import Figures

K = TypeVar("K", bound=Hashable)
Measure = Callable[[], Awaitable[Figures]]


class Rounds:
    """What one thing came to, round by round."""

    def __init__(self, figures: Iterable[Figures]) -> None:
        self.figures = list(figures)

    @property
    def per_second(self) -> float:
        """Requests per second."""
        return statistics.median(one.per_second for one in self.figures)

    @property
    def p50_ms(self) -> float:
        """Half of the requests took no longer, in milliseconds."""
        return statistics.median(one.p50_ms for one in self.figures)

    @property
    def p99_ms(self) -> float:
        """99 of 100 requests took no longer, in milliseconds."""
        return statistics.median(one.p99_ms for one in self.figures)

    @property
    def failures(self) -> int:
        """Requests that were refused, of all rounds."""
        return sum(one.failures for one in self.figures)

    def cpu_ms(self, *whose: str) -> float | None:
        """Milliseconds of processor time a request; of all that were watched, or of those named. None: not watched."""
        if not self.figures[0].cpu_ms.keys() >= set(whose):
            return None
        return statistics.median(sum(one.cpu_ms[name] for name in whose or one.cpu_ms) for one in self.figures)

    def ratio(self, other: Rounds) -> float:
        """How many times as many requests per second as another, round by round."""
        return statistics.median(
            one.per_second / against.per_second for one, against in zip(self.figures, other.figures, strict=True)
        )

    def cpu_ratio(self, other: Rounds, whose: str) -> float:
        """How many times as much processor time a request as another, round by round."""
        return statistics.median(
            one.cpu_ms[whose] / against.cpu_ms[whose] for one, against in zip(self.figures, other.figures, strict=True)
        )


async def interleaved(measures: Mapping[K, Measure], rounds: int) -> dict[K, Rounds]:
    """Measure all of them in turn, so many times. Ends the program when a request failed."""
    found: dict[K, list[Figures]] = {key: [] for key in measures}
    for _ in range(rounds):
        for key, measure in measures.items():
            found[key].append(await measure())
    result = {key: Rounds(figures) for key, figures in found.items()}
    for key, one in result.items():
        if one.failures:
            sys.exit(f"{key}: {one.failures} requests failed; these figures say nothing")
    return result
