"""Lists on their pages: the view that one looks through, and the columns in the order that the reader gave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from plugins.console.schemas import Column, Listing, ListSeen, Refused, Seen
from plugins.console.schemas.listing import NEVER_KEPT, VIEW
from plugins.console.services.at_place import BY_PLACE

REFUSED: Final = (400, 404, 422)
"""What the API says of a filter that has become invalid, or of what it names."""


@dataclass(frozen=True)
class Shown:
    """A column of a table, as it is drawn. values: a text for each row; None where the page itself draws it."""

    name: str
    title: str
    kind: str = ""
    sort: str = ""
    values: Sequence[str] | None = None


async def begin(
    seen: Seen, listing: Listing, path: str, asked: Mapping[str, str], *, has_place: bool = False
) -> ListSeen:
    """The list of a page for its reader.

    asked: by the page's own address, without what was chosen in the menu. has_place: a place was chosen there, so that
    all places, said aloud, say something.
    """
    query = filters_in(asked, (*listing.empties, *([BY_PLACE] if has_place else ())))
    begun = ListSeen(listing, path, query)
    if seen.business is None:
        return begun
    view_id = _id(asked.get(VIEW, ""))
    try:
        begun.told, begun.tag = await seen.get_tagged(f"/console/lists/{listing.name}", view_id=view_id)
    except Refused:
        return begun
    begun.view = next((one for one in begun.views if one["id"] == view_id), None)
    return begun


def filters_in(asked: Mapping[str, str], empties: Sequence[str] = ()) -> dict[str, str]:
    """What an address says of a list that is worth keeping. empties: what says something without a text, too."""
    return {name: value for name, value in asked.items() if name not in NEVER_KEPT and (value or name in empties)}


def opening(listing: ListSeen) -> str:
    """Where the page goes that is opened without being asked for anything; "" where it stays."""
    opens_with = listing.told["opens_with"] if listing.told else None
    found = next((one for one in listing.views if one["id"] == opens_with), None)
    return listing.address(found) if found else ""


def is_broken_by(seen: Seen, refused: Refused) -> bool:
    """Whether what the API refused was asked by a view."""
    return seen.listing is not None and seen.listing.view is not None and refused.status in REFUSED


def without_faults(seen: Seen, refused: Refused) -> list[Seen]:
    """What is asked instead of what was refused: the rest of it, then the plain list."""
    faults = {one.get("pointer", "")[1:] for one in refused.problem.get("errors", ())}
    kept = {name: value for name, value in seen.query.items() if name not in faults}
    bare = {name: value for name, value in seen.query.items() if name == VIEW}
    return [replace(seen, query=one) for one in ((kept, bare) if kept != dict(seen.query) else (bare,))]


def shown_of(listing: ListSeen, added: Mapping[str, tuple[Column, Sequence[str]]]) -> list[Shown]:
    """The columns of a list in the reader's order, with those that plugins added, by `<plugin>.<column>`."""
    known = {one.name: Shown(one.name, one.title, one.kind, one.sort) for one in listing.listing.columns}
    known |= {
        name: Shown(name, column.title, "number" if column.is_number else "", values=values)
        for name, (column, values) in added.items()
    }
    told = [one["column"] for one in listing.told["columns"] if one["is_shown"]] if listing.told else list(known)
    order = [*told, *(name for name in known if name not in told and name not in listing.hidden)]
    return [known[name] for name in order if name in known]


def _id(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None
