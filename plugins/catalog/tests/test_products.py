"""Products through the API: added, read, changed, packed, coded."""

from __future__ import annotations

import asyncio
import uuid
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta
from polyfactory.factories.msgspec_factory import MsgspecFactory

from kernel.db import new_id
from kernel.registry import Registry
from kernel.testing.box import Box
from kernel.wire import Request, needs
from plugins.catalog.api import stock_facts
from plugins.catalog.schemas.goods import ProductIn
from plugins.catalog.testing import a_brand, a_category, a_product
from plugins.taxes.testing import tax_class

PRODUCTS = "/api/v1/catalog/products"
RICE: dict[str, Any] = {
    "sku": "RICE-2KG", "name": "Rice 2kg", "price": "380.00", "wholesale_price": "352.50", "cost_price": "310.125",
    "barcodes": ["6161100000018"], "category_id": None, "brand_id": None, "unit": "piece", "tax_class_id": None,
    "min_stock": "6", "track_stock": True, "allow_negative_stock": False, "ext": {},
}  # fmt: skip


class Products(MsgspecFactory[ProductIn]):
    """Bodies of every shape; what refers to something else, or has rules of its own, is left to the tests."""

    __random_seed__ = 20261121
    id = None
    kind = "goods"
    category_id = brand_id = tax_class_id = None
    min_stock = "3"
    track_stock = True
    ext: dict[str, Any] = {}

    @classmethod
    def barcodes(cls) -> list[str]:
        return []

    @classmethod
    def packs(cls) -> list[Any]:
        return []


async def add(box: Box, body: dict[str, Any], role: str = "owner", shop: str = "mama-njeri") -> dict[str, Any]:
    answer = await box.client(role, shop).post(PRODUCTS, body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_product_is_added_and_read_back(box: Box) -> None:
    answer = await box.client("stock_keeper").post(PRODUCTS, RICE)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["location"] == f"{PRODUCTS}/{made['id']}"
    assert {name: made[name] for name in RICE} == RICE
    assert (made["kind"], made["is_active"], made["packs"], made["description"]) == ("goods", True, [], "")
    read = await box.client("owner").get(answer.headers["location"])
    assert read.json() == made
    assert read.headers["etag"] == '"1"'


async def test_the_little_that_is_needed_is_enough(box: Box) -> None:
    made = await add(box, {"sku": "AIR", "name": "Airtime", "price": "0.5"})
    assert (made["price"], made["unit"], made["track_stock"], made["cost_price"]) == ("0.50", "piece", True, None)


async def test_products_of_every_shape_are_taken(box: Box) -> None:
    owner = box.client("owner")
    for number, body in enumerate(Products.batch(20)):
        said = {name: getattr(body, name) for name in ("name", "price", "unit", "description", "min_stock", "mrp")}
        answer = await owner.post(PRODUCTS, said | {"sku": f"SKU-{number}"})
        assert answer.status_code == 201, (said, answer.text)
        assert answer.json()["name"] == body.name


async def test_the_client_may_choose_the_id(box: Box) -> None:
    chosen = str(new_id())
    assert (await add(box, RICE | {"id": chosen}))["id"] == chosen
    again = await box.client("owner").post(PRODUCTS, {"id": chosen, "sku": "OTHER", "name": "Other", "price": "1"})
    assert again.status_code == 409
    assert again.json()["errors"][0]["pointer"] == "/id"
    assert (await add(box, RICE | {"id": chosen}, shop="sharma-kirana"))["id"] == chosen


async def test_a_sku_is_unique_in_the_business_and_tells_case_apart(box: Box) -> None:
    await add(box, RICE)
    again = await box.client("owner").post(PRODUCTS, RICE | {"barcodes": []})
    assert again.status_code == 409
    assert again.json()["code"] == "already-exists"
    assert again.json()["errors"][0]["pointer"] == "/sku"
    await add(box, RICE | {"sku": "rice-2kg", "barcodes": []})
    await add(box, RICE, shop="sharma-kirana")


async def test_a_barcode_names_one_product_of_the_business(box: Box) -> None:
    await add(box, RICE)
    other = RICE | {"sku": "RICE-5KG", "barcodes": ["96385074", "6161100000018"]}
    answer = await box.client("owner").post(PRODUCTS, other)
    assert answer.status_code == 409
    assert answer.json()["code"] == "already-exists"
    assert answer.json()["errors"][0]["pointer"] == "/barcodes/1"
    await add(box, other, shop="sharma-kirana")


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"barcodes": ["6161100000019"]}, "/barcodes/0", "bad-barcode"),
        ({"barcodes": [{"code": "6161100000019"}]}, "/barcodes/0/code", "bad-barcode"),
        ({"packs": [{"name": "Six", "factor": "6", "barcode": "6161100000019"}]}, "/packs/0/barcode", "bad-barcode"),
        ({"packs": [{"name": "None", "factor": "0"}]}, "/packs/0/factor", "invalid"),
        ({"packs": [{"name": "Half", "factor": "0.5"}]}, "/packs/0/factor", "invalid"),
        ({"packs": [{"name": "Six", "factor": "6"}, {"name": "Six", "factor": "7"}]}, "/packs/1/name", "duplicate"),
        ({"min_stock": "1.5"}, "/min_stock", "invalid"),
        ({"unit": "kg", "min_stock": "1.2345"}, "/min_stock", "invalid"),
        ({"kind": "service"}, "/track_stock", "invalid"),
        ({"category_id": str(uuid.uuid4())}, "/category_id", "not-found"),
        ({"brand_id": str(uuid.uuid4())}, "/brand_id", "not-found"),
        ({"tax_class_id": str(uuid.uuid4())}, "/tax_class_id", "not-found"),
        ({"price": "-1"}, "/price", "invalid"),
        ({"price": 380}, "/price", "invalid"),
        ({"price": "1.0000001"}, "/price", "invalid"),
        ({"sku": "two\nlines"}, "/sku", "invalid"),
        ({"hsn_code": "12"}, "/hsn_code", "invalid"),
        ({"unit": "bushel"}, "/unit", "invalid"),
        ({"stock": "5"}, "/stock", "unknown"),
        ({"ext": {"stars": {}}}, "/ext/stars", "unknown"),
        ({"ext": {"catalog": {}}}, "/ext/catalog", "unknown"),
    ],
)
async def test_what_makes_no_sense_is_refused_where_it_stands(
    box: Box, body: dict[str, Any], pointer: str, code: str
) -> None:
    answer = await box.client("owner").post(PRODUCTS, RICE | body)
    assert answer.status_code == (404 if code == "not-found" else 422), answer.text
    fault = answer.json()["errors"][0]
    assert (fault["pointer"], fault["code"]) == (pointer, code)
    listed = await box.client("owner").get(PRODUCTS)
    assert listed.json()["items"] == []


async def test_a_barcode_that_stands_twice_in_one_product_is_refused(box: Box) -> None:
    body = RICE | {"packs": [{"name": "Six", "factor": "6", "barcode": "6161100000018"}]}
    answer = await box.client("owner").post(PRODUCTS, body)
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["pointer"] == "/packs/0/barcode"


async def test_nothing_of_another_business_can_be_named(box: Box) -> None:
    foreign = {
        "category_id": str(await a_category(box, shop="sharma-kirana")),
        "brand_id": str(await a_brand(box, shop="sharma-kirana")),
        "tax_class_id": str(await tax_class(box, "gst-5", shop="sharma-kirana")),
    }
    for name, id_ in foreign.items():
        answer = await box.client("owner").post(PRODUCTS, RICE | {name: id_})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (404, f"/{name}")
    product = await a_product(box, shop="sharma-kirana")
    owner = box.client("owner")
    assert (await owner.get(f"{PRODUCTS}/{product}")).status_code == 404
    assert (await owner.patch(f"{PRODUCTS}/{product}", {"name": "Mine"}, version=1)).status_code == 404
    assert (await owner.get(f"{PRODUCTS}/{product}/barcodes")).status_code == 404
    assert (await owner.post(f"{PRODUCTS}/{product}/barcodes", {"code": "X1"})).status_code == 404
    assert (await owner.post(f"{PRODUCTS}/{product}/packs", {"name": "Six", "factor": "6"})).status_code == 404
    assert (await owner.send("DELETE", f"{PRODUCTS}/{product}/barcodes/X1")).status_code == 404


async def test_a_product_changes_as_its_patch_says_and_no_more(box: Box) -> None:
    made = await add(box, RICE)
    category, brand = await a_category(box), await a_brand(box)
    zero = await tax_class(box, "zero")
    box.clock.pass_by(hours=1)
    patch: dict[str, Any] = {
        "name": "Pishori rice 2kg", "price": "395.50", "wholesale_price": None, "category_id": str(category),
        "brand_id": str(brand), "tax_class_id": str(zero), "min_stock": "12", "is_active": False, "mrp": "420.00",
        "hsn_code": "10063020",
    }  # fmt: skip
    answer = await box.client("manager").patch(f"{PRODUCTS}/{made['id']}", patch, version=1)
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == '"2"'
    changed = answer.json()
    assert changed == made | patch | {"updated_at": changed["updated_at"]}
    assert changed["updated_at"] > made["updated_at"]
    assert (await box.client("owner").get(PRODUCTS, params={"q": "pishori"})).json()["items"][0]["id"] == made["id"]


@pytest.mark.parametrize(
    ("patch", "status"),
    [({"unit": "kg"}, 422), ({"kind": "service"}, 422), ({"sku": "SALT"}, 409), ({"min_stock": "0.5"}, 422),
     ({"price": None}, 422), ({"category_id": str(uuid.uuid4())}, 404), ({"barcodes": []}, 422)],
)  # fmt: skip
async def test_a_patch_that_makes_no_sense_is_refused(box: Box, patch: dict[str, Any], status: int) -> None:
    made = await add(box, RICE)
    await a_product(box, "SALT")
    answer = await box.client("owner").patch(f"{PRODUCTS}/{made['id']}", patch, version=1)
    assert answer.status_code == status, answer.text
    assert (await box.client("owner").get(f"{PRODUCTS}/{made['id']}")).json() == made


async def test_changing_needs_the_version_that_was_read(box: Box) -> None:
    made = await add(box, RICE)
    path, owner = f"{PRODUCTS}/{made['id']}", box.client("owner")
    assert (await owner.patch(path, {"price": "1"})).status_code == 428
    assert (await owner.patch(path, {"price": "1"}, version=1)).status_code == 200
    assert (await owner.patch(path, {"price": "2"}, version=1)).status_code == 412
    assert (await owner.get(path)).json()["price"] == "1.00"


async def test_of_two_changes_of_one_version_one_is_told(box: Box) -> None:
    made = await add(box, RICE)
    owner, path = box.client("owner"), f"{PRODUCTS}/{made['id']}"
    patches = ({"price": "1"}, {"name": "Renamed"}, {"mrp": "2"}, {"min_stock": "3"})
    answers = await asyncio.gather(*(owner.patch(path, patch, version=1) for patch in patches))
    assert sorted(one.status_code for one in answers) == [200, 412, 412, 412]
    assert (await owner.get(path)).headers["etag"] == '"2"'


async def test_a_service_has_no_stock(box: Box) -> None:
    made = await add(box, {"sku": "SVC", "name": "Delivery", "price": "150", "kind": "service", "unit": "hour"})
    assert made["track_stock"] is False
    answer = await box.client("owner").patch(f"{PRODUCTS}/{made['id']}", {"track_stock": True}, version=1)
    assert answer.status_code == 422


async def test_a_product_is_sold_in_packs_with_prices_and_barcodes_of_their_own(box: Box) -> None:
    packs = [
        {"name": "Carton of 12", "factor": "12", "price": "4300.00", "barcode": "16161100000015"},
        {"name": "Six", "factor": "6"},
    ]
    made = await add(box, RICE | {"packs": packs})
    assert [(one["name"], one["factor"], one["price"], one["barcodes"]) for one in made["packs"]] == [
        ("Six", "6", None, []),
        ("Carton of 12", "12", "4300.00", ["16161100000015"]),
    ]
    assert made["barcodes"] == ["6161100000018"]
    answer = await box.client("owner").post(f"{PRODUCTS}/{made['id']}/packs", {"name": "Bale", "factor": "24"})
    assert answer.status_code == 201, answer.text
    assert answer.headers["etag"] == '"2"'
    bale = answer.json()["packs"][-1]
    path = f"{PRODUCTS}/{made['id']}/packs/{bale['id']}"
    owner = box.client("owner")
    assert (await owner.patch(path, {"factor": "25"}, version=2)).status_code == 422
    assert (await owner.patch(path, {"name": "Six"}, version=2)).status_code == 409
    assert (await owner.patch(path, {"price": "8000"})).status_code == 428
    priced = await owner.patch(path, {"price": "8000"}, version=2)
    assert priced.json()["packs"][-1] == bale | {"price": "8000.00"}
    other = await a_product(box, "SALT")
    assert (await owner.patch(f"{PRODUCTS}/{other}/packs/{bale['id']}", {"price": "1"}, version=1)).status_code == 404
    twice = await owner.post(f"{PRODUCTS}/{made['id']}/packs", {"name": "Bale", "factor": "24"})
    assert (twice.status_code, twice.json()["errors"][-1]["pointer"]) == (409, "/name")


async def test_barcodes_come_and_go(box: Box) -> None:
    made = await add(box, RICE | {"packs": [{"name": "Six", "factor": "6"}]})
    owner, path = box.client("owner"), f"{PRODUCTS}/{made['id']}/barcodes"
    six = made["packs"][0]["id"]
    assert (await owner.post(path, {"code": "036000291452", "mrp": "400"})).status_code == 201
    assert (await owner.post(path, {"code": "SIX", "pack_id": six})).json()["packs"][0]["barcodes"] == ["SIX"]
    listed = (await owner.get(path)).json()
    assert listed == [
        {"code": "6161100000018", "mrp": None, "pack_id": None},
        {"code": "0036000291452", "mrp": "400.00", "pack_id": None},
        {"code": "SIX", "mrp": None, "pack_id": six},
    ]
    assert (await owner.post(path, {"code": "0036000291452"})).status_code == 409
    assert (await owner.post(path, {"code": "036000291453"})).status_code == 422
    foreign = await owner.post(path, {"code": "NEW", "pack_id": str(uuid.uuid4())})
    assert (foreign.status_code, foreign.json()["errors"][0]["pointer"]) == (404, "/pack_id")
    assert (await owner.send("DELETE", f"{path}/0036000291452")).status_code == 204
    assert (await owner.send("DELETE", f"{path}/0036000291452")).status_code == 404
    assert (await owner.get(f"{PRODUCTS}/{made['id']}")).headers["etag"] == '"4"'
    await add(box, RICE | {"sku": "OTHER", "barcodes": ["036000291452"]})


class Shelf(Request, frozen=True, kw_only=True):
    """What a plugin might keep with a product."""

    row: Annotated[int, Meta(ge=1)]


async def test_what_plugins_keep_with_a_product_is_read_stored_and_answered(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def extension(_: Registry, subject: str, plugin: str) -> type[Shelf] | None:
        asked.append(subject)
        return Shelf if plugin in ("taxes", "catalog") else None

    monkeypatch.setattr(Registry, "extension", extension)
    made = await add(box, RICE | {"ext": {"taxes": {"row": 3}}})
    assert made["ext"] == {"taxes": {"row": 3}}
    owner, path = box.client("owner"), f"{PRODUCTS}/{made['id']}"
    more = await owner.patch(path, {"ext": {"catalog": {"row": 4}}}, version=1)
    assert more.json()["ext"] == {"taxes": {"row": 3}, "catalog": {"row": 4}}
    assert (await owner.get(path)).json()["ext"] == more.json()["ext"]
    facts = await box.look(lambda work: stock_facts(work, [uuid.UUID(made["id"])]))
    assert [one.ext for one in facts.values()] == [more.json()["ext"]]
    wrong = await owner.patch(path, {"ext": {"taxes": {"row": 0}}}, version=2)
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/ext/taxes/row")
    assert set(asked) == {"catalog.product"}


class GuardedShelf(msgspec.Struct, frozen=True):
    """What a plugin keeps with a product, one figure for those only who see costs."""

    row: int
    rent: Annotated[str | None, needs("catalog.see_cost")] = None


async def test_a_field_that_plugins_keep_is_set_by_those_only_who_hold_its_permission(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await add(box, RICE)
    monkeypatch.setattr(Registry, "extension", lambda *_: GuardedShelf)
    owner = box.client("owner")
    one = next(it for it in (await owner.get("/api/v1/roles")).json()["items"] if it["code"] == "stock_keeper")
    said = {"permissions": sorted({*one["permissions"], "catalog.edit"} - {"catalog.see_cost"})}
    etag = (await owner.get(f"/api/v1/roles/{one['id']}")).headers["etag"]
    edited = await owner.send("PATCH", f"/api/v1/roles/{one['id']}", json=said, headers={"If-Match": etag})
    assert edited.status_code == 200, edited.text
    keeper, path = box.client("stock_keeper"), f"{PRODUCTS}/{made['id']}"
    refused = await keeper.patch(path, {"ext": {"taxes": {"row": 1, "rent": "5"}}}, version=1)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (403, "/ext/taxes/rent")
    assert (await keeper.patch(path, {"ext": {"taxes": {"row": 1}}}, version=1)).status_code == 200
    assert (await owner.patch(path, {"ext": {"taxes": {"row": 1, "rent": "5"}}}, version=2)).status_code == 200


@pytest.mark.parametrize("role", ["cashier", "accountant"])
async def test_who_may_not_edit_products_may_still_see_them(box: Box, role: str) -> None:
    made = await add(box, RICE)
    client, path = box.client(role), f"{PRODUCTS}/{made['id']}"
    assert (await client.get(path)).status_code == 200
    assert (await client.get(PRODUCTS)).status_code == 200
    assert (await client.get(f"{path}/barcodes")).status_code == 200
    refused = [
        await client.post(PRODUCTS, RICE | {"sku": "X", "barcodes": []}),
        await client.patch(path, {"name": "Mine"}, version=1),
        await client.post(f"{path}/barcodes", {"code": "X"}),
        await client.send("DELETE", f"{path}/barcodes/6161100000018"),
        await client.post(f"{path}/packs", {"name": "Six", "factor": "6"}),
        await client.patch(f"{path}/packs/{uuid.uuid4()}", {"price": "1"}, version=1),
    ]
    assert {one.status_code for one in refused} == {403}
    assert (await box.client(None).get(path)).status_code == 401
