"""Saved views of lists, and the columns that a person has chosen."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from kernel.wire import Request

ListName = Annotated[
    str,
    Meta(
        max_length=160,
        pattern=r"\A[a-z][a-z0-9_]{0,79}\.[a-z][a-z0-9_]{0,79}\Z",
        description="The list of a page, by the name of its slot.",
        examples=["catalog.products"],
    ),
]
ListColumn = Annotated[
    str,
    Meta(
        pattern=r"\A[a-z][a-z0-9_]{0,79}(\.[a-z][a-z0-9_]{0,79})?\Z",
        description="A column of the list's own, or the plugin that adds it and its column.",
        examples=["sku"],
    ),
]
ViewName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=60,
        pattern=r"\A[^\x00-\x1f\x7f\s]([^\x00-\x1f\x7f]*[^\x00-\x1f\x7f\s])?\Z",
        description="One line, no space at its ends.",
        examples=["Without a barcode"],
    ),
]
Filter = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\A[!-~]+\Z")]
FilterValue = Annotated[str, Meta(max_length=500, pattern=r"\A[^\x00-\x1f\x7f]*\Z")]
Filters = Annotated[
    dict[Filter, FilterValue],
    Meta(
        max_length=50,
        description="What the list is filtered and sorted by, as the address of its page says it.",
        examples=[{"has_barcode": "false", "sort": "-name"}],
    ),
]


class ChosenColumn(Request, frozen=True, kw_only=True):
    """One column. place: where it stands among those given; without one, where it is given."""

    column: ListColumn
    is_shown: bool = True
    place: Annotated[int, Meta(ge=1, le=1000, examples=[1])] | None = None


Columns = Annotated[list[ChosenColumn], Meta(max_length=100)]


class ViewIn(Request, frozen=True, kw_only=True):
    """A view to save. columns: in their order; null as its readers have them. is_shared: for all who see the list."""

    id: UUID | None = None
    list_name: ListName
    name: ViewName
    query: Filters
    columns: Columns | None = None
    is_shared: bool = False


class ViewPatch(Request, frozen=True, kw_only=True):
    """What changes of a view."""

    name: ViewName | UnsetType = UNSET
    query: Filters | UnsetType = UNSET
    columns: Columns | UnsetType | None = UNSET
    is_shared: bool | UnsetType = UNSET


class ColumnKept(Struct, frozen=True):
    """A column that a view keeps."""

    column: ListColumn
    is_shown: bool


class ViewOut(Struct, frozen=True):
    """A saved view. is_own: the caller saved it. may_change: they may change it. version: that of its ETag."""

    id: UUID
    list_name: ListName
    name: str
    query: Filters
    columns: list[ColumnKept] | None
    is_shared: bool
    is_own: bool
    may_change: bool
    version: int


class ListColumnOut(Struct, frozen=True):
    """A column as the caller has it. is_fixed: it stands first, and is always shown."""

    column: ListColumn
    title: Annotated[str, Meta(examples=["SKU"])]
    is_shown: bool
    is_fixed: bool


class ListOut(Struct, frozen=True):
    """A list as the caller has it: its views, shared ones first, and its columns in their order.

    opens_with: the view that its page opens with. is_own: the caller has chosen the columns.
    """

    list_name: ListName
    views: list[ViewOut]
    opens_with: UUID | None
    columns: list[ListColumnOut]
    is_own: bool


class ThroughQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """view_id: columns as they are under this view; one that is not there is none."""

    view_id: UUID | None = None


class ColumnsIn(Request, frozen=True, kw_only=True):
    """The caller's columns of a list, under a view or without one. Those left out come after; none: as they come."""

    view_id: UUID | None = None
    columns: Columns


class OpeningIn(Request, frozen=True, kw_only=True):
    """The view that the page opens with for the caller; null for all there is."""

    view_id: UUID | None
