"""What recorded tests stand on (`duka plugin record`): a shop as it was then, and what of an answer is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.auth.businesses.switching import disable, enable
from kernel.db import Base, Phase, new_id
from kernel.testing.box import Box
from kernel.work import Work

__all__ = ["insert", "only", "picked", "set_up"]


async def only(box: Box, plugins: Iterable[str], *, shop: str = "mama-njeri") -> None:
    """Leave on what was on, and no other plugin. Fails where one of them is not installed."""
    registry, wanted = box.deployment.registry, frozenset(plugins)
    if missing := sorted(wanted - registry.plugins.keys()):
        pytest.fail(f"recorded with {', '.join(missing)}, not installed here", pytrace=False)

    async def switch(work: Work) -> None:
        for one in reversed(registry.in_order(work.standing.enabled - wanted)):
            await disable(work, one.name)

    async def on(work: Work) -> None:
        for one in registry.in_order(wanted - work.standing.enabled):
            await enable(work, one.name)

    for run in (switch, on):
        await box.act(run, phase=Phase.SWITCH, shop=shop)


async def set_up(box: Box, plugin: str, values: Mapping[str, Any], *, shop: str = "mama-njeri") -> None:
    """Set what a shop has set for a plugin."""
    answer = await box.client("owner", shop).patch(f"/api/v1/settings/{plugin}", {"values": dict(values)}, version=0)
    if answer.status_code != 200:
        pytest.fail(f"{plugin} does not take these settings: {answer.text}", pytrace=False)


async def insert(box: Box, table: str, rows: Sequence[Mapping[str, Any]], *, shop: str = "mama-njeri") -> None:
    """Put rows into a plugin's table of configuration, as they stood there."""
    into = Base.metadata.tables[table]
    fresh = {"id": new_id} if "id" in into.c else {}

    async def run(work: Work) -> None:
        for row in rows:
            made = {name: make() for name, make in fresh.items()}
            await work.execute(sa.insert(into).values(business_id=work.business_id, **{**made, **row}))

    await box.act(run, shop=shop)


def picked(said: Any, like: Any) -> Any:
    """Of an answer what a record of it holds: the same fields, of as many items."""
    if isinstance(like, dict) and isinstance(said, dict):
        return {name: picked(said[name], value) for name, value in like.items() if name in said}
    if isinstance(like, list) and isinstance(said, list) and len(like) == len(said):
        return [picked(one, other) for one, other in zip(said, like, strict=True)]
    return said
