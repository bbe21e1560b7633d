"""Finding products: by words, shelf, brand, barcode; sorted, page by page."""

from __future__ import annotations

import uuid
from typing import Any

from kernel.testing.box import Box
from plugins.catalog.testing import a_brand, a_category, a_product

PRODUCTS = "/api/v1/catalog/products"
SCAN = "/api/v1/catalog/barcode"


async def skus(box: Box, **params: Any) -> list[str]:
    answer = await box.client("cashier").get(PRODUCTS, params=params)
    assert answer.status_code == 200, answer.text
    return [one["sku"] for one in answer.json()["items"]]


QUESTIONS = {
    "choc mil": ["MC-100"],
    "MILK choc": ["MC-100"],
    "choc mlk": ["MC-100"],
    "late": ["MC-100"],
    "creme": ["CR-1"],
    "crème brulée": ["CR-1"],
    "ngombe": ["NG-1"],
    "Ng’ombe": ["NG-1"],
    "mc-100": ["MC-100"],
    "mc 10": ["MC-100"],
    "mc_100": ["MC-100"],
    "6161100000018": ["CR-1"],
    "00018": ["CR-1"],
    "mil": ["MC-100", "NG-1"],
    "m%k": [],
    "milk%chocolate": ["MC-100"],
    "%": [],
    "__": [],
    "'; DROP TABLE catalog_product; --": [],
    "  ": ["CR-1", "MC-100", "NG-1"],
}


async def test_a_question_finds_words_their_beginnings_and_middles_shortened_words_and_codes(box: Box) -> None:
    await a_product(box, "MC-100", name="Milk Chocolate")
    await a_product(box, "CR-1", name="Crème Brûlée", barcodes=["6161100000018"])
    await a_product(box, "NG-1", name="Ng'ombe milk")
    await a_product(box, "MC-100", name="Milk Chocolate", shop="sharma-kirana")
    assert {question: sorted(await skus(box, q=question)) for question in QUESTIONS} == QUESTIONS


async def found(box: Box, question: str, **params: Any) -> list[str]:
    """SKUs in the order in which they are found, page by page."""
    seen: list[str] = []
    cursor: str | None = None
    while len(seen) < 50:
        asked = {"q": question, "limit": 2, **params} | ({"cursor": cursor} if cursor else {})
        answer = await box.client("cashier").get(PRODUCTS, params=asked)
        assert answer.status_code == 200, answer.text
        seen += [one["sku"] for one in answer.json()["items"]]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            break
    return seen


async def test_what_fits_best_comes_first_on_every_page(box: Box) -> None:
    shelf = await a_category(box)
    for sku, name in (
        ("LATER", "Malted Milkshake"),
        ("BOTH", "Choc Milk"),
        ("SECOND", "Milk Chocolate 200g"),
        ("FIRST", "Milk Choc Bar"),
        ("MILK", "Cow in a carton"),
        ("MILKY-1", "Sweets"),
        ("LOOSE", "Mallik's soap"),
        ("OTHER", "Bread"),
    ):
        await a_product(box, sku, name=name, category_id=str(shelf) if sku in ("MILK", "LOOSE") else None)
    milk = ["MILK", "BOTH", "FIRST", "SECOND", "LATER", "MILKY-1"]
    assert await found(box, "milk") == milk
    assert await found(box, "choc milk") == ["BOTH", "FIRST", "SECOND"]
    assert await found(box, "milk ch 200") == ["SECOND"]
    assert await found(box, "mlk") == ["BOTH", "MILK", "FIRST", "SECOND", "LOOSE", "LATER"], "least left out first"
    assert await found(box, "milk", category_id=str(shelf)) == ["MILK"]
    assert await found(box, "milk", is_active="false") == []
    counted = await box.client("cashier").get(PRODUCTS, params={"q": "milk", "limit": 1, "include_total": "true"})
    assert counted.json()["total"] == len(milk)
    assert await found(box, "milk", sort="-sku") == sorted(milk, reverse=True)


async def test_a_code_comes_before_all_words_and_is_found_by_its_end(box: Box) -> None:
    await a_product(box, "200", name="Two hundred")
    await a_product(box, "SUGAR", name="Sugar 200 g", barcodes=["6161100000018"])
    await a_product(box, "AB-200", name="Pan")
    assert await found(box, "200") == ["200", "SUGAR", "AB-200"]
    assert await found(box, "ab 200") == ["AB-200"]
    assert await found(box, "000018") == ["SUGAR"]
    assert await found(box, "06161100000018") == ["SUGAR"], "written with one more zero"
    assert await found(box, "61611") == ["SUGAR"]


async def test_the_question_follows_what_changes(box: Box) -> None:
    product = await a_product(box, "TEA", name="Tea")
    owner = box.client("owner")
    await owner.post(f"{PRODUCTS}/{product}/barcodes", {"code": "96385074"})
    await owner.patch(f"{PRODUCTS}/{product}", {"name": "Majani"}, version=2)
    assert await skus(box, q="9638") == ["TEA"]
    assert await skus(box, q="majani") == ["TEA"]
    await owner.send("DELETE", f"{PRODUCTS}/{product}/barcodes/96385074")
    assert await skus(box, q="9638") == []


async def test_a_category_holds_all_below_it(box: Box) -> None:
    food = await a_category(box, "Food")
    flour = await a_category(box, "Flour", parent_id=food)
    maize = await a_category(box, "Maize", parent_id=flour)
    home = await a_category(box, "Home")
    for sku, shelf in (("A", food), ("B", flour), ("C", maize), ("D", home)):
        await a_product(box, sku, category_id=str(shelf))
    await a_product(box, "E")
    assert await skus(box, category_id=str(food)) == ["A", "B", "C"]
    assert await skus(box, category_id=str(flour)) == ["B", "C"]
    assert await skus(box, category_id=str(home)) == ["D"]
    assert await skus(box, category_id=str(uuid.uuid4())) == []


async def test_filters_narrow_each_other(box: Box) -> None:
    brand = await a_brand(box)
    await a_product(box, "A", brand_id=str(brand), name="Rice")
    await a_product(box, "B", brand_id=str(brand), name="Rice", is_active=False)
    await a_product(box, "C", name="Rice")
    assert await skus(box, brand_id=str(brand)) == ["A", "B"]
    assert await skus(box, brand_id=str(brand), is_active="true", q="rice") == ["A"]
    assert await skus(box, is_active="false") == ["B"]


async def test_pages_follow_each_other_without_gap_in_any_order(box: Box) -> None:
    for number in range(7):
        await a_product(box, f"S-{number}", name=f"Same {number // 3}", barcodes=[f"CODE-{number}"])
        box.clock.pass_by(seconds=1)
    await a_product(box, "FOREIGN", shop="sharma-kirana")
    client = box.client("cashier")
    for sort in ("name", "-name", "sku", "-sku", "created_at", "-created_at"):
        seen: list[dict[str, Any]] = []
        cursor: str | None = None
        while len(seen) < 20:
            params = {"sort": sort, "limit": 3, "include_total": "true"} | ({"cursor": cursor} if cursor else {})
            page = (await client.get(PRODUCTS, params=params)).json()
            assert page["total"] == 7
            seen += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        column = sort.removeprefix("-")
        assert len({one["id"] for one in seen}) == 7
        assert [one[column] for one in seen] == sorted((one[column] for one in seen), reverse=sort.startswith("-"))
        assert all(one["barcodes"] == [one["sku"].replace("S", "CODE")] for one in seen)


async def test_a_list_cannot_be_sorted_by_cost_or_paged_with_anothers_cursor(box: Box) -> None:
    for number in range(3):
        await a_product(box, f"S-{number}")
    client = box.client("cashier")
    assert (await client.get(PRODUCTS, params={"sort": "cost_price"})).status_code == 422
    cursor = (await client.get(PRODUCTS, params={"limit": 1})).json()["next_cursor"]
    other = await client.get(PRODUCTS, params={"limit": 1, "cursor": cursor, "q": "s"})
    assert (other.status_code, other.json()["code"]) == (400, "invalid-cursor")
    assert (await client.get(PRODUCTS, params={"limit": 0})).status_code == 422
    assert (await client.get(PRODUCTS, params={"colour": "red"})).status_code == 422


async def test_a_barcode_finds_its_product_however_many_zeros_it_is_written_with(box: Box) -> None:
    product = await a_product(box, "GUM", barcodes=[{"code": "036000291452", "mrp": "12"}], mrp="10")
    for code in ("036000291452", "0036000291452", "00036000291452"):
        found = await box.client("cashier").get(f"{SCAN}/{code}")
        assert found.status_code == 200, found.text
        assert found.json()["code"] == "0036000291452"
        assert found.json()["product"]["id"] == str(product)
        assert (found.json()["pack"], found.json()["mrp"]) == (None, "12.00")


async def test_a_packs_barcode_names_the_pack(box: Box) -> None:
    packs = [
        {"name": "Carton of 12", "factor": "12", "price": "4300", "barcode": "CARTON"},
        {"name": "Six", "factor": "6"},
    ]
    product = await a_product(box, "RICE", barcodes=["ONE"], packs=packs, mrp="400")
    carton = (await box.client("cashier").get(f"{SCAN}/CARTON")).json()
    assert carton["product"]["id"] == str(product)
    assert (carton["pack"]["name"], carton["pack"]["factor"], carton["pack"]["price"]) == (
        "Carton of 12",
        "12",
        "4300.00",
    )
    assert carton["mrp"] == "4800.00", "the price printed on each unit, twelve times"
    assert (await box.client("cashier").get(f"{SCAN}/ONE")).json()["mrp"] == "400.00"


async def test_a_barcode_that_names_nothing_here_is_not_found(box: Box) -> None:
    await a_product(box, barcodes=["6161100000018"], shop="sharma-kirana")
    client = box.client("cashier")
    assert (await client.get(f"{SCAN}/6161100000018")).status_code == 404
    misread = await client.get(f"{SCAN}/6161100000019")
    assert misread.status_code == 404
    assert "should end in 8" in misread.json()["detail"]
    assert (await box.client(None).get(f"{SCAN}/X")).status_code == 401
