"""Fixtures of the promises."""

from __future__ import annotations

import pytest
import pytest_asyncio

from kernel.testing.box import Box
from tests.promises.keeping import kept
from tests.promises.till import SHOPS, Till, open_till

__all__ = ["kept", "one_till", "till"]


@pytest_asyncio.fixture(params=SHOPS)
async def till(box: Box, request: pytest.FixtureRequest) -> Till:
    """Tills in Kenya and India: goods by piece and by weight, taxed, taxed less, and not at all."""
    shop: str = request.param
    return await open_till(box, shop)


@pytest_asyncio.fixture
async def one_till(box: Box) -> Till:
    """A till in Kenya."""
    return await open_till(box, SHOPS[0])
