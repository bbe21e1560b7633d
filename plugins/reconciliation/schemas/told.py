"""What other plugins tell reconciliation."""

from __future__ import annotations

import uuid

from msgspec import Struct


class Spent(Struct, frozen=True):
    """Money that left the till at a location by a method, in minor units."""

    location_id: uuid.UUID
    method: str
    amount: int
