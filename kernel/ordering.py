"""Which plugin comes after which, and why: what it depends on first, then what it declares, then by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from kernel.plugin import Plugin

Reason = Literal["depends", "optional", "after", "before"]


@dataclass(frozen=True, slots=True)
class Edge:
    """`later` comes after `earlier`; said_by: the plugin whose manifest says so, in its field `reason`."""

    earlier: str
    later: str
    reason: Reason
    said_by: str


class Circle(Exception):
    """Plugins that would each have to come after another: `path` leads from a plugin back to itself."""

    def __init__(self, path: list[Edge]) -> None:
        steps = ", ".join(f"{edge.later} after {edge.earlier} ({edge.reason} of {edge.said_by})" for edge in path)
        super().__init__(f"no order is possible: {steps}")
        self.path = path

    @property
    def members(self) -> set[str]:
        """The plugins of the circle."""
        return {edge.later for edge in self.path}

    def path_from(self, name: str) -> tuple[str, ...]:
        """The way round the circle, from one of its members back to it."""
        before = {edge.later: edge.earlier for edge in self.path}
        way = [name]
        while len(way) <= len(before):
            way.append(before[way[-1]])
        return tuple(way)


def dependencies(manifests: Mapping[str, Plugin]) -> list[Edge]:
    """What plugins stand on, hard and wished for, as far as it is among them."""
    return [edge for one in manifests.values() for edge in _stands_on(one) if edge.earlier in manifests]


def turns(manifests: Mapping[str, Plugin]) -> list[Edge]:
    """All that decides in which order plugins answer hooks."""
    said = [edge for one in manifests.values() for edge in _declares(one)]
    return [*dependencies(manifests), *(edge for edge in said if {edge.earlier, edge.later} <= manifests.keys())]


def sort(names: Iterable[str], edges: Iterable[Edge]) -> list[str]:
    """The names, each after what edges put before it, else by name. Raises Circle."""
    waiting: dict[str, list[Edge]] = {name: [] for name in names}
    for edge in edges:
        waiting[edge.later].append(edge)
    order: list[str] = []
    while waiting:
        ready = min((name for name, held in waiting.items() if not _held(held, waiting)), default=None)
        if ready is None:
            raise Circle(_round(waiting))
        order.append(ready)
        del waiting[ready]
    return order


def _stands_on(plugin: Plugin) -> Iterator[Edge]:
    for need in plugin.requirements():
        yield Edge(need, plugin.name, "depends", plugin.name)
    for wish in plugin.wishes():
        yield Edge(wish, plugin.name, "optional", plugin.name)


def _declares(plugin: Plugin) -> Iterator[Edge]:
    for other in plugin.after:
        yield Edge(other, plugin.name, "after", plugin.name)
    for other in plugin.before:
        yield Edge(plugin.name, other, "before", plugin.name)


def _held(edges: list[Edge], waiting: Mapping[str, object]) -> bool:
    return any(edge.earlier in waiting for edge in edges)


def _round(waiting: Mapping[str, list[Edge]]) -> list[Edge]:
    """Walk back from any plugin that waits until one is met again."""
    path: list[Edge] = []
    at = min(waiting)
    while at not in {edge.later for edge in path}:
        edge = next(edge for edge in waiting[at] if edge.earlier in waiting)
        path.append(edge)
        at = edge.earlier
    start = next(place for place, edge in enumerate(path) if edge.later == at)
    return path[start:]
