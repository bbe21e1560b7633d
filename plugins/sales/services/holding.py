"""Carts set aside: priced later, with that day's prices; they hold no number and no stock."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
import sqlalchemy as sa

from kernel.db import new_id
from kernel.errors import NotFound
from kernel.work import Work
from plugins.sales.models import Held
from plugins.sales.schemas.answers import HeldOut
from plugins.sales.schemas.requests import HoldIn
from plugins.sales.services.ground import read_ground


async def hold_cart(work: Work, data: HoldIn) -> HeldOut:
    """Set a cart aside. What it names must exist now. Raises what a quote would."""
    await read_ground(work, data, work.now)
    cart = msgspec.json.decode(msgspec.json.encode(data))
    del cart["label"]
    held = HeldOut(new_id(), data.label, work.now, work.actor.name, cart)
    work.insert(
        Held, {"id": held.id, "label": held.label, "cart": cart, "held_at": held.held_at, "held_by": held.held_by}
    )
    work.audit(subject=f"held:{held.id}", location_id=data.location_id, register_id=data.register_id)
    return held


def held_here(work: Work) -> sa.ColumnElement[bool]:
    """A condition on held carts: those of where the actor works."""
    if work.actor.locations is None:
        return sa.true()
    place: sa.ColumnElement[str] = Held.cart["location_id"].as_string()
    return place.in_(sorted(map(str, work.actor.locations)))


async def take_up(work: Work, held_id: uuid.UUID) -> bool:
    """Take a held cart away, once; False where it is no longer there."""
    return await _take_away(work, held_id) is not None


async def _take_away(work: Work, held_id: uuid.UUID) -> sa.Row[Any] | None:
    deleted = await work.execute(
        sa.delete(Held)
        .where(Held.business_id == work.business_id, Held.id == held_id, held_here(work))
        .returning(Held.label, Held.cart, Held.held_at, Held.held_by)
    )
    return deleted.one_or_none()


async def throw_away(work: Work, held_id: uuid.UUID) -> None:
    """Discard a held cart. Raises NotFound."""
    gone = await _take_away(work, held_id)
    if gone is None:
        raise NotFound
    work.audit(subject=f"held:{held_id}")
    work.changed(Held, held_id, gone._mapping, None)
