"""A box in which a gateway is on whose provider lives in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from kernel.registry import Registry
from kernel.settings import Settings
from plugins.payments.api import Capabilities
from plugins.payments.testing.toy import Toy
from plugins.payments.testing.toy_box import ToyBox, open_toy_box, with_toy


@pytest.fixture(scope="session")
def toy_registry(registry: Registry) -> Registry:
    """Every plugin that is installed, and the toy gateway."""
    return with_toy(registry)


@pytest_asyncio.fixture
async def toy(box_settings: Settings, toy_registry: Registry) -> AsyncIterator[ToyBox]:
    """A box with the toy gateway, on both databases."""
    async with open_toy_box(box_settings, toy_registry) as made:
        yield made


@pytest.fixture
def can(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the toy be able to do other things."""

    def be(**more: Any) -> None:
        said = {name: getattr(Toy.capabilities, name) for name in Capabilities.__struct_fields__}
        monkeypatch.setattr(Toy, "capabilities", Capabilities(**(said | more)))

    return be
