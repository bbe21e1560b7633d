"""Days, times and amounts as banks and providers write them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final, Literal

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_DATE: Final = re.compile(r"(\d{1,4})[-/. ]([A-Za-z]{3,9}|\d{1,2})[-/. ,]{1,2}(\d{1,4})(?![0-9])")
_PACKED: Final = re.compile(r"(20\d{2})(\d{2})(\d{2})(?![0-9])")
_NAMED: Final = re.compile(r"([A-Za-z]{3,9})[-/. ](\d{1,2}),?[-/. ](\d{4})(?![0-9])")
_TIME: Final = re.compile(r"(?<![0-9:])(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?\s*([AaPp])?\.?(?:[Mm]\.?)?")
_OFFSET: Final = re.compile(r"(?:Z|[+-]\d{2}:?\d{2})\Z")
_SIGNS: Final = re.compile(r"(?i)\A(?:kes|kshs?\.?|inr|rs\.?|usd|tzs|ugx|₹|\$)?\s*|\s*(?:kes|inr|/=|/-)?\Z")
_FIGURES: Final = {
    ".": re.compile(r"(?:\d{1,3}(?:[, ']\d{2,3})+|\d+)(?:\.(\d+))?\Z", re.ASCII),
    ",": re.compile(r"(?:\d{1,3}(?:[. ']\d{2,3})+|\d+)(?:,(\d+))?\Z", re.ASCII),
}
_BOUNDS: Final = (1990, 2100)


def amount_of(said: str, decimal: Literal[".", ","], exponent: int) -> int | None:
    """An amount in minor units, signed: `1,250.00`, `-12.5`, `(12.50)`, `12.50 Dr`, `KES 5`. None for what is none.

    More decimals than the currency has are taken where they are noughts.
    """
    text, sign = said.strip().replace("\u00a0", " ").replace("\u202f", " ").replace("\u2212", "-"), 1
    if text.startswith("(") and text.endswith(")"):
        text, sign = text[1:-1].strip(), -1
    lower = text.lower().rstrip(".")
    if lower.endswith(("dr", "cr")):
        text, sign = text[: len(lower) - 2].strip(), -sign if lower.endswith("dr") else sign
    text = _SIGNS.sub("", text).strip()
    if text[:1] in "+-" and text:
        text, sign = text[1:].strip(), -sign if text[0] == "-" else sign
    elif text.endswith("-"):
        text, sign = text[:-1].strip(), -sign
    text = _SIGNS.sub("", text).strip()
    found = _FIGURES[decimal].match(text)
    if found is None or len(text) > 30:
        return None
    decimals = found[1] or ""
    if decimals[exponent:].strip("0"):
        return None
    whole = text[: len(text) - len(decimals) - 1] if decimals else text
    figures = re.sub(r"\D", "", whole) + decimals[:exponent].ljust(exponent, "0")
    value = int(figures)
    return sign * value if value <= 10**15 else None


def looks_like_amount(said: str) -> bool:
    """Whether a cell is an amount in one way of writing or another."""
    return amount_of(said, ".", 3) is not None or amount_of(said, ",", 3) is not None


def date_of(said: str, order: Literal["dmy", "mdy", "ymd"]) -> dt.date | None:
    """The day that a cell begins with, in an order of parts; one that begins with a year needs none."""
    parts = _parts(said.strip(), order)
    return None if parts is None else _day(*parts)


def _parts(text: str, order: Literal["dmy", "mdy", "ymd"]) -> tuple[int, int, int] | None:
    """Year, month and day."""
    if packed := _PACKED.match(text):
        return int(packed[1]), int(packed[2]), int(packed[3])
    if named := _NAMED.match(text):
        return int(named[3]), _month(named[1]), int(named[2])
    found = _DATE.match(text)
    if found is None or (order == "ymd" and len(found[1]) <= 2):
        return None
    first, middle, last = found.groups()
    if len(first) > 2:
        return int(first), _month(middle), int(last)
    if order == "dmy" or middle.isalpha():
        return int(last), _month(middle), int(first)
    return int(last), int(first), int(middle)


def time_of(said: str) -> dt.time | None:
    """The time in a cell; None where it has none."""
    found = _TIME.search(said)
    if found is None:
        return None
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if found[4]:
        hour = hour % 12 + (12 if found[4].lower() == "p" else 0)
    try:
        return dt.time(hour, minute, second)
    except ValueError:
        return None


def instant_of(said: str) -> dt.datetime | None:
    """An instant that says its own zone, as `2026-11-21T10:15:00Z`; None for what does not."""
    text = said.strip()
    if not _OFFSET.search(text) or "T" not in text:
        return None
    try:
        read = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo is not None and _BOUNDS[0] <= read.year <= _BOUNDS[1] else None


def _month(said: str) -> int:
    return int(said) if said.isdigit() else _MONTHS.get(said[:3].lower(), 0)


def _day(year: int, month: int, day: int) -> dt.date | None:
    year += 2000 if year < 100 else 0
    try:
        found = dt.date(year, month, day)
    except ValueError:
        return None
    return found if _BOUNDS[0] <= year <= _BOUNDS[1] else None
