"""What travels: customers and groups as requests give them, answers show them and other plugins use them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, field

from kernel.wire import Email, Ext, ListQuery, Name, Request, Search, Text, custom, extends

EXTENSION: Final = "customers.customer"
"""What customers are called by who extends them, and by the fields of a shop's own."""

Custom = Annotated[dict[str, Any], custom(EXTENSION)]
"""Field of the shop's own → value."""
CustomerKind = Literal["person", "company"]
Phone = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=32,
        pattern=r"\A[0-9+() ./-]+\Z",
        description="With country code, or as the shop's region dials it; kept as E.164.",
        examples=["0712345678"],
    ),
]
TaxNumber = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=30,
        pattern=r"\A[A-Za-z0-9][A-Za-z0-9 ./-]*\Z",
        description="A KRA PIN in Kenya, a GSTIN in India.",
        examples=["P051365947M"],
    ),
]
Subdivision = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=10,
        pattern=r"\A[A-Z0-9-]+\Z",
        description="State or county where the customer is, for the place of supply.",
        examples=["08"],
    ),
]
GroupCode = Annotated[
    str, Meta(max_length=40, pattern=r"\A[a-z0-9][a-z0-9_-]*\Z", description="Unique.", examples=["wholesale"])
]

StoredPhone = Annotated[str, Meta(description="E.164.", examples=["+254712345678"])]
CustomerName = Annotated[Name, Meta(examples=["Grace Wambui"])]
GroupName = Annotated[Name, Meta(examples=["Wholesale"])]
CustomerEmail = Annotated[Email, Meta(examples=["grace.wambui@mail.example"])]
Words = Annotated[Search, Meta(examples=["wambui"])]


class CustomerFacts(Struct, frozen=True):
    """A customer as other plugins need one to sell to."""

    id: UUID
    name: str
    kind: CustomerKind
    phone: str | None
    group_id: UUID | None
    group_code: str | None
    subdivision: str | None
    tax_number: str | None
    is_active: bool
    ext: Mapping[str, Struct] = {}
    """Plugin → what it keeps with the customer, as its Struct reads it."""


class CustomerIn(Request, frozen=True, kw_only=True):
    """A customer to add. The client may choose the id, so that an offline till can go on with it."""

    name: CustomerName
    id: UUID | None = None
    kind: CustomerKind = "person"
    phone: Phone | None = None
    email: CustomerEmail | None = None
    tax_number: TaxNumber | None = None
    group_id: UUID | None = None
    subdivision: Subdivision | None = None
    address: Text = ""
    note: Text = ""
    is_active: bool = True
    ext: Ext = field(default_factory=dict)
    custom: Custom = field(default_factory=dict)


class CustomerPatch(Request, frozen=True, kw_only=True):
    """What changes of a customer. Of `ext`, only the plugins that are named change, of `custom` only the fields."""

    name: CustomerName | UnsetType = UNSET
    kind: CustomerKind | UnsetType = UNSET
    phone: Phone | UnsetType | None = UNSET
    email: CustomerEmail | UnsetType | None = UNSET
    tax_number: TaxNumber | UnsetType | None = UNSET
    group_id: UUID | UnsetType | None = UNSET
    subdivision: Subdivision | UnsetType | None = UNSET
    address: Text | UnsetType = UNSET
    note: Text | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET
    ext: Ext | UnsetType = UNSET
    custom: Custom | UnsetType = UNSET


class CustomerOut(Struct, frozen=True):
    """A customer."""

    id: UUID
    kind: CustomerKind
    name: CustomerName
    phone: StoredPhone | None
    email: CustomerEmail | None
    tax_number: TaxNumber | None
    group_id: UUID | None
    subdivision: Subdivision | None
    address: Text
    note: Text
    is_active: bool
    created_at: dt.datetime
    ext: Annotated[dict[str, Any], extends(EXTENSION)]
    custom: Custom


class CustomerQuery(ListQuery, frozen=True, kw_only=True):
    """Which customers. `q` looks in name, phone, e-mail and tax number.

    By a field of the shop's own: `custom.<field>=`, of numbers and dates also `custom.<field>.from=` and `.to=`. By
    what a plugin keeps with them: `ext.<plugin>.<field>=`, of numbers, dates and instants also `….from=` and `….to=`.
    """

    q: Words | None = None
    phone: Phone | None = None
    group_id: UUID | None = None
    kind: CustomerKind | None = None
    is_active: bool | None = None
    custom: Annotated[dict[str, str], custom(EXTENSION)] = field(default_factory=dict)
    ext: Annotated[dict[str, str], extends(EXTENSION)] = field(default_factory=dict)
    sort: Annotated[str, Meta(max_length=20, description="`name` or `created_at`; `-` before it reverses.")] = "name"


class GroupIn(Request, frozen=True, kw_only=True):
    """A group to add."""

    code: GroupCode
    name: GroupName


class GroupPatch(Request, frozen=True, kw_only=True):
    """What changes of a group."""

    code: GroupCode | UnsetType = UNSET
    name: GroupName | UnsetType = UNSET


class GroupOut(Struct, frozen=True):
    """A group of customers."""

    id: UUID
    code: GroupCode
    name: GroupName


class GroupQuery(ListQuery, frozen=True, kw_only=True):
    """Which groups."""

    code: GroupCode | None = None
