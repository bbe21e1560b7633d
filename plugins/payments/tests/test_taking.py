"""Taking money and giving it back as other plugins do, on both databases."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import msgspec
import pytest

from kernel import hooks as kernel_hooks
from kernel.errors import Conflict, NotFound
from kernel.hooks import HookSet, answers
from kernel.testing.box import Box
from kernel.work import Work
from plugins.payments import hooks, listeners
from plugins.payments.api import (
    CapturedPayment,
    MadeRefund,
    Method,
    PaymentIn,
    PaymentNotWhole,
    PaymentOut,
    RefundOut,
    RefundTooLarge,
    Subject,
    Taken,
    UnknownMethod,
    Wanted,
    give_back,
    methods,
    payments_of,
    read_payments,
    take,
)
from plugins.payments.testing import a_payment, a_place, a_subject


def overheard_by(**said: Any) -> HookSet:
    """The hooks of payments, answered by payments itself and by one more plugin."""
    spy = ModuleType("spy")
    for name, answer in said.items():
        setattr(spy, name, answers(answer))
    return HookSet([kernel_hooks, hooks], [("payments", listeners), ("spy", spy)])


async def left(box: Box, subject: Subject) -> list[tuple[str, str, str]]:
    found = await box.look(lambda work: payments_of(work, subject.kind, [subject.id]))
    return [(one.method, one.amount, one.refunded) for one in found[subject.id]]


async def test_a_split_payment_is_captured_at_once_and_read_back_in_order(box: Box) -> None:
    subject, place = a_subject(), await a_place(box)

    async def run(work: Work) -> list[PaymentOut]:
        known = methods(work)
        taken = [
            Taken(known["cash"], 85_000, 100_000, 15_000),
            Taken(known["bank_transfer"], 12_345, reference="FT26325"),
        ]
        return await take(work, subject, taken, place)

    taken = await box.act(run, role="cashier")
    cash, bank = taken
    assert (cash.amount, cash.tendered, cash.change, cash.status) == ("850.00", "1000.00", "150.00", "captured")
    assert (bank.method, bank.amount, bank.tendered, bank.reference) == ("bank_transfer", "123.45", None, "FT26325")
    other = a_subject()
    found = await box.look(lambda work: payments_of(work, "sale", [subject.id, other.id]))
    assert found == {subject.id: taken, other.id: []}
    assert await box.look(lambda work: payments_of(work, "order", [subject.id])) == {subject.id: []}
    assert (await box.look(lambda work: payments_of(work, "sale", [subject.id]), shop="sharma-kirana")) == {
        subject.id: []
    }


async def test_the_methods_without_a_gateway_are_there_and_another_plugin_may_add_some(box: Box) -> None:
    def payment_methods() -> Sequence[Method]:
        return [Method("voucher", "Voucher", "other"), Method("cash", "False cash", "other")]

    async def run(work: Work) -> dict[str, Method]:
        before = methods(work)
        work.hooks = overheard_by(payment_methods=payment_methods)
        return before | {"after": methods(work)["cash"], "voucher": methods(work)["voucher"]}

    found = await box.look(run)
    assert [code for code, one in found.items() if one.kind == "bank" and not one.gateway] == ["bank_transfer"]
    assert found["after"].title == "Cash", "who offered a code first keeps it"
    assert found["voucher"].kind == "other"
    assert found["cash"].is_cash
    assert (found["cash"].step("CHF"), found["card"].step("CHF")) == (5, 1)


async def test_every_listener_is_told_of_money_in_and_money_back(box: Box) -> None:
    subject, place, heard = a_subject(), await a_place(box), list[CapturedPayment | MadeRefund]()

    async def payment_captured(work: Work, payment: CapturedPayment) -> None:
        heard.append(payment)

    async def refund_made(work: Work, refund: MadeRefund) -> None:
        heard.append(refund)

    spying = overheard_by(payment_captured=payment_captured, refund_made=refund_made)

    async def pay(work: Work) -> list[PaymentOut]:
        work.hooks = spying
        taken = [Taken(methods(work)["cash"], 85_000, 100_000, 15_000), Taken(methods(work)["card"], 5_000)]
        return await take(work, subject, taken, place)

    async def void(work: Work) -> list[RefundOut]:
        work.hooks = spying
        return await give_back(work, subject, "wrong customer", None, place)

    taken, given = await box.act(pay, role="cashier"), await box.act(void, role="manager")
    paid, card, *back = heard
    assert isinstance(paid, CapturedPayment)
    assert (paid.id, paid.subject, paid.method, paid.kind) == (taken[0].id, subject, "cash", "cash")
    assert (paid.amount, paid.tendered, paid.change, paid.currency, paid.exponent) == (
        85_000,
        100_000,
        15_000,
        "KES",
        2,
    )
    assert (paid.at, paid.business_date, paid.actor_name) == (box.clock(), place.business_date, "Cashier")
    assert (card.method, card.amount) == ("card", 5_000)
    assert [(one.id, one.payment_id) for one in back if isinstance(one, MadeRefund)] == [
        (one.id, one.payment_id) for one in given
    ]
    first = back[0]
    assert isinstance(first, MadeRefund)
    assert (first.subject.number, first.kind, first.amount, first.reason, first.actor_name) == (
        subject.number,
        "cash",
        85_000,
        "wrong customer",
        "Manager",
    )


async def test_a_listener_that_refuses_leaves_no_payment(box: Box) -> None:
    subject, place = a_subject(), await a_place(box)

    async def payment_captured(work: Work, payment: CapturedPayment) -> None:
        raise Conflict("the drawer is closed")

    async def run(work: Work) -> None:
        work.hooks = overheard_by(payment_captured=payment_captured)
        await take(work, subject, [Taken(methods(work)["cash"], 100)], place)

    with pytest.raises(Conflict, match="drawer"):
        await box.act(run)
    assert await left(box, subject) == []


async def test_the_number_of_the_document_is_filled_in(box: Box) -> None:
    id_, place = uuid.uuid4(), await a_place(box)

    async def run(work: Work) -> None:
        subject = Subject("sale", id_, work.number("receipts", "T1-"))
        await take(work, subject, [Taken(methods(work)["cash"], 100)], place)

    await box.act(run)
    listed = await box.client("manager").get("/api/v1/payments/payments", params={"subject_id": str(id_)})
    assert [one["subject_number"] for one in listed.json()["items"]] == ["T1-000001"]


async def test_a_void_gives_back_what_is_left_to_each_means_of_payment(box: Box) -> None:
    subject, place = a_subject(), await a_place(box)
    cash = await a_payment(box, 10_000, "cash", subject=subject)
    await a_payment(box, 5_000, "card", subject=subject)

    async def part(work: Work) -> list[RefundOut]:
        return await give_back(work, subject, "one tin dented", [(cash.id, 2_500)], place)

    async def void(work: Work) -> list[RefundOut]:
        return await give_back(work, subject, "void", None, place, also=["payments"])

    assert [one.amount for one in await box.act(part)] == ["25.00"]
    assert [(one.method, one.amount) for one in await box.act(void)] == [("cash", "75.00"), ("card", "50.00")]
    assert await box.act(void) == []
    assert await left(box, subject) == [("cash", "100.00", "100.00"), ("card", "50.00", "50.00")]


async def test_refunds_are_bound_to_their_document_and_to_what_is_left(box: Box) -> None:
    subject, place = a_subject(), await a_place(box)
    paid, stranger = await a_payment(box, 10_000, subject=subject), await a_payment(box, 10_000)

    def giving(*refunds: tuple[uuid.UUID, int]) -> Any:
        return lambda work: give_back(work, subject, "test", refunds, place)

    with pytest.raises(NotFound):
        await box.act(giving((stranger.id, 100)))
    with pytest.raises(RefundTooLarge, match=r"100\.00"):
        await box.act(giving((paid.id, 10_001)))
    with pytest.raises(RefundTooLarge):
        await box.act(giving((paid.id, 6_000), (paid.id, 6_000)))
    await box.act(giving((paid.id, 6_000), (paid.id, 4_000)))
    assert await left(box, subject) == [("cash", "100.00", "100.00")]


WRONG: list[tuple[dict[str, Any], str, type[Exception]]] = [
    ({"method": "pigeon", "amount": "1.00"}, "/payments/0/method", UnknownMethod),
    ({"method": "cash", "amount": "1.005"}, "/payments/0/amount", PaymentNotWhole),
    ({"method": "cash", "amount": "0.00"}, "/payments/0/amount", PaymentNotWhole),
    ({"method": "card", "amount": "1.00", "tendered": "2.00"}, "/payments/0/tendered", PaymentNotWhole),
    ({"method": "cash", "amount": "2.00", "tendered": "1.00"}, "/payments/0/tendered", PaymentNotWhole),
    ({"method": "card", "amount": "1.00", "phone": "0712345678"}, "/payments/0/phone", PaymentNotWhole),
]


async def test_a_payment_that_makes_no_sense_is_refused_at_its_place(box: Box) -> None:
    for said, pointer, kind in WRONG:
        asked = msgspec.convert(said, PaymentIn)
        with pytest.raises(kind) as refused:
            await box.look(lambda work, asked=asked: reading(work, [asked]))  # type: ignore[misc]
        faults = getattr(refused.value, "faults", ())
        assert [fault.pointer for fault in faults] == [pointer]
    foreign = msgspec.json.decode(b'{"method": "cash", "amount": "1.00", "ext": {"ghost": {}}}', type=PaymentIn)
    with pytest.raises(Exception, match="No plugin") as unknown:
        await box.look(lambda work: reading(work, [foreign]))
    assert unknown.value.faults[0].pointer == "/payments/0/ext/ghost"  # type: ignore[attr-defined]


async def test_payments_asked_for_are_read_in_minor_units(box: Box) -> None:
    asked = [
        PaymentIn(method="cash", amount="850.00", tendered="1000"),
        PaymentIn(method="bank_transfer", amount="0.50", reference="FT26325"),
    ]
    cash, bank = await box.look(lambda work: reading(work, asked))
    assert (cash.method.code, cash.amount, cash.tendered) == ("cash", 85_000, 100_000)
    assert (bank.method.code, bank.amount, bank.reference) == ("bank_transfer", 50, "FT26325")


async def reading(work: Work, asked: list[PaymentIn]) -> list[Wanted]:
    return read_payments(work, asked)
