"""P6: what a sale costs comes from the shop's own prices, as they are now, whatever the client was told before."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import to_builtins
from polyfactory.factories.msgspec_factory import MsgspecFactory

from plugins.catalog.api import Chosen, Sellable, list_price
from plugins.sales.schemas.requests import LineIn
from tests.promises.pricing import TooMuch, bill, text
from tests.promises.till import FEW, Till, as_costs, costs, stored_figures

# What is taken costs what the shop says


@st.composite
def carts(draw: st.DrawFn, names: tuple[str, ...] = ("RICE", "SUGAR", "BREAD", "NAILS")) -> dict[str, Any]:
    """Lines by name, the same product more than once too, with discounts that may take too much."""
    off = st.one_of(
        st.none(),
        st.integers(0, 100_000).map(lambda n: {"percent": f"{n // 1000}.{n % 1000:03d}"}),
        st.integers(0, 500_00).map(lambda n: {"amount": text(n)}),
    )
    lines = []
    for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=6)):
        whole = draw(st.integers(1, 300))
        quantity = f"{whole}.{draw(st.integers(0, 999)):03d}" if name == "SUGAR" else str(whole)
        lines.append({"product_id": name, "quantity": quantity, "discount": draw(off)})
    return {"lines": lines, "channel": draw(st.sampled_from(["retail", "wholesale"])), "discount": draw(off)}


@FEW
@given(carts())
async def test_what_is_sold_costs_what_the_stored_prices_say(till: Till, said: dict[str, Any]) -> None:
    lines = [line | {"product_id": till.by_name[line["product_id"]]} for line in said["lines"]]
    body = till.cart() | said | {"lines": lines}
    try:
        expected = bill(body, till.goods)
    except TooMuch:
        refused = await till.sell(body)
        assert (refused.status_code, refused.json()["code"]) == (422, "discount-too-large")
        return
    quoted = await till.quote(body)
    assert quoted.status_code == 200, quoted.text
    assert costs(quoted.json()) == as_costs(expected)
    sold = await till.sell(body, "manager")
    assert sold.status_code == 201, sold.text
    assert costs(sold.json()) == as_costs(expected)
    assert await stored_figures(till, sold.json()["id"]) == as_costs(expected)


async def test_a_product_on_many_lines_costs_the_sum_of_its_lines(till: Till) -> None:
    body = till.cart(*({"product_id": till.by_name["NAILS"], "quantity": str(n)} for n in range(1, 34)))
    sold = (await till.sell(body)).json()
    assert costs(sold) == as_costs(bill(body, till.goods))
    assert len(sold["lines"]) == 33


async def test_whatever_a_factory_makes_of_the_types_is_refused_or_costs_what_it_must(one_till: Till) -> None:
    """Random requests of the declared types, only with products that exist, by someone who may set prices."""
    taken = 0
    for seed in range(40):
        LineFactory.seed_random(seed)
        made = LineFactory.batch(1 + seed % 4, barcode=None)
        lines = [to_builtins(line) for line in made]
        for line, id_ in zip(lines, itertools.cycle(one_till.goods), strict=False):
            line["product_id"] = id_
            if seed % 2:  # half of them in pieces and without discounts, so that enough are taken
                line["quantity"] = line["quantity"].partition(".")[0][:6]
                line["discount"] = None
        body = one_till.cart() | {"lines": lines, "note": f"{seed}"}
        answer = await one_till.sell(body, "manager")
        assert answer.status_code in (201, 422), f"seed {seed}: {answer.text}"
        if answer.status_code == 201:
            assert costs(answer.json()) == as_costs(bill(body, one_till.goods)), f"seed {seed}"
            taken += 1
    print(f"{taken} of 40 taken")
    assert taken >= 3


class LineFactory(MsgspecFactory[LineIn]):
    """Lines of any sort."""

    __model__ = LineIn


# What changes between quote and sale


async def new_price(till: Till, price: str) -> None:
    owner = till.box.client("owner", till.shop)
    answer = await owner.send(
        "PATCH",
        f"/api/v1/catalog/products/{till.by_name['RICE']}",
        json={"price": price},
        headers={"If-Match": "*"},
    )
    assert answer.status_code == 200, answer.text


async def stale(till: Till) -> list[str]:
    """What a sale costs before and after its price changed, and after a quote at the price before."""
    totals = [(await till.sell(till.cart())).json()["total"], (await till.quote(till.cart())).json()["total"]]
    await new_price(till, "399.99")
    totals.append((await till.sell(till.cart())).json()["total"])
    return totals


async def test_a_sale_costs_what_the_price_is_now_not_what_it_was_quoted(one_till: Till) -> None:
    assert await stale(one_till) == ["380.00", "380.00", "399.99"]
    await new_price(one_till, "400.00")
    quoted = (await one_till.quote(one_till.cart())).json()["total"]
    await new_price(one_till, "410.00")
    async with one_till.untouched():
        paid = [{"method": "cash", "amount": quoted}]
        await one_till.refuses(one_till.cart() | {"payments": paid}, 422, "payment-short")
    held = await one_till.box.client("cashier").post(
        "/api/v1/sales/held", {"location_id": one_till.place, "lines": one_till.cart()["lines"]}
    )
    await new_price(one_till, "420.00")
    assert (await one_till.sell(one_till.cart(held_id=held.json()["id"]))).json()["total"] == "420.00"


async def test_a_promotion_holds_from_its_first_second_to_its_last(one_till: Till) -> None:
    owner, clock = one_till.box.client("owner"), one_till.box.clock
    begin, end = clock() + dt.timedelta(hours=1), clock() + dt.timedelta(hours=2)
    said = {"name": "Hour", "kind": "percent", "value": "50", "product_id": one_till.by_name["RICE"]}
    made = await owner.post(
        "/api/v1/discounts/promotions", said | {"starts_at": begin.isoformat(), "ends_at": end.isoformat()}
    )
    assert (await owner.post(f"/api/v1/discounts/promotions/{made.json()['id']}/activate")).status_code == 200
    second = dt.timedelta(seconds=1)
    for now, total in ((begin - second, "380.00"), (begin, "190.00"), (end - second, "190.00"), (end, "380.00")):
        clock.now = now
        assert (await one_till.sell(one_till.cart())).json()["total"] == total, now


# Broken twins


async def test_a_till_that_remembers_prices_is_found(one_till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[uuid.UUID, Chosen] = {}

    def remembered(good: Sellable, channel: str, quantity: int) -> Chosen:
        return seen.setdefault(good.product_id, list_price(good, channel, quantity))

    monkeypatch.setattr("plugins.sales.services.ground.list_price", remembered)
    assert await stale(one_till) == ["380.00", "380.00", "380.00"]


async def test_a_till_that_rounds_half_to_even_is_found(one_till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    body = one_till.cart({"product_id": one_till.by_name["SUGAR"], "quantity": "1.000"})
    must = as_costs(bill(body, one_till.goods))
    assert costs((await one_till.sell(body)).json()) == must

    def half_even(quantity: int, unit_price: int, exponent: int) -> int:
        return round(Fraction(quantity * unit_price * 10**exponent, 10**12))

    monkeypatch.setattr("plugins.sales.rules.pricing.extend", half_even)
    assert costs((await one_till.sell(body)).json()) != must
