"""What a payer's address leads to: the link, the turn at it, and whose payments those are."""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple

import sqlalchemy as sa

from kernel.work import Work
from plugins.payment_links.models import Link, Turn
from plugins.payment_links.services.addresses import Place
from plugins.payment_links.services.making import OWN
from plugins.payments.api import Subject

_L, _T = Link.__table__, Turn.__table__


class Found(NamedTuple):
    """A link and the turn at it; no turn at the address of a link that many may pay."""

    link: Any
    turn: Any | None

    @property
    def subject(self) -> Subject | None:
        """What is paid; None where it begins with the payer's choice."""
        if self.turn is None:
            return None
        if self.link.is_many:
            return Subject(OWN, self.turn.id, self.link.number)
        return Subject(self.link.subject_kind, self.link.subject_id, self.link.subject_number)


async def find(work: Work, place: Place, *, to_change: bool = False) -> Found | None:
    """What an address leads to; None where it is worth nothing any more. to_change: the link is held."""
    if work.standing.suspended or not work.enabled("payment_links"):
        return None
    turn = await _turn(work, place.id)
    link_id = place.id if place.thing == "link" else turn.link_id if turn else None
    if link_id is None:
        return None
    here = sa.select(_L).where(_L.c.business_id == work.business_id, _L.c.id == link_id)
    link = (await work.execute(here.with_for_update() if to_change else here)).one_or_none()
    if link is None or link.generation % 0x10000 != place.generation:
        return None
    if to_change and turn is not None:  # as it is now that the link is held
        turn = await _turn(work, place.id)
    return Found(link, turn)


async def _turn(work: Work, id_: uuid.UUID) -> Any:
    here = sa.select(_T).where(_T.c.business_id == work.business_id, _T.c.id == id_)
    return (await work.execute(here)).one_or_none()
