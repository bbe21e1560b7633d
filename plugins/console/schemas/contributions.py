"""Contributions: what a plugin offers the console by its hooks. All of them are data, and a function that reads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from plugins.console.schemas.listing import Listing
from plugins.console.schemas.seen import Seen

SECTIONS: Final[Mapping[str, str]] = {
    "trade": "Trade",
    "goods": "Goods",
    "money": "Money",
    "reports": "Reports",
    "system": "System",
    "operator": "Deployment",
}
"""The parts of the menu, in order: name → title."""

Reads = Callable[[Seen], Awaitable[Mapping[str, Any]]]
"""Reads by the API what a template shows."""
ReadsBeside = Callable[[Seen, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""The same beside what the slot gives, such as the product of the page."""

OPERATOR: Final = "operator"
"""In place of a permission: only for operators of the deployment."""


@dataclass(frozen=True)
class Nav:
    """An entry of the menu. to: a path below `/console`. permission: "" for everybody. order: within its section."""

    section: str
    title: str
    to: str
    icon: str
    permission: str = ""
    order: int = 50


@dataclass(frozen=True)
class Page:
    """A page at `/console/<plugin><path>`, or `/console<path>` of the console itself; `{name}` in it is a parameter.

    template: below the plugin's `templates/`; it extends `layout`. read: what it shows; raising Refused shows why.
    subject: the kind of thing, as subjects of the audit trail begin (`product`), that the path's one parameter is the
    id of. The page then leads to its history, and the trail to the page.
    lists: the list that it shows, of which people save views and choose the columns.
    """

    path: str
    template: str
    title: str
    permission: str = ""
    read: Reads | None = None
    subject: str = ""
    lists: Listing | None = None


@dataclass(frozen=True)
class Card:
    """A card of the dashboard. It loads after the page, and again when something of what it follows changes.

    size: a quarter, half or all of the width; a person may choose another, but for one as wide as the page (`l`), which
    brings frames of its own. follows: plugins after whose deeds it may show something else.
    """

    name: str
    title: str
    template: str
    read: Reads
    permission: str = ""
    size: Literal["s", "m", "l"] = "s"
    order: int = 50
    to: str = ""
    follows: Sequence[str] = ()


@dataclass(frozen=True)
class Block:
    """A piece of somebody else's page, in one of its slots. read: is given what the slot gives."""

    slot: str
    name: str
    template: str
    read: ReadsBeside | None = None
    permission: str = ""
    order: int = 50


@dataclass(frozen=True)
class Column:
    """A column more in a table of somebody else's. values: the rows of the page → a text for each, in their order."""

    slot: str
    name: str
    title: str
    values: Callable[[Seen, Sequence[Mapping[str, Any]]], Awaitable[Sequence[str]]]
    permission: str = ""
    is_number: bool = False
    order: int = 50


@dataclass(frozen=True)
class Filter:
    """A choice more above a list of somebody else's. asks: the filter of the API, such as `ext.loyalty.tier`.

    choices: values of it, and what each is called. empty: what stands there while nothing is chosen.
    """

    slot: str
    name: str
    title: str
    asks: str
    choices: Sequence[tuple[str, str]]
    empty: str
    permission: str = ""
    order: int = 50


@dataclass(frozen=True)
class Action:
    """A button more on somebody else's page. to: where it leads, with `{id}` and others of the slot's values."""

    slot: str
    name: str
    title: str
    to: str
    icon: str = ""
    permission: str = ""
    as_sheet: bool = False
    order: int = 50


@dataclass(frozen=True)
class Found:
    """Something that the global search found. to: a path below `/console`."""

    title: str
    to: str
    words: str = ""


@dataclass(frozen=True)
class Find:
    """How the global search finds things of a plugin. find: what was typed → the best few."""

    name: str
    title: str
    icon: str
    find: Callable[[Seen, str], Awaitable[Sequence[Found]]]
    permission: str = ""
    order: int = 50


@dataclass(frozen=True)
class Waits:
    """Something that waits for the reader, in their own words. to: a path below `/console`, where it is resolved.

    amount, currency: the money it is about, as a decimal string.
    """

    title: str
    to: str
    words: str = ""
    amount: str = ""
    currency: str = ""


@dataclass(frozen=True)
class Waiting:
    """What waits of one kind: the first few, and how many there are in all (None: those are all)."""

    items: Sequence[Waits] = ()
    total: int | None = None


@dataclass(frozen=True)
class Notice:
    """A kind of thing that may wait for somebody, shown by the bell. read: by the API, in the name of the reader.

    to: the page of all of them. kind: how much it presses. follows: plugins after whose deeds it is asked again.
    """

    name: str
    title: str
    icon: str
    read: Callable[[Seen], Awaitable[Waiting]]
    permission: str = ""
    to: str = ""
    kind: Literal["", "warn", "bad"] = ""
    order: int = 50
    follows: Sequence[str] = ()
