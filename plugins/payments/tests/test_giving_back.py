"""Money that goes back through a gateway, on both databases: once for each refund, never more than came."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.db.tables import Job
from kernel.testing.box import Box
from kernel.work import Work
from plugins.payments.api import Fault, GatewayFact, GatewayFailed
from plugins.payments.models import Attempt, Event, Operation, Refund, Review
from plugins.payments.rules import Source
from plugins.payments.services import sending_back
from plugins.payments.services.hearing import hear
from plugins.payments.services.paths import notify_url
from plugins.payments.services.refunding import hear_refund
from plugins.payments.testing.toy import Toy
from plugins.payments.testing.toy_box import ToyBox, a_paid_one, a_toy_payment
from plugins.payments.testing.toy_provider import SIGNATURE

REFUNDS = "/api/v1/payments/refunds"
WHOLE = 25_000


async def rows(box: Box, model: Any) -> list[Any]:
    async def read(work: Work) -> list[Any]:
        table = model.__table__
        return list((await work.execute(sa.select(table).order_by(table.c.id))).all())

    return await box.look(read)


async def give_back(box: Box, payment_id: uuid.UUID, amount: str | None = None, **more: Any) -> Any:
    said = {"payment_id": str(payment_id), "reason": "dented", **more} | ({"amount": amount} if amount else {})
    return await box.client("manager").post(REFUNDS, said)


async def shown(box: Box, refund_id: str) -> Any:
    return (await box.client("manager").get(f"{REFUNDS}/{refund_id}")).json()


async def left(box: Box, payment_id: uuid.UUID) -> int:
    return next(int(row.refundable) for row in await rows(box, Attempt) if row.id == payment_id)


async def booked(box: Box) -> list[tuple[str, str]]:
    listed = (await box.client("owner").get("/api/v1/daybook/entries")).json()["items"]
    return [(one["kind"], one["amount"]) for one in listed if one["kind"] == "refund"]


async def hear_of(box: Box, payment_id: uuid.UUID, fact: GatewayFact, source: Source) -> None:
    await box.act(lambda work: hear(work, payment_id, [fact], source))


async def tell(box: Box, refund_id: str, *kinds: str, source: Source = "provider", key: str = "") -> None:
    facts = [GatewayFact(kind=kind, key=key or f"r:{kind}", refund_id=refund_id) for kind in kinds]  # type: ignore[arg-type]
    await box.act(lambda work: hear_refund(work, uuid.UUID(refund_id), facts, source))


async def test_a_refund_is_pending_until_the_provider_has_made_it_and_is_booked_then(toy: ToyBox) -> None:
    box, payment_id = toy.box, await a_paid_one(toy)
    asked = await give_back(box, payment_id, "100.00")
    assert (asked.status_code, asked.json()["status"]) == (201, "pending"), asked.text
    assert await booked(box) == []
    toy.provider.next("refund", "pending")
    await box.run_jobs()
    refund = asked.json()["id"]
    assert (await shown(box, refund))["status"] == "pending"
    box.clock.pass_by(hours=20)
    toy.provider.refunds[refund]["status"] = "done"
    await box.run_jobs()
    done = await shown(box, refund)
    assert (done["status"], done["fault"], done["business_date"]) == ("done", None, "2026-11-22")
    assert await booked(box) == [("refund", "100.00")]
    assert await left(box, payment_id) == 15_000
    assert toy.provider.count("refund") == 1


async def test_a_refund_that_is_refused_fails_in_words_may_be_made_again_and_somebody_is_asked(toy: ToyBox) -> None:
    box, payment_id = toy.box, await a_paid_one(toy)
    toy.provider.next("refund", "refuse")
    refund = (await give_back(box, payment_id)).json()["id"]
    assert await left(box, payment_id) == 0
    await box.run_jobs()
    failed = await shown(box, refund)
    assert (failed["status"], failed["fault"]["kind"]) == ("failed", "validation")
    assert await left(box, payment_id) == WHOLE
    assert [(one.kind, one.about) for one in await rows(box, Review)] == [("refund_failed", uuid.UUID(refund))]
    again = (await give_back(box, payment_id)).json()["id"]
    await box.run_jobs()
    assert (await shown(box, again))["status"] == "done"
    assert await booked(box) == [("refund", "250.00")]


async def test_a_provider_that_is_down_is_tried_again_with_the_same_refund(toy: ToyBox) -> None:
    box, payment_id = toy.box, await a_paid_one(toy)
    toy.provider.next("refund", "down", "busy")
    refund = (await give_back(box, payment_id)).json()["id"]
    await box.run_jobs()
    assert (await shown(box, refund))["status"] == "pending"
    box.clock.pass_by(minutes=1)
    await box.run_jobs()
    said = (await shown(box, refund))["status"]
    assert said in ("failed", "pending")
    box.clock.pass_by(hours=1)
    await box.run_jobs()
    assert {one[2]["id"] for one in toy.provider.calls if one[0] == "refund"} == {refund}


async def test_an_answer_that_is_lost_is_asked_for_and_nothing_is_sent_twice(toy: ToyBox) -> None:
    box, payment_id = toy.box, await a_paid_one(toy)
    toy.provider.next("refund", "lose")
    refund = (await give_back(box, payment_id, "100.00")).json()["id"]
    await box.run_jobs()
    assert [one.state for one in await rows(box, Operation) if one.kind == "give_back"] == ["unsure"]
    box.clock.pass_by(seconds=30)
    await box.run_jobs()
    assert ((await shown(box, refund))["status"], toy.provider.count("refund")) == ("done", 1)


async def test_where_nobody_can_say_what_became_of_it_a_person_is_asked_and_late_news_still_counts(toy: ToyBox) -> None:
    box, payment_id = toy.box, await a_paid_one(toy)
    toy.provider.next("refund", "lose")
    toy.provider.always("find_refund", "not_found")
    refund = (await give_back(box, payment_id)).json()["id"]
    for _ in range(12):
        await box.run_jobs()
        box.clock.pass_by(minutes=30)
    assert [(one.kind, one.state) for one in await rows(box, Review)] == [("refund_unknown", "open")]
    assert (await shown(box, refund))["status"] == "pending"
    await tell(box, refund, "refund_done")
    assert [(one.kind, one.resolution) for one in await rows(box, Review)] == [("refund_unknown", "settled")]
    assert (await shown(box, refund))["status"] == "done"


async def forget_the_gateway(work: Work) -> None:
    """Let the payments of a business be of a gateway that is not installed."""
    here = sa.update(Attempt).where(Attempt.business_id == work.business_id)
    await work.execute(here.values(gateway="gone"))


@pytest.mark.parametrize("is_sent", [False, True])
async def test_what_may_have_been_sent_is_never_said_to_have_failed_because_its_gateway_is_gone(
    toy: ToyBox, is_sent: bool
) -> None:
    box, payment_id = toy.box, await a_paid_one(toy)
    refund = (await give_back(box, payment_id)).json()["id"]
    if is_sent:
        assert await box.act(lambda work: sending_back.send_back(work, uuid.UUID(refund))) is not None, "it dies"
    await box.act(forget_the_gateway)
    await box.run_jobs()
    await box.act(lambda work: sending_back.ask_refund(work, uuid.UUID(refund), 0))
    [review] = await rows(box, Review)
    assert (review.kind, (await shown(box, refund))["status"]) == (
        ("refund_unknown", "pending") if is_sent else ("refund_failed", "failed")
    )
    assert await left(box, payment_id) == (0 if is_sent else WHOLE)


async def test_a_gateway_that_gives_nothing_back_just_now_is_left_alone(toy: ToyBox) -> None:
    box, provider = toy.box, toy.provider
    paid = [await a_paid_one(toy) for _ in range(8)]
    provider.always("refund", "html")
    for payment_id in paid[:5]:
        await give_back(box, payment_id)
        await box.run_jobs()
    waiting = [(await give_back(box, payment_id)).json()["id"] for payment_id in paid[5:]]
    await box.run_jobs()
    assert provider.count("refund") == 5
    provider.always("refund", "accept")
    for _ in range(3):
        box.clock.pass_by(minutes=2)
        await box.run_jobs()
    assert [(await shown(box, one))["status"] for one in waiting] == ["done"] * 3


async def test_a_gateway_that_stumbles_over_a_refund_has_a_person_asked_in_the_end(
    toy: ToyBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stumble(*_: Any) -> Any:
        raise ZeroDivisionError

    box, payment_id = toy.box, await a_paid_one(toy)
    monkeypatch.setattr(Toy, "find_refund", stumble)
    toy.provider.next("refund", "lose")
    await give_back(box, payment_id)
    for _ in range(12):
        await box.run_jobs()
        box.clock.pass_by(minutes=30)
    assert [one.kind for one in await rows(box, Review)] == ["refund_unknown"]


async def test_what_a_provider_says_with_its_refusal_is_stored_whatever_it_holds(
    toy: ToyBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: Any) -> Any:
        raise GatewayFailed(Fault("validation", "No\x00 \ud800" + "!" * 900, "1\x00"))

    box, payment_id = toy.box, await a_paid_one(toy)
    monkeypatch.setattr(Toy, "give_back", refuse)
    refund = (await give_back(box, payment_id)).json()["id"]
    monkeypatch.setattr(Toy, "ask", refuse)
    asked = await a_toy_payment(box)
    await box.run_jobs()
    fault = (await shown(box, refund))["fault"]
    assert (fault["said"][:5], len(fault["said"]), fault["code"]) == ("No !!", 500, "1")
    assert next(row.fault["code"] for row in await rows(box, Attempt) if row.id == asked) == "1"


async def test_a_refund_is_not_taken_for_another_by_an_id_of_their_payment(toy: ToyBox) -> None:
    box, payment_id = toy.box, await a_paid_one(toy)
    bought = next(row.provider_ids for row in await rows(box, Attempt) if row.id == payment_id)
    for number in "12":
        ids = {**bought, "refund": f"x{number}"}
        fact = GatewayFact(kind="refund_done", key=f"x{number}", amount=10_000, currency="KES", ids=ids)
        await hear_of(box, payment_id, fact, "statement")
    assert [(one.state, one.amount) for one in await rows(box, Refund)] == [("done", 10_000)] * 2
    assert await left(box, payment_id) == 5_000


@pytest.mark.parametrize("is_safe", [False, True])
async def test_a_process_that_dies_after_sending_leaves_a_refund_that_is_asked_about(
    toy: ToyBox, can: Any, is_safe: bool
) -> None:
    can(retry_is_safe=is_safe)
    box, payment_id = toy.box, await a_paid_one(toy)
    refund = uuid.UUID((await give_back(box, payment_id)).json()["id"])
    assert await box.act(lambda work: sending_back.send_back(work, refund)) is not None, "and here it dies"
    await box.run_jobs()
    assert toy.provider.count("refund") == (1 if is_safe else 0)
    box.clock.pass_by(seconds=30)
    await box.run_jobs()
    assert (toy.provider.count("refund"), toy.provider.count("find_refund") > 0) == (
        (1, False) if is_safe else (0, True)
    )


async def test_facts_out_of_order_and_twice_come_to_the_same_and_are_told_once(toy: ToyBox) -> None:
    box, payment_id = toy.box, await a_paid_one(toy)
    refund = (await give_back(box, payment_id, "50.00")).json()["id"]
    await tell(box, refund, "refund_failed")
    assert await left(box, payment_id) == WHOLE
    for source in ("provider", "query", "provider"):
        await tell(box, refund, "refund_done", "refund_pending", source=source)
    assert ((await shown(box, refund))["status"], await left(box, payment_id)) == ("done", 20_000)
    assert await booked(box) == [("refund", "50.00")]
    await tell(box, refund, "refund_failed", source="statement")
    assert (await shown(box, refund))["status"] == "done"
    assert {(one.kind, one.state) for one in await rows(box, Review)} == {
        ("refund_failed", "resolved"),
        ("contradicted", "open"),
    }


async def test_a_failed_refund_that_was_made_after_all_is_asked_about_where_all_is_given_back(toy: ToyBox) -> None:
    box, payment_id = toy.box, await a_paid_one(toy)
    refund = (await give_back(box, payment_id)).json()["id"]
    await tell(box, refund, "refund_failed")
    assert (await give_back(box, payment_id, method="cash")).json()["status"] == "done"
    await tell(box, refund, "refund_done")
    assert ((await shown(box, refund))["status"], await left(box, payment_id)) == ("failed", 0)
    assert {one.kind for one in await rows(box, Review) if one.state == "open"} == {"refund_failed", "contradicted"}


async def test_a_refund_that_was_made_on_the_providers_pages_is_recorded_once(toy: ToyBox) -> None:
    box, payment_id = toy.box, await a_paid_one(toy)
    fact = GatewayFact(kind="refund_done", key="x1", amount=10_000, currency="KES", ids={"refund": "x1"})
    for source in ("provider", "query", "provider"):
        await hear_of(box, payment_id, fact, source)
    [refund] = await rows(box, Refund)
    assert (refund.state, refund.amount, refund.provider_ids) == ("done", 10_000, {"refund": "x1"})
    assert (await left(box, payment_id), await booked(box)) == (15_000, [("refund", "100.00")])
    too_much = GatewayFact(kind="refund_done", key="x2", amount=20_000, currency="KES", refund_id="no id of ours")
    for _ in "12":
        await hear_of(box, payment_id, too_much, "provider")
    assert ([one.kind for one in await rows(box, Review)], await left(box, payment_id)) == (["contradicted"], 15_000)
    assert [one.kind for one in await rows(box, Event)][-3:] == ["refund_done", "refund_done", "unknown"]


@pytest.mark.parametrize(
    ("able", "amount", "words"),
    [
        ({"refunds": "none"}, None, "gives no money back"),
        ({"refunds": "whole"}, "100.00", "whole payments only"),
        ({"refund_days": 3}, None, "for 3 days"),
    ],
)
async def test_what_a_provider_cannot_do_is_refused_before_it_is_asked_and_is_recorded_by_hand(
    toy: ToyBox, can: Any, able: dict[str, Any], amount: str | None, words: str
) -> None:
    box, payment_id = toy.box, await a_paid_one(toy)
    can(**able)
    box.clock.pass_by(days=5)
    refused = await give_back(box, payment_id, amount)
    assert (refused.status_code, refused.json()["code"]) == (409, "refund-not-supported")
    assert words in refused.json()["detail"]
    assert refused.json()["errors"][0]["pointer"] == "/by_hand"
    by_hand = await give_back(box, payment_id, "100.00", by_hand=True, reference="RV-7")
    assert [by_hand.json()[name] for name in ("status", "method", "reference")] == ["done", "toy", "RV-7"]
    cash = await give_back(box, payment_id, method="cash")
    assert [cash.json()[name] for name in ("status", "method", "amount")] == ["done", "cash", "150.00"]
    assert (await booked(box), toy.provider.count("refund")) == ([("refund", "100.00"), ("refund", "150.00")], 0)


async def test_a_part_is_paid_out_where_the_provider_pays_out(toy: ToyBox, can: Any) -> None:
    can(refunds="whole", pays_out=True)
    asked = await give_back(toy.box, await a_paid_one(toy), "100.00")
    assert (asked.status_code, asked.json()["status"]) == (201, "pending")


@pytest.mark.parametrize("is_signed", [True, False])
async def test_a_notice_of_a_refund_is_believed_if_it_is_signed_and_else_makes_duka_ask(
    toy: ToyBox, is_signed: bool
) -> None:
    box, payment_id = toy.box, await a_paid_one(toy)
    toy.provider.next("refund", "pending")
    refund = (await give_back(box, payment_id)).json()["id"]
    await box.run_jobs()
    toy.provider.refunds[refund]["status"] = "done"
    body, headers = toy.provider.notice_of_refund(refund)
    path = notify_url(box.deployment, box.shop.id, "account", toy.accounts[box.shop.slug], 1).partition("/api")[2]
    sent = {name: value for name, value in headers.items() if is_signed or name != SIGNATURE}
    assert (await box.http.post(f"/api{path}", content=body, headers=sent)).status_code == 200
    await box.run_jobs()
    assert (await shown(box, refund))["status"] == "done"
    assert (await booked(box), toy.provider.count("find_refund")) == ([("refund", "250.00")], 0 if is_signed else 1)


async def test_a_refund_whose_jobs_are_lost_is_taken_up_again_the_next_day(toy: ToyBox) -> None:
    box, payment_id = toy.box, await a_paid_one(toy)
    refund = (await give_back(box, payment_id)).json()["id"]

    async def lose(work: Work) -> None:
        await work.execute(sa.update(Job).where(Job.business_id == work.business_id).values(state="dead"))

    await box.act(lose)
    box.clock.pass_by(hours=25)
    for _ in "12":
        await box.act(sending_back.sweep)
        await box.run_jobs()
    assert ((await shown(box, refund))["status"], toy.provider.count("refund")) == ("done", 1)
