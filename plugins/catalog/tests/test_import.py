"""Tables of products in and out: checked, applied part by part, exported, and taken in again without a change."""

from __future__ import annotations

import io
import re
import resource
import uuid
from typing import Any

import httpx
import pytest
from openpyxl import Workbook, load_workbook

from kernel.auth.identity import standing_of_business
from kernel.cells import csv_cell, read_cell
from kernel.jobs import Runner
from kernel.testing.box import Box
from kernel.wire import SPREADSHEET
from plugins.catalog.services import importing
from plugins.catalog.services import products as products_of_catalog
from plugins.catalog.testing import a_category, a_product

IMPORTS = "/api/v1/catalog/imports"
EXPORT = "/api/v1/catalog/export"
PRODUCTS = "/api/v1/catalog/products"
TABLE = """sku,name,price,barcodes,is_active,category,brand,cost_price,description
A,Apple,1.5,6161100000018,yes,Food > Fruit,Kilele,1.1,"two
lines"
B,"B, bread",2.5,,no,Food>Bread,,,
C,'=SUM(1),3,X|Y\\|Z,,,,,
"""


async def upload(box: Box, content: bytes | str, media: str = "text/csv", role: str = "owner") -> httpx.Response:
    body = content.encode() if isinstance(content, str) else content
    return await box.client(role).send("POST", IMPORTS, content=body, headers={"Content-Type": media})


async def applied(box: Box, content: bytes | str, media: str = "text/csv") -> dict[str, Any]:
    """Take a table in; returns the import as it ended."""
    checked = await upload(box, content, media)
    assert checked.status_code == 201, checked.text
    path = f"{IMPORTS}/{checked.json()['id']}"
    assert (await box.client("owner").post(f"{path}/apply")).status_code == 202
    await run_jobs(box)
    said: dict[str, Any] = (await box.client("owner").get(path)).json()
    assert said["state"] == "applied"
    return said


async def run_jobs(box: Box) -> None:
    runner = Runner(box.deployment, standing_of_business)
    while await runner.run_due():
        pass


async def products(box: Box) -> dict[str, dict[str, Any]]:
    answer = await box.client("owner").get(PRODUCTS, params={"limit": 200})
    return {one["sku"]: one for one in answer.json()["items"]}


def counts(said: dict[str, Any]) -> list[int]:
    return [said[name] for name in ("created", "changed", "unchanged", "refused")]


def workbook(*rows: list[Any]) -> bytes:
    book, said = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(said)
    return said.getvalue()


async def test_a_table_is_checked_without_a_product_written_and_then_applied(box: Box) -> None:
    checked = await upload(box, TABLE)
    assert checked.status_code == 201, checked.text
    said = checked.json()
    assert (said["state"], said["rows"], counts(said["preview"])) == ("checked", 3, [3, 0, 0, 0])
    assert (said["new_categories"], said["new_brands"]) == (["Food > Bread", "Food > Fruit"], ["Kilele"])
    assert await products(box) == {}
    result = await applied(box, TABLE)
    assert counts(result["result"]) == [3, 0, 0, 0]
    found = await products(box)
    assert found["A"]["barcodes"] == ["6161100000018"]
    assert (found["A"]["price"], found["A"]["cost_price"], found["A"]["description"]) == ("1.50", "1.10", "two\nlines")
    assert (found["B"]["is_active"], found["B"]["name"]) == (False, "B, bread")
    assert (found["C"]["name"], sorted(found["C"]["barcodes"])) == ("=SUM(1)", ["X", "Y|Z"])
    shelves = (await box.client("owner").get("/api/v1/catalog/categories")).json()["items"]
    assert sorted(one["name"] for one in shelves) == ["Bread", "Food", "Fruit"]
    assert [one["sku"] for one in (await box.client("owner").get(PRODUCTS, params={"q": "bre"})).json()["items"]] == [
        "B"
    ]


async def test_the_same_table_again_changes_nothing_and_a_changed_one_only_what_differs(box: Box) -> None:
    await applied(box, TABLE)
    before = await products(box)
    assert counts((await applied(box, TABLE))["result"]) == [0, 0, 3, 0]
    assert await products(box) == before
    changed = await applied(box, "SKU,Price,Barcodes\nA,1.75,96385074\nB,2.50,\nNEW,1,\n")
    assert counts(changed["result"]) == [0, 1, 1, 1]
    assert changed["errors"] == [{"row": 4, "column": "name", "detail": "A new product needs a name"}]
    found = await products(box)
    assert (found["A"]["price"], found["A"]["barcodes"], found["A"]["name"]) == ("1.75", ["96385074"], "Apple")
    assert found["B"] == before["B"]


async def test_each_wrong_cell_is_named_by_row_and_column(box: Box) -> None:
    await a_product(box, "OLD", barcodes=["TAKEN"], unit="kg")
    table = (
        "sku,name,price,kind,unit,barcodes,tax_class,hsn_code,track_stock,min_stock\n"
        "OLD,Old,1,goods,piece,,,,,\n"
        ",None,1,,,,,,,\n"
        "P,Price,1e3,,,,,,,\n"
        "P2,Price,-1,,,,,,,\n"
        "K,Kind,1,thing,,,,,,\n"
        "B,Barcode,1,,,6161100000019,,,,\n"
        "B2,Barcode,1,,,TAKEN,,,,\n"
        "T,Tax,1,,,,NOPE,,,\n"
        "H,Hsn,1,,,,,12,maybe,\n"
        "M,Min,1,,,,,,,0.5\n"
        "S,Service,1,service,,,,,yes,\n"
        "GOOD,Good,1,,,ONE,,,,\n"
        "GOOD,Again,1,,,,,,,\n"
        "D,Double,1,,,ONE,,,,\n"
        "W,Wide,1,,,,,,,,,,more\n"
        "\n"
    )
    said = (await upload(box, table)).json()
    assert [(one["row"], one["column"]) for one in sorted(said["errors"], key=lambda one: one["row"])] == [
        *((2, "unit"), (3, "sku"), (4, "price"), (5, "price"), (6, "kind"), (7, "barcodes"), (8, "barcodes")),
        *((9, "tax_class"), (10, "hsn_code"), (10, "track_stock"), (11, "min_stock"), (12, "track_stock")),
        *((14, "sku"), (15, "barcodes"), (16, "")),
    ]
    assert counts(said["preview"]) == [1, 0, 0, 14]
    assert "should end in 8" in next(one["detail"] for one in said["errors"] if one["row"] == 7)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_what_is_exported_comes_back_in_without_a_change(box: Box, kind: str) -> None:
    shelf = await a_category(box, "Tea & > Coffee")
    below = await a_category(box, "Green", parent_id=shelf)
    names = [
        "=HYPERLINK(1)",
        "'=quoted",
        "''@twice",
        "-1",
        "+254",
        "@SUM",
        "Ng'ombe",
        "'tis",
        "#N/A",
        "0017",
        "1e5",
        "yes",
    ]
    for number, name in enumerate(names):
        await a_product(
            box,
            f"'=S-{number}" if number % 2 else f"00{number}",
            name=name,
            price="310.125",
            description=f" {name}\n=1 ",
            barcodes=[f"-A|{number}", f"\\B{number}"],
            category_id=str(below if number % 3 else shelf),
            min_stock="3",
        )
    await a_product(box, "SVC", kind="service", cost_price="0.000001", hsn_code="9987")
    before = await products(box)
    exported = await box.client("owner").get(EXPORT, params={"format": kind})
    assert exported.status_code == 200, exported.text
    assert exported.headers["content-disposition"].startswith("attachment; filename=")
    result = await applied(box, exported.content, exported.headers["content-type"].partition(";")[0])
    assert counts(result["result"]) == [0, 0, len(names) + 1, 0], result["errors"]
    assert await products(box) == before
    if kind == "xlsx":
        cells = [cell for row in load_workbook(io.BytesIO(exported.content)).active.iter_rows() for cell in row]
        assert {cell.data_type for cell in cells if cell.value is not None} <= {"s", "e"}, "no formula and no number"


def test_a_neutralised_cell_is_read_as_what_it_was() -> None:
    for text in (
        "=1",
        "'=1",
        "''=1",
        "'",
        "'a",
        " =1",
        "' -1",
        "\t",
        "",
        "a=1",
        "'\n",
        "a;=1;b",
        "a; '=1",
        "a\n-1",
        "\t=1",
    ):
        assert read_cell(csv_cell(text)) == text
        for part in re.split(r"[;\r\n\t]", csv_cell(text)):
            assert not part.lstrip(" ").startswith(("=", "+", "-", "@"))


async def test_cells_as_a_spreadsheet_keeps_them_are_understood(box: Box) -> None:
    content = workbook(
        ["SKU", "Name", "Price", "Barcodes", "Is Active", "Min stock"],
        [17, "Number", 0.1 + 0.2, 6161100000018, True, 3.0],
        ["F", "=1+1", 5, None, False, None],
    )
    result = await applied(box, content, SPREADSHEET)
    assert counts(result["result"]) == [1, 0, 0, 1], "a formula that nobody computed is an empty cell, never a value"
    found = (await products(box))["17"]
    assert (found["price"], found["barcodes"], found["is_active"], found["min_stock"]) == (
        "0.30",
        ["6161100000018"],
        True,
        "3",
    )


async def test_costs_are_taken_in_and_given_out_only_to_those_who_see_them(box: Box) -> None:
    await a_product(box, "A", cost_price="1.23")
    role = {"name": "Clerk", "permissions": ["catalog.see", "catalog.import"]}
    assert (await box.client("owner").post("/api/v1/roles", role)).status_code == 201
    assert b"1.23" in (await box.client("owner").get(EXPORT)).content
    told = await box.client("cashier").get(EXPORT)
    assert told.status_code == 200
    assert b"cost" not in told.content
    assert b"cost" not in (await box.client("cashier").get("/api/v1/catalog/import-template")).content
    assert (await upload(box, TABLE, role="cashier")).status_code == 403
    assert (await box.client("cashier").get(IMPORTS)).status_code == 403


async def test_an_import_that_stopped_half_way_goes_on_and_does_nothing_twice(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "PART", 2)
    table = "sku,name,price\n" + "".join(f"P{number},Product,1\n" for number in range(7))
    checked = (await upload(box, table)).json()
    path = f"{IMPORTS}/{checked['id']}"
    await box.client("owner").post(f"{path}/apply")
    real, calls = products_of_catalog.add_products, []

    async def dying(*given: Any) -> Any:
        calls.append(given)
        made = await real(*given)
        if len(calls) == 3:
            raise RuntimeError("the power failed after the rows were written")
        return made

    monkeypatch.setattr(importing, "add_products", dying)
    await run_jobs(box)
    half = (await box.client("owner").get(path)).json()
    assert (half["state"], counts(half["result"]), len(await products(box))) == ("applying", [4, 0, 0, 0], 4)
    box.clock.pass_by(minutes=5)
    await run_jobs(box)
    whole = (await box.client("owner").get(path)).json()
    assert (whole["state"], counts(whole["result"]), len(await products(box))) == ("applied", [7, 0, 0, 0], 7)
    again = await box.client("owner").post(f"{path}/apply")
    assert (again.status_code, again.json()["code"]) == (409, "import-not-ready")


async def test_an_import_belongs_to_its_business(box: Box) -> None:
    checked = (await upload(box, TABLE)).json()
    stranger = box.client("owner", "sharma-kirana")
    for path in (checked["id"], str(uuid.uuid4())):
        assert (await stranger.get(f"{IMPORTS}/{path}")).status_code == 404
        assert (await stranger.post(f"{IMPORTS}/{path}/apply")).status_code == 404
    assert (await stranger.get(IMPORTS)).json()["items"] == []
    assert [one["id"] for one in (await box.client("owner").get(IMPORTS)).json()["items"]] == [checked["id"]]


async def test_imports_are_forgotten_after_a_week(box: Box) -> None:
    await upload(box, TABLE)
    box.clock.pass_by(days=8)
    await box.act(importing.forget_imports)
    assert (await box.client("owner").get(IMPORTS)).json()["items"] == []


async def test_the_template_is_taken_in_as_it_is(box: Box) -> None:
    for kind in ("csv", "xlsx"):
        got = await box.client("owner").get("/api/v1/catalog/import-template", params={"format": kind})
        assert got.status_code == 200
        said = (await upload(box, got.content, got.headers["content-type"].partition(";")[0])).json()
        assert (said["rows"], "cost_price" in said["columns"]) == (0, True)


@pytest.mark.prove
async def test_a_hundred_thousand_products_come_in_go_out_and_come_in_again(box: Box) -> None:
    many = 100_000
    rows = (f"S-{n:06d},Product {n} of many,{n % 900}.25,{n % 700}.125,616{n:07d}X,Shelf {n % 40}" for n in range(many))
    table = "sku,name,price,cost_price,barcodes,category\n" + "\n".join(rows) + "\n"
    assert counts((await applied(box, table))["result"]) == [many, 0, 0, 0]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for kind in ("csv", "xlsx"):
        exported = await box.client("owner").get(EXPORT, params={"format": kind})
        assert exported.status_code == 200, exported.text
        checked = await upload(box, exported.content, exported.headers["content-type"].partition(";")[0])
        assert counts(checked.json()["preview"]) == [0, 0, many, 0], checked.text[:500]
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200_000, "kilobytes, the client's two copies of each file included"
