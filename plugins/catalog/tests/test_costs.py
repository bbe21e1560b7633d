"""Costs: written and seen only by those who may, on every path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa

from kernel.auth.businesses.making import role_named
from kernel.auth.models import Role
from kernel.testing.box import Box, Client
from kernel.work import Work
from plugins.catalog.testing import a_product

PRODUCTS = "/api/v1/catalog/products"
BODY = {"sku": "NEW", "name": "New", "price": "10"}


@pytest.fixture
def blind_editor(box: Box) -> Callable[[], Awaitable[Client]]:
    """A stock keeper whose role no longer sees costs."""

    async def make() -> Client:
        async def take(work: Work) -> None:
            id_ = await role_named(work, "stock_keeper")
            here = sa.and_(Role.business_id == work.business_id, Role.id == id_)
            await work.execute(sa.update(Role).where(here).values(removed=["catalog.see_cost"]))

        await box.act(take)
        return box.client("stock_keeper")

    return make


async def test_a_cost_is_left_out_for_those_who_may_not_see_it(
    box: Box, blind_editor: Callable[[], Awaitable[Client]]
) -> None:
    product = await a_product(box, cost_price="310.125", barcodes=["6161100000018"])
    keeper = await blind_editor()
    cashier = box.client("cashier")
    answers = [
        (await cashier.get(f"{PRODUCTS}/{product}")).json(),
        (await cashier.get(PRODUCTS)).json()["items"][0],
        (await cashier.get(PRODUCTS, params={"q": "rice"})).json()["items"][0],
        (await cashier.get("/api/v1/catalog/barcode/6161100000018")).json()["product"],
        (await keeper.post(PRODUCTS, BODY)).json(),
        (await keeper.patch(f"{PRODUCTS}/{product}", {"name": "Renamed"}, version=1)).json(),
        (await keeper.post(f"{PRODUCTS}/{product}/barcodes", {"code": "X"})).json(),
        (await keeper.post(f"{PRODUCTS}/{product}/packs", {"name": "Six", "factor": "6"})).json(),
    ]
    for answer in answers:
        assert "price" in answer
        assert "cost_price" not in answer
    seen = (await box.client("accountant").get(f"{PRODUCTS}/{product}")).json()
    assert seen["cost_price"] == "310.125", "what others changed has not touched it"


@pytest.mark.parametrize("cost", ["5", None])
async def test_a_cost_is_refused_from_those_who_may_not_see_it(
    box: Box, blind_editor: Callable[[], Awaitable[Client]], cost: str | None
) -> None:
    product = await a_product(box, cost_price="310.125")
    keeper = await blind_editor()
    for answer in (
        await keeper.post(PRODUCTS, BODY | {"cost_price": cost}),
        await keeper.patch(f"{PRODUCTS}/{product}", {"cost_price": cost}, version=1),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert answer.json()["errors"][0]["pointer"] == "/cost_price"
    assert (await box.client("owner").get(f"{PRODUCTS}/{product}")).json()["cost_price"] == "310.125"


async def test_a_cost_can_be_changed_and_cleared_by_those_who_may(box: Box) -> None:
    product = await a_product(box, cost_price="310.125")
    owner = box.client("owner")
    changed = await owner.patch(f"{PRODUCTS}/{product}", {"cost_price": "311"}, version=1)
    assert changed.json()["cost_price"] == "311.00"
    cleared = await owner.patch(f"{PRODUCTS}/{product}", {"cost_price": None}, version=2)
    assert cleared.json()["cost_price"] is None
