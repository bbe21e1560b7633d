"""The till and the pages about sales: scripts find each other, words are there, a receipt, what cashiers see."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.console.testing import Browser
from plugins.sales.with_console.till import PARTS, WORDS

STATIC = Path(__file__).parents[1] / "static"
of_no_database = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
"""What is proved asks nothing of the database."""


def test_every_part_of_the_till_is_fetched_along_and_finds_the_others() -> None:
    parts = {file.stem: file.read_text() for file in (STATIC / "sell").glob("*.js")}
    assert set(PARTS) == set(parts)
    for name, text in parts.items():
        for other, names in re.findall(r'import \{([^}]*)\} from "\./(\w+)\.js"', text):
            asked = {one.strip().split(" as ")[0] for one in other.split(",")}
            given = set(re.findall(r"export (?:async )?(?:function|const|class) ([\w$]+)", parts[names]))
            assert asked <= given, (name, names, asked - given)
        assert len(text.splitlines()) <= 400, name


def test_every_word_the_till_says_is_sent_along() -> None:
    said = {
        one
        for file in (STATIC / "sell.js", *(STATIC / "sell").glob("*.js"))
        for call in re.findall(r"\bsay\(([^()]*(?:\([^()]*\)[^()]*)*)\)", file.read_text())
        for one in re.findall(r'"((?:[^"\\]|\\.)+)"', call)
    }
    assert len(said) > 80
    assert said - {"sales", "override"} <= set(WORDS)
    assert set(WORDS) - said == set(), "words that nothing says"


@of_no_database
async def test_a_sale_has_its_receipt_and_its_way_back_and_no_more_than_its_reader_may(box: Box) -> None:
    product = await a_product(box, sku="RICE-9", name="Basmati", price="400.00", track_stock=False)
    cart = {"location_id": str(await box.location()), "lines": [{"product_id": str(product), "quantity": "2"}]}
    paid = {"payments": [{"method": "cash", "amount": "800.00", "tendered": "1000.00"}]}
    named = {"values": {"tax_number": "P051365947M", "legal_name": "Njeri Retail Ltd"}}
    assert (await box.client("owner").patch("/api/v1/settings/taxes", named, version=0)).status_code == 200
    sale = (await box.client("cashier").post("/api/v1/sales/sales", json=cart | paid)).json()
    here = f"/sales/sales/{sale['id']}"
    receipt = (await Browser(box, "cashier").get(f"{here}/receipt")).text
    slip = receipt[receipt.index("<article") :]
    assert 'KRA PIN: <b dir="ltr">P051365947M</b>' in slip
    assert "Njeri Retail Ltd" in slip
    for shown in (sale["number"], "Basmati", "2 × 400.00", "KSh\xa0800.00", "1,000.00", "200.00", "VAT 16"):
        assert shown in slip, shown
    till = (await Browser(box, "cashier").get("/sales/sell")).text
    assert "&#34;discount&#34;: true" in till
    assert "&#34;void&#34;: false" in till
    assert (await Browser(box, "accountant").get("/sales/sell")).status == 404
