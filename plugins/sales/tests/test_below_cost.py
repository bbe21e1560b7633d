"""PR3: no price falls below zero, no discount beyond what it is taken from, and what is sold below cost is approved."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.money import extend
from kernel.testing.box import Box, Client
from plugins.catalog.testing import a_product
from plugins.sales.rules import DiscountTooLarge, price
from plugins.sales.rules.by_cost import Costed, below_cost
from plugins.sales.schemas.values import Applied, Cart
from plugins.sales.tests.test_pricing_properties import carts
from plugins.sales.tests.test_rounded_sales import set_to

SALES, QUOTE, APPROVALS = "/api/v1/sales/sales", "/api/v1/sales/quote", "/api/v1/approvals"
COST = "311.7531"
"""A cost no other figure equals."""
A, B = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([Costed(1, A, 99, 100)], [(1,)]),
        ([Costed(1, A, 100, 100)], []),
        ([Costed(1, A, 0, None)], []),
        ([Costed(1, A, 0, 0)], []),
        ([Costed(1, A, 50, 100), Costed(2, B, 500, 100)], [(1,)]),
        ([Costed(1, A, 200, 100), Costed(2, B, 5, 10), Costed(3, A, 0, 100)], [(2,)]),
        ([Costed(1, A, 150, 100), Costed(2, A, 49, 100)], [(1, 2)]),
        ([Costed(1, A, 0, 100), Costed(2, A, 0, None)], []),
    ],
    ids=["a cent short", "at cost", "no cost", "a cost of nothing", "the other is dear", "two of three free",
         "two lines of one", "a line without a cost"],
)  # fmt: skip
def test_the_lines_of_each_product_below_cost_are_found(lines: list[Costed], expected: list[tuple[int, ...]]) -> None:
    assert below_cost(lines) == expected


def test_an_offer_of_the_shop_may_pass_where_only_what_is_done_by_hand_is_asked_for() -> None:
    lines = [Costed(1, A, 0, 100), Costed(2, B, 0, 100, by_hand=True)]
    assert below_cost(lines, by_hand_only=True) == [(2,)]


@settings(max_examples=200, deadline=None)
@given(carts(), st.data())
def test_whatever_takes_off_no_line_falls_below_zero_and_exactly_what_is_below_cost_is_asked_for(
    case: tuple[Cart, list[list[Applied]], list[Applied]], data: st.DataObject
) -> None:
    asked = case[0]
    try:
        found = price(*case)
    except DiscountTooLarge:
        return
    assert all(0 <= line.discount <= line.gross and line.net >= 0 for line in found.lines)
    assert 0 <= found.discount_total <= found.subtotal
    costs = st.none() | st.integers(0, 2 * max((line.net for line in found.lines), default=0) + 1)
    products = [data.draw(st.sampled_from([A, B])) for _ in found.lines]
    costed = [
        Costed(line.line, product, line.net, data.draw(costs))
        for line, product in zip(found.lines, products, strict=True)
    ]
    expected = []
    for product in dict.fromkeys(products):
        own = [line for line in costed if line.product_id == product]
        if all(line.cost is not None for line in own) and sum(line.net - (line.cost or 0) for line in own) < 0:
            expected.append(tuple(line.line for line in own))
    assert below_cost(costed) == expected
    order = data.draw(st.permutations(costed))
    assert {frozenset(lines) for lines in below_cost(order)} == {frozenset(lines) for lines in expected}
    at_cost = [
        Costed(line.line, A, extend(line.quantity, one.list_price, asked.exponent), line.gross)
        for line, one in zip(found.lines, asked.lines, strict=True)
        if one.override is None and line.unit_price == one.list_price
    ]
    assert below_cost(at_cost) == [], "what is sold at cost is not below it by rounding"


async def a_cart(box: Box, price: str = "361.00", **line: Any) -> dict[str, Any]:
    """A cart of one good that cost 311.7531: 361.00 contains 16 % of tax, and leaves 311.21."""
    rice = await a_product(box, price=price, cost_price=COST, track_stock=False)
    return {"location_id": str(await box.location()), "lines": [{"product_id": str(rice), **line}]}


async def sell(client: Client, cart: dict[str, Any], *approvals: str) -> httpx.Response:
    headers = {"X-Approval": ",".join(approvals)} if approvals else {}
    return await client.post(SALES, cart | {"payments": [{"method": "cash", "amount": "900.00"}]}, headers=headers)


async def asks(client: Client, cart: dict[str, Any]) -> list[str]:
    """What a quote says would have to be approved."""
    said = (await client.post(QUOTE, cart)).json()["approvals"]
    return [one["action"] for one in said]


async def test_goods_below_cost_are_sold_with_an_approval_and_nobody_is_told_the_cost(box: Box) -> None:
    cashier, manager, owner = box.client("cashier"), box.client("manager"), box.client("owner")
    cart = await a_cart(box)
    quoted = (await cashier.post(QUOTE, cart)).json()
    assert quoted["approvals"] == [
        {"action": "sales.below_cost", "words": "RICE-2KG below cost at Kilimani", "lines": [1]}
    ]
    refused = await sell(cashier, cart)
    assert (refused.status_code, refused.json()["code"]) == (403, "approval-required"), refused.text
    assert refused.json()["action"] == "sales.below_cost"
    approval = refused.json()["approval"]
    seen = await cashier.get(f"{APPROVALS}/{approval}")
    assert (seen.json()["action"], seen.json()["amount"]) == ("sales.below_cost", None)
    assert "311." not in refused.text + seen.text + str(quoted["approvals"])
    said = await manager.post(f"{APPROVALS}/{approval}/approve", {"reason": "old stock"})
    assert said.status_code == 200, said.text
    sold = await sell(cashier, cart, approval)
    assert (sold.status_code, sold.json()["total"]) == (201, "361.00"), sold.text
    for alone in (manager, owner):
        assert await asks(alone, cart) == []
        assert (await sell(alone, cart)).status_code == 201


async def test_a_business_decides_what_below_cost_is_asked_for(box: Box) -> None:
    cashier = box.client("cashier")
    listed = await a_cart(box)
    by_hand = listed | {"lines": [listed["lines"][0] | {"discount": {"percent": "1"}}]}
    unknown = await a_product(box, "NAILS", "1.00", track_stock=False)
    assert await asks(cashier, listed | {"lines": [{"product_id": str(unknown)}]}) == []
    assert await asks(cashier, listed) == await asks(cashier, by_hand) == ["sales.below_cost"]
    await set_to(box, "sales", {"below_cost": "ask_by_hand"})
    assert (await asks(cashier, listed), await asks(cashier, by_hand)) == ([], ["sales.below_cost"])
    assert (await sell(cashier, listed)).status_code == 201
    await set_to(box, "sales", {"below_cost": "allow"})
    assert await asks(cashier, by_hand) == []
    assert (await sell(cashier, by_hand)).status_code == 201


async def test_a_quote_tells_every_approval_that_the_sale_would_ask_for(box: Box) -> None:
    manager, cashier = box.client("manager"), box.client("cashier")
    rice = await a_product(box, price="500.00", cost_price=COST, track_stock=False)
    line = {"product_id": str(rice), "discount": {"percent": "50"}}
    cart = {"location_id": str(await box.location()), "lines": [line]}
    assert await asks(cashier, cart) == ["sales.discount_percent", "sales.below_cost"]
    assert await asks(manager, cart) == []
    named: list[str] = []
    for action in ("sales.discount_percent", "sales.below_cost"):
        refused = (await sell(cashier, cart, *named)).json()
        assert refused["action"] == action
        named.append(refused["approval"])
        await manager.post(f"{APPROVALS}/{named[-1]}/approve", {"reason": "spoilt"})
    assert (await sell(cashier, cart, *named)).status_code == 201
