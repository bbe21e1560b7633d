"""Where operators let businesses use a gateway, as they say and see it. Amounts are decimal strings in major units."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta, Struct

from kernel.money import Amount
from kernel.wire import Currency, Region, Request
from plugins.payments.schemas.gateways import GatewayName
from plugins.payments.schemas.values import Person

GatewayMode = Annotated[Literal["live", "test"], Meta(description="Real money, or the provider's test system.")]

Place = Annotated[
    int, Meta(ge=0, le=1000, description="Its place in the order of fallback; the lowest first.", examples=[1])
]

Percent = Annotated[
    int,
    Meta(ge=1, le=100, description="On so many of a hundred tills only, always the same ones.", examples=[10]),
]


class SwitchIn(Request, frozen=True, kw_only=True):
    """A gateway in a region, whole: what is left away takes its default. Amounts need the currency they are in.

    With a percentage it is on trial: on those tills only, and switched off by itself when they fare clearly worse.
    """

    is_on: bool
    currency: Currency | None = None
    least: Amount | None = None
    most: Amount | None = None
    position: Place = 1
    canary_percent: Percent | None = None


class SwitchOut(Struct, frozen=True):
    """A gateway in a region and a mode. Nobody having said anything, it is off, and `version` is 0.

    rolled_back_at, rolled_back_why: when and why a trial was ended by itself.
    """

    region: Region
    gateway: GatewayName
    title: Annotated[str | None, Meta(description="None: it is not installed any more.", examples=["M-Pesa"])]
    mode: GatewayMode
    is_on: bool
    currency: Currency | None
    least: Amount | None
    most: Amount | None
    position: Place
    canary_percent: Percent | None
    canary_since: dt.datetime | None
    rolled_back_at: dt.datetime | None
    rolled_back_why: Annotated[
        str | None,
        Meta(examples=["11 of 40 (28%) payments on trial succeeded, elsewhere 190 of 200 (95%)"]),
    ]
    changed_at: dt.datetime | None
    changed_by: Person | None
    version: Annotated[int, Meta(description="For If-Match.", examples=[1])]


class SwitchesOut(Struct, frozen=True):
    """Every gateway that is installed, in every region and mode in which it is offered."""

    items: list[SwitchOut]


_Count = Annotated[int, Meta(ge=0, examples=[12])]


class FareOut(Struct, frozen=True):
    """How a gateway fares in a region, over all its open businesses; payments are those of the last 24 hours.

    accounts: that are on. resting: accounts that are left alone for a while, their provider having failed them.
    paid: payments that brought money. At most 500 payments of a business are counted, the latest.
    """

    region: Region
    gateway: GatewayName
    mode: GatewayMode
    accounts: _Count
    resting: _Count
    payments: _Count
    paid: _Count


class FaresOut(Struct, frozen=True):
    """How gateways fare wherever somebody has an account at one."""

    items: list[FareOut]
