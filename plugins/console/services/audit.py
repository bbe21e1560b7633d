"""The trail: who did what, when, and how it was before; and whether the chain that proves it is whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from kernel.money import format_micro
from plugins.console.schemas import Heading, Listing, Nav, Page, Seen

TRAIL: Final = Listing(
    "console.audit",
    (
        Heading("deed", "What"),
        Heading("at", "When"),
        Heading("actor", "Who"),
        Heading("reason", "Reason", "long"),
        Heading("number", "Number", "number"),
    ),
)
NAVS: Final = (Nav("system", "Trail", "/audit", "scroll-text", "audit.see", order=95),)
ASKED_BY: Final = ("from", "to", "deed", "actor_id", "subject", "supporting", "q", "cursor")
NARROWED_BY: Final = ("deed", "subject", "supporting")
"""What a row offers to narrow the list by; who did it is among the filters."""


async def _trail(seen: Seen) -> Mapping[str, Any]:
    listed = await seen.get("/audit", limit=50, **{name: seen.query.get(name) or None for name in ASKED_BY})
    anchors = await seen.get("/audit/anchors")
    people = await seen.titles("/users", key="id", value="name") if seen.may("users.see") else {}
    return {
        "listed": listed,
        "people": list(people.items()),
        "anchor": max(anchors["items"], key=lambda one: one["number"], default=None),
        "known": await seen.get("/audit/verification"),
        "narrowed": [(name, seen.query[name]) for name in NARROWED_BY if seen.query.get(name)],
        "deed_of": deed_of,
    }


async def _row(seen: Seen) -> Mapping[str, Any]:
    row = await seen.get(f"/audit/{seen.path['audit_id']}")
    places = dict(await seen.places()) if row["location_id"] else {}
    return {
        "title": deed_of(row["deed"])[1],
        "row": row,
        "app": deed_of(row["deed"])[0],
        "place": places.get(row["location_id"]),
        "changes": [(words_of(one["table"]), one["after"] is None, list(changed(one))) for one in row["changes"]],
        "words_of": words_of,
    }


def deed_of(operation: str) -> tuple[str, str]:
    """The app of an operation and what it does, in words: `sales.void_sale` is Sales, Void sale."""
    app, _, deed = operation.rpartition(".")
    return words_of(app), words_of(deed)


def words_of(name: str) -> str:
    """A name of the code as words."""
    return name.replace("_", " ").replace(".", " ").strip().capitalize()


def changed(change: Mapping[str, Any]) -> Iterator[tuple[str, str, Any, Any]]:
    """The columns of a changed row: name, kind (`price`, `quantity`, `yes` or ""), before and after.

    Prices and quantities are stored in millionths and shown as decimal strings; all else stands as it is stored.
    """
    after = change["after"] or {}
    for name, before in (change["before"] or {}).items():
        kind = _kind(name, (before, after.get(name)))
        as_shown = _decimal if kind in ("price", "quantity") else _as_it_is
        yield words_of(name), kind, as_shown(before), as_shown(after.get(name))


def _kind(name: str, values: tuple[Any, Any]) -> str:
    known = [one for one in values if one is not None]
    if known and all(isinstance(one, bool) for one in known):
        return "yes"
    if not known or not all(isinstance(one, int) for one in known):
        return ""
    return next((kind for kind in ("price", "quantity") if name == kind or name.endswith(f"_{kind}")), "")


def _as_it_is(value: Any) -> Any:
    return value


def _decimal(value: int | None) -> str | None:
    return None if value is None else f"{Decimal(format_micro(value)).normalize():f}"


PAGES: Final = (
    Page("/audit", "audit/trail.html", "Trail", "audit.see", _trail, lists=TRAIL),
    Page("/audit/{audit_id}", "audit/row.html", "What was done", "audit.see", _row),
)
