"""A box in which a gateway is on whose provider lives in memory, and states what it moved."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from kernel.registry import Registry
from kernel.settings import Settings
from plugins.payments.testing.toy_box import ToyBox, open_toy_box, with_toy


@pytest.fixture(scope="session")
def toy_registry(registry: Registry) -> Registry:
    return with_toy(registry)


@pytest_asyncio.fixture
async def toy(box_settings: Settings, toy_registry: Registry) -> AsyncIterator[ToyBox]:
    async with open_toy_box(box_settings, toy_registry) as made:
        made.provider.clock = made.box.clock
        yield made
