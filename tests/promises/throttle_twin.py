"""A broken twin of the throttle: each process counts on its own, as if it were alone."""

from __future__ import annotations

import datetime as dt

from kernel.app import Served
from kernel.app.application import application as honest
from kernel.auth.signing_in.throttle import Throttle


def application() -> Served:
    """The application, with limits that no other process knows of."""
    app: Served = honest()
    taken: dict[tuple[str, dt.datetime], int] = {}

    async def take(key: str, wanted: int, ends: dt.datetime) -> int:
        before = taken.get((key, ends), 0)
        taken[key, ends] = before + wanted
        return before

    app.gate.throttle = Throttle(app.deployment, take)
    return app
