"""The replay of a real shop's transactions: what it reads, and that the books agree with it afterwards.

The real day runs where the file is: named by ONLINE_RETAIL, or in ../shared/data beside the project.
"""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from examples.online_retail.books import Row, compare, table
from examples.online_retail.client import Client, Refused
from examples.online_retail.figures import (
    Figures,
    Product,
    by_day,
    customers_of,
    figures_of,
    invoice_total,
    products_of,
)
from examples.online_retail.reading import Invoice, NotTheFile, read_clean
from examples.online_retail.replay import Replay
from kernel.auth import act
from kernel.jobs import forget_old_keys
from kernel.testing.box import PASSWORD, Box
from tests.proving import ON_SQLITE

BESIDE = Path(__file__).parents[2] / "shared" / "data" / "online_retail_2010_2011.csv.gz"
REAL = Path(os.environ.get("ONLINE_RETAIL", BESIDE))

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
MADE_UP = f"""\ufeff{HEADER}
700001,A1,"LANTERN,  WHITE ",2,2011-06-01 00:20:00,2.55,17850.0,United Kingdom
700001,a1,lantern small,5,2011-06-01 00:20:00,0.125,17850.0,United Kingdom
700001,A1,LANTERN,1,2011-06-01 00:21:00,2.10,17850.0,United Kingdom
C700002,A1,LANTERN,-1,2011-06-01 09:00:00,2.55,17850.0,United Kingdom
700003,B2,,10,2011-06-01 10:00:00,0.001,,United Kingdom
700003,B2,BAG RED,3,2011-06-01 10:00:00,1.10,,United Kingdom
700004,A1,damaged,-10,2011-06-01 11:00:00,0.0,,United Kingdom
700005,B2,BAG RED,1,2011-06-01 11:30:00,0.0,12345.0,United Kingdom
700005,A1,LANTERN,1,2011-06-01 11:30:00,2.55,12345.0,United Kingdom
A700006,B,Adjust bad debt,1,2011-06-01 12:00:00,11062.06,,United Kingdom
{HEADER}
700007,POST,,1,2011-12-02 09:30:00,18.0,12583.0,France
"""


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    file = tmp_path / "made_up.csv"
    file.write_text(MADE_UP, encoding="utf-8")
    return file


def test_only_clean_invoices_are_read(made_up: Path) -> None:
    assert [invoice.number for invoice in read_clean(made_up)] == ["700001", "700003", "700007"]
    assert [invoice.number for invoice in read_clean(made_up, date(2011, 6, 1))] == ["700001", "700003"]


def test_an_invoice_is_sold_when_its_first_line_was_in_london(made_up: Path) -> None:
    summer, _, winter = read_clean(made_up)
    assert (summer.day, summer.sold_at) == (date(2011, 6, 1), datetime(2011, 5, 31, 23, 20, tzinfo=UTC))
    assert winter.sold_at == datetime(2011, 12, 2, 9, 30, tzinfo=UTC)
    assert list(by_day([winter, summer])) == [date(2011, 6, 1), date(2011, 12, 2)]


def test_a_product_is_what_its_first_lines_say(made_up: Path) -> None:
    assert products_of(read_clean(made_up)) == [
        Product("A1", "LANTERN, WHITE", Decimal("2.55"), 3),
        Product("a1", "lantern small", Decimal("0.125"), 5),
        Product("B2", "BAG RED", Decimal("0.001"), 13),
        Product("POST", "POST", Decimal("18.0"), 1),
    ]


def test_customers_are_known_by_their_number(made_up: Path) -> None:
    assert customers_of(read_clean(made_up)) == ["17850", "12583"]


def test_a_line_is_rounded_half_up_before_lines_are_added(made_up: Path) -> None:
    totals = [invoice_total(invoice) for invoice in read_clean(made_up)]
    assert totals == [Decimal("7.83"), Decimal("3.31"), Decimal("18.00")]
    assert figures_of(read_clean(made_up)) == Figures(3, 6, 22, 4, 2, Decimal("29.14"), 3)


@pytest.mark.parametrize(
    "text",
    [
        "InvoiceNo,StockCode\n700001,A1\n",
        f"{HEADER}\n700001,A1,LANTERN,two,2011-06-01 00:20:00,2.55,,United Kingdom\n",
        f"{HEADER}\n700001,A1,LANTERN,2,2011-06-01 00:20:00,cheap,,United Kingdom\n",
        f"{HEADER}\n700001,A1,LANTERN,2,yesterday,2.55,,United Kingdom\n",
    ],
)
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "other.csv"
    file.write_text(text)
    with pytest.raises(NotTheFile):
        read_clean(file)


def test_the_table_marks_what_differs() -> None:
    shown = table([Row("sales", "127", "127"), Row("total", "58,960.79", "58,960.78")]).splitlines()
    assert [line.endswith("differs") for line in shown] == [False, False, True]


async def the_operator(box: Box) -> Client:
    client = Client(box.http)
    await client.sign_in("operator@mama-njeri.example", PASSWORD)
    return client


async def replayed(client: Client, invoices: list[Invoice]) -> list[Row]:
    rung = await Replay(client, "online-retail", 4, lambda *_: None).run(invoices)
    return await compare(client, invoices, rung)


async def test_a_made_up_day_is_replayed_to_the_penny_and_only_once(box: Box, made_up: Path) -> None:
    client, invoices = await the_operator(box), read_clean(made_up)
    for _ in range(2):
        rows = await replayed(client, invoices)
        assert not [row for row in rows if row.differs], table(rows)
    first = [one async for one in client.every("/sales/sales", business_date="2011-06-01")]
    assert {(one["sold_at"], one["total"]) for one in first} == {
        ("2011-05-31T23:20:00Z", "7.83"),
        ("2011-06-01T09:00:00Z", "3.31"),
    }


async def test_a_replay_long_after_its_keys_are_forgotten_changes_nothing(box: Box, made_up: Path) -> None:
    client, invoices = await the_operator(box), read_clean(made_up)
    await replayed(client, invoices)
    box.clock.pass_by(days=9)
    business = UUID((await client.get("/auth/me"))["business"]["id"])
    await act(box.deployment, business, lambda work: forget_old_keys.run(work, {}))
    rows = await replayed(client, invoices)
    assert not [row for row in rows if row.differs], table(rows)


async def test_the_comparison_finds_what_the_file_does_not_have(box: Box, made_up: Path) -> None:
    client, invoices = await the_operator(box), read_clean(made_up)
    rung = await Replay(client, "online-retail", 4, lambda *_: None).run(invoices)
    await client.post("/inventory/receipts", await one_more(client, invoices[0]), "one-more")
    found = {row.what for row in await compare(client, invoices[:2], rung) if row.differs}
    assert found >= {"sales", "units sold", "total of sales", "payments", "total of payments", "products", "customers"}
    assert "levels that are not zero" in found


async def one_more(client: Client, invoice: Invoice) -> dict[str, Any]:
    (product,) = [one async for one in client.every("/catalog/products", q=invoice.lines[1].description)]
    location = (await client.get("/locations"))["items"][0]["id"]
    return {"location_id": location, "lines": [{"product_id": product["id"], "quantity": "1"}]}


async def test_the_client_renews_its_tokens_once_for_all_tasks(box: Box) -> None:
    client = await the_operator(box)
    box.clock.pass_by(minutes=16)
    found = await asyncio.gather(*(client.get("/auth/me") for _ in range(8)))
    assert {one["name"] for one in found} == {"Operator"}


async def test_a_refusal_says_what_is_wrong(box: Box) -> None:
    with pytest.raises(Refused, match="401 unauthenticated"):
        await Client(box.http).sign_in("operator@mama-njeri.example", "a wrong password")


@pytest.mark.skipif(not REAL.exists(), reason="the real file is not here: name it by ONLINE_RETAIL")
@ON_SQLITE
@pytest.mark.parametrize("most", [40, pytest.param(127, marks=pytest.mark.prove)])
async def test_the_real_first_day_is_replayed_to_the_penny(box: Box, most: int) -> None:
    invoices = read_clean(REAL, date(2010, 12, 1))
    assert figures_of(invoices) == Figures(127, 3072, 26919, 1340, 95, Decimal("58960.79"), 592)
    rows = await replayed(await the_operator(box), invoices[:most])
    assert not [row for row in rows if row.differs], table(rows)


@pytest.mark.skipif(not REAL.exists(), reason="the real file is not here: name it by ONLINE_RETAIL")
def test_the_real_file_comes_to_what_the_readme_says() -> None:
    figures = figures_of(read_clean(REAL))
    assert figures == Figures(19906, 527_381, 5_565_649, 3919, 4334, Decimal("10561626.35"), 1114)


@pytest.mark.prove
@pytest.mark.skipif(not REAL.exists(), reason="the real file is not here: name it by ONLINE_RETAIL")
async def test_the_whole_real_file_is_replayed_to_the_penny(box: Box) -> None:
    rows = await replayed(await the_operator(box), read_clean(REAL))
    assert not [row for row in rows if row.differs], table(rows)
