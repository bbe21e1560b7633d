"""Money that came without being asked for, on both databases: one sale claims it, whoever tries at once."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import httpx
import sqlalchemy as sa

from kernel.work import Work
from plugins.catalog.testing import a_product
from plugins.payments.models import Attempt, Money, Review
from plugins.payments.testing.toy_box import ToyBox
from plugins.payments.tests.looking import rows
from plugins.payments.tests.test_notices import path_of, send, unasked

INCOMING, SALES = "/api/v1/payments/incoming", "/api/v1/sales/sales"


async def money_in(toy: ToyBox, number: str = "U1", amount: int = 50_000) -> str:
    """Money in the tray; returns its id."""
    path = path_of(toy.box, "account", toy.accounts["mama-njeri"])
    assert (await send(toy, path, unasked(number, amount, "rent"))).status_code == 200
    await toy.box.run_jobs()
    listed = (await toy.box.client("cashier").get(INCOMING)).json()["items"]
    found: str = next(one["id"] for one in listed if one["number"] == number)
    return found


async def sell(toy: ToyBox, product: uuid.UUID, *payments: dict[str, Any], role: str = "cashier") -> httpx.Response:
    said = {
        "location_id": str(await toy.box.location()),
        "lines": [{"product_id": str(product), "quantity": "1"}],
        "payments": payments,
    }
    return await toy.box.client(role).post(SALES, said)


def claim(money_id: str, amount: str = "380.00") -> dict[str, Any]:
    return {"method": "toy", "amount": amount, "claims": money_id}


async def test_money_is_listed_newest_first_and_filtered(toy: ToyBox) -> None:
    cashier = toy.box.client("cashier")
    for n, amount in enumerate((100, 200, 300)):
        await money_in(toy, f"U{n}", amount)
        toy.box.clock.pass_by(seconds=1)

    async def numbers(**query: str) -> list[str]:
        return [one["number"] for one in (await cashier.get(INCOMING, params=query)).json()["items"]]

    assert await numbers() == ["U2", "U1", "U0"]
    assert await numbers(limit="2") == ["U2", "U1"]
    assert await numbers(amount="2.00") == ["U1"]
    assert await numbers(reference="U0") == ["U0"]
    assert await numbers(reference="rent") == ["U2", "U1", "U0"]
    assert await numbers(account_id=str(uuid.uuid4())) == []
    [first] = (await cashier.get(INCOMING, params={"reference": "U0"})).json()["items"]
    assert (first["payer"], first["currency"], first["state"]) == ("25471***678", "KES", "unclaimed")
    other = toy.box.client("owner", "sharma-kirana")
    assert (await other.get(INCOMING)).json()["items"] == []


async def test_a_sale_claims_money_that_is_there_and_a_void_gives_it_back(toy: ToyBox) -> None:
    box = toy.box
    product, money_id = await a_product(box, price="380.00", track_stock=False), await money_in(toy)
    sold = await sell(toy, product, claim(money_id))
    assert sold.status_code == 201, sold.text
    sale = sold.json()
    assert (sale["status"], sale["paid"], sale["payments"][0]["amount"]) == ("completed", "380.00", "380.00")
    assert (sale["payments"][0]["status"], sale["payments"][0]["reference"]) == ("captured", "U1")
    [row] = await rows(box, Attempt)
    assert (row.captured, row.applied, row.refundable, row.flags) == (50_000, 38_000, 50_000, ["overpaid"])
    [money] = await rows(box, Money)
    assert (money.attempt_id, money.state) == (row.id, "credited")
    [review] = await rows(box, Review)
    assert (review.kind, review.amount, review.about) == ("overpaid", 12_000, row.id)
    assert (await box.client("cashier").get(INCOMING)).json()["items"] == []
    voided = await box.client("manager").post(f"{SALES}/{sale['id']}/void", {"reason": "wrong goods"})
    assert voided.status_code == 200, voided.text
    assert (await rows(box, Attempt))[0].refundable == 0


async def test_what_cannot_be_claimed_is_refused_and_changes_nothing(toy: ToyBox) -> None:
    box = toy.box
    product, money_id = await a_product(box, price="380.00", track_stock=False), await money_in(toy, amount=30_000)
    nothing, cash = str(uuid.uuid4()), {"method": "cash", "amount": "80.00"}
    for payments, status, code in (
        ([claim(nothing)], 404, "not-found"),
        ([claim(money_id)], 422, "validation"),
        ([claim(money_id) | {"awaited": True}], 422, "validation"),
        ([{"method": "cash", "amount": "380.00", "claims": money_id}], 422, "validation"),
        ([claim(money_id, "200.00"), claim(money_id, "180.00")], 409, "already-claimed"),
    ):
        answer = await sell(toy, product, *payments)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert not await rows(box, Attempt)
    assert (await sell(toy, product, claim(money_id, "300.00"), cash)).status_code == 201
    again = await sell(toy, product, claim(money_id, "300.00"), cash)
    assert (again.status_code, again.json()["code"]) == (409, "already-claimed")


async def test_of_tills_that_claim_the_same_money_at_once_one_wins(toy: ToyBox) -> None:
    product, money_id = await a_product(toy.box, price="380.00", track_stock=False), await money_in(toy)
    answers = await asyncio.gather(*(sell(toy, product, claim(money_id)) for _ in range(6)))
    assert sorted(one.status_code for one in answers) == [201] + [409] * 5
    assert {one.json()["code"] for one in answers if one.status_code == 409} == {"already-claimed"}
    assert [row.captured for row in await rows(toy.box, Attempt)] == [50_000]


async def test_the_twin_that_looks_first_and_then_counts_sells_the_money_twice(toy: ToyBox) -> None:
    """Both look and find the money free, then both write: the test above would fail on it."""
    box, both_have_looked = toy.box, asyncio.Barrier(2)
    here = sa.and_(Money.business_id == box.shop.id, Money.id == uuid.UUID(await money_in(toy)))

    async def claim_as_it_must_not_be(work: Work) -> bool:
        is_free = (await work.execute(sa.select(Money.state).where(here))).scalar_one() == "unclaimed"
        await both_have_looked.wait()
        await work.write()
        await work.execute(sa.update(Money).where(here).values(state="credited"))
        return bool(is_free)

    assert await asyncio.gather(*(box.act(claim_as_it_must_not_be, read_first=True) for _ in "12")) == [True, True]


async def test_money_that_is_no_sales_is_set_aside_with_a_reason(toy: ToyBox) -> None:
    box = toy.box
    money_id, path = await money_in(toy), f"{INCOMING}/{{}}/dismiss"
    said = {"reason": "the landlord's"}
    assert (await box.client("cashier").post(path.format(money_id), said)).status_code == 403
    assert (await box.client("manager").post(path.format(uuid.uuid4()), said)).status_code == 404
    done = await box.client("manager").post(path.format(money_id), said)
    assert (done.status_code, done.json()["state"]) == (200, "dismissed")
    again = await box.client("manager").post(path.format(money_id), said)
    assert (again.status_code, again.json()["code"]) == (409, "already-claimed")
    assert (await box.client("manager").get(INCOMING)).json()["items"] == []
    aside = (await box.client("manager").get(INCOMING, params={"state": "dismissed"})).json()["items"]
    assert [one["id"] for one in aside] == [money_id]
    [trail] = await box.trail(f"money:{money_id}")
    assert trail["reason"] == "the landlord's"
    product = await a_product(box, price="380.00", track_stock=False)
    assert (await sell(toy, product, claim(money_id))).status_code == 409
