"""How values are written for a reader: money, numbers, dates and times, in the language and zone at hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, dates, numbers

from kernel.money import CURRENCIES, mark_of, show_text

LANGUAGES: Final = {"en": "English", "sw": "Kiswahili", "hi": "हिन्दी", "ar": "العربية"}
"""The languages of the console, each in its own words."""
RIGHT_TO_LEFT: Final = frozenset({"ar"})
_DAY: Final = 10
_RIGHTWARD: Final = "\u200e"
"""The mark after which letters and signs run from left to right."""
_LAKH: Final = (3, 2)
"""Groups of digits as India has them: 12,34,567."""
_UNBROKEN: Final = "\xa0"
_KEPT: Final = 8192
"""Figures that are kept as they were written: a page is looked at again, and shelves have few prices."""


class Showing:
    """Writes values for one reader. language: of the console. region: ISO 3166-1 alpha-2. zone: IANA."""

    def __init__(self, language: str, region: str = "", zone: str = "UTC", currency: str = "") -> None:
        self.locale = _locale(language, region)
        self.is_leftward = language in RIGHT_TO_LEFT
        self.zone = ZoneInfo(zone)
        self.currency, self.in_region = currency, region

    def money(self, amount: Any, currency: str = "") -> str:
        """An amount given as a decimal string, with its currency: `KSh 1,250.00`, in India `₹12,34,567.00`.

        As the sentences of the server write it, but that no line breaks inside it.
        """
        shown = _money(self.in_region, str(amount) if amount is not None else "", currency or self.currency)
        return self._in_place(shown)

    def figure(self, amount: Any, currency: str = "") -> str:
        """An amount without its currency, for columns whose head names it: `1,250.00`."""
        mark = mark_of(currency or self.currency).replace(" ", _UNBROKEN)
        return self.money(amount, currency).replace(mark, "", 1)

    def number(self, value: Any, *, signed: bool = False) -> str:
        """A number given as a decimal string, its digits grouped and no decimal lost. signed: with a + above zero."""
        shown = _number(self.locale, str(value) if value is not None else "")
        return self._in_place(f"+{shown}" if signed and shown[0] not in "-0–" else shown)

    def percent(self, value: Any) -> str:
        """A percentage: "16" is 16 %."""
        return f"{self.number(value)} %"

    def day(self, value: Any) -> str:
        """A date: 21 Nov 2026. Given as ISO text, of a moment the day it is in the shop."""
        found = self._moment(value)
        return self._short(found) if found else "–"

    def weekday(self, value: Any) -> str:
        """A date with its day of the week: Saturday 21 November 2026."""
        found = self._moment(value)
        return dates.format_date(found, "EEEE d MMMM y", locale=self.locale) if found else "–"

    def moment(self, value: Any) -> str:
        """A moment, as the clock on the shop's wall shows it: 21 Nov 2026, 14:05."""
        found = self._moment(value)
        if found is None:
            return "–"
        if not isinstance(found, dt.datetime):
            return self.day(value)
        return f"{self._short(found)}{self.comma}{found:%H:%M}"

    def clock(self, value: Any) -> str:
        """The time of a moment: 14:05."""
        found = self._moment(value)
        return f"{found:%H:%M}" if isinstance(found, dt.datetime) else "–"

    def ago(self, value: Any, now: dt.datetime) -> str:
        """How long ago a moment is: 5 minutes ago."""
        found = self._moment(value)
        if not isinstance(found, dt.datetime):
            return "–"
        return dates.format_timedelta(found - now, add_direction=True, locale=self.locale)

    def region(self, code: Any) -> str:
        """A region by its name: KE is Kenya."""
        return str(self.locale.territories.get(str(code), code))

    @property
    def comma(self) -> str:
        """What stands between the things of a list."""
        return "، " if self.is_leftward else ", "

    def _in_place(self, shown: str) -> str:
        """With its sign before it also where lines run leftward, as CLDR has it for Arabic."""
        return f"{_RIGHTWARD}{shown}" if self.is_leftward and shown[:1] in "+-" else shown

    def _short(self, day: dt.date) -> str:
        """A day as `d MMM y` has it: pages have many, and Babel takes ten times as long for each."""
        return f"{day.day} {self.locale.months['format']['abbreviated'][day.month]} {day.year}"

    def _moment(self, value: Any) -> dt.date | None:
        if isinstance(value, dt.datetime):
            return value.astimezone(self.zone)
        if isinstance(value, dt.date) or not isinstance(value, str):
            return value if isinstance(value, dt.date) else None
        try:
            if len(value) == _DAY:
                return dt.date.fromisoformat(value)
            return dt.datetime.fromisoformat(value).astimezone(self.zone)
        except ValueError:
            return None


@lru_cache(maxsize=_KEPT)
def _money(region: str, amount: str, code: str) -> str:
    value = _decimal(amount)
    if value is None:
        return "–"
    digits = max(CURRENCIES.get(code, 2), len(f"{value:f}".partition(".")[2]))
    return show_text(f"{value:.{digits}f}", code, region).replace(" ", _UNBROKEN)


@lru_cache(maxsize=_KEPT)
def _number(locale: Locale, value: str) -> str:
    found = _decimal(value)
    if found is None:
        return "–"
    pattern = "#,##,##0.######" if _is_lakh(locale) else "#,##0.######"
    return numbers.format_decimal(found, format=pattern, locale=locale)


def _is_lakh(locale: Locale) -> bool:
    return locale.territory in ("IN", "BD", "NP", "PK", "LK") or locale.decimal_formats[None].grouping == _LAKH


def _decimal(value: str) -> Decimal | None:
    try:
        return Decimal(value) if value else None
    except InvalidOperation:
        return None


@lru_cache(maxsize=256)
def _locale(language: str, region: str) -> Locale:
    for said in (f"{language}_{region}", language, "en"):
        try:
            return Locale.parse(said)
        except (UnknownLocaleError, ValueError):
            continue
    raise LookupError("Babel knows no English")
