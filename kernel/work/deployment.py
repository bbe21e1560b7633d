"""One running Duka: its settings, database, plugins, clock and secret."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

from kernel.db import Database
from kernel.registry import Registry
from kernel.settings import Settings

Clock = Callable[[], dt.datetime]


def system_clock() -> dt.datetime:
    """The server's time, UTC."""
    return dt.datetime.now(dt.UTC)


@dataclass
class Deployment:
    """What every deed stands on. `jobs_due` is set after a commit that left a job, so that the loop wakes at once."""

    settings: Settings
    database: Database
    registry: Registry
    secret: str
    clock: Clock = system_clock
    jobs_due: asyncio.Event = field(default_factory=asyncio.Event)
