"""What other plugins are told of products: for a whole cart in one query."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from kernel.db import Prepared, new_id
from kernel.db.prepared import Rows
from kernel.money import MICRO
from kernel.testing.box import Box
from kernel.work import Work
from plugins.catalog.api import Found, product_columns, product_names, sellables, stock_facts, tracked_products
from plugins.catalog.testing import a_brand, a_category, a_product
from plugins.taxes.testing import tax_class


async def found(box: Box, ids: list[Any], codes: list[str]) -> Found:
    return await box.look(lambda work: sellables(work, ids, codes))


async def test_a_sellable_carries_all_a_line_needs(box: Box) -> None:
    food = await a_category(box, "Food")
    grains = await a_category(box, "Grains", parent_id=food)
    brand, zero = await a_brand(box), await tax_class(box, "zero")
    product = await a_product(
        box, wholesale_price="352.5", cost_price="310.125", unit="kg", category_id=str(grains), brand_id=str(brand),
        tax_class_id=str(zero), mrp="400", allow_negative_stock=True, name="Rice",
    )  # fmt: skip
    one = (await found(box, [product], [])).by_id[product]
    assert (one.product_id, one.sku, one.name, one.unit, one.decimals) == (product, "RICE-2KG", "Rice", "kg", 3)
    assert (one.price, one.wholesale_price, one.cost_price) == (380 * MICRO, 352_500_000, 310_125_000)
    assert one.category_ids == (grains, food)
    assert (one.brand_id, one.tax_class_id, one.mrp) == (brand, zero, 400 * MICRO)
    assert (one.track_stock, one.allow_negative_stock, one.is_active) == (True, True, True)
    assert (one.barcode, one.pack) == (None, None)


async def test_a_plain_product_has_nothing_it_was_not_given(box: Box) -> None:
    product = await a_product(box, is_active=False)
    one = (await found(box, [product], [])).by_id[product]
    assert (one.wholesale_price, one.cost_price, one.mrp, one.brand_id, one.tax_class_id) == (None,) * 5
    assert (one.category_ids, one.is_active, one.decimals) == ((), False, 0)


async def test_products_are_found_by_barcode_as_it_was_given(box: Box) -> None:
    packs = [{"name": "Carton", "factor": "12", "price": "4300", "barcode": "CARTON"},
             {"name": "Six", "factor": "6", "barcode": "SIX"}]  # fmt: skip
    codes = ["036000291452", {"code": "NEW-PRINT", "mrp": "420"}]
    product = await a_product(box, barcodes=codes, packs=packs, mrp="400")
    asked = ["036000291452", "0036000291452", "NEW-PRINT", "CARTON", "SIX", "UNKNOWN", "036000291453", ""]
    answer = await found(box, [product], asked)
    assert set(answer.by_id) == {product}
    assert set(answer.by_barcode) == {"036000291452", "0036000291452", "NEW-PRINT", "CARTON", "SIX"}
    assert answer.by_barcode["036000291452"] == answer.by_barcode["0036000291452"]
    single, fresh = answer.by_barcode["036000291452"], answer.by_barcode["NEW-PRINT"]
    assert (single.barcode, single.pack, single.mrp) == ("0036000291452", None, 400 * MICRO)
    assert (fresh.mrp, fresh.price) == (420 * MICRO, 380 * MICRO)
    carton, six = answer.by_barcode["CARTON"], answer.by_barcode["SIX"]
    assert carton.pack
    assert (carton.pack.name, carton.pack.factor, carton.pack.price) == ("Carton", 12 * MICRO, 4300 * MICRO)
    assert (carton.mrp, six.mrp) == (4800 * MICRO, 2400 * MICRO)
    assert six.pack
    assert six.pack.price is None


async def test_a_whole_cart_takes_one_query(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Prepared] = []
    plain = Work.fetch

    async def counting(work: Work, statement: Prepared, /, **parameters: object) -> Rows:
        asked.append(statement)
        return await plain(work, statement, **parameters)

    ids = [await a_product(box, f"S-{number}", barcodes=[f"CODE-{number}"]) for number in range(20)]
    monkeypatch.setattr(Work, "fetch", counting)
    answer = await found(box, ids * 2, [f"CODE-{number}" for number in range(20)] * 2)
    assert (len(answer.by_id), len(answer.by_barcode), len(asked)) == (20, 20, 1)


async def test_nothing_of_another_business_is_told(box: Box) -> None:
    foreign = await a_product(box, barcodes=["CODE"], shop="sharma-kirana")
    answer = await found(box, [foreign], ["CODE"])
    assert (answer.by_id, answer.by_barcode) == ({}, {})
    assert await box.look(lambda work: product_names(work, [foreign])) == {}
    assert await box.look(lambda work: stock_facts(work, [foreign])) == {}
    assert await box.look(tracked_products) == []


async def test_names_and_stock_facts_are_told_of_what_exists(box: Box) -> None:
    rice = await a_product(box, name="Rice", unit="kg", min_stock="6.5", cost_price="310.125")
    await a_product(box, "AIR", name="Airtime", track_stock=False)
    await a_product(box, "OLD", name="Old", is_active=False)
    names = await box.look(lambda work: product_names(work, [rice, new_id()]))
    assert [(one.id, one.sku, one.name, one.unit, one.decimals) for one in names.values()] == [
        (rice, "RICE-2KG", "Rice", "kg", 3)
    ]
    facts = (await box.look(lambda work: stock_facts(work, [rice, rice])))[rice]
    assert (facts.min_stock, facts.cost_price, facts.track_stock, facts.ext) == (6_500_000, 310_125_000, True, {})
    assert await box.look(tracked_products) == [facts]


async def test_products_can_be_joined_in_a_list(box: Box) -> None:
    await a_product(box, "B", name="Bread")
    await a_product(box, "A", name="Apples")
    await a_product(box, "C", shop="sharma-kirana")

    async def names(work: Work) -> list[str]:
        product = product_columns()
        statement = sa.select(product.c.name).where(product.c.business_id == work.business_id).order_by(product.c.sku)
        return list((await work.execute(statement)).scalars())

    assert await box.look(names) == ["Apples", "Bread"]


async def test_a_product_made_inside_a_deed_can_be_sold_there(box: Box) -> None:
    async def make_and_find(work: Work) -> str:
        product = await a_product(work, "SALT", name="Salt")
        return (await sellables(work, [product], [])).by_id[product].name

    assert await box.act(make_and_find) == "Salt"
