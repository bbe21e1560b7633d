"""What taxes speak of: treatments and taxed lines, as rules see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from msgspec import Struct

# Values of the rules. Amounts are minor units; rates, quantities, amounts per unit are scaled by money.MICRO.

Category = Literal["standard", "reduced", "zero", "exempt", "out_of_scope"]
"""How a line is reported; zero-rated and exempt are kept apart although both come to nothing."""

Rounding = Literal["line", "document"]
"""Where tax is rounded: on each line, or once per rate on the whole document."""


Kind = Literal["percent", "per_unit"]
"""What a tax is: a percentage of its base, or an amount of money for each unit."""


class TaxComponent(Struct, frozen=True):
    """One tax of a treatment: a percentage (16_000_000 is 16 %), or `amount_micro` of money for each unit.

    `twin` names the component that must always come to the same amount, as CGST and SGST do; both name each
    other and have one rate. `included`: whether the price contains it; None as the region's prices do.
    `affects_base`: the percentages after it are taken of it too; those that prices contain only of what they
    contain. Negative figures, and twins that affect the base, are ValueErrors.
    """

    code: str
    rate: int = 0
    kind: Kind = "percent"
    amount_micro: int = 0
    twin: str | None = None
    included: bool | None = None
    affects_base: bool = False

    def __post_init__(self) -> None:
        if self.rate < 0 or self.amount_micro < 0:
            raise ValueError(f"tax {self.code} must not be negative")
        if self.twin is not None and self.kind != "percent":
            raise ValueError(f"tax {self.code} is per unit and cannot have a twin")
        if self.twin is not None and self.affects_base:
            raise ValueError(f"tax {self.code} has a twin, and is no part of another's base")


class Treatment(Struct, frozen=True):
    """How one line is taxed: the class it came from (None where a product has none) and its taxes in their order.

    A code stands once; twins come in pairs of one rate on one base; zero, exempt and out of scope bear no percentage.
    Anything else is a ValueError. `codes`: the authorities' words for it, by their system: {"etims": "B"}.
    """

    class_id: UUID | None
    name: str
    category: Category
    components: tuple[TaxComponent, ...]
    codes: Mapping[str, str] = {}
    class_code: str = ""

    def __post_init__(self) -> None:
        by_code = {component.code: component for component in self.components}
        if len(by_code) != len(self.components):
            raise ValueError(f"{self.name}: a tax code stands twice")
        if self.category in ("zero", "exempt", "out_of_scope") and any(tax.rate for tax in self.components):
            raise ValueError(f"{self.name}: {self.category} goods bear no percentage")
        for tax in self.components:
            if tax.twin is not None and not _are_twins(tax, by_code.get(tax.twin)):
                raise ValueError(f"{self.name}: {tax.code} and {tax.twin} are no pair of one rate")
            if tax.twin is not None and _base_changes_between(self.components, tax.code, tax.twin):
                raise ValueError(f"{self.name}: {tax.code} and {tax.twin} are no pair on one base")


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
    """What one tax came to on one line; `rate` is zero for a tax per unit.

    `taxable` is what it was taken of: the line's net, and the taxes before it that affect the base.
    """

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


def _are_twins(one: TaxComponent, other: TaxComponent | None) -> bool:
    if other is None or other is one or other.twin != one.code:
        return False
    return other.rate == one.rate and other.included == one.included


def _base_changes_between(components: tuple[TaxComponent, ...], one: str, other: str) -> bool:
    codes = [component.code for component in components]
    first, last = sorted((codes.index(one), codes.index(other)))
    return any(component.affects_base for component in components[first:last])
