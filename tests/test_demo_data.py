"""The demo data keeps the rules that a shopkeeper's own data would have to keep."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
import sqlalchemy as sa
from stdnum.in_ import gstin
from stdnum.ke import pin

from kernel.app.demo import Demo
from kernel.auth.models import Location
from kernel.hooks import seed_demo
from kernel.testing.box import Box
from kernel.work import Work

ROOT = Path(__file__).parents[1]
REGIONS = ("KE", "IN")
UNITS = {"piece", "kg", "litre", "metre", "pack", "hour"}
PIECES = {"piece", "pack"}
PREFIX = {"KE": "616", "IN": "890"}
ROLES = {"owner", "manager", "cashier", "stock_keeper", "accountant"}
TODAY = "2026-11-21"


def read(path: str) -> Any:
    return json.loads((ROOT / path).read_text(encoding="utf-8"))


def catalog(region: str) -> Any:
    return read(f"plugins/catalog/data/demo_{region}.json")


def products(region: str) -> list[dict[str, Any]]:
    return list(catalog(region)["products"])


def customers(region: str) -> list[dict[str, Any]]:
    return list(read(f"plugins/customers/data/demo_{region}.json"))


def tax_rates(region: str) -> dict[str, Decimal]:
    """The per cent of each tax class that the region pack ships, as it stands on `TODAY`."""
    return {
        tax_class["code"]: sum((Decimal(part["rate"]) for part in rate["components"]), Decimal(0))
        for tax_class in read(f"plugins/taxes/data/{region}.json")["classes"]
        for rate in tax_class["rates"]
        if rate["valid_from"] <= TODAY and (rate["valid_to"] is None or rate["valid_to"] >= TODAY)
    }


def codes_of(product: dict[str, Any]) -> list[str]:
    return [*product["barcodes"], *(pack["barcode"] for pack in product["packs"])]


def has_right_check_digit(code: str) -> bool:
    """GS1 General Specifications 7.9.1: weights 3 and 1 from the right, the whole a multiple of ten."""
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(code))) % 10 == 0


def twice(values: list[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]


@pytest.mark.parametrize(
    ("code", "right"), [("4006381333931", True), ("4006381333932", False), ("9780471117094", True)]
)
def test_the_check_digit_rule_knows_right_from_wrong(code: str, right: bool) -> None:
    assert has_right_check_digit(code) is right


@pytest.mark.parametrize("region", REGIONS)
def test_a_catalog_has_at_least_150_products_with_skus_and_names_of_their_own(region: str) -> None:
    goods = products(region)
    assert len(goods) >= 150
    assert not twice([product["sku"] for product in goods])
    assert not twice([product["name"] for product in goods])


def test_no_barcode_stands_twice_in_either_catalog() -> None:
    assert not twice([code for region in REGIONS for product in products(region) for code in codes_of(product)])


@pytest.mark.parametrize("region", REGIONS)
def test_every_barcode_is_an_ean_13_of_its_country(region: str) -> None:
    for code in (code for product in products(region) for code in codes_of(product)):
        assert len(code) == 13
        assert code.startswith(PREFIX[region])
        assert has_right_check_digit(code), code


@pytest.mark.parametrize("region", REGIONS)
def test_every_product_stands_in_a_category_brand_unit_and_tax_class_that_exist(region: str) -> None:
    book, classes = catalog(region), tax_rates(region)
    categories = [category["code"] for category in book["categories"]]
    assert not twice(categories)
    assert not twice(book["brands"])
    assert {category["parent"] for category in book["categories"]} <= {*categories, None}
    for product in book["products"]:
        assert product["category"] in categories, product["sku"]
        assert product["brand"] in {*book["brands"], None}, product["sku"]
        assert product["unit"] in UNITS, product["sku"]
        assert product["tax_class"] in classes, product["sku"]


@pytest.mark.parametrize("region", REGIONS)
def test_cost_is_below_wholesale_and_wholesale_is_at_most_the_price(region: str) -> None:
    for product in products(region):
        cost, wholesale = Decimal(product["cost_price"]), Decimal(product["wholesale_price"])
        assert 0 < cost < wholesale <= Decimal(product["price"]), product["sku"]


@pytest.mark.parametrize("region", REGIONS)
def test_no_product_or_pack_is_sold_below_cost_once_tax_is_taken_off(region: str) -> None:
    rates = tax_rates(region)
    for product in products(region):
        floor = Decimal(product["cost_price"]) * (1 + rates[product["tax_class"]] / 100)
        assert Decimal(product["wholesale_price"]) > floor, product["sku"]
        for pack in product["packs"]:
            assert Decimal(pack["price"]) > floor * Decimal(pack["factor"]), product["sku"]


@pytest.mark.parametrize("region", REGIONS)
def test_amounts_have_at_most_two_decimals_and_costs_three(region: str) -> None:
    for product in products(region):
        amounts = [
            product["price"],
            product["wholesale_price"],
            *(pack["price"] for pack in product["packs"]),
        ]
        assert all(Decimal(amount).as_tuple().exponent == -2 for amount in amounts), product["sku"]
        assert Decimal(product["cost_price"]).as_tuple().exponent in {-2, -3}, product["sku"]


@pytest.mark.parametrize("region", REGIONS)
def test_a_pack_is_cheaper_than_its_pieces(region: str) -> None:
    packed = [product for product in products(region) if product["packs"]]
    assert len(packed) >= 15
    for product in packed:
        for pack in product["packs"]:
            factor = Decimal(pack["factor"])
            assert factor > 1
            assert Decimal(pack["price"]) < factor * Decimal(product["price"]), product["sku"]


def test_indian_goods_carry_an_hsn_code_and_never_cost_more_than_their_mrp() -> None:
    goods = products("IN")
    assert sum(product["mrp"] is not None for product in goods) > len(goods) * 0.8
    for product in goods:
        assert product["hsn_code"].isdigit()
        assert len(product["hsn_code"]) in {6, 8}
        if product["mrp"] is not None:
            assert Decimal(product["mrp"]) >= Decimal(product["price"]), product["sku"]


def test_kenyan_goods_have_neither_hsn_code_nor_mrp() -> None:
    assert all(product["hsn_code"] is None and product["mrp"] is None for product in products("KE"))


@pytest.mark.parametrize("region", REGIONS)
def test_services_keep_no_stock_and_pieces_are_counted_whole(region: str) -> None:
    services = [product for product in products(region) if not product["track_stock"]]
    assert 3 <= len(services) <= 4
    assert all(Decimal(service["opening_stock"]) == 0 and not service["barcodes"] for service in services)
    for product in products(region):
        assert 1 <= product["weight"] <= 100, product["sku"]
        opening = Decimal(product["opening_stock"])
        assert product["unit"] not in PIECES or opening == opening.to_integral_value(), product["sku"]


@pytest.mark.parametrize("region", REGIONS)
def test_a_few_products_are_low_so_that_a_demo_has_something_to_reorder(region: str) -> None:
    low = [
        product
        for product in products(region)
        if product["track_stock"] and Decimal(product["opening_stock"]) <= Decimal(product["min_stock"])
    ]
    assert 1 <= len(low) <= 5


@pytest.mark.parametrize("region", REGIONS)
def test_customers_have_mobile_numbers_of_their_own_and_addresses_that_lead_nowhere(region: str) -> None:
    people = customers(region)
    assert len(people) == 30
    assert not twice([person["phone"] for person in people])
    for person in people:
        number = phonenumbers.parse(person["phone"])
        assert phonenumbers.is_valid_number_for_region(number, region), person["phone"]
        assert phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE, person["phone"]
        assert person["kind"] in {"person", "company"}
        assert person["group"] in {"retail", "wholesale", "staff", None}
        assert person["email"] is None or person["email"].endswith(".example")


@pytest.mark.parametrize("region", REGIONS)
def test_companies_and_businesses_have_valid_tax_numbers(region: str) -> None:
    is_valid = pin.is_valid if region == "KE" else gstin.is_valid
    companies = [person for person in customers(region) if person["kind"] == "company"]
    assert len(companies) >= 3
    assert all(company["tax_number"] for company in companies)
    owners = [business for business in read("kernel/data/demo.json")["businesses"] if business["region"] == region]
    numbers = [holder["tax_number"] for holder in [*customers(region), *owners] if holder["tax_number"]]
    assert not twice(numbers)
    assert all(is_valid(number) for number in numbers)


def test_each_business_has_its_shops_and_its_people() -> None:
    demo = read("kernel/data/demo.json")
    mails = [demo["operator"]["email"]]
    for business in demo["businesses"]:
        kinds = Counter(location["kind"] for location in business["locations"])
        roles = Counter(member["role"] for member in business["staff"])
        assert kinds == {"storefront": 2, "warehouse": 1}
        assert not twice([location["code"] for location in business["locations"]])
        assert "04:00" in {location["day_cutoff"] for location in business["locations"]}
        assert set(roles) == ROLES
        assert roles["cashier"] == 3
        assert all(ZoneInfo(location["zone"]) for location in business["locations"])
        mails += [member["email"] for member in business["staff"]]
    assert not twice(mails)
    assert all(mail.endswith(".example") for mail in mails)


def test_the_demo_has_the_businesses_that_the_docs_name() -> None:
    kenya, india = read("kernel/data/demo.json")["businesses"]
    assert (kenya["slug"], kenya["currency"], kenya["state_code"]) == ("mama-njeri", "KES", None)
    assert (india["slug"], india["currency"]) == ("sharma-kirana", "INR")
    assert india["tax_number"][:2] == india["state_code"]
    assert kenya["staff"][0] == {"name": "Njeri Kariuki", "email": "owner@mamanjeri.example", "role": "owner"}
    assert "Wanjiku" in {member["name"] for member in kenya["staff"] if member["role"] == "cashier"}


async def test_the_kenyan_shop_takes_payments_from_the_simulator_of_m_pesa(box: Box) -> None:
    async def places(work: Work) -> dict[str, tuple[Any, str]]:
        return {one.code: (one.id, one.kind) for one in (await work.session.scalars(sa.select(Location))).all()}

    people = {"owner": [box.people["mama-njeri", "owner"]]}
    demo = Demo(box.deployment, box.shop, people, await box.look(places), days=1)
    await box.deployment.registry.hooks_for(["payments", "gateways_mpesa"]).tell(seed_demo, demo=demo)
    owner = box.client("owner")
    [account] = (await owner.get("/api/v1/payments/accounts")).json()["items"]
    assert (account["gateway"], account["mode"], account["is_on"]) == ("mpesa", "test", True)
    switches = (await box.client("operator").get("/api/v1/operating/payments/regions")).json()["items"]
    assert [(one["region"], one["mode"]) for one in switches if one["is_on"]] == [("KE", "test")]
    usable = (await owner.get("/api/v1/payments/methods")).json()
    assert "mpesa" in {one["code"] for one in usable["items"]}
