"""What taxes speak of: treatments and taxed lines as rules see them, region packs as files hold them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from typing import Literal
from uuid import UUID

from msgspec import Struct

from kernel.money import Percent

# Values of the rules. Amounts are minor units; rates, quantities, amounts per unit are scaled by money.MICRO.

Category = Literal["standard", "reduced", "zero", "exempt", "out_of_scope"]
"""How a line is reported; zero-rated and exempt are kept apart although both come to nothing."""

Rounding = Literal["line", "document"]
"""Where tax is rounded: on each line, or once per rate on the whole document."""


class TaxComponent(Struct, frozen=True):
    """One tax of a treatment: a percentage (16_000_000 is 16 %), or `amount_micro` of money for each unit.

    `twin` names the component that must always come to the same amount, as CGST and SGST do; both name each
    other and have one rate. Negative figures are ValueErrors.
    """

    code: str
    rate: int = 0
    kind: Literal["percent", "per_unit"] = "percent"
    amount_micro: int = 0
    twin: str | None = None

    def __post_init__(self) -> None:
        if self.rate < 0 or self.amount_micro < 0:
            raise ValueError(f"tax {self.code} must not be negative")
        if self.twin is not None and self.kind != "percent":
            raise ValueError(f"tax {self.code} is per unit and cannot have a twin")


class Treatment(Struct, frozen=True):
    """How one line is taxed: the class it came from (None where a product has none) and its additive taxes.

    A code stands once; twins come in pairs of one rate; zero, exempt and out of scope bear no percentage.
    Anything else is a ValueError.
    """

    class_id: UUID | None
    name: str
    category: Category
    components: tuple[TaxComponent, ...]

    def __post_init__(self) -> None:
        by_code = {component.code: component for component in self.components}
        if len(by_code) != len(self.components):
            raise ValueError(f"{self.name}: a tax code stands twice")
        if self.category in ("zero", "exempt", "out_of_scope") and any(tax.rate for tax in self.components):
            raise ValueError(f"{self.name}: {self.category} goods bear no percentage")
        for tax in self.components:
            if tax.twin is not None and not _are_twins(tax, by_code.get(tax.twin)):
                raise ValueError(f"{self.name}: {tax.code} and {tax.twin} are no pair of one rate")


class TaxableLine(Struct, frozen=True):
    """What a line asks the tax rules: its amount after all discounts, its quantity and its treatment.

    The amount contains the tax when the policy says that prices do. Returns are negative.
    """

    amount: int
    quantity: int
    treatment: Treatment


class TaxPolicy(Struct, frozen=True):
    """What a region says of all lines: whether prices contain tax, where it is rounded, the minor digits."""

    prices_include_tax: bool
    rounding: Rounding
    exponent: int


class ComponentTax(Struct, frozen=True):
    """What one tax came to on one line; `taxable` is the line's net, `rate` is zero for a tax per unit."""

    code: str
    rate: int
    taxable: int
    amount: int


class TaxedLine(Struct, frozen=True):
    """A line with its tax: net + tax = total, and tax is the sum of its components, always exactly."""

    net: int
    tax: int
    total: int
    components: tuple[ComponentTax, ...]


# Region packs: the files data/<region>.json. Rates are percentages as decimal strings, both dates inclusive.


class PackComponent(Struct, frozen=True, forbid_unknown_fields=True):
    """One percentage of a pack's rate, with the twin that must equal it, if any."""

    code: str
    rate: Percent
    twin: str | None = None


class PackRate(Struct, frozen=True, forbid_unknown_fields=True):
    """What a class bears from one day to another (None: until further notice).

    `codes` gives the words that authorities use for it, by their system: {"etims": "B"}.
    """

    valid_from: date
    valid_to: date | None
    components: tuple[PackComponent, ...]
    codes: Mapping[str, str] = {}


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


class RegionPack(Struct, frozen=True, forbid_unknown_fields=True):
    """A region's tax classes and habits, with the sources they were taken from; codes are distinct."""

    region: str
    name: str
    prices_include_tax: bool
    rounding: Rounding
    source: tuple[str, ...]
    classes: tuple[PackClass, ...]
    note: str = ""

    def __post_init__(self) -> None:
        if len({each.code for each in self.classes}) != len(self.classes):
            raise ValueError(f"{self.region}: a class code stands twice")


def _are_twins(one: TaxComponent, other: TaxComponent | None) -> bool:
    return other is not None and other is not one and other.twin == one.code and other.rate == one.rate
