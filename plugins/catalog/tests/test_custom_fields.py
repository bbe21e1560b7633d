"""Fields of a shop's own on products: defined, taken, answered, filtered by, carried by tables, nobody else's."""

from __future__ import annotations

import csv
import io
import uuid
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from kernel.custom import keeping
from kernel.errors import DukaError
from kernel.testing.box import Box
from kernel.work import Work
from plugins.catalog.models import Product, ProductKey
from plugins.catalog.testing import a_product
from plugins.customers.testing import a_customer

FIELDS, PRODUCTS = "/api/v1/custom-fields", "/api/v1/catalog/products"
COLOR = {"entity": "catalog.product", "key": "color", "label": "Color", "kind": "choice", "choices": ["red", "blue"]}
WEIGHT = {"entity": "catalog.product", "key": "weight", "label": "Weight", "kind": "number", "position": 1}
UNTIL = {"entity": "catalog.product", "key": "until", "label": "Best before", "kind": "date", "position": 2}
MAKER = {
    "entity": "catalog.product",
    "key": "maker",
    "label": "Maker",
    "kind": "reference",
    "refers_to": "customers.customer",
    "position": 3,
}


async def define(box: Box, *fields: dict[str, Any], shop: str = "mama-njeri") -> list[str]:
    ids = []
    for one in fields:
        made = await box.client("owner", shop).post(FIELDS, one)
        assert made.status_code == 201, made.text
        ids.append(made.json()["id"])
    return ids


async def add(box: Box, sku: str, custom: dict[str, Any], *, shop: str = "mama-njeri") -> httpx.Response:
    body = {"sku": sku, "name": f"Thing {sku}", "price": "1.00", "custom": custom}
    return await box.client("owner", shop).post(PRODUCTS, body)


async def found(box: Box, **params: str) -> list[str]:
    answer = await box.client("owner").get(PRODUCTS, params={"sort": "sku", **params})
    assert answer.status_code == 200, answer.text
    return [one["sku"] for one in answer.json()["items"]]


def version_of(answer: httpx.Response) -> int:
    return int(answer.headers["etag"].strip('"'))


async def test_a_shop_defines_fields_and_its_products_carry_them(box: Box) -> None:
    await define(box, COLOR, WEIGHT, UNTIL)
    owner = box.client("owner")
    made = await add(box, "A", {"color": "red", "weight": "2.50", "until": "2027-01-31"})
    assert made.status_code == 201, made.text
    assert made.json()["custom"] == {"color": "red", "weight": "2.5", "until": "2027-01-31"}
    path = f"{PRODUCTS}/{made.json()['id']}"
    changed = await owner.patch(path, {"custom": {"color": None, "weight": "-3"}}, version=1)
    assert changed.json()["custom"] == {"color": None, "weight": "-3", "until": "2027-01-31"}
    assert (await owner.get(path)).json()["custom"] == changed.json()["custom"]
    listed = await owner.get(PRODUCTS)
    assert listed.json()["items"][0]["custom"] == changed.json()["custom"]
    trail = (await owner.get("/api/v1/audit", params={"limit": 1})).json()["items"][0]
    assert trail["facts"]["changed"] == ["custom"]
    assert [one["after"]["custom"] for one in trail["changes"]] == ["(personal)"]


async def test_a_wrong_value_is_refused_at_its_place(box: Box) -> None:
    await define(box, COLOR, WEIGHT | {"is_required": True})
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"size": "L"}, "/custom/size", "unknown"),
        ({"color": "green"}, "/custom/color", "invalid"),
        ({"weight": 2.5}, "/custom/weight", "invalid"),
        ({"a/b": None}, "/custom/a~1b", "unknown"),
        ({}, "/custom/weight", "required"),
        ({"weight": None}, "/custom/weight", "required"),
    ]
    for custom, pointer, code in cases:
        refused = await add(box, "A", custom)
        assert refused.status_code == 422, refused.text
        assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [(pointer, code)]
    assert await found(box) == []


async def test_lists_are_filtered_by_fields_and_pages_go_on_behind_a_cursor(box: Box) -> None:
    await define(box, COLOR, WEIGHT, UNTIL)
    for n, (color, weight) in enumerate([("red", "-2"), ("blue", "3"), ("red", "10.5"), ("red", "200")]):
        assert (await add(box, f"P{n}", {"color": color, "weight": weight, "until": f"2027-01-0{n + 1}"})).status_code
    assert await found(box, **{"custom.color": "red"}) == ["P0", "P2", "P3"]
    assert await found(box, **{"custom.weight": "10.50"}) == ["P2"]
    assert await found(box, **{"custom.weight.from": "-2", "custom.weight.to": "10.5"}) == ["P0", "P1", "P2"]
    assert await found(box, **{"custom.until.from": "2027-01-03"}) == ["P2", "P3"]
    assert await found(box, **{"custom.color": "red", "custom.weight.from": "0", "is_active": "true"}) == ["P2", "P3"]
    assert await found(box, **{"custom.color": "red", "q": "thing p3"}) == ["P3"]
    owner, asked = box.client("owner"), {"custom.color": "red", "limit": "1", "include_total": "true"}
    best = await owner.get(PRODUCTS, params={"q": "thing", **asked})
    first = await owner.get(PRODUCTS, params={"sort": "-sku", **asked})
    assert [best.json()["total"], first.json()["total"], first.json()["items"][0]["sku"]] == [3, 3, "P3"]
    cursor = first.json()["next_cursor"]
    second = await owner.get(PRODUCTS, params={"sort": "-sku", "cursor": cursor, **asked})
    assert [one["sku"] for one in second.json()["items"]] == ["P2"]
    other = await owner.get(PRODUCTS, params={"sort": "-sku", "cursor": cursor, **asked, "custom.color": "blue"})
    assert other.json()["code"] == "invalid-cursor"
    for name, said in (("size", "L"), ("color.from", "a"), ("weight", "heavy"), ("weight.upto", "1"), ("", "x")):
        refused = await owner.get(PRODUCTS, params={f"custom.{name}": said})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, f"?custom.{name}")


async def test_a_reference_names_something_of_the_same_shop(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    await define(box, MAKER)
    own, foreign = await a_customer(box), await a_customer(box, shop="sharma-kirana")
    kept = await add(box, "A", {"maker": str(own)})
    assert kept.json()["custom"] == {"maker": str(own)}
    refused = await add(box, "B", {"maker": str(foreign)})
    unknown = await add(box, "B", {"maker": "0193b6a0-0000-7000-8000-000000000001"})
    assert refused.status_code == unknown.status_code == 404
    assert refused.json()["errors"] == unknown.json()["errors"]
    assert refused.json()["errors"][0]["pointer"] == "/custom/maker"

    async def believes(_work: Work, _entity: str, ids: Any) -> set[Any]:
        return set(ids)

    monkeypatch.setattr(keeping, "known_ids", believes)
    assert (await add(box, "B", {"maker": str(foreign)})).status_code == 201, "the check above proves nothing"


async def test_fields_and_values_are_the_shops_own(box: Box) -> None:
    await define(box, COLOR)
    await define(box, COLOR | {"choices": ["lal"]}, shop="sharma-kirana")
    assert (await add(box, "A", {"color": "red"})).status_code == 201
    assert (await add(box, "A", {"color": "red"}, shop="sharma-kirana")).status_code == 422
    assert (await add(box, "A", {"color": "lal"}, shop="sharma-kirana")).status_code == 201
    assert await found(box, **{"custom.color": "red"}) == ["A"]
    listed = await box.client("cashier", "sharma-kirana").get(FIELDS)
    assert [one["choices"] for one in listed.json()["items"]] == [["lal"]]


async def test_an_archived_field_is_shown_nowhere_and_comes_back_with_its_values(box: Box) -> None:
    (color,) = await define(box, COLOR)
    product = (await add(box, "A", {"color": "red"})).json()["id"]
    owner = box.client("owner")
    assert (await owner.send("DELETE", f"{FIELDS}/{color}")).status_code == 204
    assert (await owner.get(f"{PRODUCTS}/{product}")).json()["custom"] == {}
    assert (await add(box, "B", {"color": "red"})).status_code == 422
    assert (await owner.get(PRODUCTS, params={"custom.color": "red"})).status_code == 422
    assert (await owner.post(FIELDS, COLOR)).json()["code"] == "already-exists"
    again = await owner.patch(f"{FIELDS}/{color}", {"is_archived": False}, version=2)
    assert again.status_code == 200, again.text
    assert await found(box, **{"custom.color": "red"}) == ["A"]


async def test_a_definition_changes_only_as_far_as_its_values_allow(box: Box) -> None:
    (color,) = await define(box, COLOR)
    owner, path = box.client("owner"), f"{FIELDS}/{color}"
    assert (await owner.patch(path, {"label": "Colour"})).status_code == 428
    to_text = {"kind": "text", "choices": []}
    there = await owner.patch(path, to_text, version=1)
    assert there.json()["kind"] == "text"
    assert (await owner.patch(path, {"kind": "choice", "choices": ["red", "blue"]}, version=2)).status_code == 200
    assert (await add(box, "A", {"color": "red"})).status_code == 201
    for changes in (to_text, {"choices": ["blue"]}):
        refused = await owner.patch(path, changes, version=3)
        assert (refused.status_code, refused.json()["code"]) == (409, "custom-field-in-use"), refused.text
    assert (await owner.patch(path, {"choices": ["red"]}, version=3)).status_code == 200
    for wrong in (
        {"kind": "choice"},
        {"kind": "text", "choices": ["a"]},
        {"kind": "reference"},
        {"kind": "choice", "choices": ["a", "a"]},
        {"key": "Two words"},
    ):
        body = {"entity": "catalog.product", "key": "other", "label": "Other", "kind": "text"} | wrong
        assert (await owner.post(FIELDS, body)).status_code == 422, wrong
    for unknown, pointer in (({"entity": "catalog.brand"}, "/entity"), (MAKER | {"refers_to": "a.b"}, "/refers_to")):
        refused = await owner.post(FIELDS, MAKER | unknown)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (404, pointer)
    assert (await box.client("cashier").post(FIELDS, COLOR | {"key": "other"})).status_code == 403


async def test_the_database_keeps_a_kind_that_a_value_was_stored_under_meanwhile(box: Box) -> None:
    """Whoever read the definition before it changed cannot store a value of the old kind behind it."""
    (color,) = await define(box, COLOR)
    product = await a_product(box)

    async def late(work: Work) -> None:
        row = {
            "business_id": work.business_id,
            "owner_id": product,
            "field_id": uuid.UUID(color),
            "kind": "text",
            "key": "x",
        }
        await work.execute(sa.insert(ProductKey), [row])

    with pytest.raises(DukaError, match="Something it refers to is missing"):
        await box.act(late)


async def test_tables_carry_fields_out_and_in(box: Box) -> None:
    await define(box, COLOR, WEIGHT | {"is_required": True}, UNTIL, MAKER)
    owner, maker = box.client("owner"), str(await a_customer(box))
    await add(box, "A", {"color": "red", "weight": "-2.5", "maker": maker})
    exported = (await owner.get("/api/v1/catalog/export")).text
    (row,) = csv.DictReader(io.StringIO(exported))
    said = {name: value for name, value in row.items() if name.startswith("custom.")}
    assert said == {"custom.color": "red", "custom.weight": "'-2.5", "custom.until": "", "custom.maker": maker}
    template = (await owner.get("/api/v1/catalog/import-template")).text
    assert template.strip().endswith("custom.color,custom.weight,custom.until,custom.maker")
    table = (
        "sku,name,price,custom.color,custom.weight,custom.until,custom.maker\n"
        f"A,,,,3,,{maker}\nB,Bee,1,blue,4.50,2027-01-31,\nC,Cee,1,green,1,,\nD,Dee,1,,,,\n"
        "E,Eee,1,,1,,0193b6a0-0000-7000-8000-000000000001\n"
    ).replace("A,,,", "A,Thing A,1.00,")
    checked = await check(box, table)
    said = checked.json()
    assert {(one["row"], one["column"]) for one in said["errors"]} == {
        (4, "custom.color"),
        (5, "custom.weight"),
        (6, "custom.maker"),
    }
    assert said["preview"] == {"created": 1, "changed": 1, "unchanged": 0, "refused": 3}
    assert (await owner.post(f"/api/v1/catalog/imports/{said['id']}/apply")).status_code == 202
    await box.run_jobs()
    items = (await owner.get(PRODUCTS, params={"sort": "sku"})).json()["items"]
    assert [one["custom"] for one in items] == [
        {"color": None, "weight": "3", "until": None, "maker": maker},
        {"color": "blue", "weight": "4.5", "until": "2027-01-31", "maker": None},
    ]
    assert await found(box, **{"custom.weight.from": "3"}) == ["A", "B"]
    assert await found(box, **{"custom.color": "red"}) == []
    unknown = await check(box, "sku,custom.size\nA,1\n")
    assert (unknown.status_code, unknown.json()["code"]) == (422, "table-refused")


async def check(box: Box, table: str) -> httpx.Response:
    sent: dict[str, Any] = {"content": table.encode(), "headers": {"Content-Type": "text/csv"}}
    return await box.client("owner").send("POST", "/api/v1/catalog/imports", **sent)


async def test_openapi_shows_each_shop_its_own_fields(box: Box) -> None:
    await define(box, COLOR, WEIGHT)
    own = (await box.client("cashier").get("/api/v1/openapi.json")).json()
    other = (await box.client("cashier", "sharma-kirana").get("/api/v1/openapi.json")).json()
    kind = own["components"]["schemas"]["ProductOut"]["properties"]["custom"]
    assert list(kind["properties"]) == ["color", "weight"]
    assert kind["properties"]["color"]["enum"] == ["red", "blue", None]
    parameters = {one["name"] for one in own["paths"][PRODUCTS]["get"]["parameters"]}
    assert {"custom.color", "custom.weight", "custom.weight.from", "custom.weight.to"} <= parameters
    assert other["components"]["schemas"]["ProductOut"]["properties"]["custom"]["properties"] == {}
    assert not any(one["name"].startswith("custom") for one in other["paths"][PRODUCTS]["get"]["parameters"])


async def test_keys_and_values_say_the_same(box: Box) -> None:
    """What filters go by is what products hold, after everything that was done to them."""
    await define(box, COLOR, WEIGHT)
    made = uuid.UUID((await add(box, "A", {"color": "red", "weight": "1"})).json()["id"])
    owner = box.client("owner")
    await owner.patch(f"{PRODUCTS}/{made}", {"custom": {"color": "blue", "weight": None}}, version=1)

    async def keys(work: Work) -> tuple[list[str], dict[str, Any]]:
        of_it = await work.execute(
            sa.select(ProductKey.key).where(ProductKey.business_id == work.business_id, ProductKey.owner_id == made)
        )
        return list(of_it.scalars()), (await work.get(Product, made)).custom

    assert await box.look(keys) == (["blue"], {"color": "blue"})
