"""What a checkout costs in messages to the database: evidence is written with the rest, in none of its own."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from kernel.testing.box import Box
from plugins.catalog.testing import a_price_list, a_product, prices_on

MOST = 7
"""Begin and identity, the goods with their listed prices, begin and the key with the epochs, the write batch, commit –
with every plugin on."""


async def test_a_checkout_makes_no_more_round_trips_than_it_needs(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    if not box.deployment.database.is_postgres:
        pytest.skip("round trips are PostgreSQL's")
    rice = await a_product(box, price="120.00", track_stock=False)
    await prices_on(box, await a_price_list(box), rice, "100.00")
    cart = {"location_id": str(await box.location()), "lines": [{"product_id": str(rice)}]}
    paid = cart | {"payments": [{"method": "cash", "amount": "100.00"}]}
    here = f"/api/v1/locations/{cart['location_id']}/settings/sales"
    for role, path in (("operator", "/api/v1/operating/settings/sales"), ("owner", here)):
        level = {"values": {"below_cost": "ask_by_hand"}}  # read at every checkout, of whatever level
        assert (await box.client(role).patch(path, level, version=0)).status_code == 200
    cashier = box.client("cashier")
    assert (await cashier.post("/api/v1/sales/sales", paid)).status_code == 201
    field = {"entity": "sales.sale", "key": "table", "label": "Table", "kind": "number"}
    assert (await box.client("owner").post("/api/v1/custom-fields", field)).status_code == 201
    own = paid | {"custom": {"table": "7"}}
    assert (await cashier.post("/api/v1/sales/sales", own)).status_code == 201
    said: list[str] = []

    def counted(name: str) -> Any:
        honest = getattr(asyncpg.Connection, name)

        async def counting(self: Any, query: str, *args: Any, **kwargs: Any) -> Any:
            said.append(query)
            return await honest(self, query, *args, **kwargs)

        return counting

    for name in ("fetch", "execute", "prepare"):
        monkeypatch.setattr(asyncpg.Connection, name, counted(name))
    for sale in (paid, own):
        said.clear()
        assert (await cashier.post("/api/v1/sales/sales", sale)).status_code == 201
        print(*(f"{n}: {query[:100]}" for n, query in enumerate(said, start=1)), sep="\n")
        assert len(said) <= MOST
        assert sum("kernel_audit" in query for query in said) == 1
        assert not sum("kernel_custom_field" in query for query in said)
