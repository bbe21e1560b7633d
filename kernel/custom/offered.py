"""Filters that plugins bring to lists of others' things: `?ext.inventory.stock=out`.

They ask what no column of a side table says (decision 0081). A plugin answers `list_filters` with `ListFilter`s.
Wherever the owner of a list takes filters by side tables it takes these too, in bodies as in query strings, and the
API's document names them; the owner names no plugin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa

from kernel.db import Prepared
from kernel.errors import Fault, Forbidden, Invalid
from kernel.hooks import HookSet, list_filters
from kernel.work import Work

Holds = Callable[[Any], sa.ColumnElement[bool]]


def _nothing(_: Work) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, eq=False)
class Choice:
    """A value of a filter. words: in English, what it means. Make it once, at import.

    holds: a column of ids → the condition on it, asked row by row along the list, so it looks up and never reads all.
    few: a statement of one column, the ids of those that it lets through, or of more: asked first, so that a list that
    finds few among many is made of these. None: it lets through many, always. Parameters of both are `business_id` and
    what the filter gives.
    """

    words: str
    holds: Holds
    few: sa.Select[*tuple[Any, ...]] | None = None


@dataclass(frozen=True, eq=False)
class ListFilter:
    """A filter of lists of a subject such as `catalog.product`: `?ext.<plugin>.<name>=`, and one of its choices.

    permission: needed to filter by it. given: what the statements of its choices are given beside `business_id`, under
    names that begin with the plugin's.
    """

    subject: str
    name: str
    choices: Mapping[str, Choice]
    permission: str | None = None
    given: Callable[[Work], Mapping[str, Any]] = _nothing


@dataclass(frozen=True)
class OfferedFilter:
    """A filter and the plugin that brings it, told as fields of side tables are."""

    plugin: str
    filter: ListFilter

    @property
    def name(self) -> str:
        """Behind the plugin's in the address."""
        return self.filter.name

    @property
    def kind(self) -> Any:
        """The type of its values."""
        return Literal[tuple(self.filter.choices)]

    @property
    def needs(self) -> str | None:
        """The permission to filter by it."""
        return self.filter.permission

    @property
    def is_ranged(self) -> bool:
        """It has no from and to."""
        return False

    @property
    def about(self) -> str:
        """What each choice means."""
        return "; ".join(f"`{value}`: {choice.words}" for value, choice in self.filter.choices.items())


@dataclass(frozen=True)
class Chosen:
    """A choice that a list is filtered by, and what its statements are given."""

    shape: Choice
    parameters: Mapping[str, Any]


def offered_filters(hooks: HookSet, subject: str) -> dict[str, OfferedFilter]:
    """`<plugin>.<name>` → the filter, of all that plugins bring to lists of a subject."""
    offered = (
        OfferedFilter(answer.plugin, one)
        for answer in hooks.offers(list_filters)
        for one in answer.value
        if isinstance(one, ListFilter)
    )
    return {f"{one.plugin}.{one.name}": one for one in offered if one.filter.subject == subject}


def chosen(work: Work, known: Mapping[str, OfferedFilter], given: Mapping[str, str]) -> list[Chosen]:
    """The choices of a query string, of those filters that are known.

    Raises Invalid for a value that is no choice, Forbidden for a filter that the caller may not use.
    """
    found = []
    for name in given.keys() & known.keys():
        one, pointer = known[name], f"?ext.{name}"
        if one.needs and not work.actor.may(one.needs):
            raise Forbidden(f"This needs the permission {one.needs}", faults=[Fault(pointer, Forbidden.code)])
        choice = one.filter.choices.get(given[name])
        if choice is None:
            raise Invalid.at(pointer, f"One of {', '.join(one.filter.choices)}")
        found.append(Chosen(choice, one.filter.given(work)))
    return found


@cache
def few_of(choice: Choice, most: int) -> Prepared | None:
    """The ids that a choice lets through, as many as are asked for; None where it says nothing of them."""
    return None if choice.few is None else Prepared(choice.few.limit(sa.literal_column(str(most))))
