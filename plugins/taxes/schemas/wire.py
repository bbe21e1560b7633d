"""What travels: tax classes and their rates. Percentages and amounts are decimal strings."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from kernel.money import Percent, UnitPrice
from kernel.wire import Code, ListQuery, Name, Region, Request
from plugins.taxes.schemas.values import Category, Kind

ClassName = Annotated[Name, Meta(examples=["Standard"])]
ClassCode = Annotated[Code, Meta(examples=["standard"])]
ComponentCode = Annotated[
    str, Meta(pattern=r"\A[A-Z0-9][A-Z0-9._-]{0,19}\Z", description="The tax, as documents name it.", examples=["VAT"])
]
Day = Annotated[dt.date, Meta(description="The first or last day, inclusive.", examples=["2021-01-01"])]


class ComponentIn(Request, frozen=True, kw_only=True):
    """One tax of a rate: a percentage, or an amount of money for each unit. Twins always come to the same amount.

    `included`: whether prices contain it; null as the region's prices do. `affects_base`: the percentages that follow
    are taken of it too.
    """

    code: ComponentCode
    kind: Kind = "percent"
    rate: Percent = "0"
    amount: UnitPrice = "0"
    twin: ComponentCode | None = None
    included: bool | None = None
    affects_base: bool = False


class RateIn(Request, frozen=True, kw_only=True):
    """What the class bears in a region from a day on, until the next rate begins.

    Either `rate`, which becomes the region's usual taxes (16 of VAT in KE, half CGST and half SGST in IN), or
    `components`.
    """

    region: Region
    valid_from: Day
    rate: Percent | None = None
    components: Annotated[list[ComponentIn], Meta(max_length=10, examples=[None])] | None = None


class ClassIn(Request, frozen=True, kw_only=True):
    """A tax class to add. Without a code one is made from the name."""

    name: ClassName
    code: ClassCode | None = None
    category: Category = "standard"
    is_default: bool = False
    rates: Annotated[list[RateIn], Meta(max_length=50)] = []


class ClassPatch(Request, frozen=True, kw_only=True):
    """What changes of a class. Rates are added: a new one ends the one before; those that have begun stay."""

    name: ClassName | UnsetType = UNSET
    is_default: bool | UnsetType = UNSET
    rates: Annotated[list[RateIn], Meta(max_length=50)] = []


class ComponentOut(Struct, frozen=True):
    """One tax of a rate."""

    code: ComponentCode
    kind: Kind
    rate: Percent
    amount: UnitPrice
    twin: ComponentCode | None
    included: bool | None
    affects_base: bool


class RateOut(Struct, frozen=True):
    """What a class bears in a region: `rate` is the sum of its percentages; no `valid_to`: until further notice.

    `codes` holds the words of authorities for it, such as the tax letter of a receipt.
    """

    region: Region
    rate: Percent
    valid_from: Day
    valid_to: Day | None
    components: list[ComponentOut]
    codes: dict[str, Any]


class ClassOut(Struct, frozen=True):
    """A tax class with all its rates, oldest first."""

    id: UUID
    code: ClassCode
    name: ClassName
    category: Category
    is_default: bool
    rates: list[RateOut]


class ClassQuery(ListQuery, frozen=True, kw_only=True):
    """Which classes."""

    category: Category | None = None


class SellerQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whose documents: those of a location, without one those of the business."""

    location_id: UUID | None = None


class SellerOut(Struct, frozen=True):
    """How documents name the seller today, beside the shop's own name.

    number_name: what the region calls a tax number, such as `KRA PIN`; number_example: one that could exist, "" where
    any text may be one. is_wanted: the law of the region wants them on a receipt.
    """

    location_id: UUID | None
    tax_number: Annotated[str | None, Meta(examples=["P051365947M"])]
    number_name: Annotated[str, Meta(examples=["KRA PIN"])]
    number_example: Annotated[str, Meta(examples=["P051365947M"])]
    legal_name: Annotated[str | None, Meta(examples=["Njeri Retail Ltd"])]
    address: Annotated[str | None, Meta(examples=["Moi Avenue 12, Nairobi"])]
    is_wanted: bool


class ConfirmOut(Struct, frozen=True):
    """Something that a local accountant confirms before a shop relies on it."""

    matter: Annotated[str, Meta(examples=["Which goods are zero-rated"])]
    why: str


class PackOut(Struct, frozen=True):
    """What Duka knows of tax in the business's region; `is_generic` where it ships no pack of that region.

    by_place: tax depends on the state or county. sources: the laws and pages that the rates were read in.
    """

    region: Region
    is_generic: bool
    prices_include_tax: bool
    by_place: bool
    note: str
    sources: Annotated[list[str], Meta(examples=[["Value Added Tax Act, 2013"]])]
    confirm: list[ConfirmOut]
