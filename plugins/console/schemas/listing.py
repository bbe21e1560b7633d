"""Lists: what a page says of the list it shows, and that list as one reader sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlencode

VIEW: Final = "view"
"""In an address: the view that one looks through, or `all` for none."""
EVERYTHING: Final = "all"
NEVER_KEPT: Final = frozenset({VIEW, "cursor", "slots"})
"""What of an address is no filter."""


@dataclass(frozen=True)
class Heading:
    """A column of a page's own list. The first of a list stands first and is always shown.

    kind: numbers end the cell, long texts may break anywhere. sort: what the API's `sort` calls it.
    """

    name: str
    title: str
    kind: Literal["", "number", "long"] = ""
    sort: str = ""


@dataclass(frozen=True)
class Listing:
    """The list that a page shows. name: that of its slot, such as `catalog.products`. columns: of the page's own.

    empties: filters of which an empty text says something, such as all states, where none says the open ones.
    """

    name: str
    columns: Sequence[Heading] = ()
    empties: Sequence[str] = ()


@dataclass
class ListSeen:
    """A list as one reader sees it.

    path: of its page, below `/console`. query: what the address asks of it. told: the answer of
    `/console/lists/{list_name}`, None where no business keeps any. view: the one looked through, of those in `told`.
    is_broken: what the view asks for was refused, and is left out.
    """

    listing: Listing
    path: str
    query: Mapping[str, str]
    told: Mapping[str, Any] | None = None
    tag: str = ""
    view: Mapping[str, Any] | None = None
    is_broken: bool = field(default=False)

    @property
    def views(self) -> Sequence[Mapping[str, Any]]:
        """Those that the reader has to choose from."""
        return self.told["views"] if self.told else ()

    @property
    def everything(self) -> str:
        """The address of all there is, whatever view the page opens with."""
        return f"{self.path}?{VIEW}={EVERYTHING}"

    @property
    def is_changed(self) -> bool:
        """Whether something else is seen than the view has, or than there is without one."""
        if self.view is None:
            return bool(self.query)
        return self.view["query"] != self.query or bool(self.told and self.told["is_own"])

    @property
    def columns(self) -> Sequence[Mapping[str, Any]] | None:
        """The columns as they are seen, to be kept with a view; None where they are as they come."""
        if self.told is None or not (self.told["is_own"] or (self.view and self.view["columns"])):
            return None
        kept = ({"column": one["column"], "is_shown": one["is_shown"]} for one in self.told["columns"])
        return [one for one in kept if one["column"] != self.listing.columns[0].name]

    @property
    def hidden(self) -> frozenset[str]:
        """The columns that the reader has put away."""
        told = self.told["columns"] if self.told else ()
        return frozenset(one["column"] for one in told if not one["is_shown"])

    def address(self, view: Mapping[str, Any]) -> str:
        """Where a view is seen, below `/console`."""
        return f"{self.path}?{urlencode({**view['query'], VIEW: view['id']})}"

    def seen_through(self, view_id: str) -> str:
        """Where what is seen now is seen through a view. view_id: or `{id}`, to be filled in."""
        asked = f"{urlencode(self.query)}&" if self.query else ""
        return f"{self.path}?{asked}{VIEW}={view_id}"

    def sheet(self, path: str) -> str:
        """The address of a sheet about this list as it is seen now."""
        said = {"at": self.path, VIEW: self.view["id"] if self.view else "", "asked": urlencode(self.query)}
        return f"{path}?{urlencode({name: value for name, value in said.items() if value})}"
