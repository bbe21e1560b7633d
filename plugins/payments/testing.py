"""Builders for tests of plugins that stand on payments; they go through the use cases."""

from __future__ import annotations

import uuid

from kernel.testing.box import Box
from kernel.work import Work, business_date
from plugins.payments.schemas import PaymentOut, Place, Subject, Taken
from plugins.payments.services import methods, take


def a_subject(number: str = "T1-2026-000001") -> Subject:
    """A document that stands for one of another plugin."""
    return Subject("sale", uuid.uuid4(), number)


async def a_place(box: Box, shop: str = "mama-njeri") -> Place:
    """The first storefront, today."""
    return Place(await box.location(shop=shop), None, business_date(box.clock(), box.shops[shop].tz))


async def a_payment(
    box: Box,
    amount: int = 85_000,
    method: str = "cash",
    *,
    subject: Subject | None = None,
    tendered: int | None = None,
    role: str | None = "cashier",
    shop: str = "mama-njeri",
) -> PaymentOut:
    """A payment of an amount in minor units, taken by the person of a role."""
    place, paid = await a_place(box, shop), subject or a_subject()
    change = tendered - amount if tendered else 0

    async def run(work: Work) -> PaymentOut:
        taken = Taken(methods(work)[method], amount, tendered, change)
        return (await take(work, paid, [taken], place))[0]

    return await box.act(run, role=role, shop=shop)


async def fill(box: Box, shop: str, own: dict[str, str]) -> None:
    """Two payments for documents of nobody's, a part of each paid back."""
    owner = box.client("owner", shop)
    for _ in "12":
        own["payment_id"] = str((await a_payment(box, shop=shop)).id)
        back = {"payment_id": own["payment_id"], "amount": "1.00", "reason": "spoilt"}
        own["refund_id"] = (await owner.post("/api/v1/payments/refunds", back)).json()["id"]
