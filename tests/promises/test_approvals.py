"""P23, P43: what goes beyond a person's limit is done once a second person has approved just that, just once."""

from __future__ import annotations

import asyncio
import sys
import uuid
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from kernel.db.tables import Approval, Audit
from kernel.settings import Settings
from kernel.testing.box import PASSWORD, Box, Client
from kernel.testing.served import serving
from kernel.tests.factors import set_up
from kernel.work import Work
from plugins.catalog.testing import a_product
from plugins.inventory.testing import on_hand
from tests.promises.test_delegation import edit, role, token_of

SALES, APPROVALS = "/api/v1/sales/sales", "/api/v1/approvals"
PLENTY = [{"method": "cash", "amount": "90000.00"}]
WHY = {"reason": "old customer"}


async def cart(box: Box, percent: str = "20", **more: Any) -> dict[str, Any]:
    """A cart of one good with a discount by hand."""
    product = await a_product(box, f"RICE {uuid.uuid4().hex[:6]}", "380.00", track_stock=False)
    line = {"product_id": str(product), "quantity": "2", "discount": {"percent": percent, "reason": "kind"}}
    return {"location_id": str(await box.location()), "lines": [line], "payments": PLENTY, **more}


async def asked(client: Client, body: dict[str, Any], path: str = SALES) -> str:
    """Send what goes beyond the limit; the id of the request for approval that is answered."""
    answer = await client.post(path, body)
    assert (answer.status_code, answer.json()["code"]) == (403, "approval-required"), answer.text
    return str(answer.json()["approval"])


async def again(client: Client, body: dict[str, Any], *approvals: str, path: str = SALES) -> httpx.Response:
    """The same request, with approvals."""
    return await client.post(path, body, headers={"X-Approval": ",".join(approvals)})


def refused_as(answer: httpx.Response, code: str, status: int = 403) -> bool:
    """Whether an answer is that refusal."""
    return (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_discount_beyond_the_limit_is_approved_by_a_second_person_and_both_are_recorded(box: Box) -> None:
    cashier, manager = box.client("cashier"), box.client("manager")
    assert (await cashier.post(SALES, await cart(box, "10"))).status_code == 201, "as far as the limit reaches"
    body = await cart(box, "10.01")
    approval = await asked(cashier, body)
    assert not (await cashier.get(SALES)).json()["items"][1:], "nothing was sold"
    mine = (await cashier.get(f"{APPROVALS}/{approval}")).json()
    assert (mine["state"], mine["action"], mine["amount"]) == ("waiting", "sales.discount_percent", "10.01")
    waiting = (await manager.get(APPROVALS, params={"state": "waiting"})).json()["items"]
    assert [one["id"] for one in waiting] == [approval]
    assert refused_as(await again(cashier, body, approval), "approval-not-valid"), "nobody has approved it yet"
    said = await manager.post(f"{APPROVALS}/{approval}/approve", WHY)
    assert (said.status_code, said.json()["state"], said.json()["answered_by_name"]) == (200, "approved", "Manager")
    sold = await again(cashier, body, approval)
    assert sold.status_code == 201, sold.text
    used = (await manager.get(f"{APPROVALS}/{approval}")).json()
    assert (used["state"], used["used_for"], used["reason"]) == ("used", f"sale:{sold.json()['id']}", WHY["reason"])
    assert (used["requested_by_name"], used["answered_by_name"]) == ("Cashier", "Manager")
    row = await audit_of(box, f"sale:{sold.json()['id']}")
    assert row.actor_name == "Cashier"
    assert [(one["id"], one["by"]) for one in row.facts["approvals"]] == [
        (approval, str(box.people["mama-njeri", "manager"].id))
    ]
    assert (await audit_of(box, f"approval:{approval}")).actor_name in ("Cashier", "Manager")


async def audit_of(box: Box, subject: str) -> Any:
    """The audit row of a subject."""

    async def read(work: Work) -> Any:
        found = sa.select(Audit.__table__).where(Audit.business_id == work.business_id, Audit.subject == subject)
        return (await work.execute(found.order_by(Audit.at))).first()

    return await box.look(read)


async def test_the_second_person_may_prove_themselves_at_the_same_till(box: Box) -> None:
    cashier, body = box.client("cashier"), await cart(box)
    approval = await asked(cashier, body)
    path = f"{APPROVALS}/{approval}/approve-here"
    who = {"username": "manager@mama-njeri.example", "password": PASSWORD, **WHY}
    assert (await cashier.post(path, who | {"password": "wrong password"})).status_code == 401
    assert (await cashier.post(path, who | {"username": "nobody@mama-njeri.example"})).status_code == 401
    assert (await cashier.post(path, who | {"username": "manager@sharma-kirana.example"})).status_code == 401
    assert refused_as(await cashier.post(path, who | {"username": "cashier@mama-njeri.example"}), "self-approval")
    keeper = who | {"username": "stock_keeper@mama-njeri.example"}
    assert refused_as(await cashier.post(path, keeper), "beyond-approver")
    said = await cashier.post(path, who)
    assert (said.status_code, said.json()["answered_by_name"]) == (200, "Manager"), said.text
    assert (await again(cashier, body, approval)).status_code == 201


async def test_the_second_person_shows_their_second_factor_too(box: Box) -> None:
    cashier, body = box.client("cashier"), await cart(box)
    path = f"{APPROVALS}/{await asked(cashier, body)}/approve-here"
    phone, _ = await set_up(box, "manager")
    who = {"username": "manager@mama-njeri.example", "password": PASSWORD, **WHY}
    assert refused_as(await cashier.post(path, who), "second-factor-required", 401)
    assert refused_as(await cashier.post(path, who | {"code": "000000"}), "second-factor-wrong", 401)
    assert (await cashier.post(path, who | {"code": phone.code()})).status_code == 200


@pytest.mark.parametrize("half", [{}, {"username": "a@b.example"}, {"password": PASSWORD}, {"pin": "7294"}])
async def test_half_a_proof_is_none(box: Box, half: dict[str, Any]) -> None:
    cashier = box.client("cashier")
    path = f"{APPROVALS}/{await asked(cashier, await cart(box))}/approve-here"
    assert refused_as(await cashier.post(path, half | WHY), "validation", 422)


async def test_guessing_the_second_persons_password_ends_as_signing_in_does(box: Box) -> None:
    cashier = box.client("cashier")
    path = f"{APPROVALS}/{await asked(cashier, await cart(box))}/approve-here"
    wrong = {"username": "manager@mama-njeri.example", "password": "wrong password", **WHY}
    statuses = [(await cashier.post(path, wrong)).status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]


async def test_an_approval_is_used_once(box: Box) -> None:
    cashier, body, approval = await approved(box)
    assert (await again(cashier, body, approval)).status_code == 201
    second = await again(cashier, body, approval)
    assert refused_as(second, "approval-not-valid"), second.text


async def test_a_repeated_key_answers_again_and_uses_nothing(box: Box) -> None:
    cashier, body, approval = await approved(box)
    key, headers = uuid.uuid4().hex, {"X-Approval": approval}
    first = await cashier.post(SALES, body, key=key, headers=dict(headers))
    again_ = await cashier.post(SALES, body, key=key, headers=dict(headers))
    assert (first.status_code, again_.content) == (201, first.content)


async def approved(box: Box, percent: str = "20", **more: Any) -> tuple[Client, dict[str, Any], str]:
    """A cashier, their cart, and the approval they have for it."""
    cashier, body = box.client("cashier"), await cart(box, percent, **more)
    approval = await asked(cashier, body)
    assert (await box.client("manager").post(f"{APPROVALS}/{approval}/approve", WHY)).status_code == 200
    return cashier, body, approval


async def test_an_approval_is_good_for_that_request_person_and_five_minutes_only(box: Box) -> None:
    cashier, body, approval = await approved(box)
    line = body["lines"][0]
    others = [
        body | {"note": "another"},
        body | {"lines": [line | {"discount": {"percent": "19", "reason": "kind"}}]},
        body | {"lines": [line | {"quantity": "3"}]},
        body | {"lines": [line, line]},
        await cart(box),
    ]
    for other in others:
        assert refused_as(await again(cashier, other, approval), "approval-not-valid"), other
    owner = box.client("owner")
    keeper = await role(owner, "stock_keeper")
    await edit(owner, keeper["id"], permissions=[*keeper["permissions"], "sales.complete", "sales.discount"])
    stolen = await again(box.client("stock_keeper"), body, approval)
    nothing = await again(cashier, body, str(uuid.uuid4()))
    foreign = await again(cashier, body, str(await foreign_approval(box)))
    for answer in (stolen, nothing, foreign):
        assert refused_as(answer, "approval-not-valid")
        assert answer.json()["detail"] == nothing.json()["detail"]
    box.clock.pass_by(seconds=299)
    assert (await again(cashier, body, approval)).status_code == 201
    cashier, body, approval = await approved(box)
    box.clock.pass_by(seconds=300)
    assert refused_as(await again(cashier, body, approval), "approval-not-valid")
    assert (await cashier.get(f"{APPROVALS}/{approval}")).json()["state"] == "expired"


async def foreign_approval(box: Box) -> str:
    """A request for approval of the other business."""
    client = box.client("cashier", "sharma-kirana")
    product = await a_product(box, "DAL", "100.00", track_stock=False, shop="sharma-kirana")
    line = {"product_id": str(product), "discount": {"percent": "50"}}
    place = str(await box.location(shop="sharma-kirana"))
    return await asked(client, {"location_id": place, "lines": [line], "payments": PLENTY})


async def test_the_till_is_part_of_what_is_approved(box: Box) -> None:
    """The register stands in the request, and so in what may be repeated."""
    owner = box.client("owner")
    till = {"location_id": str(await box.location()), "code": "T7", "name": "Till"}
    register = (await owner.post("/api/v1/sales/registers", till)).json()["id"]
    cashier, body, approval = await approved(box)
    assert refused_as(await again(cashier, body | {"register_id": register}, approval), "approval-not-valid")
    row = (await cashier.get(f"{APPROVALS}/{approval}")).json()
    assert row["register_id"]
    assert row["register_id"] != register


async def test_nobody_approves_what_they_asked_for_or_could_not_do_alone(box: Box) -> None:
    owner, manager, cashier = box.client("owner"), box.client("manager"), box.client("cashier")
    one = (await role(owner, "manager"))["id"]
    assert (await edit(owner, one, limits={"sales.discount_percent": "30"})).status_code == 200
    beyond = await asked(cashier, await cart(box, "31"))
    assert refused_as(await manager.post(f"{APPROVALS}/{beyond}/approve", WHY), "beyond-approver")
    own = await asked(manager, await cart(box, "31"))
    assert refused_as(await manager.post(f"{APPROVALS}/{own}/approve", WHY), "self-approval")
    assert refused_as(await cashier.post(f"{APPROVALS}/{beyond}/approve", WHY), "forbidden")
    assert (await owner.post(f"{APPROVALS}/{own}/approve", WHY)).status_code == 200
    assert refused_as(await owner.post(f"{APPROVALS}/{own}/approve", WHY), "already-answered", 409)
    no = await owner.post(f"{APPROVALS}/{beyond}/refuse", WHY)
    assert (no.status_code, no.json()["state"]) == (200, "refused")
    assert refused_as(await owner.post(f"{APPROVALS}/{beyond}/approve", WHY), "already-answered", 409)
    late = await asked(cashier, await cart(box, "20"))
    box.clock.pass_by(minutes=15)
    assert refused_as(await owner.post(f"{APPROVALS}/{late}/approve", WHY), "already-answered", 409)


async def test_a_request_is_seen_by_its_person_and_those_who_answer(box: Box) -> None:
    cashier = box.client("cashier")
    approval = await asked(cashier, await cart(box))
    for name, status in (
        ("cashier", 200),
        ("manager", 200),
        ("owner", 200),
        ("stock_keeper", 404),
        ("accountant", 404),
    ):
        assert (await box.client(name).get(f"{APPROVALS}/{approval}")).status_code == status, name
    assert (await cashier.get(APPROVALS)).status_code == 403


async def test_the_same_refusal_asks_once(box: Box) -> None:
    cashier, body = box.client("cashier"), await cart(box)
    assert await asked(cashier, body) == await asked(cashier, body)
    assert await asked(cashier, body) != await asked(cashier, await cart(box))


async def test_discounts_add_up_to_what_is_limited(box: Box) -> None:
    """By amount as by percent, on lines and on the whole together."""
    cashier = box.client("cashier")
    plain = await cart(box, "10")
    line = plain["lines"][0]
    bare = {name: line[name] for name in ("product_id", "quantity")}
    refused = {
        "an amount": plain | {"lines": [bare | {"discount": {"amount": "76.01"}}]},
        "one line of two": plain | {"lines": [line | {"discount": {"percent": "11"}}, bare]},
        "the document": plain | {"lines": [bare], "discount": {"percent": "10.5"}},
        "the document by amount": plain | {"lines": [bare], "discount": {"amount": "76.01"}},
        "both": plain | {"discount": {"percent": "1"}},
    }
    for words, body in refused.items():
        assert refused_as(await cashier.post(SALES, body), "approval-required"), words
    fine = [
        plain | {"lines": [bare | {"discount": {"amount": "76.00"}}]},
        plain | {"lines": [bare], "discount": {"percent": "10"}},
        plain | {"lines": [line, bare, bare], "discount": {"percent": "5"}},
    ]
    for body in fine:
        answer = await cashier.post(SALES, body)
        assert answer.status_code == 201, answer.text
    quoted = {name: value for name, value in (await cart(box, "90")).items() if name != "payments"}
    assert (await cashier.post("/api/v1/sales/quote", quoted)).status_code == 200, "a quote gives nothing away"


async def test_a_price_by_hand_below_or_above_the_limit_needs_approval_and_two_may_be_named(box: Box) -> None:
    owner, cashier, manager = box.client("owner"), box.client("cashier"), box.client("manager")
    one = await role(owner, "cashier")
    said = {
        "permissions": [*one["permissions"], "sales.override_price"],
        "limits": {"sales.price_override_percent": "5"},
    }
    assert (await edit(owner, one["id"], **said)).status_code == 200
    body = await cart(box, "20")
    line = {name: value for name, value in body["lines"][0].items() if name != "discount"}
    for price, status in (("361", 201), ("360.99", 403), ("399", 201), ("399.01", 403), ("0", 403)):
        answer = await cashier.post(SALES, body | {"lines": [line | {"unit_price": price}]})
        assert answer.status_code == status, f"{price}: {answer.text}"
    both = body | {"lines": [body["lines"][0] | {"unit_price": "300"}]}
    first = await asked(cashier, both)
    await manager.post(f"{APPROVALS}/{first}/approve", WHY)
    answer = await again(cashier, both, first)
    assert (answer.json()["code"], answer.json()["action"]) == ("approval-required", "sales.price_override_percent")
    second = answer.json()["approval"]
    await manager.post(f"{APPROVALS}/{second}/approve", WHY)
    assert (await again(cashier, both, first, second)).status_code == 201


async def test_prices_by_hand_on_several_lines_are_approved_together_up_to_the_furthest(box: Box) -> None:
    owner, cashier, manager = box.client("owner"), box.client("cashier"), box.client("manager")
    one = await role(owner, "cashier")
    assert (await edit(owner, one["id"], permissions=[*one["permissions"], "sales.override_price"])).status_code == 200
    body = await cart(box, "0")
    line = {name: value for name, value in body["lines"][0].items() if name != "discount"}
    body["lines"] = [line | {"unit_price": price} for price in ("370", "300", "379")]
    approval = await asked(cashier, body)
    mine = (await cashier.get(f"{APPROVALS}/{approval}")).json()
    assert (mine["amount"], "for 300.00 instead of 380.00 and 2 more at" in mine["words"]) == ("21.052632", True)
    await manager.post(f"{APPROVALS}/{approval}/approve", WHY)
    assert (await again(cashier, body, approval)).status_code == 201


async def test_a_void_and_a_refund_beyond_the_amount_need_approval(box: Box) -> None:
    owner, cashier, manager = box.client("owner"), box.client("cashier"), box.client("manager")
    one = await role(owner, "cashier")
    more = [*one["permissions"], "sales.void", "payments.refund"]
    limits = {"sales.void_amount": "500", "payments.refund_amount": "100"}
    assert (await edit(owner, one["id"], permissions=more, limits=limits)).status_code == 200
    sold = (await cashier.post(SALES, await cart(box, "0"))).json()
    assert sold["total"] == "760.00"
    void, body = f"{SALES}/{sold['id']}/void", {"reason": "mistake"}
    approval = await asked(cashier, body, void)
    await manager.post(f"{APPROVALS}/{approval}/approve", WHY)
    assert refused_as(await again(cashier, {"reason": "else"}, approval, path=void), "approval-not-valid")
    done = await again(cashier, body, approval, path=void)
    assert (done.status_code, done.json()["status"]) == (200, "voided"), done.text

    other = (await cashier.post(SALES, await cart(box, "0"))).json()
    refunds, back = "/api/v1/payments/refunds", {"payment_id": other["payments"][0]["id"], "reason": "spoilt"}
    assert (await cashier.post(refunds, back | {"amount": "60.00"})).status_code == 201
    assert (await cashier.post(refunds, back | {"amount": "40.00"})).status_code == 201
    approval = await asked(cashier, back | {"amount": "0.01"}, refunds)
    await manager.post(f"{APPROVALS}/{approval}/approve", WHY)
    assert (await again(cashier, back | {"amount": "0.01"}, approval, path=refunds)).status_code == 201
    assert (await manager.post(refunds, back | {"amount": "500.00"})).status_code == 201, "managers are not limited"


async def test_two_refunds_at_once_do_not_reach_beyond_the_limit_together(box: Box) -> None:
    owner, cashier = box.client("owner"), box.client("cashier")
    one = await role(owner, "cashier")
    more, limits = [*one["permissions"], "payments.refund"], {"payments.refund_amount": "100"}
    assert (await edit(owner, one["id"], permissions=more, limits=limits)).status_code == 200
    sold = (await cashier.post(SALES, await cart(box, "0"))).json()
    back = {"payment_id": sold["payments"][0]["id"], "amount": "60.00", "reason": "spoilt"}
    answers = await asyncio.gather(*(cashier.post("/api/v1/payments/refunds", back) for _ in "1234"))
    assert sorted(answer.status_code for answer in answers) == [201, 403, 403, 403]


async def test_stock_goes_below_zero_only_knowingly_and_by_those_who_may(box: Box) -> None:
    cashier, manager = box.client("cashier"), box.client("manager")
    product, place = await a_product(box, price="10.00"), await box.location()
    body = {"location_id": str(place), "lines": [{"product_id": str(product), "quantity": "3"}], "payments": PLENTY}
    assert refused_as(await cashier.post(SALES, body), "out-of-stock", 409)
    assert not (await manager.get(APPROVALS)).json()["items"], "asking is a choice"
    assert refused_as(await manager.post(SALES, body), "out-of-stock", 409), "those who may must say that they mean it"
    wanted = await cashier.post(SALES, body, headers={"X-Approval": "ask"})
    assert refused_as(wanted, "approval-required"), wanted.text
    approval = wanted.json()["approval"]
    assert (await manager.post(f"{APPROVALS}/{approval}/approve", WHY)).status_code == 200
    assert (await again(cashier, body, approval)).status_code == 201
    assert await on_hand(box, product, place) == "-3"
    assert refused_as(await again(cashier, body, approval), "approval-not-valid")
    assert (await manager.post(SALES, body, headers={"X-Approval": "ask"})).status_code == 201
    assert await on_hand(box, product, place) == "-6"

    keeper, adjust = box.client("stock_keeper"), "/api/v1/inventory/adjustments"
    less = {"location_id": str(place), "reason": "broken", "lines": [{"product_id": str(product), "quantity": "-1"}]}
    assert refused_as(await keeper.post(adjust, less), "out-of-stock", 409)
    wanted = await keeper.post(adjust, less, headers={"X-Approval": "ask"})
    approval = wanted.json()["approval"]
    assert (await manager.post(f"{APPROVALS}/{approval}/approve", WHY)).status_code == 200
    assert (await again(keeper, less, approval, path=adjust)).status_code == 201
    assert await on_hand(box, product, place) == "-7"


@pytest.mark.parametrize("said", ["yes", "01935f4e", ",", ",".join(str(uuid.uuid4()) for _ in range(6))])
async def test_a_header_that_names_nothing_is_refused(box: Box, said: str) -> None:
    answer = await box.client("cashier").post(SALES, await cart(box), headers={"X-Approval": said})
    assert refused_as(answer, "bad-request", 400)


async def test_those_tied_to_a_location_answer_for_it_alone(box: Box) -> None:
    owner, manager, cashier = box.client("owner"), box.client("manager"), box.client("cashier")
    path = f"/api/v1/users/{box.people['mama-njeri', 'manager'].id}/locations"
    etag = (await owner.get(path)).headers["etag"]
    there = {"location_ids": [str(await box.location("store"))]}
    assert (await owner.send("PATCH", path, json=there, headers={"If-Match": etag})).status_code == 200
    approval = await asked(cashier, await cart(box))
    assert not (await manager.get(APPROVALS)).json()["items"]
    assert (await manager.post(f"{APPROVALS}/{approval}/approve", WHY)).status_code == 404
    here = {"username": "manager@mama-njeri.example", "password": PASSWORD, **WHY}
    answer = await cashier.post(f"{APPROVALS}/{approval}/approve-here", here)
    assert refused_as(answer, "beyond-approver")


async def use_twice(box: Box) -> list[int]:
    """Two uses of one approval at the same moment."""
    cashier, body, approval = await approved(box)
    answers = await asyncio.gather(*(again(cashier, body, approval) for _ in "12"))
    return sorted(answer.status_code for answer in answers)


def meet_once_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first two deeds go on only when both have read that the approval is given."""
    approvals = sys.modules["kernel.work.approvals"]
    claim, barrier = approvals._claim, asyncio.Barrier(2)
    met: set[int] = set()

    async def meet(work: Work, ask: Any) -> bool:
        is_given = await claim(work, ask)
        if is_given and id(work) not in met and len(met) < 2:
            met.add(id(work))
            await asyncio.wait_for(barrier.wait(), 60)
        return bool(is_given)

    monkeypatch.setattr(approvals, "_claim", meet)


async def test_of_two_uses_at_once_one_is_refused(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    meet_once_read(monkeypatch)
    assert await use_twice(box) == [201, 403]


async def test_a_use_that_reads_and_then_writes_is_found(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: the state is trusted as it was read."""

    async def trusting(work: Work) -> None:
        await work.write()
        for one in work.claims:
            here = sa.and_(Approval.business_id == work.business_id, Approval.id == one.id)
            await work.execute(sa.update(Approval).where(here).values(state="used", used_at=work.now))

    meet_once_read(monkeypatch)
    monkeypatch.setattr(sys.modules["kernel.work.deeds"], "use_approvals", trusting)
    assert await use_twice(box) == [201, 201]


async def test_of_many_uses_on_two_processes_one_is_served(box: Box, box_settings: Settings) -> None:
    body = await cart(box)
    with serving(box_settings, 2, {"DUKA_JOBS": "off"}) as servers:
        https = [httpx.AsyncClient(base_url=server.url, timeout=60) for server in servers]
        try:
            cashiers = [Client(one, token_of(box, "cashier")) for one in https]
            manager = Client(https[0], token_of(box, "manager"))
            approval = await asked(cashiers[0], body)
            assert (await manager.post(f"{APPROVALS}/{approval}/approve", WHY)).status_code == 200
            answers = await asyncio.gather(*(again(cashiers[n % 2], body, approval) for n in range(8)))
        finally:
            for one in https:
                await one.aclose()
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(201) == 1, [answer.text for answer in answers]
    assert {answer.json()["code"] for answer in answers if answer.status_code != 201} == {"approval-not-valid"}
