"""Who states money, and how their files are read."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from kernel.wire import ListQuery, Name, Request
from plugins.reconciliation.rules.layouts import Layout

Zone = Annotated[
    str,
    Meta(
        max_length=60,
        pattern=r"\A[A-Za-z][A-Za-z0-9_+/-]*\Z",
        description="By whose clock its days run, as an IANA name.",
        examples=["Africa/Nairobi"],
    ),
]
MethodCode = Annotated[str, Meta(max_length=40, pattern=r"\A[a-z][a-z0-9_]*\Z", examples=["bank_transfer"])]
Methods = Annotated[
    list[MethodCode], Meta(max_length=20, description="Ways of paying whose money it states.", examples=[["card"]])
]
Grace = Annotated[
    int, Meta(ge=0, le=30, description="Days after which a payment that is not stated is missing.", examples=[2])
]


class SourceIn(Request, frozen=True, kw_only=True):
    """A bank account or a terminal whose statements come as files. Accounts at gateways are sources by themselves."""

    name: Name
    methods: Methods = []
    is_bank: Annotated[bool, Meta(description="Whether payouts and cash arrive there.")] = False
    location_id: UUID | None = None
    zone: Zone | None = None
    grace_days: Grace = 2
    layout: Layout | None = None
    id: UUID | None = None


class SourcePatch(Request, frozen=True, kw_only=True):
    """What of a source is changed."""

    name: Name | UnsetType = UNSET
    methods: Methods | UnsetType = UNSET
    is_bank: bool | UnsetType = UNSET
    is_on: bool | UnsetType = UNSET
    location_id: UUID | UnsetType | None = UNSET
    zone: Zone | UnsetType = UNSET
    grace_days: Grace | UnsetType = UNSET
    layout: Layout | UnsetType | None = UNSET


class SourceQuery(ListQuery, frozen=True, kw_only=True):
    """Which sources."""

    is_on: bool | None = None


class SourceOut(Struct, frozen=True):
    """Who states money. `account_id`: the account at a gateway; `fetched_until`: up to when it has been asked."""

    id: UUID
    name: Name
    account_id: UUID | None
    location_id: UUID | None
    methods: Methods
    is_bank: bool
    is_on: bool
    zone: Zone
    grace_days: Grace
    layout: Layout | None
    fetched_at: dt.datetime | None
    fetched_until: dt.datetime | None
    last_fault: Annotated[str | None, Meta(examples=["The provider cannot be reached"])]
