"""The dashboard of a person, and what a stream tells of what changes."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta, Struct

from kernel.wire import Request

Size = Literal["s", "m", "l"]
CardName = Annotated[
    str,
    Meta(
        pattern=r"\A[a-z][a-z0-9_]{0,79}\.[a-z][a-z0-9_]{0,79}\Z",
        description="The plugin and its card.",
        examples=["analytics.today"],
    ),
]
PluginName = Annotated[str, Meta(examples=["sales"])]


class Arranged(Request, frozen=True, kw_only=True):
    """One card. size: a quarter, half or all of the width; null as the card comes.

    place: where it stands among those given; without one, where it is given.
    """

    card: CardName
    is_shown: bool = True
    size: Size | None = None
    place: Annotated[int, Meta(ge=1, le=1000, examples=[1])] | None = None


class ArrangementIn(Request, frozen=True, kw_only=True):
    """All cards in their order. Those left out come after them, as they are."""

    cards: Annotated[list[Arranged], Meta(max_length=200)]


class CardOut(Struct, frozen=True):
    """A card of the caller's dashboard. sizes: those to choose from; none where it has but its own.

    follows: plugins after whose deeds it may show something else. to: the page it leads to, below `/console`.
    """

    card: CardName
    plugin: PluginName
    title: Annotated[str, Meta(examples=["Sales today"])]
    size: Size
    sizes: list[Size]
    is_shown: bool
    follows: list[PluginName]
    to: Annotated[str, Meta(examples=["/analytics/sales"])]


class DashboardOut(Struct, frozen=True):
    """The caller's dashboard here: the cards of the plugins that are on and that they may see, in their order.

    is_own: whether they have arranged it.
    """

    cards: list[CardOut]
    is_own: bool


class SinceQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """since: what changed from then on is told at once, of at most the last ten minutes; without it, nothing."""

    since: dt.datetime | None = None


class ChangesOut(Struct, frozen=True):
    """The plugins whose deeds were committed, of those in which the caller holds a permission. at: up to when."""

    changed: list[PluginName]
    at: dt.datetime
