"""The demo's customers."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from kernel.testing.box import Box
from kernel.work import Work
from plugins.customers.api import customer
from plugins.customers.listeners import seed_demo

T = TypeVar("T")


class Seeding:
    """What a demo business in the making gives to `seed_demo`."""

    def __init__(self, box: Box, shop: str) -> None:
        self.box, self.shop, self.region = box, shop, box.shops[shop].region
        self.notes: dict[str, Any] = {}

    async def act(self, run: Callable[[Work], Awaitable[T]], *, role: str, at: dt.datetime | None = None) -> T:
        return await self.box.act(run, role=role, shop=self.shop)


@pytest.mark.parametrize("shop", ["mama-njeri", "sharma-kirana"])
async def test_a_demo_business_gets_thirty_customers_and_hands_on_their_ids(box: Box, shop: str) -> None:
    demo = Seeding(box, shop)
    await seed_demo(demo=demo)
    ids: list[uuid.UUID] = demo.notes["customers"]
    assert len(set(ids)) == 30

    async def groups(work: Work) -> set[str | None]:
        found = [await customer(work, id_) for id_ in ids]
        return {one.group_code for one in found if one}

    assert {"retail", "wholesale"} <= await box.look(groups, shop=shop)
