"""The course of a reconciliation: batch after batch, then what follows from all of them."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from kernel.errors import NotFound
from kernel.work import Work
from plugins.reconciliation.models import Source
from plugins.reconciliation.services.closing import check_payouts, close_days, look_again
from plugins.reconciliation.services.matching import MATCH, hold_source, match_source

_S = Source.__table__.c


async def match_on(work: Work, source_id: uuid.UUID) -> None:
    """Hold one batch against the books and leave the next one to another deed; after the last, see what follows."""
    try:
        if await match_source(work, source_id):
            work.later(MATCH, {"source_id": str(source_id)})
            return
    except NotFound:
        return
    source = await hold_source(work, source_id)
    await check_payouts(work, source)
    await close_days(work, source)


async def close_all(work: Work) -> None:
    """Look anew at what nobody knew, and close the days of every source that is on."""
    await work.write()
    on = sa.select(_S.id).where(_S.business_id == work.business_id, _S.is_on)
    for row in (await work.execute(on.order_by(_S.id))).all():
        await look_again(work, await hold_source(work, row.id))
        work.later(MATCH, {"source_id": str(row.id)})
