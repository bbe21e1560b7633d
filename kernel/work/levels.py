"""Settings at three levels: what a deployment, a business and a location have set, and which of it counts.

The nearest level counts. What operators lock counts before all. Where the plugin's own check refuses what comes of it,
see `READINGS` for what gives way.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, Literal, NamedTuple, get_args

import msgspec

from kernel.wire import SET_AT, Level

LEVELS: Final[tuple[Level, ...]] = get_args(Level)
"""The nearest last."""
Source = Literal["default", "deployment", "business", "location"]
READINGS: Final[tuple[frozenset[Level], ...]] = (
    frozenset(),
    frozenset({"deployment"}),
    frozenset({"business", "location"}),
)
"""What is laid aside, tried in this order until the rest fits together.

Nothing; what the deployment only suggests; what the shop has set, where that does not fit what the deployment locks.
"""


class Stored(NamedTuple):
    """What is stored at one level for a plugin: plain values by name, a secret as `{"sealed": …}`."""

    values: Mapping[str, Any] = {}
    version: int = 0


class Levels(NamedTuple):
    """What is stored for a plugin at every level. locked: names that the deployment has fixed, set there or not."""

    deployment: Stored = Stored()
    business: Stored = Stored()
    locations: Mapping[uuid.UUID, Stored] = {}
    locked: frozenset[str] = frozenset()

    def at(self, level: Level, location_id: uuid.UUID | None = None) -> Stored:
        """What is stored at a level; nothing for a location that has set nothing."""
        if level == "location":
            return self.locations.get(location_id, Stored()) if location_id else Stored()
        return self.deployment if level == "deployment" else self.business

    def having(self, level: Level, location_id: uuid.UUID | None, stored: Stored) -> Levels:
        """The same with something else stored at a level."""
        if level == "location" and location_id is not None:
            return self._replace(locations={**self.locations, location_id: stored})
        return self._replace(deployment=stored) if level == "deployment" else self._replace(business=stored)


class Whole(NamedTuple):
    """What counts: name → value as it is stored; and the level it comes from."""

    values: Mapping[str, Any]
    sources: Mapping[str, Level]


@cache
def levels_of(kind: type[msgspec.Struct]) -> Mapping[str, frozenset[Level]]:
    """Setting → the levels at which it may be set."""
    return {one.name: _said(one.type) or frozenset({"business"}) for one in msgspec.structs.fields(kind)}


def whole(
    levels: Levels,
    allowed: Mapping[str, frozenset[Level]],
    location_id: uuid.UUID | None = None,
    aside: frozenset[Level] = frozenset(),
    upto: Level = "location",
) -> Whole:
    """What counts at a location, for the business without one; upto: nothing nearer than this level.

    aside: levels that are laid aside, but for what the deployment locks. What stands where it may not be set any more,
    since the plugin was upgraded, does not count.
    """
    values: dict[str, Any] = {}
    sources: dict[str, Level] = {}
    for level in LEVELS[: LEVELS.index(upto) + 1]:
        for name, value in levels.at(level, location_id).values.items():
            is_locked = name in levels.locked and "deployment" in allowed.get(name, ())
            stands = is_locked if level == "deployment" and level in aside else level not in aside
            if is_locked and level != "deployment":
                stands = False
            if stands and level in allowed.get(name, ()):
                values[name], sources[name] = value, level
    return Whole(values, sources)


def readings(
    levels: Levels,
    allowed: Mapping[str, frozenset[Level]],
    location_id: uuid.UUID | None = None,
    upto: Level = "location",
) -> Iterator[tuple[Whole, frozenset[Level]]]:
    """What may count, the first first; and what was laid aside for it."""
    for aside in READINGS:
        if aside == frozenset({"business", "location"}) and not levels.locked:
            return
        yield whole(levels, allowed, location_id, aside, upto), aside
        if not levels.deployment.values and not levels.locked:
            return


def _said(type_: Any) -> frozenset[Level]:
    """What `kernel.wire.set_at` says of an annotation, or of any part of it."""
    for mark in getattr(type_, "__metadata__", ()):
        if isinstance(mark, msgspec.Meta) and SET_AT in (mark.extra or {}):
            said: frozenset[Level] = (mark.extra or {})[SET_AT]
            return said
    return next((found for part in get_args(type_) if (found := _said(part))), frozenset())
