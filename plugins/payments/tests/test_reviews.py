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
from plugins.payments.services.reviews import open_review
from plugins.payments.testing.toy_box import ToyBox, a_paid_one
from plugins.payments.tests.test_giving_back import booked, give_back, left, rows, shown

REVIEWS = "/api/v1/payments/reviews"


@pytest.mark.parametrize("kind", get_args(ReviewKind))
def test_every_question_can_be_answered_in_some_way(kind: ReviewKind) -> None:
    for surplus, refundable in ((0, 0), (0, 5), (5, 5)):
        for by_gateway in (True, False):
            offered = actions_for(
                kind, sends_back=by_gateway, is_asked=by_gateway, surplus=surplus, refundable=refundable
            )
            assert offered
            assert {"accept", "dismiss"} & set(offered)
            assert len(set(offered)) == len(offered)
            assert by_gateway or not {"refund", "ask_again"} & set(offered)
            assert surplus or "apply" not in offered


async def late(toy: ToyBox, amount: int = 25_000) -> uuid.UUID:
    """A payment for a sale that waits for nothing."""
    return await a_paid_one(toy, amount, Subject("sale", uuid.uuid4(), "T1-2026-000009"))


async def the_review(toy: ToyBox, role: str = "manager", **params: str) -> Any:
    [one] = (await toy.box.client(role).get(REVIEWS, params={"state": "open", **params})).json()["items"]
    return one


async def decide(toy: ToyBox, action: str, role: str = "manager", about: Any = None, **more: Any) -> Any:
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
        "Manager",
        "asked at the counter",
        [],
    )
    assert said == (await toy.box.client("accountant").get(f"{REVIEWS}/{one['id']}")).json()
    await toy.box.run_jobs()
    assert (await left(toy.box, payment_id), await booked(toy.box)) == (0, [("refund", "250.00")])
    [trail] = await toy.box.trail(f"review:{one['id']}")
    assert (trail["reason"], trail["facts"]["action"]) == ("asked at the counter", "refund")


async def test_of_two_people_at_once_one_decides(toy: ToyBox) -> None:
    await late(toy)
    one = await the_review(toy)
    answers = await asyncio.gather(
        decide(toy, "refund", about=one), decide(toy, "refund_by_hand", "owner", one, reference="RV1")
    )
    assert sorted(one.status_code for one in answers) == [200, 409]
    assert [one.json()["code"] for one in answers if one.status_code == 409] == ["review-closed"]
    assert len(await rows(toy.box, Refund)) == 1


@pytest.mark.parametrize("action", ["refund", "refund_by_hand"])
async def test_money_goes_back_by_nobodys_decision_who_may_not_give_it_back(toy: ToyBox, action: str) -> None:
    payment_id = await late(toy)
    assert (await the_review(toy, "accountant"))["actions"] == ["apply", "accept"]
    refused = await decide(toy, action, "accountant", reference="RV1")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert (await the_review(toy))["actions"][:2] == ["refund", "refund_by_hand"]
    assert (await left(toy.box, payment_id), await rows(toy.box, Refund)) == (25_000, [])
    assert (await decide(toy, "accept", "accountant")).status_code == 200


async def limit(toy: ToyBox, most: str) -> None:
    """Let managers give back so much of one payment by themselves."""
    owner, roles = toy.box.client("owner"), "/api/v1/roles"
    [one] = [one for one in (await owner.get(roles)).json()["items"] if one["code"] == "manager"]
    etag = (await owner.get(f"{roles}/{one['id']}")).headers["etag"]
    limits = one["limits"] | {"payments.refund_amount": most}
    said = await owner.send("PATCH", f"{roles}/{one['id']}", json={"limits": limits}, headers={"If-Match": etag})
    assert said.status_code == 200, said.text


async def test_beyond_ones_limit_a_second_person_approves_what_the_queue_gives_back(toy: ToyBox) -> None:
    payment_id = await late(toy)
    await limit(toy, "150")
    assert (await give_back(toy.box, payment_id, "100.00")).status_code == 201
    one = await the_review(toy)
    refused = await decide(toy, "refund")
    assert (refused.status_code, refused.json()["code"]) == (403, "approval-required")
    assert (await the_review(toy))["id"] == one["id"], "it is open still"
    assert len(await rows(toy.box, Refund)) == 1
    approval = refused.json()["approval"]
    approved = await toy.box.client("owner").post(f"/api/v1/approvals/{approval}/approve", {"reason": "known"})
    assert (approved.json()["amount"], approved.json()["state"]) == ("250", "approved"), "all of it together"
    resolve, said = f"{REVIEWS}/{one['id']}/resolve", {"action": "refund"}
    done = await toy.box.client("manager").post(resolve, said, headers={"X-Approval": approval})
    assert (done.status_code, await left(toy.box, payment_id)) == (200, 0), done.text


async def test_what_became_of_a_refund_is_said_by_those_who_may_give_as_much_back(toy: ToyBox) -> None:
    payment_id = await a_paid_one(toy)
    await give_back(toy.box, payment_id)
    refund = (await rows(toy.box, Refund))[0]
    unknown = {"words": "Nobody says", "attempt_id": payment_id, "amount": refund.amount, "currency": refund.currency}
    await toy.box.act(lambda work: open_review(work, "refund_unknown", refund.id, **unknown))
    await limit(toy, "249.99")
    for role, code in (("accountant", "forbidden"), ("manager", "approval-required")):
        refused = await decide(toy, "refund_by_hand", role)
        assert (refused.status_code, refused.json()["code"]) == (403, code)
    assert [one.state for one in await rows(toy.box, Refund)] == ["pending"]
    assert (await decide(toy, "refund_by_hand", "owner")).status_code == 200
    assert [one.state for one in await rows(toy.box, Refund)] == ["done"]


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
