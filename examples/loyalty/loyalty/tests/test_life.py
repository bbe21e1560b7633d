"""The whole life of the plugin at the API: planned, used, switched off, uninstalled, installed, restored."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from loyalty.testing import points_of
from sqlalchemy.ext.asyncio import create_async_engine

from kernel.testing.box import Box, Client
from plugins.catalog.testing import a_product
from plugins.customers.testing import a_customer

PLUGIN = "/api/v1/plugins/loyalty"
SHOPS = ("mama-njeri", "sharma-kirana")


async def carried_out(client: Client, action: str, **said: Any) -> Any:
    """Plan, look that nothing hinders it, apply by the hash; the answer."""
    seen = await client.post(f"{PLUGIN}/plan", {"action": action, **said})
    assert seen.status_code == 200, seen.text
    assert seen.json()["hindrances"] == []
    done = await client.post(f"{PLUGIN}/apply", {"action": action, "hash": seen.json()["hash"], **said})
    assert done.status_code == 200, done.text
    return done.json()


async def rows(box: Box) -> dict[str, list[str]]:
    """Every row of the plugin's tables, as the database has it."""
    engine, found = create_async_engine(box.deployment.settings.url), {}
    async with engine.connect() as connection:
        for name in await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names()):
            if name.startswith("loyalty_") and name != "loyalty_schema":
                stored = (await connection.execute(sa.text(f'SELECT * FROM "{name}"'))).all()
                found[name] = sorted(repr(tuple(row)) for row in stored)
    await engine.dispose()
    return found


async def sell(box: Box, customer: Any, sku: str) -> Any:
    rice = await a_product(box, sku, price="200.00", track_stock=False)
    body = {
        "location_id": str(await box.location()),
        "lines": [{"product_id": str(rice)}],
        "customer_id": str(customer),
        "payments": [{"method": "cash", "amount": "200.00"}],
    }
    sold = await box.client("cashier").post("/api/v1/sales/sales", body)
    assert sold.status_code == 201, sold.text
    return sold.json()


async def test_it_goes_and_comes_back_with_every_row(box: Box) -> None:
    customer, operator = await a_customer(box), box.client("operator")
    points = f"/api/v1/loyalty/customers/{customer}"
    await points_of(box, customer, 30)
    card = {"ext": {"loyalty": {"card": "MN-0042"}}}
    await box.client("owner").patch(f"/api/v1/customers/customers/{customer}", card, version=1)
    await sell(box, customer, "RICE-1")
    before, had = await rows(box), (await box.client("cashier").get(points)).json()
    assert all(before.values()), "every table of it has rows"
    for shop in SHOPS:
        await carried_out(box.client("owner", shop), "disable")
    assert (await box.client("cashier").get(points)).status_code == 404
    await sell(box, customer, "RICE-2")
    gone = await carried_out(operator, "uninstall")
    assert (gone["state"], await rows(box)) == ("uninstalled", {})
    await sell(box, customer, "RICE-3")
    assert (await carried_out(operator, "install"))["state"] == "available"
    assert await rows(box) == {name: [] for name in before}
    empty = await carried_out(operator, "uninstall")
    assert empty["archive"]["path"] != gone["archive"]["path"]
    back = await carried_out(operator, "install", archive=gone["archive"]["path"].rpartition("/")[2])
    assert back["state"] == "available"
    assert await rows(box) == before
    for shop in SHOPS:
        await carried_out(box.client("owner", shop), "enable")
    assert (await box.client("cashier").get(points)).json() == had
    await sell(box, customer, "RICE-4")
    assert (await box.client("cashier").get(points)).json()["points"] > had["points"]
