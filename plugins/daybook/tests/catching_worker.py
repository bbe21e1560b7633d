"""A process that runs the day book's catching up in small batches until nothing is due, or until it is killed."""

from __future__ import annotations

import asyncio
import datetime as dt
import sys

from kernel.auth.identity import standing_of_business
from kernel.jobs import Runner
from kernel.registry import discover
from kernel.settings import Settings
from kernel.testing.box import SECRET, Clock, open_box
from plugins.daybook.services import catching_up


async def _work(home: str, url: str, now: str) -> None:
    settings = Settings(home=home, database_url=url, secret_key=SECRET)
    box = await open_box(settings, discover(), clock=Clock(dt.datetime.fromisoformat(now)))
    while await Runner(box.deployment, standing_of_business).run_due():
        pass
    await box.close()


def main() -> None:
    """Catch up for the home, the URL and the time that the command line names."""
    setattr(catching_up, "BATCH", 3)  # noqa: B010 - a constant elsewhere
    asyncio.run(_work(*sys.argv[1:]))
