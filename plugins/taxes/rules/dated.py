"""Rates and their days; and what a shop enters, made into rates."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Protocol, TypeVar

from kernel.money import format_micro
from plugins.taxes.schemas.values import TaxComponent


class Dated(Protocol):
    """Anything with a first and a last day, both inclusive; None: until further notice."""

    @property
    def valid_from(self) -> date:
        """The first day."""

    @property
    def valid_to(self) -> date | None:
        """The last day."""


DatedT = TypeVar("DatedT", bound=Dated)


def rate_on(rates: Iterable[DatedT], day: date) -> DatedT | None:
    """Find the rate valid at the tax point, so that an old sale keeps its rate (T9); None when none is."""
    for rate in rates:
        if rate.valid_from <= day and (rate.valid_to is None or day <= rate.valid_to):
            return rate
    return None


class Part(Protocol):
    """A tax that a region's rates are usually made of, and its twin."""

    @property
    def code(self) -> str:
        """What documents call it."""

    @property
    def twin(self) -> str | None:
        """The tax that always comes to the same."""


def spread(rate: int, parts: Sequence[Part]) -> tuple[TaxComponent, ...]:
    """Make a plain percentage, scaled by `MICRO`, into a region's usual taxes, in equal parts.

    18 % is VAT of 18 where there is one tax, CGST of 9 and SGST of 9 in India. A rate that does not divide, or no
    parts, is a ValueError.
    """
    share, rest = divmod(rate, len(parts) or 1)
    if rest or not parts:
        raise ValueError(f"a rate of {format_micro(rate)} cannot be split into {len(parts)} equal taxes")
    return tuple(TaxComponent(part.code, share, twin=part.twin) for part in parts)


def code_from(name: str, taken: Collection[str]) -> str:
    """Make a code from a name, "Reduced rate 5 %" to reduced-rate-5, with a number behind it where it is taken."""
    stem = "-".join(re.findall(r"[a-z0-9]+", name.lower()))[:40].strip("-") or "class"
    number, code = 1, stem
    while code in taken:
        number += 1
        code = f"{stem}-{number}"
    return code
