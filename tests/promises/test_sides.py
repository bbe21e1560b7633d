"""What a plugin keeps on the side of another's things: typed, in the same deed, one statement a page, gone when off."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.custom import filtering
from kernel.db import Transaction
from kernel.errors import PluginFault
from kernel.registry import _check_sides
from kernel.testing.box import Box
from kernel.wire import Request
from tests.promises.keeping import EXTENSIONS, KEEPER, PART, SUBJECT, body
from tests.proving import ON_SQLITE

PRODUCTS = "/api/v1/catalog/products"


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


@pytest.mark.parametrize("few", [1000, 0])
async def test_lists_are_filtered_by_it(kept: Box, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """few: from which number on a filter is checked along the list, not looked up first."""
    monkeypatch.setattr(filtering, "FEW", few)
    owner = kept.client("owner")
    for sku, shelf, counted_on in (("A", "A1", "2026-11-01"), ("B", "A2", "2026-11-15"), ("C", "A3", None)):
        part = {KEEPER: {"shelf": shelf, "counted_on": counted_on, "bought_from": "mill"}}
        assert (await owner.post(PRODUCTS, body(sku, part))).status_code == 201
    await owner.post(PRODUCTS, body("D", {}))

    async def found(**said: str) -> list[str]:
        asked = {f"ext.{name.replace('__', '.')}": value for name, value in said.items() if name != "q"}
        answer = await owner.get(PRODUCTS, params=asked | {"q": said["q"]} if "q" in said else asked)
        assert answer.status_code == 200, answer.text
        return sorted(one["sku"] for one in answer.json()["items"])

    assert await found(inventory__shelf="A2") == ["B"]
    assert await found(inventory__shelf="A2", q="thing a") == []
    assert await found(inventory__counted_on__from="2026-11-02") == ["B"]
    both = {"inventory__counted_on__from": "2026-11-01", "inventory__counted_on__to": "2026-11-15"}
    assert await found(**both, q="thing") == ["A", "B"]
    assert await found(**both, inventory__shelf="A1") == ["A"]
    assert await found(inventory__bought_from="mill") == ["A", "B", "C"]
    asked = {"ext.inventory.bought_from": "mill"}
    hidden = await kept.client("cashier").get(PRODUCTS, params=asked)
    assert (hidden.status_code, hidden.json()["code"]) == (403, "forbidden")
    for name, pointer in (
        ("ext.inventory.shelf.from", "?ext.inventory.shelf.from"),
        ("ext.inventory.counted_on", "?ext.inventory.counted_on"),
        ("ext.inventory.owner_id", "?ext.inventory.owner_id"),
        ("ext.sales.shelf", "?ext.sales.shelf"),
        ("ext.inventory", "?ext.inventory"),
        ("ext", "?ext"),
    ):
        refused = await owner.get(PRODUCTS, params={name: "x"})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer), refused.text
    page = await owner.get(PRODUCTS, params=asked | {"limit": "2", "sort": "sku"})
    onward = await owner.get(PRODUCTS, params=asked | {"sort": "sku", "cursor": page.json()["next_cursor"]})
    assert [one["sku"] for one in onward.json()["items"]] == ["C"]
    assert (await owner.post(f"/api/v1/plugins/{KEEPER}/disable")).status_code == 200
    assert (await owner.get(PRODUCTS, params={"ext.inventory.shelf": "A2"})).status_code == 422


@ON_SQLITE
async def test_the_openapi_document_names_the_filters_that_its_reader_may_use(kept: Box) -> None:
    async def named(role: str) -> set[str]:
        document = (await kept.client(role).get("/api/v1/openapi.json")).json()
        parameters = document["paths"][PRODUCTS]["get"]["parameters"]
        return {one["name"] for one in parameters if one["name"].startswith("ext")}

    counted = {f"ext.inventory.counted_on{side}" for side in ("", ".from", ".to")}
    seen = {"ext.inventory.shelf", "ext.inventory.stock", *counted}
    assert await named("cashier") == seen
    assert await named("owner") == {"ext.inventory.bought_from", *seen}
    assert (await kept.client("owner").post(f"/api/v1/plugins/{KEEPER}/disable")).status_code == 200
    assert await named("owner") == set()


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
