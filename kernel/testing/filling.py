"""A shop with one or two of everything that its plugins keep, made by the plugins' own builders.

A plugin takes part by a function in its `testing.py`: `async def fill(box, shop, own)` makes two of each thing and
names one in `own` as requests name it: `own["tier_id"] = …`.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable
from types import ModuleType
from uuid import UUID

import sqlalchemy as sa

from kernel.auth.models import Location, Membership, Role
from kernel.registry import Loaded
from kernel.testing.box import Box
from kernel.work import Work


class Stocked(dict[str, str]):
    """What a filled shop has, by the name under which requests say it: `stocked["product_id"]`."""

    def id(self, of: str) -> UUID:
        """The id of a thing of a kind: `stocked.id("product")`. Raises LookupError naming what there is."""
        if f"{of}_id" not in self:
            there = ", ".join(sorted(name.removesuffix("_id") for name in self if name.endswith("_id")))
            raise LookupError(f"the shop holds no {of}; it holds {there}")
        return UUID(self[f"{of}_id"])


def testing_of(plugin: Loaded) -> ModuleType | None:
    """The module `testing` of a plugin, or None where it has none."""
    name = f"{plugin.package}.testing"
    return importlib.import_module(name) if importlib.util.find_spec(name) else None


async def fill_shop(box: Box, shop: str = "mama-njeri", plugins: Iterable[str] | None = None) -> Stocked:
    """Fill a shop, each plugin after those it stands on. plugins: only these; default: all that are installed."""
    own = Stocked(await box.look(_people_and_places, shop=shop))
    for one in box.deployment.registry.in_order(plugins):
        fill = getattr(testing_of(one), "fill", None)
        if fill is not None:
            await fill(box, shop, own)
    return own


async def _people_and_places(work: Work) -> dict[str, str]:
    places = await work.execute(
        sa.select(Location.id).where(Location.business_id == work.business_id).order_by(Location.kind, Location.id)
    )
    roles = await work.execute(sa.select(Role.id).where(Role.business_id == work.business_id, Role.code == "cashier"))
    people = await work.execute(
        sa.select(Membership.user_id).where(Membership.business_id == work.business_id).limit(1)
    )
    found = {"location_id": places, "role_id": roles, "user_id": people}
    ids = {name: str(rows.scalars().first()) for name, rows in found.items()}
    return ids | {"business_id": str(work.business_id)}
