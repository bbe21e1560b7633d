"""The dashboard: the cards of all plugins that are on, each loading by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugins.console.schemas import Seen


async def read(seen: Seen) -> Mapping[str, Any]:
    """What the dashboard shows besides its cards."""
    return {}
