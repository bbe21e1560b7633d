"""What a plugin keeps on the side of another's things: typed, in the same deed, one statement a page, gone when off."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest
import sqlalchemy as sa

from kernel.db import Base, Transaction
from kernel.db.owner import engine_for
from kernel.db.personal import impersonal
from kernel.db.sides import side_of
from kernel.errors import PluginFault
from kernel.registry import Registry, _check_sides
from kernel.settings import Settings
from kernel.testing.box import Box, open_box
from kernel.wire import Name, Request, needs
from kernel.work import sides

PRODUCTS, KEEPER, SUBJECT = "/api/v1/catalog/products", "inventory", "catalog.product"


class Kept(Request, frozen=True):
    """What a plugin keeps with products."""

    shelf: Name
    counted_on: dt.date | None = None
    bought_from: Annotated[str | None, needs("catalog.see_cost")] = None


EXTENSIONS = {SUBJECT: Kept}
PART = {KEEPER: {"shelf": "A1", "counted_on": "2026-11-20", "bought_from": "supplier-4711"}}


@pytest.fixture
async def kept(box: Box, box_settings: Settings) -> AsyncIterator[Box]:
    """A box in which one of the plugins has a side table for products."""
    constraints = side_of(SUBJECT, "catalog_product", sa.UniqueConstraint("business_id", "shelf"), plugin=KEEPER)
    table = sa.Table(
        "inventory_kept",
        Base.metadata,
        *(sa.Column(name, sa.Uuid(), primary_key=True) for name in ("business_id", "owner_id")),
        sa.Column("shelf", sa.Text(), nullable=False, info=impersonal("a place")),
        sa.Column("counted_on", sa.Date()),
        sa.Column("bought_from", sa.Text(), info=impersonal("the business's")),
        *constraints[:-1],
        info=constraints[-1]["info"],
    )
    engine = engine_for(box_settings.url)
    async with engine.begin() as connection:
        await connection.run_sync(table.create)
        if connection.dialect.name == "postgresql":
            await connection.exec_driver_sql("GRANT ALL ON inventory_kept TO PUBLIC")
    plugins = box.deployment.registry.in_order()
    registry = Registry(
        [dataclasses.replace(one, extensions=EXTENSIONS) if one.name == KEEPER else one for one in plugins]
    )
    made = await open_box(box_settings, registry, clock=box.clock)
    yield made
    await made.close()
    async with engine.begin() as connection:
        await connection.run_sync(table.drop)
    await engine.dispose()
    Base.metadata.remove(table)
    sides._QUESTIONS.pop(table, None)


def body(sku: str, ext: Any) -> dict[str, Any]:
    return {"sku": sku, "name": f"Thing {sku}", "price": "1.00", "ext": ext}


async def test_it_is_written_with_the_owner_and_stands_in_every_answer(kept: Box) -> None:
    owner = kept.client("owner")
    made = await owner.post(PRODUCTS, body("A", PART))
    assert made.status_code == 201, made.text
    path = f"{PRODUCTS}/{made.json()['id']}"
    for answer in (made, await owner.get(path), await owner.get(path, params={"fields": "ext"})):
        assert answer.json()["ext"] == PART
    assert (await owner.get(PRODUCTS)).json()["items"][0]["ext"] == PART
    assert (await owner.get(PRODUCTS, params={"q": "thing"})).json()["items"][0]["ext"] == PART
    seen = (await kept.client("cashier").get(path)).json()["ext"]
    assert seen == {KEEPER: {"shelf": "A1", "counted_on": "2026-11-20"}}
    changed = await owner.patch(path, {"ext": {KEEPER: {"shelf": "B2"}}}, version=1)
    assert changed.json()["ext"] == {KEEPER: {"shelf": "B2", "counted_on": None, "bought_from": None}}
    trail = (await owner.get("/api/v1/audit", params={"limit": 1})).json()["items"][0]
    assert {"shelf": "B2", "counted_on": None, "bought_from": None} in [one["after"] for one in trail["changes"]]
    later = await owner.post(PRODUCTS, body("B", {}))
    given = await owner.patch(f"{PRODUCTS}/{later.json()['id']}", {"ext": {KEEPER: {"shelf": "C3"}}}, version=1)
    assert given.json()["ext"][KEEPER]["shelf"] == "C3"
    taken = await owner.post(PRODUCTS, body("C", {KEEPER: {"shelf": "B2"}}))
    assert (taken.status_code, taken.json()["errors"][0]["pointer"]) == (409, "/ext/inventory/shelf")


async def test_what_its_struct_does_not_take_is_refused_at_its_place(kept: Box) -> None:
    owner = kept.client("owner")
    for part, pointer, code in (
        ({}, "/ext/inventory/shelf", "required"),
        ({"shelf": 5}, "/ext/inventory/shelf", "invalid"),
        ({"shelf": "A1", "counted_on": "today"}, "/ext/inventory/counted_on", "invalid"),
        ({"shelf": "A1", "color": "red"}, "/ext/inventory/color", "unknown"),
        (None, "/ext/inventory", "invalid"),
    ):
        refused = await owner.post(PRODUCTS, body("A", {KEEPER: part}))
        errors = refused.json()["errors"]
        assert (refused.status_code, errors[0]["pointer"], errors[0]["code"]) == (422, pointer, code), refused.text
    assert (await owner.get(PRODUCTS)).json()["items"] == []


async def test_a_page_costs_one_statement_more_whatever_its_length(kept: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = kept.client("owner")
    for n in range(50):
        assert (await owner.post(PRODUCTS, body(f"P{n}", {KEEPER: {"shelf": f"A{n}"}}))).status_code == 201
    said: list[str] = []
    honest = Transaction.fetch

    async def counting(self: Transaction, statement: Any, /, **parameters: Any) -> Any:
        said.append(str(statement.statement))
        return await honest(self, statement, **parameters)

    monkeypatch.setattr(Transaction, "fetch", counting)
    await owner.get(PRODUCTS)  # from here on the process recalls what is configured
    counts = []
    for limit in ("1", "50"):
        said.clear()
        items = (await owner.get(PRODUCTS, params={"limit": limit})).json()["items"]
        assert len(items) == int(limit)
        assert all(one["ext"][KEEPER]["shelf"] for one in items)
        counts.append((len(said), sum("inventory_kept" in one for one in said)))
    assert counts[0] == counts[1]
    assert counts[0][1] == 1


async def test_a_plugin_that_is_off_keeps_its_rows_and_shows_none(kept: Box) -> None:
    owner = kept.client("owner")
    path = f"{PRODUCTS}/{(await owner.post(PRODUCTS, body('A', PART))).json()['id']}"
    assert (await owner.post(f"/api/v1/plugins/{KEEPER}/disable")).status_code == 200
    assert (await owner.get(path)).json()["ext"] == {}
    refused = await owner.patch(path, {"ext": PART}, version=1)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/ext/inventory")
    assert (await owner.post(f"/api/v1/plugins/{KEEPER}/enable")).status_code == 200
    assert (await owner.get(path)).json()["ext"] == PART


async def test_each_shop_has_its_own_even_under_one_id(kept: Box) -> None:
    made = (await kept.client("owner").post(PRODUCTS, body("A", PART))).json()
    other = await kept.client("owner", "sharma-kirana").post(PRODUCTS, body("A", {}) | {"id": made["id"]})
    assert other.json()["ext"] == {}, other.text


async def test_a_table_unlike_its_struct_sets_the_plugin_aside(kept: Box) -> None:
    _check_sides(KEEPER, EXTENSIONS)
    assert kept.deployment.registry.plugins[KEEPER].extensions == EXTENSIONS
    wrong: tuple[dict[str, type[Request]], ...] = ({}, {SUBJECT: Request})
    for one in wrong:
        with pytest.raises(PluginFault, match="inventory_kept"):
            _check_sides(KEEPER, one)
