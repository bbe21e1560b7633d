"""Region packs: the files data/<region>.json. Rates are percentages as decimal strings, both dates inclusive."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from typing import Literal

from msgspec import Struct

from kernel.money import Percent, UnitPrice
from plugins.taxes.schemas.values import Category, Kind, Rounding

Confidence = Literal["read", "general"]
"""Whether a figure was read in a source that the pack names, or is general knowledge, to be confirmed."""


class PackComponent(Struct, frozen=True, forbid_unknown_fields=True):
    """One tax of a pack's rate: a percentage, or an amount per unit; with the twin that must equal it, if any."""

    code: str
    rate: Percent = "0"
    twin: str | None = None
    kind: Kind = "percent"
    amount: UnitPrice = "0"
    included: bool | None = None
    affects_base: bool = False


class PackRate(Struct, frozen=True, forbid_unknown_fields=True):
    """What a class bears from one day to another (None: until further notice).

    `codes` gives the words that authorities use for it, by their system: {"etims": "B"}.
    """

    valid_from: date
    valid_to: date | None
    components: tuple[PackComponent, ...]
    codes: Mapping[str, str] = {}
    confidence: Confidence = "read"


class PackClass(Struct, frozen=True, forbid_unknown_fields=True):
    """A tax class of a region with its rates, oldest first, no day covered twice (ValueError otherwise)."""

    code: str
    name: str
    category: Category
    rates: tuple[PackRate, ...]
    note: str = ""

    def __post_init__(self) -> None:
        if not self.rates:
            raise ValueError(f"{self.code} has no rate")
        for rate in self.rates:
            if rate.valid_to is not None and rate.valid_to < rate.valid_from:
                raise ValueError(f"{self.code}: the rate of {rate.valid_from} ends before it begins")
        for earlier, later in pairwise(self.rates):
            if earlier.valid_to is None or later.valid_from <= earlier.valid_to:
                raise ValueError(f"{self.code}: the rates of {earlier.valid_from} and {later.valid_from} overlap")


class NamedThere(Struct, frozen=True, forbid_unknown_fields=True):
    """A tax that has a name of its own in some subdivisions: `instead_of` the one that the rates name."""

    instead_of: str
    subdivisions: tuple[str, ...]


class SellerRules(Struct, frozen=True, forbid_unknown_fields=True):
    """What documents say of the seller.

    is_named: the law of the region wants the seller's name, address and tax number on them. only_registered: the number
    is of those who are registered for this tax, and has no place on the documents of others. source: where that stands.
    """

    is_named: bool = False
    only_registered: bool = False
    source: str = ""


class Unconfirmed(Struct, frozen=True, forbid_unknown_fields=True):
    """Something a local accountant must still confirm before a shop relies on it."""

    matter: str
    why: str


class RegionPack(Struct, frozen=True, forbid_unknown_fields=True):
    """A region's tax classes and habits, with the sources they were taken from; codes are distinct.

    mrp_binds: nothing may be sold above its maximum retail price. by_place: tax depends on the subdivisions of shop and
    buyer. joint: taxes between subdivisions, and those whose place they take. named_there: taxes by their names in
    some subdivisions. number_names_place: a tax number begins with its subdivision. seller: how documents name them.
    confirm: what an accountant there must still confirm.
    """

    region: str
    name: str
    prices_include_tax: bool
    rounding: Rounding
    sources: tuple[str, ...]
    classes: tuple[PackClass, ...]
    note: str = ""
    mrp_binds: bool = False
    by_place: bool = False
    joint: Mapping[str, tuple[str, ...]] = {}
    named_there: Mapping[str, NamedThere] = {}
    number_names_place: bool = False
    confirm: tuple[Unconfirmed, ...] = ()
    seller: SellerRules = SellerRules()

    def __post_init__(self) -> None:
        if len({each.code for each in self.classes}) != len(self.classes):
            raise ValueError(f"{self.region}: a class code stands twice")
