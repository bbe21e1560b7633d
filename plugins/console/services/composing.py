"""What plugins have put into the console for one reader: menu, pages, cards, and what stands in slots."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import quote
from weakref import WeakKeyDictionary

from kernel.web import Asked
from plugins.console import hooks as places
from plugins.console.schemas import SECTIONS, Action, Block, Card, Column, Filter, Find, Nav, Notice, Page, Seen

log = logging.getLogger("duka.console")
OWN: Final = "console"
T = TypeVar("T")


@dataclass(frozen=True)
class Placed:
    """A page with the plugin it belongs to, and how its path is recognised."""

    plugin: str
    page: Page
    pattern: re.Pattern[str] = field(repr=False)


class Composed:
    """All that one set of plugins offers; made once per set."""

    def __init__(self, asked: Asked, enabled: frozenset[str]) -> None:
        self.navs: list[Nav] = [nav for _, nav in _each(asked.offers(places.console_nav, enabled))]
        self.pages = [
            Placed(plugin, page, pattern_of(plugin, page))
            for plugin, page in _each(asked.offers(places.console_pages, enabled))
        ]
        self.cards: list[tuple[str, Card]] = _ordered(_each(asked.offers(places.console_cards, enabled)))
        self.blocks: list[tuple[str, Block]] = _ordered(_each(asked.offers(places.console_blocks, enabled)))
        self.columns: list[tuple[str, Column]] = _ordered(_each(asked.offers(places.console_columns, enabled)))
        self.filters: list[tuple[str, Filter]] = _ordered(_each(asked.offers(places.console_filters, enabled)))
        self.actions: list[tuple[str, Action]] = _ordered(_each(asked.offers(places.console_actions, enabled)))
        self.finds: list[tuple[str, Find]] = _ordered(_each(asked.offers(places.console_finds, enabled)))
        self.notices: list[tuple[str, Notice]] = _ordered(_each(asked.offers(places.console_notices, enabled)))

    def find(self, path: str) -> tuple[Placed, Mapping[str, str]] | None:
        """The page of a path below `/console`, with its parameters; one spelt out goes before one with parameters."""
        found = [(one, match) for one in self.pages if (match := one.pattern.fullmatch(path))]
        if not found:
            return None
        placed, match = min(found, key=lambda pair: pair[0].page.path.count("{"))
        return placed, match.groupdict()

    def where_is(self, subject: str, seen: Seen) -> str:
        """Where the page of what a row of the trail is about stands, below `/console`; "" where the reader has none."""
        kind, _, of = subject.partition(":")
        for one in self.pages:
            if kind and one.page.subject == kind and seen.may(one.page.permission):
                return re.sub(r"{\w+}", quote(of, safe=""), whole_path(one.plugin, one.page))
        return ""

    def menu(self, seen: Seen) -> list[tuple[str, str, list[Nav]]]:
        """Section, its title, and its entries for this reader."""
        mine = [nav for nav in self.navs if seen.may(nav.permission)]
        in_sections = {
            name: sorted((nav for nav in mine if nav.section == name), key=lambda nav: (nav.order, nav.title))
            for name in SECTIONS
        }
        return [(name, SECTIONS[name], navs) for name, navs in in_sections.items() if navs]

    def bell_follows(self, seen: Seen) -> str:
        """The plugins after whose deeds the reader's bell may show something else, with spaces between."""
        mine = self.in_slot(self.notices, "", seen)
        return " ".join(sorted({name for plugin, one in mine for name in (plugin, *one.follows)}))

    def in_slot(self, kind: Sequence[tuple[str, T]], slot: str, seen: Seen) -> Iterator[tuple[str, T]]:
        """What stands in a slot for this reader, with the plugin that put it there."""
        for plugin, one in kind:
            if getattr(one, "slot", slot) == slot and seen.may(getattr(one, "permission", "")):
                yield plugin, one


def current_of(menu: Sequence[tuple[str, str, Sequence[Nav]]], path: str) -> str:
    """Where the entry leads that a page belongs to: the nearest above it, "" for none."""
    all_of_them = [nav.to for _, _, navs in menu for nav in navs]
    above = [to for to in all_of_them if path == to or (to != "/" and path.startswith(f"{to}/"))]
    return max(above, key=len, default="")


_COMPOSED: WeakKeyDictionary[object, dict[frozenset[str], Composed]] = WeakKeyDictionary()
"""By what is installed and what of it is on."""


def composed_of(asked: Asked, enabled: Iterable[str]) -> Composed:
    """What a set of plugins offers the console; made once for each set."""
    kept, key = _COMPOSED.setdefault(asked.deployment.registry, {}), frozenset(enabled)
    if key not in kept:
        kept[key] = Composed(asked, key)
    return kept[key]


async def columns_of(
    composed: Composed, slot: str, seen: Seen, rows: Sequence[Mapping[str, Any]]
) -> list[tuple[Column, Sequence[str]]]:
    """The columns that plugins add to a table, each with a text for each row; dashes where a plugin fails.

    Those that the reader has put away are not asked for.
    """
    hidden = seen.listing.hidden if seen.listing else ()

    async def values(plugin: str, column: Column) -> tuple[Column, Sequence[str]]:
        try:
            async with asyncio.timeout(2):
                said = await column.values(seen, rows)
        except Exception:  # a column of somebody else's never keeps a page from being shown
            log.warning("column %s of %s could not be read", column.name, plugin, exc_info=True)
            said = ()
        return column, [said[place] if place < len(said) else "–" for place in range(len(rows))]

    shown = [
        (plugin, one)
        for plugin, one in composed.in_slot(composed.columns, slot, seen)
        if f"{plugin}.{one.name}" not in hidden
    ]
    return list(await asyncio.gather(*(values(plugin, one) for plugin, one in shown)))


def _each(answers: Sequence[Any]) -> list[tuple[str, Any]]:
    return [(answer.plugin, one) for answer in answers for one in answer.value]


def _ordered(found: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return sorted(found, key=lambda pair: (pair[1].order, pair[1].name))


def whole_path(plugin: str, page: Page) -> str:
    """The path of a plugin's page below `/console`, with its parameters."""
    return page.path if plugin == OWN else f"/{plugin}{page.path}"


def pattern_of(plugin: str, page: Page) -> re.Pattern[str]:
    """How the paths of a plugin's page are recognised, below `/console`."""
    parts = re.split(r"{(\w+)}", whole_path(plugin, page).rstrip("/") or "/")
    return re.compile("".join(f"(?P<{one}>[^/]+)" if place % 2 else re.escape(one) for place, one in enumerate(parts)))
