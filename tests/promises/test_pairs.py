"""Plugins two at a time, with what they need: whatever else is on, a checkout comes to what it must."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.registry import discover
from kernel.testing.box import Box
from kernel.testing.replaying import only, picked
from kernel.testing.suite.still import own_tables
from kernel.work import Work
from plugins.catalog.testing import a_product
from plugins.discounts.testing import a_promotion
from plugins.taxes.testing import tax_class

REGISTRY = discover()
SALES = "sales"


def sets() -> list[frozenset[str]]:
    """Each pair of plugins with sales and all that the three stand on, each set once, the smallest first."""
    pairs = itertools.combinations_with_replacement(REGISTRY.plugins, 2)
    closed = {frozenset(need for one in (*pair, SALES) for need in REGISTRY.needed_by(one)) for pair in pairs}
    return sorted(closed, key=lambda one: (len(one), sorted(one)))


SETS = sets()
FEW = {SETS[0], SETS[-1], SETS[len(SETS) // 2]}
"""Of which `make test` tries the smallest, the largest and one between, on SQLite."""


def tried() -> list[Any]:
    cases = []
    for wanted, database in itertools.product(SETS, ("sqlite", "postgresql")):
        beside = "+".join(sorted(wanted - set(REGISTRY.needed_by(SALES)))) or "alone"
        marks = () if wanted in FEW and database == "sqlite" else pytest.mark.prove
        cases.append(pytest.param(wanted, database, id=f"{beside}-{database}", marks=marks))
    return cases


@pytest.mark.parametrize(("wanted", "database"), tried())
async def test_a_checkout_comes_to_what_it_must_with_any_two_plugins(box: Box, wanted: frozenset[str]) -> None:
    await only(box, wanted)
    before = await rows(box)
    sold = await golden_checkouts(box, wanted)
    after = await rows(box)
    written = {name for name in after if after[name] != before[name]}
    assert written <= wanted, "who is off writes nothing"
    assert wanted & {"sales", "payments", "inventory", "daybook", "discounts"} <= written, "who is on has its part"

    reason = {"reason": "wrong customer"}
    voided = await box.client("owner").post(f"/api/v1/sales/sales/{sold[0]}/void", reason)
    assert (voided.status_code, voided.json()["status"]) == (200, "voided"), voided.text
    await only(box, REGISTRY.plugins)  # the others catch up, and every invariant must hold at the end
    await box.run_jobs()
    assert not await box.jobs("dead")


async def golden_checkouts(box: Box, wanted: frozenset[str]) -> list[str]:
    """Sell in the ways that prices and taxes can go; the ids of the sales."""
    plain = await a_product(box, "PLAIN", "100.00", allow_negative_stock=True)
    zero = await a_product(box, "ZERO", "33.33", tax_class_id=await tax_class(box, "zero"), allow_negative_stock=True)
    cheap = await a_product(box, "CHEAP", "50.00", allow_negative_stock=True)
    has_discounts = "discounts" in wanted
    if has_discounts:
        await a_promotion(box, "Cheap week", "10", product_id=cheap)
    carts: list[tuple[dict[str, Any], dict[str, Any]]] = [
        (
            {"lines": [{"product_id": str(plain), "quantity": "2"}]},
            {"subtotal": "200.00", "discount_total": "0.00", "tax_total": "27.59", "total": "200.00"},
        ),
        (
            {
                "lines": [
                    {"product_id": str(plain), "quantity": "3", "discount": {"percent": "10", "reason": "torn"}},
                    {"product_id": str(zero), "quantity": "3"},
                ],
                "discount": {"amount": "5.00", "reason": "kind"},
            },
            {"subtotal": "399.99", "discount_total": "35.00", "total": "364.99"},
        ),
        (
            {"lines": [{"product_id": str(cheap), "quantity": "4"}]},
            {"subtotal": "200.00", "total": "180.00"} if has_discounts else {"subtotal": "200.00", "total": "200.00"},
        ),
        (
            {"lines": [{"product_id": str(zero), "unit_price": "20.00"}]},
            {"discount_total": "0.00", "tax_total": "0.00", "total": "20.00"},
        ),
    ]
    return [await sell(box, cart, must) for cart, must in carts]


async def sell(box: Box, cart: dict[str, Any], must: dict[str, Any]) -> str:
    """Quote and sell a cart; both come to what they must, line by line to the same."""
    owner, place = box.client("owner"), str(await box.location())
    quoted = await owner.post("/api/v1/sales/quote", {"location_id": place, **cart})
    assert quoted.status_code == 200, quoted.text
    assert picked(quoted.json(), must) == must
    paid = [{"method": "card", "amount": quoted.json()["total"]}]
    sold = await owner.post("/api/v1/sales/sales", {"location_id": place, **cart, "payments": paid})
    assert sold.status_code == 201, sold.text
    assert picked(sold.json(), must) == must
    assert sold.json()["lines"] == quoted.json()["lines"]
    id_: str = sold.json()["id"]
    return id_


async def rows(box: Box) -> dict[str, int]:
    """How many rows each plugin has of the shop, but of what configures it."""

    async def count(work: Work) -> dict[str, int]:
        found = {}
        for one in REGISTRY.in_order():
            tables = [
                table for table in own_tables(one) if "business_id" in table.c and "configuration" not in table.info
            ]
            counts = [
                (
                    await work.execute(sa.select(sa.func.count()).where(table.c.business_id == work.business_id))
                ).scalar_one()
                for table in tables
            ]
            found[one.name] = sum(counts)
        return found

    return await box.look(count)
