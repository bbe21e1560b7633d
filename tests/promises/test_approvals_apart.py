"""P23: nobody gets round a limit by a key of their own, nor by two ways of giving at once; old requests are dropped."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from kernel.auth.accounts.housekeeping import KEPT_FOR, forget_approvals
from kernel.db.tables import Approval
from kernel.testing.box import Box, Client
from kernel.work import Work
from tests.promises.test_approvals import APPROVALS, SALES, WHY, again, asked, cart, refused_as
from tests.promises.test_delegation import edit, role


async def test_whoever_made_the_key_that_asked_may_not_approve(box: Box) -> None:
    owner, manager = box.client("owner"), box.client("manager")
    one = await role(owner, "manager")
    more = [*one["permissions"], "keys.manage"]
    limits = {"sales.discount_percent": "10"}
    assert (await edit(owner, one["id"], permissions=more, limits=limits)).status_code == 200
    scopes = ["sales.complete", "sales.discount", "sales.see"]
    made = (await manager.post("/api/v1/keys", {"name": "Web shop", "scopes": scopes})).json()
    key, body = Client(box.http, made["key"]), await cart(box)
    approval = await asked(key, body)
    assert (await edit(owner, one["id"], limits={"sales.discount_percent": None})).status_code == 200
    assert refused_as(await manager.post(f"{APPROVALS}/{approval}/approve", WHY), "self-approval")
    assert (await owner.post(f"{APPROVALS}/{approval}/approve", WHY)).status_code == 200
    assert (await again(key, body, approval)).status_code == 201


async def test_requests_long_over_are_dropped_by_night_and_no_others(box: Box) -> None:
    cashier = box.client("cashier")
    await asked(cashier, await cart(box))
    box.clock.pass_by(days=KEPT_FOR.days + 1)
    young = await asked(cashier, await cart(box))
    await box.act(lambda work: forget_approvals.run(work, {}))

    async def left(work: Work) -> list[str]:
        found = await work.execute(sa.select(Approval.id).where(Approval.business_id == work.business_id))
        return [str(one) for one in found.scalars()]

    assert await box.look(left) == [young]


@pytest.mark.parametrize(
    ("far_by_price", "price", "discount", "action"),
    [
        ("8", "361", "5", None),
        ("8", "361", "5.27", "sales.discount_percent"),
        ("15", "342", "5", None),
        ("15", "342", "6", "sales.price_override_percent"),
    ],
)
async def test_a_price_and_a_discount_by_hand_on_one_line_reach_no_further_together(
    box: Box, far_by_price: str, price: str, discount: str, action: str | None
) -> None:
    """Of a list price of 380; by discount the cashier may give 10 %."""
    owner, cashier = box.client("owner"), box.client("cashier")
    one = await role(owner, "cashier")
    more = [*one["permissions"], "sales.override_price"]
    limits = {"sales.price_override_percent": far_by_price}
    assert (await edit(owner, one["id"], permissions=more, limits=limits)).status_code == 200
    body = await cart(box, discount)
    answer = await cashier.post(SALES, body | {"lines": [body["lines"][0] | {"unit_price": price}]})
    if action is None:
        assert answer.status_code == 201, answer.text
    else:
        assert (answer.status_code, answer.json()["action"]) == (403, action)
