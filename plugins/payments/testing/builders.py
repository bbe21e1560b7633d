"""Builders for tests of plugins that stand on payments; they go through the use cases."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from kernel.db import new_id
from kernel.testing.box import Box
from kernel.work import Work, business_date
from plugins.payments.models import Account, Attempt, Review
from plugins.payments.schemas.answers import PaymentOut
from plugins.payments.schemas.gateways import GatewayFact
from plugins.payments.schemas.told import Place, Subject, Taken
from plugins.payments.services import methods, take
from plugins.payments.services.hearing import hear
from plugins.payments.services.stating import hear_statement
from plugins.payments.testing.leavings import fill_gateways

A_BILL = Subject("bill", uuid.UUID(int=1), "B-1")
"""A document of nobody's: it takes all money."""


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
    reference: str | None = None,
    role: str | None = "cashier",
    shop: str = "mama-njeri",
) -> PaymentOut:
    """A payment of an amount in minor units, taken by the person of a role; reference: the number of a transfer."""
    place, paid = await a_place(box, shop), subject or a_subject()
    change = tendered - amount if tendered else 0

    async def run(work: Work) -> PaymentOut:
        taken = Taken(methods(work)[method], amount, tendered, change, reference)
        return (await take(work, paid, [taken], place))[0]

    return await box.act(run, role=role, shop=shop)


async def a_gateway_payment(
    box: Box, amount: int = 25_000, *, subject: Subject | None = None, shop: str = "mama-njeri"
) -> uuid.UUID:
    """A payment by a gateway that was asked for and of which nothing is known yet; its document takes all of it."""
    place = await a_place(box, shop)

    async def run(work: Work) -> uuid.UUID:
        account_id, attempt_id = await an_account(work), new_id()
        work.insert(
            Attempt,
            {
                "id": attempt_id,
                "subject_kind": (subject or A_BILL).kind,
                "subject_id": (subject or A_BILL).id,
                "subject_number": (subject or A_BILL).number,
                "method": "toy",
                "kind": "other",
                "gateway": "toy",
                "mode": "test",
                "direction": "in",
                "amount": amount,
                "change": 0,
                "currency": work.shop.currency,
                "state": "created",
                "captured": 0,
                "refundable": 0,
                "location_id": place.location_id,
                "business_date": place.business_date,
                "taken_at": work.now,
                "taken_by_name": work.actor.name,
                "flags": [],
                "account_id": account_id,
                "next_ask_at": work.now,
            },
        )
        return attempt_id

    return await box.act(run, shop=shop)


async def an_account(work: Work, label: str = "Toy") -> uuid.UUID:
    """The business's account at a gateway that is not there; made once."""
    found = sa.select(Account.id).where(Account.business_id == work.business_id, Account.label == label)
    known: uuid.UUID | None = (await work.execute(found)).scalar_one_or_none()
    if known is not None:
        return known
    fresh = Account(
        id=new_id(),
        gateway="toy",
        label=label,
        mode="test",
        is_on=True,
        position=1,
        locations=[],
        config={},
        created_at=work.now,
    )
    work.session.add(fresh)
    await work.session.flush()
    return fresh.id


async def state_money(box: Box, account_id: uuid.UUID, *lines: tuple[str, int], shop: str = "mama-njeri") -> None:
    """A statement of an account shows money: its number and how much in minor units, each."""

    facts = [GatewayFact(kind="captured", key=number, money_key=number, amount=amount) for number, amount in lines]
    await box.act(lambda work: hear_statement(work, account_id, facts), shop=shop)


async def a_review(box: Box, *, shop: str = "mama-njeri", payer: str | None = None) -> str:
    """Money by a gateway that came for a document which waits for none: the id of the question what to do with it."""
    payment_id = await a_gateway_payment(box, subject=a_subject(), shop=shop)
    fact = GatewayFact(kind="captured", key="paid", money_key=payment_id.hex[:10], amount=25_000, payer=payer)
    await box.act(lambda work: hear(work, payment_id, [fact], "provider"), shop=shop)

    async def find(work: Work) -> str:
        here = sa.and_(Review.business_id == work.business_id, Review.attempt_id == payment_id)
        return str((await work.execute(sa.select(Review.id).where(here))).scalar_one())

    return await box.look(find, shop=shop)


async def fill(box: Box, shop: str, own: dict[str, str]) -> None:
    """Two payments for documents of nobody's, a part of each paid back; and what gateways leave."""
    owner = box.client("owner", shop)
    for _ in "12":
        own["payment_id"] = str((await a_payment(box, shop=shop)).id)
        back = {"payment_id": own["payment_id"], "amount": "1.00", "reason": "spoilt"}
        label = f"Account {_}"
        own["account_id"] = str(await box.act(lambda work, label=label: an_account(work, label), shop=shop))  # type: ignore[misc]
        own["refund_id"] = (await owner.post("/api/v1/payments/refunds", back)).json()["id"]
        own["review_id"] = await a_review(box, shop=shop)
    await fill_gateways(box, shop, own)
