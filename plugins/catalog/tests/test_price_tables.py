"""Tables of prices: checked against a list, applied in the background, and the list as a table that comes in again."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import openpyxl

from kernel.testing.box import Box
from kernel.wire import SPREADSHEET
from plugins.catalog.testing import a_price_list, a_product, prices_on

LISTS = "/api/v1/catalog/price-lists"
IMPORTS = "/api/v1/catalog/imports"


async def take_in(box: Box, where: str, content: bytes, media_type: str = "text/csv", role: str = "manager") -> Any:
    """The answer to a table sent to a list."""
    headers = {"Content-Type": media_type}
    return await box.client(role).send("POST", f"{where}/imports", content=content, headers=headers)


async def on_list(box: Box, where: str) -> list[tuple[str, str, bool, str, str]]:
    """SKU, minimum quantity, whether of a pack, price and state of what stands on a list."""
    items = (await box.client("cashier").get(f"{where}/prices")).json()["items"]
    found = [(one["sku"], one["min_quantity"], one["pack_id"] is not None, one["price"], one["state"]) for one in items]
    return sorted(found)


async def test_a_table_of_prices_is_checked_then_applied_and_comes_out_as_it_went_in(box: Box) -> None:
    rice = await a_product(box, "RICE", packs=[{"name": "Carton", "factor": "12"}])
    await a_product(box, "MAIZE")
    everybody = await a_price_list(box)
    where = f"{LISTS}/{everybody}"
    await prices_on(box, await a_price_list(box, "Other"), rice, "1")
    await prices_on(box, everybody, rice, "98")
    box.clock.pass_by(minutes=1)
    table = (
        "sku,price,pack,min_quantity,starts_at,until\n"
        "RICE,98,,,,\nRICE,95,,12,,\nRICE,1100,Carton,,,\nRICE,97,,,2026-12-01,\n"
        "MAIZE,50,,,,\nBEANS,1,,,,\nMAIZE,1,Bale,,,\nMAIZE,1,,0.5,,\nMAIZE,51,,,,\nMAIZE,x,,1,,\n"
    )
    checked = await take_in(box, where, table.encode())
    assert checked.status_code == 201, checked.text
    said = checked.json()
    assert said["preview"] == {"created": 3, "changed": 1, "unchanged": 1, "refused": 5}
    assert [(one["row"], one["column"]) for one in said["errors"]] == [
        (10, "sku"),
        (11, "price"),
        (7, "sku"),
        (8, "pack"),
        (9, "min_quantity"),
    ]
    assert len(await on_list(box, where)) == 1
    applied = await box.client("manager").post(f"{IMPORTS}/{said['id']}/apply", None)
    assert applied.status_code == 202, applied.text
    await box.run_jobs()
    done = (await box.client("manager").get(f"{IMPORTS}/{said['id']}")).json()
    assert (done["state"], done["result"]["created"], done["result"]["changed"]) == ("applied", 3, 1)
    expected = [
        ("MAIZE", "0", False, "50.00", "running"),
        ("RICE", "0", False, "97.00", "planned"),
        ("RICE", "0", False, "98.00", "running"),
        ("RICE", "0", True, "1100.00", "running"),
        ("RICE", "12", False, "95.00", "running"),
    ]
    assert await on_list(box, where) == expected
    planned = [
        one for one in (await box.client("owner").get(f"{where}/prices")).json()["items"] if one["state"] == "planned"
    ]
    assert planned[0]["starts_at"] == "2026-11-30T21:00:00Z"
    out = await box.client("cashier").get(f"{where}/export")
    assert b",2026-11-30T21:00:00Z\r\n" in out.content, "the price of before says when it ends"
    again = await take_in(box, where, out.content)
    assert again.json()["preview"] == {"created": 0, "changed": 0, "unchanged": 5, "refused": 0}, again.text
    fresh = f"{LISTS}/{await a_price_list(box, 'Copy')}"
    book = await box.client("cashier").get(f"{where}/export", params={"format": "xlsx"})
    assert openpyxl.load_workbook(io.BytesIO(book.content)).worksheets[0]["A1"].value == "sku"
    copied = await take_in(box, fresh, book.content, SPREADSHEET)
    await box.client("manager").post(f"{IMPORTS}/{copied.json()['id']}/apply", None)
    await box.run_jobs()
    assert await on_list(box, fresh) == expected


async def test_a_table_of_prices_wants_its_list_its_columns_and_the_permission(box: Box) -> None:
    await a_product(box, "RICE")
    mine = f"{LISTS}/{await a_price_list(box)}"
    theirs = f"{LISTS}/{await a_price_list(box, shop='sharma-kirana')}"
    good = b"sku,price\nRICE,1\n"
    assert (await take_in(box, theirs, good)).status_code == 404
    assert (await take_in(box, mine, good, role="stock_keeper")).status_code == 403
    assert (await take_in(box, mine, b"price\n1\n")).json()["code"] == "table-refused"
    assert (await take_in(box, mine, b"sku\nRICE\n")).json()["errors"][0]["detail"] == "Write what it costs"
    assert (await take_in(box, mine, b"sku,price,name\nRICE,1,x\n")).json()["code"] == "table-refused"
    checked = (await take_in(box, mine, good)).json()
    assert (await box.client("stock_keeper").post(f"{IMPORTS}/{checked['id']}/apply", None)).status_code == 403
    box.clock.pass_by(days=8)
    await box.run_jobs()
    assert (await box.client("owner").get(IMPORTS)).json()["items"] == []
    assert dt.datetime.fromisoformat(checked["created_at"]) < box.clock.now
