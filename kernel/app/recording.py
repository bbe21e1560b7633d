"""A document on its way into a test: what plugins say of how it came about, each of what is its own."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kernel.errors import NotFound
from kernel.hooks import recorded
from kernel.work import Shop, Work

__all__ = ["Recording", "Replay", "Step", "Thing", "record"]


@dataclass(eq=False)
class Thing:
    """Something that the document needs: a product, a customer. facts: what is known of it, by whoever wanted it.

    expression: how the test names it, once it is known; "None" where it needs none.
    """

    kind: str
    id: uuid.UUID | None
    facts: dict[str, Any] = field(default_factory=dict)
    expression: str = ""


@dataclass(frozen=True)
class Step:
    """A line of the test that makes a thing by a builder. builder: "plugins.catalog.testing:a_product"."""

    thing: Thing
    name: str
    builder: str
    arguments: tuple[Any, ...]
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Replay:
    """The request that makes the document again, and what of its answer must be as it was. title: in a few words."""

    title: str
    path: str
    body: Mapping[str, Any]
    wanted: Mapping[str, Any]


class Recording:
    """What `recorded` is given. Plugins are asked from the top down, so that each finds what others want of it.

    at: when the document was made; whoever owns it says so. plugins: those that had a part in it.
    """

    def __init__(self, document_id: uuid.UUID, shop: Shop) -> None:
        self.document_id, self.shop = document_id, shop
        self.at: dt.datetime | None = None
        self.replay: Replay | None = None
        self.plugins: set[str] = set()
        self.rounds: list[list[Step]] = []
        self._things: dict[tuple[str, uuid.UUID | None], Thing] = {}

    def want(self, kind: str, id_: uuid.UUID | None) -> Thing:
        """The thing of that id, which the plugin that owns such things will make. None: what stands for no id."""
        return self._things.setdefault((kind, id_), Thing(kind, id_))

    def wanted(self, kind: str) -> list[Thing]:
        """What was wanted of a kind so far, in that order."""
        return [one for one in self._things.values() if one.kind == kind]

    def known(self, id_: uuid.UUID) -> Thing | None:
        """The thing of an id, of whatever kind."""
        return next((one for one in self._things.values() if one.id == id_), None)

    def make(self, thing: Thing, name: str, builder: str, /, *arguments: Any, **options: Any) -> None:
        """Have the test make a thing by a builder. Options of None are left out; things stand by their names.

        name: what the thing is called, from which its variable is made.
        """
        kept = {key: value for key, value in options.items() if value is not None}
        self.rounds[-1].append(Step(thing, name, builder, arguments, kept))

    def whole(self) -> Replay:
        """How the document is made again. Raises NotFound where no plugin has said so."""
        if self.replay is None:
            raise NotFound(f"No plugin that is on here knows a document {self.document_id}")
        return self.replay

    @property
    def steps(self) -> Iterable[Step]:
        """Every step, what stands lowest first."""
        return [step for some in reversed(self.rounds) for step in some]


async def record(work: Work, document_id: uuid.UUID) -> Recording:
    """Ask the plugins of a business how a document came about. Raises NotFound where no plugin knows it."""
    recording = Recording(document_id, work.shop)
    registry = work.deployment.registry
    for one in reversed(registry.in_order(work.standing.enabled)):
        recording.rounds.append([])
        await registry.hooks_of(one.name).tell(recorded, work=work, recording=recording)
    recording.whole()
    return recording
