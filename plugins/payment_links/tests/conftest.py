"""A box in which payers can be asked: by a prompt on their phone, or by a code to scan."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from msgspec import structs

from kernel.registry import Registry
from kernel.settings import Settings
from plugins.payments.api import Asked, Line, Method, Show, Started
from plugins.payments.testing.toy import Toy
from plugins.payments.testing.toy_box import ToyBox, open_toy_box, with_toy

UPI = "upi://pay?pa=shop@bank&pn=Mama%20Njeri&am=1500.00&cu=INR&tr=X1"


class Scanned(Toy):
    """The toy gateway, with a code to scan where no phone is asked."""

    methods = (  # type: ignore[assignment]
        *Toy.methods,
        Method("toy_qr", "Toy code", "other", "toy", waits="always", wait_minutes=30),
    )

    async def ask(self, line: Line, asked: Asked) -> Started:
        """As the toy does; without a phone it shows a code."""
        started = await super().ask(line, asked)
        return started if asked.phone else structs.replace(started, show=Show("qr", "Scan", UPI))


@pytest.fixture(scope="session")
def toy_registry(registry: Registry) -> Registry:
    return with_toy(registry, Scanned())


@pytest_asyncio.fixture
async def toy(box_settings: Settings, toy_registry: Registry) -> AsyncIterator[ToyBox]:
    async with open_toy_box(box_settings, toy_registry) as made:
        yield made
