"""A list reads what it returns, however long its past: each page comes by an index in its order, from the cursor on."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.testing.box import Box
from kernel.web import listing
from kernel.wire import ListQuery
from kernel.work import Work
from plugins.agent_float.testing import a_line
from plugins.catalog.testing import a_price_list, a_product
from plugins.sales.models import Sale
from tests.promises.plans import explained
from tests.promises.spots import plain_call

FEW = {
    "/api/v1/auth/sign-ins": "of one person, and thrown away when they end",
    "/api/v1/users": "the people of one business",
    "/api/v1/businesses": "those one person works for",
    "/api/v1/tills": "the devices of one business",
    "/api/v1/catalog/categories": "the tree of one shop",
    "/api/v1/custom-fields": "the fields of one shop, so many of an entity at most",
}
"""Lists that may be sorted: they grow with the shop, not with its past."""
SALES = "/api/v1/sales/sales"
SOME_ID = str(uuid.UUID(int=1))
FILTERED = {
    "business_date": "2026-11-21",
    "location_id": "",
    "customer_id": SOME_ID,
    "status": "voided",
    "order_number": "O1",
    "number": "T1",
}
OTHER_FILTERED = {
    "/api/v1/daybook/entries": {"business_date": "2026-11-21"},
    "/api/v1/inventory/moves": {"product_id": SOME_ID},
    "/api/v1/catalog/products": {
        **{"tax_class_id": SOME_ID, "has_category": "false", "has_barcode": "false", "price_from": "1", "price_to": "2"}
    },
}


async def faults_of(box: Box, patch: pytest.MonkeyPatch, path: str, cursor: str | None, **said: Any) -> list[str]:
    """What is wrong with the plan of a page: the first, or one behind a cursor."""
    given = said | ({"cursor": cursor} if cursor else {})
    with explained(patch) as plans:
        client = box.client("operator" if "/operating/" in path else "owner")
        answer = await client.get(path, params=given or None)
    assert answer.status_code == 200, f"{path}: {answer.text}"
    assert len(plans.seen) == 1, f"{path}: {len(plans.seen)} pages seen"
    return [f"{path} {given}: {one}" for one in plans.faults(behind_cursor=cursor is not None)]


async def test_every_page_of_every_list_comes_by_an_index(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    routes = [one for one in box.app.routes if one.query is not None and issubclass(one.query, ListQuery)]
    registers = (await box.client("owner").get("/api/v1/sales/registers")).json()["items"]
    named = {
        "register_id": registers[0]["id"],
        "product_id": str(await a_product(box)),
        "price_list_id": str(await a_price_list(box)),
        "line_id": str(await a_line(box)),
    }
    found = []
    for route in routes:
        call = plain_call(route, named)
        for cursor in (None, "anywhere"):
            path = route.path.format_map(call.path)
            found += [] if path in FEW else await faults_of(box, monkeypatch, path, cursor)
    assert not found, "\n".join(found)
    assert len(routes) >= 25
    assert set(FEW) <= {one.path for one in routes}


async def test_a_filtered_page_of_sales_comes_by_an_index_too(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for name, value in FILTERED.items():
        said = {name: value or str(await box.location())}
        found += await faults_of(box, monkeypatch, SALES, None, **said)
        if "number" not in name:
            found += await faults_of(box, monkeypatch, SALES, "anywhere", **said)
    for path, said in OTHER_FILTERED.items():
        found += await faults_of(box, monkeypatch, path, None, **said)
    assert not found, "\n".join(found)


async def test_an_order_without_an_index_is_caught(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    async def listed(work: Work) -> None:
        statement = sa.select(Sale.__table__).where(Sale.business_id == work.business_id)
        await listing.page(work, statement, ListQuery(), order=[Sale.recorded_at, Sale.id], make=lambda row: row)

    with explained(monkeypatch) as plans:
        await box.look(listed)
    (fault,) = plans.faults(behind_cursor=False)
    assert fault.startswith("sorts")


async def test_a_cursor_that_is_compared_column_by_column_is_caught(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def behind(order: Any, after: Any, descending: bool) -> sa.ColumnElement[bool]:
        first, last = order
        assert descending
        return sa.or_(first < after[0], sa.and_(first == after[0], last < after[1]))

    monkeypatch.setattr(listing, "_behind", behind)
    (fault,) = await faults_of(box, monkeypatch, SALES, "anywhere")
    assert "does not enter an index at sold_at" in fault
