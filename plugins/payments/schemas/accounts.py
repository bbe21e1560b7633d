"""A business's accounts at gateways, as requests name them and answers show them. Secrets go in and never come out."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from kernel.money import Amount
from kernel.wire import Currency, Line, ListQuery, Name, Request
from plugins.payments.schemas.capabilities import Capabilities
from plugins.payments.schemas.gateways import GatewayName
from plugins.payments.schemas.regions import GatewayMode, Place
from plugins.payments.schemas.values import MethodCode, Title

Places = Annotated[
    list[UUID], Meta(max_length=500, description="The locations where it takes money; none: all of them.")
]

Config = Annotated[
    dict[str, Any],
    Meta(
        description="What the gateway wants to know, see `config_schema` of gateways; null takes a value back.",
        examples=[{}],
    ),
]

Label = Annotated[Name, Meta(description="What the business calls it.", examples=["Till at the market"])]


class AccountIn(Request, frozen=True, kw_only=True):
    """An account at a gateway. The mode stays: for real money another account is made."""

    gateway: GatewayName
    label: Label
    mode: GatewayMode
    is_on: bool = True
    position: Place = 1
    location_ids: Places = []
    config: Config = {}


class AccountPatch(Request, frozen=True, kw_only=True):
    """What changes of an account; a secret that is not named stays as it is."""

    label: Label | UnsetType = UNSET
    is_on: bool | UnsetType = UNSET
    position: Place | UnsetType = UNSET
    location_ids: Places | UnsetType = UNSET
    config: Config | UnsetType = UNSET


class AccountQuery(ListQuery, frozen=True, kw_only=True):
    """Which accounts."""

    gateway: GatewayName | None = None


class AccountOut(Struct, frozen=True):
    """An account at a gateway. secrets: name of each secret → whether it is set.

    notify_url: where the provider leaves word; whoever knows it can make Duka ask the provider, and no more than that.
    unavailable: why no money is taken by it now, or null. tested: what the last trial of it came to.
    """

    id: UUID
    gateway: GatewayName
    title: Annotated[Title | None, Meta(description="None: the gateway is not installed any more.")]
    label: Label
    mode: GatewayMode
    is_on: bool
    position: Place
    location_ids: list[UUID]
    config: Config
    secrets: Annotated[dict[str, bool], Meta(examples=[{"consumer_secret": True}])]
    notify_url: Annotated[str, Meta(examples=["https://duka.example/api/v1/payments/notices/1…"])]
    unavailable: Annotated[str | None, Meta(examples=["M-Pesa is switched off in KE"])]
    tested_at: dt.datetime | None
    tested: Annotated[str | None, Meta(examples=["The provider knows the account"])]
    created_at: dt.datetime
    version: Annotated[int, Meta(description="For If-Match.", examples=[1])]


class TrialOut(Struct, frozen=True):
    """What a trial of an account came to. fault: a code, null where all is well."""

    is_well: bool
    words: Annotated[str, Meta(examples=["The provider knows the account"])]
    fault: Annotated[str | None, Meta(examples=["authentication"])]
    at: dt.datetime


class AllowedOut(Struct, frozen=True):
    """What operators allow of a gateway in the region of the business, in one mode."""

    mode: GatewayMode
    is_on: bool
    currency: Currency | None
    least: Amount | None
    most: Amount | None
    trial_percent: Annotated[int | None, Meta(description="On so many of a hundred tills only.", examples=[10])]
    words: Annotated[str | None, Meta(description="Why it was switched off by itself.")]


class HealthOut(Struct, frozen=True):
    """How calls of one kind fare at an account."""

    account_id: UUID
    label: Label
    kind: Annotated[str, Meta(examples=["ask"])]
    failed_in_a_row: int
    closed_until: dt.datetime | None
    last_well_at: dt.datetime | None
    last_failed_at: dt.datetime | None
    last_fault: dict[str, Any] | None


class GatewayOut(Struct, frozen=True):
    """A gateway that the business has switched on: what it can do, what it asks for, and how it fares."""

    name: GatewayName
    title: Title
    methods: list[MethodCode]
    capabilities: Capabilities
    config_schema: Annotated[dict[str, Any], Meta(description="JSON Schema.", examples=[{"type": "object"}])]
    allowed: list[AllowedOut]
    health: list[HealthOut]


class GatewaysOut(Struct, frozen=True):
    """The gateways that the business has switched on."""

    items: list[GatewayOut]


class UnavailableOut(Struct, frozen=True):
    """A method that cannot be used at a place now, and why."""

    code: MethodCode
    why: Annotated[str, Meta(description="A code.", examples=["region_off"])]
    words: Annotated[Line, Meta(examples=["M-Pesa is switched off in KE"])]
