"""The places of the console: each hook offers data, collected once for each set of plugins that are on."""

from __future__ import annotations

from collections.abc import Sequence

from kernel.hooks import spec
from plugins.console.schemas import Action, Block, Card, Column, Filter, Find, Nav, Notice, Page


@spec(failing="skip", budget_ms=500)
def console_nav() -> Sequence[Nav] | None:
    """Offer entries of the menu.

    When: once per set of enabled plugins. Answer: entries; each is shown to who holds its permission.
    Errors: your entries are left out. Since: 0.1.
    Not for: every page you have; an entry is where somebody begins.
    """


@spec(failing="skip", budget_ms=500)
def console_pages() -> Sequence[Page] | None:
    """Offer pages, at `/console/<plugin><path>`.

    When: once per set of enabled plugins. Answer: pages. What a page reads and changes it reads and changes by the API,
    in the name of its reader. Errors: your pages are left out. Since: 0.1.
    Not for: pages for people who are not signed in.
    """


@spec(failing="skip", budget_ms=500)
def console_cards() -> Sequence[Card] | None:
    """Offer cards of the dashboard.

    When: once per set of enabled plugins. Answer: cards. They load after the page, a slow one after the others;
    one that fails says so in its own place. Errors: your cards are left out. Since: 0.1.
    Not for: lists to work through; give them a page, and let the card lead there.
    """


@spec(failing="skip", budget_ms=500)
def console_blocks() -> Sequence[Block] | None:
    """Offer pieces of others' pages, in the slots that those pages name.

    When: once per set of enabled plugins. Answer: blocks. One that takes longer than 150 ms loads after the page.
    Errors: your blocks are left out. Since: 0.1.
    Not for: changing what the page itself shows.
    """


@spec(failing="skip", budget_ms=500)
def console_columns() -> Sequence[Column] | None:
    """Offer columns more for others' tables.

    When: once per set of enabled plugins. Answer: columns; each is given all rows of a page at once, and answers with
    one request. Errors: your columns are left out. Since: 0.1.
    Not for: what a click on the row shows as well.
    """


@spec(failing="skip", budget_ms=500)
def console_filters() -> Sequence[Filter] | None:
    """Offer choices by which others' lists are filtered, above the list.

    When: once per set of enabled plugins. Answer: filters, each by a filter that the list's API takes
    (`kernel.hooks.list_filters`, or a field of your side table). Errors: your filters are left out. Since: 0.3.
    Not for: what few would ever ask for; the row above a list is short.
    """


@spec(failing="skip", budget_ms=500)
def console_actions() -> Sequence[Action] | None:
    """Offer buttons more for others' pages.

    When: once per set of enabled plugins. Answer: actions, each leading to a page of yours.
    Errors: your actions are left out. Since: 0.1.
    Not for: acting at a click; lead to a page, or to a sheet that says what will happen.
    """


@spec(failing="skip", budget_ms=500)
def console_finds() -> Sequence[Find] | None:
    """Offer what the global search finds of yours.

    When: once per set of enabled plugins. Answer: finds; each is asked with what was typed, at the same time as the
    others, and left out where it fails or takes longer than a second. Errors: your finds are left out. Since: 0.1.
    Not for: more than the best five; the page of yours lists the rest.
    """


@spec(failing="skip", budget_ms=500)
def console_notices() -> Sequence[Notice] | None:
    """Offer kinds of things that wait for somebody: the bell counts them, and leads to where each is resolved.

    When: once per set of enabled plugins. Answer: notices; each is asked for who holds its permission, at the same time
    as the others, after the page is there. One that fails or takes longer than two seconds says so in its own place.
    Errors: your notices are left out. Since: 0.1.
    Not for: news that nobody has to act on.
    """
