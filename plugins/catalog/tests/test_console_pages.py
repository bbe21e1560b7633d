"""The pages of the catalog: from a product to its price list, a table taken in, and what a cashier does not see."""

from __future__ import annotations

import datetime as dt

import pytest

from kernel.auth.identity import standing_of_business
from kernel.jobs import Runner
from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.catalog.with_console.sorting import in_order
from plugins.catalog.with_console.whens import midnights
from plugins.console.testing import Browser, Shown

of_no_database = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
API = "/api/v1/catalog"


async def sent(browser: Browser, page: Shown, to: str, **values: str) -> Shown:
    """The page after a form of it was sent. values: `__` stands for the dot."""
    done = await browser.submit(page.form(to), {name.replace("__", "."): value for name, value in values.items()})
    assert done.status == 200, done.text
    return done


@of_no_database
async def test_a_shopkeeper_keeps_products_prices_and_tables_by_pages(box: Box) -> None:
    owner, browser = box.client("owner"), Browser(box)
    field = {
        "entity": "catalog.product",
        "key": "shade",
        "label": "Shade",
        "kind": "choice",
        "choices": ["red", "blue"],
    }
    assert (await owner.post("/api/v1/custom-fields", json=field)).status_code == 201
    await sent(browser, await browser.get("/catalog/categories"), "/catalog/categories", name="Paint")
    await sent(browser, await browser.get("/catalog/brands"), "/catalog/brands", name="Kilele")
    brand = (await owner.get(f"{API}/brands")).json()["items"][0]["id"]

    new = await browser.get("/catalog/products/new")
    made = await sent(
        browser,
        new,
        "/catalog/products",
        **{"name": "Gloss <1 l>", "sku": "GLOSS-1", "price": "900", "brand_id": brand, "tags": "shiny, wet"},
        **{"barcodes": "6161100000018", "custom__shade": "red"},
    )
    assert "Gloss &lt;1 l&gt;" in made.text
    product = (await owner.get(f"{API}/products")).json()["items"][0]
    at = f"/catalog/products/{product['id']}"
    assert (product["tags"], product["custom"], product["brand_id"]) == (["shiny", "wet"], {"shade": "red"}, brand)

    changed = await sent(browser, made, at, wholesale_price="800", mrp="950", hsn_code="3208", min_stock="4")
    coded = await sent(browser, changed, f"{at}/barcodes", code="X-1")
    packed = await sent(browser, coded, f"{at}/packs", name="Box of 4", factor="4", price="3400")
    repacked = await sent(browser, packed, f"{at}/packs/*", name="Carton of 4", price="")
    bare = await sent(browser, repacked, f"{at}/barcodes/X-1")
    planned = await sent(browser, bare, f"{at}/prices", price="990")
    assert "Planned" in (await sent(browser, planned, f"{at}/prices/*")).text
    said = (await owner.get(f"/api/v1{at}")).json()
    assert (said["wholesale_price"], said["mrp"], said["hsn_code"], said["min_stock"]) == (
        "800.00",
        "950.00",
        "3208",
        "4",
    )
    assert (said["barcodes"], said["custom"]) == (["6161100000018"], {"shade": "red"})
    assert [(pack["name"], pack["price"]) for pack in said["packs"]] == [("Carton of 4", None)]

    lists = await browser.get("/catalog/price-lists")
    listed = await sent(browser, lists, "/catalog/price-lists", name="Builders", percent="", based_on="")
    priced = await sent(browser, listed, "/catalog/price-lists/*/prices", prices__0__price="850")
    assert "850" in priced.text
    await sent(browser, await browser.get("/catalog/price-edits?percent=10"), "/catalog/price-edits")
    assert (await owner.get(f"/api/v1{at}")).json()["price"] == "990.00"
    assert 'role="alert"' in (await browser.get("/catalog/price-edits?percent=much")).text


@of_no_database
async def test_a_table_is_seen_before_it_is_applied(box: Box) -> None:
    browser = Browser(box)
    body = b"sku,name,price\nA,Apple,1.5\nB,Bread,dear\n"
    owner = box.client("owner")
    taken = await owner.send("POST", f"{API}/imports", content=body, headers={"Content-Type": "text/csv"})
    at = f"/catalog/imports/{taken.json()['id']}"
    page = await browser.get(at)
    assert "Rows that would be left out: 1" in page.text
    going = await sent(browser, page, f"{at}/apply")
    assert 'hx-trigger="every 2s"' in going.text
    runner = Runner(box.deployment, standing_of_business)
    while await runner.run_due():
        pass
    done = await browser.get(at)
    assert 'hx-trigger="every 2s"' not in done.text
    assert "See the products" in done.text
    assert at in (await browser.get("/catalog/imports")).text


@of_no_database
async def test_a_cashier_sees_products_without_costs_and_changes_nothing(box: Box) -> None:
    product = await a_product(box, cost_price="123.45")
    till = Browser(box, "cashier")
    page = await till.get(f"/catalog/products/{product}")
    assert page.status == 200
    assert "123.45" not in page.text
    assert not [one for one in page.forms if one.action == "/console/do"], "no form writes"
    for path in ("products/new", "imports", "price-edits"):
        assert (await till.get(f"/catalog/{path}")).status == 404, path


def test_categories_are_read_as_a_tree() -> None:
    rows = [("b", "Bread", ["f", "b"]), ("a", "Zinc", ["a"]), ("f", "Food", ["f"])]
    found = in_order([{"id": id_, "name": name, "path": path} for id_, name, path in rows])
    assert [(one["full"], one["depth"]) for one in found] == [("Food", 0), ("Food > Bread", 1), ("Zinc", 0)]


def test_days_ahead_begin_at_midnight_of_the_shop() -> None:
    found = midnights("Africa/Nairobi", dt.datetime(2026, 11, 21, 22, 0, tzinfo=dt.UTC))
    assert found[0] == ("2026-11-22T21:00:00Z", dt.date(2026, 11, 23))
    assert [day for _, day in found[14:]] == [dt.date(2027, 1, 1), dt.date(2027, 2, 1), dt.date(2027, 3, 1)]
