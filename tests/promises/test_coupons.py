"""P5: of many checkouts at once, exactly as many use a coupon or a limited promotion as there are uses."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.settings import Settings
from kernel.testing.box import Box
from kernel.testing.served import environment_of, running, serving
from plugins.catalog.testing import a_product
from plugins.customers.testing import a_customer
from plugins.discounts.testing import a_promotion, coupons
from tests.promises.crowd import Crowd, cart, statuses, token_for

BUYERS = 50


@pytest.fixture
def processes(database: str) -> int:
    """Server processes: SQLite is one writer's database, correct under several all the same."""
    return 4 if database == "postgresql" else 2


async def _limited(box: Box, limits: dict[str, Any] | None = None, **of_coupon: Any) -> dict[str, Any]:
    """The body of a sale that uses something limited: 1.00 off 10.00, by a coupon or by itself."""
    product = await a_product(box, price="10.00", track_stock=False)
    made = await a_promotion(box, "Tenth", by_coupon=bool(of_coupon), limits=limits)
    body: dict[str, Any] = cart(await box.location(), [product], "9.00")
    if of_coupon:
        await coupons(box, made, code="KARIBU", **of_coupon)
        body["ext"] = {"discounts": {"coupon_codes": ["KARIBU"]}}
    if of_coupon.get("per_customer"):
        body["customer_id"] = str(await a_customer(box, "Akinyi"))
    return body


async def _uses(box: Box) -> int:
    """How many sales the promotion had a part in, by what is noted of them."""
    (one,) = (await box.client("owner").get("/api/v1/discounts/promotions")).json()["items"]
    shown = await box.client("owner").get(f"/api/v1/discounts/promotions/{one['id']}")
    count: int = shown.json()["sales"]
    return count


@pytest.mark.parametrize(
    ("said", "k"),
    [
        ({"uses": 1}, 1),
        pytest.param({"uses": 37}, 37, marks=pytest.mark.prove),
        ({"uses": 60, "per_customer": 7}, 7),
        pytest.param({"per_day": 37}, 37, marks=pytest.mark.prove),
        pytest.param({"limits": {"uses": 37}}, 37, marks=pytest.mark.prove),
        pytest.param({"limits": {"spend": "37.50"}}, 37, marks=pytest.mark.prove),
        pytest.param({"uses": 1000}, 1000, marks=pytest.mark.prove),
    ],
    ids=["one", "37", "7 of a customer", "37 a day", "37 of a promotion", "37.50 of a promotion", "1000"],
)
async def test_exactly_as_many_sales_use_it_as_there_are_uses(
    box: Box, box_settings: Settings, processes: int, said: dict[str, Any], k: int
) -> None:
    body = await _limited(box, **said)
    buyers = max(BUYERS, k + k // 10)
    with serving(box_settings, processes, {"DUKA_JOBS": "off"}) as servers:
        async with Crowd(servers, token_for(box, "cashier"), connections=BUYERS) as crowd:
            answers = await crowd.rush("/sales/sales", [body] * buyers)
    codes = {one.json()["code"] for one in answers if one.status_code != 201}
    # Who read that a promotion is used up is asked the whole price, which their money does not cover.
    assert codes <= ({"promotion-used-up", "payment-short"} if "limits" in said else {"coupon-used-up"})
    assert statuses(answers)[201] == await _uses(box) == k
    numbers = [one.json()["number"] for one in answers if one.status_code == 201]
    assert sorted(numbers) == [f"O1-2026-{n:06d}" for n in range(1, k + 1)]


async def test_a_twin_that_trusts_what_it_read_uses_a_coupon_too_often(
    box: Box, box_settings: Settings, processes: int
) -> None:
    body = await _limited(box, uses=1)
    environment = environment_of(box_settings, {"DUKA_JOBS": "off"})
    with running(["tests.promises.twins:trusts_what_it_read_of_coupons"] * processes, environment) as servers:
        async with Crowd(servers, token_for(box, "cashier"), connections=BUYERS) as crowd:
            answers = await crowd.rush("/sales/sales", [body] * BUYERS)
    assert statuses(answers)[201] == await _uses(box) > 1
