"""Fifty refunds at once never give back more than came in; a twin that reads, then writes, does."""

from __future__ import annotations

import asyncio
import uuid

import pytest
import sqlalchemy as sa

from kernel.db import new_id
from kernel.errors import DukaError
from kernel.invariants import broken
from kernel.testing.box import Box
from kernel.work import Work
from plugins.payments.errors import RefundTooLarge
from plugins.payments.models import Attempt, Event, Refund
from plugins.payments.testing import a_payment

AT_ONCE, CAPTURED, EACH = 50, 85_000, 3_000


async def test_fifty_refunds_at_once_never_exceed_the_payment(box: Box) -> None:
    paid, manager = await a_payment(box, CAPTURED), box.client("manager")
    data = {"payment_id": str(paid.id), "amount": "30.00", "reason": "dented"}
    answers = await asyncio.gather(*(manager.post("/api/v1/payments/refunds", data) for _ in range(AT_ONCE)))
    fits = CAPTURED // EACH
    assert sorted(one.status_code for one in answers) == [201] * fits + [409] * (AT_ONCE - fits)
    assert {one.json()["code"] for one in answers if one.status_code == 409} == {"refund-too-large"}
    whole = (await manager.get(f"/api/v1/payments/payments/{paid.id}")).json()
    assert (whole["refunded"], len(whole["refunds"])) == ("840.00", fits)


async def test_the_twin_that_reads_then_writes_gives_too_much(box: Box) -> None:
    paid = await a_payment(box, CAPTURED)
    location = await box.location()
    everyone_has_read = asyncio.Barrier(2)

    async def refund_as_it_must_not_be(work: Work) -> None:
        """Read what is left, decide, then write what was computed."""
        read = await work.execute(
            sa.select(Attempt.refundable).where(Attempt.business_id == work.business_id, Attempt.id == paid.id)
        )
        left: int = read.scalar_one()
        await everyone_has_read.wait()
        if left < CAPTURED:
            raise RefundTooLarge
        await work.write()
        here = sa.and_(Attempt.business_id == work.business_id, Attempt.id == paid.id)
        await work.execute(sa.update(Attempt).where(here).values(refundable=left - CAPTURED))
        note(work, paid.id, location)

    twins = (box.act(refund_as_it_must_not_be, read_first=True) for _ in range(2))
    await asyncio.gather(*twins)

    async def given(work: Work) -> int:
        found = await work.execute(sa.select(sa.func.sum(Refund.amount)).where(Refund.business_id == work.business_id))
        return int(found.scalar_one())

    assert await box.look(given) == 2 * CAPTURED, "both twins gave everything back"
    faults = await broken(box.deployment)
    assert any("what may be refunded" in fault for fault in faults), faults
    await undo(box)


def note(work: Work, payment_id: uuid.UUID, location: uuid.UUID) -> None:
    """The rows of a refund of the whole payment."""
    work.insert(
        Refund,
        {
            "id": new_id(),
            "attempt_id": payment_id,
            "subject_kind": "sale",
            "subject_id": new_id(),
            "subject_number": "T1",
            "method": "cash",
            "amount": CAPTURED,
            "currency": "KES",
            "state": "done",
            "reason": "twin",
            "location_id": location,
            "register_id": None,
            "business_date": work.now.date(),
            "at": work.now,
            "made_by": None,
            "made_by_name": "Twin",
        },
    )


async def undo(box: Box) -> None:
    """Take the twins' work away, so that the invariants hold again."""

    async def run(work: Work) -> None:
        await work.execute(sa.delete(Refund).where(Refund.business_id == work.business_id))
        await work.execute(
            sa.update(Attempt).where(Attempt.business_id == work.business_id).values(refundable=Attempt.captured)
        )

    await box.act(run)


async def test_the_events_of_a_payment_can_be_neither_changed_nor_deleted(box: Box) -> None:
    await a_payment(box)
    for statement in (sa.update(Event).values(amount=0), sa.delete(Event)):

        async def run(work: Work, statement: sa.Update | sa.Delete = statement) -> None:
            await work.execute(statement.where(Event.business_id == work.business_id))

        with pytest.raises(DukaError):
            await box.act(run)
