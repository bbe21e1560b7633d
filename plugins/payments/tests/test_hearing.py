"""What is heard of a payment by a gateway, on both databases: one payment counts one piece of money, and no other."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.testing.box import Box
from kernel.work import Work
from plugins.payments.api import GatewayFact, Subject
from plugins.payments.models import Attempt, Event, Money, Review
from plugins.payments.rules import Source
from plugins.payments.services.hearing import hear
from plugins.payments.testing import a_gateway_payment, a_subject


def paid(
    key: str = "ask:1", number: str | None = "TKL1AB2CD3", amount: int | None = 25_000, **more: Any
) -> GatewayFact:
    return GatewayFact(kind="captured", key=key, money_key=number, amount=amount, currency="KES", **more)


def ended(kind: Any = "cancelled", key: str = "ask:1032") -> GatewayFact:
    return GatewayFact(kind=kind, key=key, fault="payer_declined", code="1032", words="Request cancelled by user")


async def tell(box: Box, payment_id: uuid.UUID, *facts: GatewayFact, source: Source = "provider") -> None:
    await box.act(lambda work: hear(work, payment_id, facts, source))


async def rows(box: Box, model: Any) -> list[Any]:
    async def read(work: Work) -> list[Any]:
        table = model.__table__
        return list((await work.execute(sa.select(table).order_by(table.c.id))).all())

    return await box.look(read)


async def one(box: Box, payment_id: uuid.UUID) -> Any:
    return next(row for row in await rows(box, Attempt) if row.id == payment_id)


async def asked(box: Box) -> list[str]:
    return [row.kind for row in await rows(box, Review)]


async def test_money_is_credited_once_however_often_and_by_whichever_way_it_is_told(box: Box) -> None:
    payment_id = await a_gateway_payment(box, 25_000)
    await tell(box, payment_id, paid(number=None, amount=None), source="query")
    for _ in "123":
        await tell(box, payment_id, paid())
    await tell(box, payment_id, paid(key="c2b:TKL1AB2CD3"))
    row = await one(box, payment_id)
    assert (row.state, row.captured, row.refundable, row.applied) == ("captured", 25_000, 25_000, 25_000)
    assert (row.reference, row.next_ask_at) == ("TKL1AB2CD3", None)
    [money] = await rows(box, Money)
    assert (money.money_key, money.amount, money.attempt_id) == ("TKL1AB2CD3", 25_000, payment_id)
    assert len(await rows(box, Event)) == 3
    assert not await asked(box)


async def test_money_known_by_a_query_alone_waits_for_its_number(box: Box) -> None:
    payment_id = await a_gateway_payment(box, 25_000)
    await tell(box, payment_id, paid(number=None, amount=None), source="query")
    row = await one(box, payment_id)
    assert (row.state, row.captured, row.reference) == ("captured", 25_000, None)
    assert row.next_ask_at is not None


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_money_wins_over_every_bad_news_in_any_order(box: Box, order: tuple[int, ...]) -> None:
    said = [ended("failed", "ask:1"), paid("ask:0"), ended("expired", "ask:1037")]
    payment_id = await a_gateway_payment(box, 25_000)
    for place in order:
        await tell(box, payment_id, said[place])
    row = await one(box, payment_id)
    assert (row.state, row.captured) == ("captured", 25_000)
    assert ("late" in row.flags) == (order[0] != 1)


async def test_a_second_piece_of_money_is_a_payment_of_its_own_and_somebody_is_asked(box: Box) -> None:
    payment_id = await a_gateway_payment(box, 25_000)
    await tell(box, payment_id, paid())
    await tell(box, payment_id, paid("ask:2", "TKL9ZZ9ZZ9"))
    first, second = await rows(box, Attempt)
    assert (first.captured, second.captured, second.flags) == (25_000, 25_000, ["another"])
    assert (second.subject_id, second.method, second.reference) == (first.subject_id, first.method, "TKL9ZZ9ZZ9")


async def test_a_second_piece_of_money_that_is_told_again_is_known_and_nobody_is_asked(box: Box) -> None:
    payment_id, more = await a_gateway_payment(box, 25_000), paid("ask:2", "TKL9ZZ9ZZ9")
    await tell(box, payment_id, paid())
    for source in ("provider", "provider", "query"):
        await tell(box, payment_id, more, source=source)
    await tell(box, payment_id, paid("c2b:TKL9ZZ9ZZ9", "TKL9ZZ9ZZ9"))
    elsewhere = a_subject()
    await box.act(lambda work: move(work, elsewhere, "another"))
    await tell(box, payment_id, more, paid())
    first, second = await rows(box, Attempt)
    assert (first.captured, second.captured, second.flags) == (25_000, 25_000, ["another"])
    assert [row.attempt_id for row in await rows(box, Event)] == [first.id, *[second.id] * 3]
    assert not await asked(box)
    await tell(box, payment_id, paid("ask:2", "TKL9ZZ9ZZ9", 20_000), source="statement")
    assert [(row.kind, row.about) for row in await rows(box, Review)] == [("contradicted", second.id)]


async def move(work: Work, onto: Subject, flag: str) -> None:
    """Put the payment that has a flag onto another document, as a person may."""
    here = sa.select(Attempt).where(Attempt.business_id == work.business_id)
    [one] = [one for one in (await work.session.scalars(here)).all() if flag in one.flags]
    one.subject_id = onto.id


async def test_the_same_money_is_never_counted_for_two_payments(box: Box) -> None:
    first, second = await a_gateway_payment(box, 25_000), await a_gateway_payment(box, 25_000)
    await tell(box, first, paid())
    await tell(box, second, paid("ask:other"))
    assert ((await one(box, second)).captured, (await one(box, second)).state) == (0, "created")
    assert await asked(box) == ["counted_elsewhere"]


@pytest.mark.parametrize(
    ("fact", "captured", "kind"),
    [
        (paid(amount=20_000), 20_000, "underpaid"),
        (GatewayFact(kind="captured", key="x", money_key="R1", amount=25_000, currency="USD"), 0, "currency"),
    ],
)
async def test_what_does_not_match_is_kept_and_asked_about(
    box: Box, fact: GatewayFact, captured: int, kind: str
) -> None:
    payment_id = await a_gateway_payment(box, 25_000)
    await tell(box, payment_id, fact)
    assert (await one(box, payment_id)).captured == captured
    assert await asked(box) == [kind]
    assert len(await rows(box, Event)) == 1


@pytest.mark.parametrize("wrong", [{"amount": 0}, {"amount": -1}, {"amount": 10**16}, {"currency": "ZZZ"}])
async def test_an_amount_that_cannot_be_is_never_credited_and_is_asked_about(box: Box, wrong: dict[str, Any]) -> None:
    payment_id = await a_gateway_payment(box, 25_000)
    said = {"kind": "captured", "key": "x", "amount": 25_000, "currency": "KES", **wrong}
    await tell(box, payment_id, GatewayFact(**said))
    assert (await one(box, payment_id)).captured == 0
    assert await asked(box) == ["contradicted"]
    assert (await box.client("owner").get(f"/api/v1/payments/payments/{payment_id}")).status_code == 200


async def test_money_for_a_sale_that_waits_for_none_is_surplus_and_late(box: Box) -> None:
    payment_id = await a_gateway_payment(box, 25_000, subject=Subject("sale", uuid.uuid4(), "T1-2026-000001"))
    await tell(box, payment_id, paid())
    row = await one(box, payment_id)
    assert (row.captured, row.applied) == (25_000, 0)
    assert await asked(box) == ["late"]


async def test_two_amounts_for_one_payment_keep_what_was_credited_and_are_asked_about(box: Box) -> None:
    payment_id = await a_gateway_payment(box, 25_000)
    await tell(box, payment_id, paid())
    await tell(box, payment_id, paid("stmt:1", amount=20_000), source="statement")
    assert (await one(box, payment_id)).captured == 25_000
    assert await asked(box) == ["contradicted"]
    assert a_subject().kind == "sale"
