"""Which backups are kept: the newest of each of the last days and weeks that have one, and the newest of all.

Pure: it is told times and answers with times; who deletes files is `backing_up`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Hashable, Iterable

from msgspec import Struct

_PART = re.compile(r"([1-9][0-9]{0,2}) (daily|weekly)")


class Keep(Struct, frozen=True):
    """How many are kept: of so many days, and of so many weeks, that have one. Neither: all."""

    daily: int = 0
    weekly: int = 0

    @classmethod
    def read(cls, text: str) -> Keep:
        """What `7 daily, 4 weekly` means; "" is all. Raises ValueError."""
        found = [_PART.fullmatch(part) for part in text.split(", ")] if text else []
        said = {one[2]: int(one[1]) for one in found if one}
        if len(said) != len(found):
            raise ValueError(f"{text!r} does not say how many backups to keep, as in: 7 daily, 4 weekly")
        return cls(**said)

    @property
    def is_all(self) -> bool:
        """Whether none is ever deleted."""
        return not self.daily and not self.weekly

    def of(self, made: Iterable[dt.datetime]) -> set[dt.datetime]:
        """Those that are kept of what was made; days and weeks are those of UTC."""
        newest_first = sorted(set(made), reverse=True)
        if self.is_all:
            return set(newest_first)
        days = _newest_of_each(newest_first, self.daily, lambda at: at.date())
        weeks = _newest_of_each(newest_first, self.weekly, lambda at: at.isocalendar()[:2])
        return {*newest_first[:1], *days, *weeks}


def _newest_of_each(
    newest_first: Iterable[dt.datetime], many: int, period_of: Callable[[dt.datetime], Hashable]
) -> list[dt.datetime]:
    found: dict[Hashable, dt.datetime] = {}
    for at in newest_first:
        found.setdefault(period_of(at), at)
    return list(found.values())[:many]
