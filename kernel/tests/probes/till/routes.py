"""The till's routes."""

from __future__ import annotations

import uuid

from kernel.errors import NotFound
from kernel.web import command, query
from kernel.work import Work


@query("/drawers/{drawer_id}", permission="probe_till.open")
async def get_drawer(work: Work, drawer_id: uuid.UUID) -> dict[str, str]:
    """Look at a drawer."""
    raise NotFound


@command("POST", "/open", permission="probe_till.open", status=204)
async def open_drawer(work: Work) -> None:
    """Open the drawer."""
