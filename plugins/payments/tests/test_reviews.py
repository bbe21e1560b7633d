"""What a person decides about money: which actions fit, and that each does what it says, once."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any, get_args

import pytest

from plugins.payments.api import Subject
from plugins.payments.models import Refund
from plugins.payments.rules import actions_for
from plugins.payments.schemas.reviews import ReviewKind
from plugins.payments.testing.toy_box import ToyBox, a_paid_one
from plugins.payments.tests.test_giving_back import booked, give_back, left, rows, shown

REVIEWS = "/api/v1/payments/reviews"


@pytest.mark.parametrize("kind", get_args(ReviewKind))
def test_every_question_can_be_answered_in_some_way(kind: ReviewKind) -> None:
    for surplus, refundable in ((0, 0), (0, 5), (5, 5)):
        for by_gateway in (True, False):
            offered = actions_for(kind, by_gateway=by_gateway, surplus=surplus, refundable=refundable)
            assert offered
            assert {"accept", "dismiss"} & set(offered)
            assert len(set(offered)) == len(offered)
            assert by_gateway or not {"refund", "ask_again"} & set(offered)
            assert surplus or "apply" not in offered


async def late(toy: ToyBox, amount: int = 25_000) -> uuid.UUID:
    """A payment for a sale that waits for nothing."""
    return await a_paid_one(toy, amount, Subject("sale", uuid.uuid4(), "T1-2026-000009"))


async def the_review(toy: ToyBox, role: str = "accountant", **params: str) -> Any:
    [one] = (await toy.box.client(role).get(REVIEWS, params={"state": "open", **params})).json()["items"]
    return one


async def decide(toy: ToyBox, action: str, role: str = "accountant", about: Any = None, **more: Any) -> Any:
    one = about or await the_review(toy)
    return await toy.box.client(role).post(f"{REVIEWS}/{one['id']}/resolve", {"action": action, **more})


async def test_late_money_is_listed_with_what_may_be_done_and_goes_back_by_one_click(toy: ToyBox) -> None:
    payment_id = await late(toy)
    one = await the_review(toy, kind="late", payment_id=str(payment_id))
    assert (one["kind"], one["amount"], one["currency"], one["subject_number"]) == (
        "late",
        "250.00",
        "KES",
        "T1-2026-000009",
    )
    assert one["actions"] == ["refund", "refund_by_hand", "apply", "accept"]
    done = await decide(toy, "refund", note="asked at the counter")
    assert done.status_code == 200, done.text
    said = done.json()
    assert (said["state"], said["resolution"], said["resolved_by"], said["note"], said["actions"]) == (
        "resolved",
        "refund",
        "Accountant",
        "asked at the counter",
        [],
    )
    assert said == (await toy.box.client("manager").get(f"{REVIEWS}/{one['id']}")).json()
    await toy.box.run_jobs()
    assert (await left(toy.box, payment_id), await booked(toy.box)) == (0, [("refund", "250.00")])
    [trail] = await toy.box.trail(f"review:{one['id']}")
    assert (trail["reason"], trail["facts"]["action"]) == ("asked at the counter", "refund")


async def test_of_two_people_at_once_one_decides(toy: ToyBox) -> None:
    await late(toy)
    one = await the_review(toy)
    answers = await asyncio.gather(
        decide(toy, "refund", about=one), decide(toy, "refund_by_hand", "manager", one, reference="RV1")
    )
    assert sorted(one.status_code for one in answers) == [200, 409]
    assert [one.json()["code"] for one in answers if one.status_code == 409] == ["review-closed"]
    assert len(await rows(toy.box, Refund)) == 1


async def test_what_does_not_fit_is_refused_and_leaves_the_question_open(toy: ToyBox) -> None:
    await late(toy)
    for action, code in (("ask_again", "action-not-offered"), ("apply", "action-not-offered")):
        refused = await decide(toy, action)
        assert (refused.status_code, refused.json()["code"]) == (409, code)
    assert (await decide(toy, "accept", "cashier")).status_code == 403
    kept = await decide(toy, "accept", note="on account of the next order")
    assert (kept.json()["resolution"], len(await rows(toy.box, Refund))) == ("accept", 0)


async def test_a_refund_that_failed_is_made_again_from_the_queue(toy: ToyBox) -> None:
    payment_id = await a_paid_one(toy)
    toy.provider.next("refund", "refuse")
    await give_back(toy.box, payment_id, "100.00")
    await toy.box.run_jobs()
    assert (await the_review(toy))["actions"] == ["refund", "refund_by_hand", "accept"]
    assert (await decide(toy, "refund")).status_code == 200
    await toy.box.run_jobs()
    assert (await booked(toy.box), await left(toy.box, payment_id)) == ([("refund", "100.00")], 15_000)


@pytest.mark.parametrize("action", ["ask_again", "refund", "refund_by_hand"])
async def test_a_refund_of_unknown_end_is_asked_about_sent_anew_or_said_to_be_made(toy: ToyBox, action: str) -> None:
    payment_id = await a_paid_one(toy)
    toy.provider.next("refund", "lose" if action == "ask_again" else "html")  # html: it never reached the provider
    toy.provider.always("find_refund", "not_found")
    refund = (await give_back(toy.box, payment_id)).json()["id"]
    for _ in range(12):
        await toy.box.run_jobs()
        toy.box.clock.pass_by(minutes=30)
    assert (await the_review(toy))["kind"] == "refund_unknown"
    toy.provider.always("find_refund", "accept")
    said = {"reference": "RV9"} if action == "refund_by_hand" else {}
    assert (await decide(toy, action, **said)).status_code == 200
    await toy.box.run_jobs()
    assert await booked(toy.box) == [("refund", "250.00")]
    states = [one.state for one in await rows(toy.box, Refund)]
    assert states == (["failed", "done"] if action == "refund" else ["done"])
    assert (await shown(toy.box, refund))["reference"] == said.get("reference")
    open_ones = await toy.box.client("manager").get(REVIEWS, params={"state": "open"})
    assert open_ones.json()["items"] == []
