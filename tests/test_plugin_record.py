"""A sale is recorded as a test, and the test makes it again."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kernel.app.recording import Recording, Replay, record
from kernel.errors import NotFound
from kernel.kit.recording import Around, around, written
from kernel.testing.box import Box
from kernel.testing.replaying import picked
from kernel.work import Shop, Work
from plugins.catalog.models import Product
from plugins.catalog.testing import a_brand, a_category, a_price_list, a_product, prices_on
from plugins.customers.testing import a_customer, a_group
from plugins.discounts.testing import a_promotion, coupons
from plugins.sales.testing import a_sale
from plugins.taxes.testing import a_tax_class, tax_class


async def recorded(box: Box, sale_id: uuid.UUID, shop: str = "mama-njeri") -> str:
    async def read(work: Work) -> str:
        found = await record(work, sale_id)
        return written(found, await around(work, found))

    return await box.look(read, shop=shop)


def as_test(text: str, folder: Path) -> Any:
    """The test function of a recording, after ruff has found nothing to say of its text."""
    file = folder / "test_recorded.py"
    file.write_text(text)
    for command in (["check", "--select", "E,F,W,UP,B,SIM,RUF"], ["format", "--diff"]):
        said = [sys.executable, "-m", "ruff", *command, "--line-length=120", "--isolated", "-q", str(file)]
        done = subprocess.run(said, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    spec = importlib.util.spec_from_file_location("recorded", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return next(thing for name, thing in vars(module).items() if name.startswith("test_"))


async def a_kenyan_sale(box: Box) -> uuid.UUID:
    """Of all that moves a price: categories, packs, rates, wholesale, promotions, what is done by hand."""
    food = await a_category(box, "Food")
    grain = await a_category(box, "Grain", parent_id=food)
    group = await a_group(box, "friends", "Friends of Grace")
    grace = await a_customer(box, "Grace Wambui", phone="0712345678", group_id=group)
    own_rate = await a_tax_class(box, "3", "Levy")
    rice = await a_product(
        box, "RICE-2KG", "380.00", category_id=grain, brand_id=await a_brand(box), wholesale_price="352.50"
    )
    maize = await a_product(box, "2-MAIZE", "199.99", tax_class_id=await tax_class(box, "zero"))
    soap = await a_product(
        box, "class", "50", tax_class_id=own_rate, packs=[{"name": "Carton", "factor": "12", "barcode": "CART"}]
    )
    for one in (rice, maize, soap):
        await box.client("owner").patch(f"/api/v1/catalog/products/{one}", {"allow_negative_stock": True}, version=1)
    await a_promotion(box, "Grain week", "10", category_id=food)
    await a_promotion(box, "Everything", "5.00", kind="amount_off")
    await a_promotion(box, "Not on these", "50", product_id=await a_product(box, "OTHER"))
    lines = [
        {"product_id": str(rice), "quantity": "3"},
        {"product_id": str(maize), "quantity": "1", "discount": {"percent": "10", "reason": "torn by Mr Otieno"}},
        {"barcode": "CART", "quantity": "2"},
        {"product_id": str(soap), "quantity": "1", "unit_price": "45"},
    ]
    cart = {
        "location_id": str(await box.location()),
        "lines": lines,
        "customer_id": str(grace),
        "channel": "wholesale",
        "discount": {"amount": "7.00", "reason": "for Grace"},
        "note": "call Grace at 0712345678",
    }
    owner = box.client("owner")
    total = (await owner.post("/api/v1/sales/quote", cart)).json()["total"]
    half = str(Decimal(total) - 100)
    payments = [{"method": "bank_transfer", "amount": "100.00"}, {"method": "cash", "amount": half}]
    made = await owner.post("/api/v1/sales/sales", {**cart, "payments": payments})
    assert made.status_code == 201, made.text
    await box.act(lambda work: dearer(work, rice))
    return uuid.UUID(made.json()["id"])


async def dearer(work: Work, product_id: uuid.UUID) -> None:
    """The price of today is another."""
    row = await work.get(Product, product_id, to_change=True)
    row.price, row.wholesale_price = row.price * 2, row.price * 2


async def test_a_recorded_sale_comes_to_the_same_in_another_shop(box: Box, twin_box: Box, tmp_path: Path) -> None:
    text = await recorded(box, await a_kenyan_sale(box))
    for person in ("Grace", "Otieno", "0712345678", "712345678", "Friends"):
        assert person not in text
    assert "Not on these" not in text, "what took nothing off is left out"
    await as_test(text, tmp_path)(twin_box)


@pytest.mark.parametrize("database", ["sqlite"])
async def test_a_sale_at_the_prices_of_a_list_is_recorded_with_them(box: Box, twin_box: Box, tmp_path: Path) -> None:
    rice = await a_product(box, "RICE", "380", allow_negative_stock=True)
    soap = await a_product(
        box, "SOAP", "50", allow_negative_stock=True, packs=[{"name": "Carton", "factor": "12", "barcode": "CART"}]
    )
    dealers = await a_price_list(box, "Dealers")
    await prices_on(box, dealers, rice, "350", min_quantity="2")
    await prices_on(box, dealers, soap, "45")
    lines = [{"product_id": str(rice), "quantity": "3"}, {"barcode": "CART", "quantity": "1"}]
    cart = {"location_id": str(await box.location()), "lines": lines}
    paid = cart | {"payments": [{"method": "cash", "amount": "1590.00"}]}
    sale = await box.client("cashier").post("/api/v1/sales/sales", paid)
    assert sale.status_code == 201, sale.text
    text = await recorded(box, uuid.UUID(sale.json()["id"]))
    assert text.count('"Dealers"') == 2
    await as_test(text, tmp_path)(twin_box)


async def test_coupons_offers_on_many_goods_compound_taxes_and_certificates_are_recorded(
    box: Box, twin_box: Box, tmp_path: Path
) -> None:
    parts: list[dict[str, Any]] = [
        {"code": "EXCISE", "rate": "20", "affects_base": True},
        {"code": "VAT", "rate": "16"},
        {"code": "LEVY", "kind": "per_unit", "amount": "0.50", "included": False},
    ]
    compound = await a_tax_class(box, name="Spirits", category="standard", components=parts)
    gin = await a_product(box, "GIN", "1000", tax_class_id=compound, allow_negative_stock=True, tags=["spirits"])
    rice = await a_product(box, "RICE", "380", allow_negative_stock=True, brand_id=await a_brand(box))
    maize = await a_product(box, "MAIZE", "200", allow_negative_stock=True)
    group = await a_group(box, "staff", "Staff of Grace")
    relief = {"number": "KRA/GRACE/1", "valid_until": "2027-06-30", "treatment": "zero", "classes": ["standard"]}
    grace = await a_customer(box, "Grace Wambui", group_id=group, ext={"taxes": {"certificates": [relief]}})
    two = {"kind": "any_for", "count": 2, "amount": "500.00"}
    both = {"product_ids": [str(rice), str(maize)]}
    await a_promotion(box, "Two", effect=two, goods=both, when={"group_ids": [str(group)]}, label="food", joins=["any"])
    tiers = {"kind": "tiers", "tiers": [{"least": "1", "percent": "5"}]}
    await a_promotion(box, "Spirits", effect=tiers, goods={"tags": ["spirits"]}, priority=4)
    tenth = await a_promotion(box, "Tenth", by_coupon=True, label="any", joins=["food", "any"])
    await coupons(box, tenth, code="KARIBU")
    bought = [(gin, "3"), (rice, "1"), (maize, "1")]
    cart = {
        "location_id": str(await box.location()),
        "lines": [{"product_id": str(one), "quantity": quantity} for one, quantity in bought],
        "customer_id": str(grace),
        "ext": {"discounts": {"coupon_codes": ["karibu"]}},
    }
    owner = box.client("owner")
    total = (await owner.post("/api/v1/sales/quote", cart)).json()["total"]
    sale = await owner.post("/api/v1/sales/sales", cart | {"payments": [{"method": "cash", "amount": total}]})
    assert sale.status_code == 201, sale.text
    text = await recorded(box, uuid.UUID(sale.json()["id"]))
    assert not [word for word in ("GRACE", "Grace") if word in text]
    for said in ('"EXCISE"', '"per_unit"', "CERTIFICATE 1", '"tags": ["spirits"]', 'code="KARIBU"', '"group_ids"'):
        assert said in text, text
    await as_test(text, tmp_path)(twin_box)


async def test_a_sale_across_states_is_recorded_with_its_taxes(box: Box, twin_box: Box, tmp_path: Path) -> None:
    shop = "sharma-kirana"
    asha = await a_customer(box, "Asha Rao", subdivision="27", shop=shop)
    ghee = await a_product(
        box,
        "GHEE",
        "640",
        shop=shop,
        allow_negative_stock=True,
        mrp="650",
        tax_class_id=await tax_class(box, "gst-5", shop=shop),
    )
    plain = await a_product(box, "DAL", "155.55", shop=shop, allow_negative_stock=True)
    sale = await a_sale(box, {ghee: "2", plain: "3"}, customer_id=asha, shop=shop)
    text = await recorded(box, sale.id, shop)
    assert 'SHOP = "sharma-kirana"' in text
    assert "Asha" not in text
    await as_test(text, tmp_path)(twin_box)


@pytest.mark.parametrize("database", ["sqlite"])
async def test_a_recorded_test_fails_where_the_price_is_another(box: Box, twin_box: Box, tmp_path: Path) -> None:
    rice = await a_product(box, "RICE", "380.00", allow_negative_stock=True)
    text = await recorded(box, (await a_sale(box, {rice: "3"})).id)
    assert '"380"' in text
    with pytest.raises(AssertionError):
        await as_test(text.replace('"380"', '"381"'), tmp_path)(twin_box)


@pytest.mark.parametrize("database", ["sqlite"])
async def test_what_no_plugin_knows_is_not_recorded(box: Box) -> None:
    rice = await a_product(box, "RICE", "380.00", allow_negative_stock=True)
    made = await a_sale(box, {rice: "3"})
    for shop, id_ in (("mama-njeri", uuid.uuid4()), ("sharma-kirana", made.id)):
        with pytest.raises(NotFound):
            await recorded(box, id_, shop)


def test_of_an_answer_the_recorded_fields_are_looked_at() -> None:
    like = {"total": "1", "lines": [{"net": "1"}]}
    assert picked({"total": "1", "id": 7, "lines": [{"net": "1", "id": 8}]}, like) == like
    assert picked({"total": "1", "lines": [{"net": "1"}, {"net": "1"}]}, like) != like
    assert picked({"lines": [{"net": "1"}]}, like) != like


def test_settings_and_configuration_of_strangers_are_written_as_they_stand() -> None:
    recording = Recording(uuid.uuid4(), Shop(uuid.uuid4(), "a", "A", "KE", None, "KES", "Africa/Nairobi"))
    recording.rounds.append([])
    pen, tier = recording.want("product", uuid.uuid4()), uuid.UUID(int=7)
    recording.make(pen, "2 pens", "plugins.catalog.testing:a_product", "2 pens", "1")
    recording.replay = Replay("sale X", "/api/v1/sales/sales", {"lines": []}, {"total": "1"})
    rows = [{"id": tier, "product_id": pen.id, "from_quantity": 10}]
    text = written(recording, Around(["sales", "loyalty"], {"loyalty": {"percent": "5"}}, {"loyalty_tier": rows}))
    assert 'the_2_pens = await a_product(box, "2 pens", "1", shop=SHOP)' in text
    assert 'await set_up(box, "loyalty", {"percent": "5"}, shop=SHOP)' in text
    inserted = " ".join(text.split()).partition("await insert(")[2].partition("cart =")[0]
    for said in ('"loyalty_tier"', f'"id": UUID("{tier}")', '"product_id": the_2_pens', '"from_quantity": 10'):
        assert said in inserted
    assert "import insert, only, picked, set_up" in text
    assert text.index("a_product(box") < text.index("await insert(") < text.index("cart =")
