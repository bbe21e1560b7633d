"""The pages of the catalog: from a product to its price list, a table taken in, and what a cashier does not see."""

from __future__ import annotations

import datetime as dt

import pytest

from kernel.auth.identity import standing_of_business
from kernel.jobs import Runner
from kernel.testing.box import Box
from plugins.catalog.testing import a_category, a_product
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
    one = {"prices__0__product_id": product["id"], "prices__0__price": "850"}
    priced = await sent(browser, listed, "/catalog/price-lists/*/prices", **one)
    assert "850" in priced.text
    await sent(browser, await browser.get("/catalog/price-edits?percent=10"), "/catalog/price-edits")
    assert (await owner.get(f"/api/v1{at}")).json()["price"] == "990.00"
    assert 'role="alert"' in (await browser.get("/catalog/price-edits?percent=much")).text


@of_no_database
async def test_a_shopkeeper_filters_ticks_and_changes_many_products(box: Box) -> None:
    owner, browser = box.client("owner"), Browser(box)
    food = str(await a_category(box))
    ids = [await a_product(box, sku, price, category_id=food) for sku, price in (("A", "99.99"), ("B", "40"))]
    await a_product(box, "C", "40")
    chosen = await browser.get("/catalog/products/filters?price_from=20")
    shown = await browser.submit(chosen.form("/console/catalog/products"), {"category_id": food, "price_to": "50"})
    assert "Food" in shown.text
    assert ("up to KSh\xa050.00" in shown.text, ">A<" in shown.text, ">B<" in shown.text) == (True, False, True)
    address = str(shown.answer.url)
    assert "price_from=20" in address
    searched = await browser.get(f"/catalog/products?category_id={food}", hx_request="true")
    assert ("<html" in searched.text, 'id="rows"' in searched.text, ">C<" in searched.text) == (False, True, False)

    back = await browser.get("/catalog/products", hx_request="true", hx_history_restore_request="true")
    assert "<html" in back.text

    ticked = "&".join(f"id.{id_}=1" for id_ in ids)
    asking = await browser.get(f"/catalog/products/edit?{ticked}&category_id={food}")
    assert "Change 2 products" in asking.text
    said = {"to.percent": "5", "to.round_to": "0.50", "to.add_tags": "staple, dry", "to.category_id": "none"}
    seen = await browser.submit(asking.form("/console/catalog/products/edit"), said)
    assert ("KSh\xa099.99" in seen.text, "KSh\xa0105.00" in seen.text) == (True, True)
    done = await sent(browser, seen, "/catalog/product-edits")
    assert "No product has all of that" in done.text, "back in the filtered list, which they have left"
    listed = {one["sku"]: one for one in (await owner.get(f"{API}/products")).json()["items"]}
    assert [(listed[sku]["price"], listed[sku]["tags"]) for sku in "AB"] == [
        ("105.00", ["dry", "staple"]),
        ("42.00", ["dry", "staple"]),
    ]
    assert 'data-undo="/console/catalog/edits/' in done.text
    await undo_by_the_page(box, browser, done.text.partition('data-undo="/console')[2].partition('"')[0])
    listed = {one["sku"]: one for one in (await owner.get(f"{API}/products")).json()["items"]}
    assert [(listed[sku]["price"], listed[sku]["tags"]) for sku in "AB"] == [("99.99", []), ("40.00", [])]
    late = await browser.submit(seen.form("/catalog/product-edits"), {"_key": "another"})
    assert (late.status, "Some products have changed meanwhile" in late.text) == (409, True)
    every = await browser.get("/catalog/products/edit?all=1&to.percent=5&to.price=7")
    assert "not both" in every.text
    assert "Change 3 products" in (await browser.get("/catalog/products/edit?all=1&to.is_active=false")).text
    assert "No product chosen" in (await browser.get("/catalog/products/edit")).text


async def undo_by_the_page(box: Box, browser: Browser, at: str) -> None:
    """Undo a change by its page, found from the list and from the trail, and look at it afterwards."""
    assert at in (await browser.get("/catalog/edits")).text
    looked = await browser.get(at)
    assert ("KSh\xa0105.00" in looked.text, "regardless" in looked.text) == (True, False)
    edit = at.rpartition("/")[2]
    (row,) = await box.trail(f"product_edit:{edit}")
    assert at in (await browser.get(f"/audit/{row['id']}")).text
    undone = await browser.submit(looked.form(f"/catalog/product-edits/{edit}/undo"), {})
    assert ("Takes a change back" in undone.text, 'data-undo="/console/catalog/edits/' in undone.text) == (True, True)
    assert "This change was undone." in (await browser.get(at)).text
    assert "Undone" in (await browser.get(f"/audit/{row['id']}")).text


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
    assert "d-tick" not in (await till.get("/catalog/products")).text
    for path in ("products/new", "products/edit", "imports", "price-edits"):
        assert (await till.get(f"/catalog/{path}")).status == 404, path


def test_categories_are_read_as_a_tree() -> None:
    rows = [("b", "Bread", ["f", "b"]), ("a", "Zinc", ["a"]), ("f", "Food", ["f"])]
    found = in_order([{"id": id_, "name": name, "path": path} for id_, name, path in rows])
    assert [(one["full"], one["depth"]) for one in found] == [("Food", 0), ("Food > Bread", 1), ("Zinc", 0)]


def test_days_ahead_begin_at_midnight_of_the_shop() -> None:
    found = midnights("Africa/Nairobi", dt.datetime(2026, 11, 21, 22, 0, tzinfo=dt.UTC))
    assert found[0] == ("2026-11-22T21:00:00Z", dt.date(2026, 11, 23))
    assert [day for _, day in found[14:]] == [dt.date(2027, 1, 1), dt.date(2027, 2, 1), dt.date(2027, 3, 1)]
