"""Sales in their tax circumstances, by HTTP: registration, certificates, place of supply; kept apart, kept for good."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from kernel.money import parse_amount
from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.taxes.testing import tax_class

CUSTOMERS, SALES = "/api/v1/customers/customers", "/api/v1/sales/sales"
TAXES = "/api/v1/settings/taxes"


async def a_buyer(box: Box, body: dict[str, Any], shop: str = "mama-njeri", role: str = "manager") -> str:
    answer = await box.client(role, shop).post(CUSTOMERS, {"name": "Grace Wambui"} | body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def sold(box: Box, goods: list[Any], paid: str, shop: str = "mama-njeri", **more: Any) -> dict[str, Any]:
    """A sale of one of each, as it is answered; the same when it is read again."""
    body = {
        "location_id": str(await box.location(shop=shop)),
        "lines": [{"product_id": str(one)} for one in goods],
        "payments": [{"method": "cash", "amount": paid}],
    }
    cashier = box.client("cashier", shop)
    quoted = await cashier.post("/api/v1/sales/quote", {k: v for k, v in (body | more).items() if k != "payments"})
    assert quoted.status_code == 200, quoted.text
    answer = await cashier.post(SALES, body | more)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    again = (await cashier.get(f"{SALES}/{made['id']}")).json()
    for name in ("lines", "tax_terms", "tax_totals", "total", "tax_total"):
        assert again[name] == made[name], name
        assert quoted.json()[name] == made[name] or name == "lines", name
    return made


def version_of(answer: httpx.Response) -> int:
    return int(answer.headers["etag"].strip('"').partition(".")[0])


def categories(sale: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    return {one["category"]: (one["net"], one["tax"], one["total"]) for one in sale["tax_totals"]["categories"]}


def taxes(sale: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [(one["code"], one["rate"], one["taxable"], one["amount"]) for one in sale["tax_totals"]["taxes"]]


async def test_exempt_and_zero_rated_stay_apart_and_letters_stand_with_the_line(box: Box) -> None:
    kinds = [await tax_class(box, code) for code in ("standard", "zero", "exempt", "non-vat")]
    goods = [
        await a_product(box, f"GOODS-{n}", "116.00", tax_class_id=str(one), track_stock=False)
        for n, one in enumerate(kinds)
    ]
    sale = await sold(box, goods, "464.00")
    assert categories(sale) == {
        "standard": ("100.00", "16.00", "116.00"),
        "zero": ("116.00", "0.00", "116.00"),
        "exempt": ("116.00", "0.00", "116.00"),
        "out_of_scope": ("116.00", "0.00", "116.00"),
    }
    assert taxes(sale) == [("VAT", "0", "116.00", "0.00"), ("VAT", "16", "100.00", "16.00")]
    assert [line["tax_codes"]["etims"] for line in sale["lines"]] == ["B", "C", "A", "D"]
    assert (sale["tax_terms"]["scheme"], sale["tax_terms"]["document"]) == ("registered", "tax_invoice")


async def test_before_the_day_of_registration_nothing_is_taxed_and_sales_of_before_stay_untaxed(box: Box) -> None:
    rice = await a_product(box, price="116.00", track_stock=False)
    owner = box.client("owner")
    version = version_of(await owner.get(TAXES))
    says = {"values": {"registrations": [{"since": "2026-11-22", "scheme": "registered"}]}}
    answer = await owner.patch(TAXES, says, version=version)
    assert answer.status_code == 200, answer.text
    before = await sold(box, [rice], "116.00")
    assert (before["tax_total"], before["tax_terms"]["document"]) == ("0.00", "receipt")
    assert categories(before) == {"out_of_scope": ("116.00", "0.00", "116.00")}
    box.clock.now = box.clock.now.replace(day=22)
    after = await sold(box, [rice], "116.00")
    assert (after["tax_total"], after["total"], after["tax_terms"]["document"]) == ("16.00", "116.00", "tax_invoice")
    kept = (await box.client("cashier").get(f"{SALES}/{before['id']}")).json()
    assert (kept["tax_total"], kept["tax_terms"]["scheme"]) == ("0.00", "unregistered")
    wrong = {"values": {"registrations": [{"since": "2026-11-22", "scheme": "registered"}] * 2}}
    refused = await owner.patch(TAXES, wrong, version=version_of(answer))
    assert (refused.status_code, refused.json()["code"]) == (422, "validation")


async def test_a_certificate_relieves_a_customer_while_it_is_valid_and_is_set_by_those_who_may(box: Box) -> None:
    rice = await a_product(box, price="116.00", track_stock=False)
    own = {"certificates": [{"number": "KRA/EX/118", "valid_until": "2026-11-21"}]}
    refused = await box.client("cashier").post(CUSTOMERS, {"name": "Grace", "ext": {"taxes": own}})
    assert refused.status_code == 403
    buyer = await a_buyer(box, {"ext": {"taxes": own}})
    assert "KRA/EX/118" not in (await box.client("cashier").get(f"{CUSTOMERS}/{buyer}")).text
    sale = await sold(box, [rice], "116.00", customer_id=buyer)
    assert categories(sale) == {"exempt": ("116.00", "0.00", "116.00")}
    assert sale["tax_terms"]["certificate"]["number"] == "KRA/EX/118"
    assert sale["lines"][0]["tax_codes"] == {"etims": "A"}
    box.clock.now = box.clock.now.replace(day=22)
    later = await sold(box, [rice], "116.00", customer_id=buyer)
    assert (later["tax_total"], later["tax_terms"]["certificate"]) == ("16.00", None)


@pytest.mark.parametrize(
    ("buyer", "place", "expected"),
    [
        ({}, "08", [("CGST", "9", "1101.70", "99.15"), ("SGST", "9", "1101.70", "99.15")]),
        ({"tax_number": "27AAPFU0939F1ZV"}, "27", [("IGST", "18", "1101.69", "198.31")]),
        ({"subdivision": "27"}, "27", [("IGST", "18", "1101.69", "198.31")]),
        ({"ext": {"taxes": {"sez": True}}}, "08", [("IGST", "18", "1101.69", "198.31")]),
    ],
)
async def test_india_taxes_by_the_place_of_supply(
    box: Box, buyer: dict[str, Any], place: str, expected: list[tuple[str, str, str, str]]
) -> None:
    shop = "sharma-kirana"
    soap = await a_product(box, price="1300.00", track_stock=False, shop=shop)
    sale = await sold(box, [soap], "1300.00", shop, customer_id=await a_buyer(box, buyer, shop))
    assert (taxes(sale), sale["tax_terms"]["place_of_supply"]) == (expected, place)
    assert sale["tax_terms"]["inter_state"] == (expected[0][0] == "IGST")


async def test_a_composition_dealer_issues_a_bill_of_supply_without_tax(box: Box) -> None:
    shop = "sharma-kirana"
    owner = box.client("owner", shop)
    says = {"values": {"registrations": [{"since": "2025-04-01", "scheme": "composition"}]}}
    version = version_of(await owner.get(TAXES))
    assert (await owner.patch(TAXES, says, version=version)).status_code == 200
    soap = await a_product(box, price="1300.00", track_stock=False, shop=shop)
    sale = await sold(box, [soap], "1300.00", shop)
    assert (sale["tax_total"], sale["tax_terms"]["document"]) == ("0.00", "bill_of_supply")
    assert categories(sale) == {"standard": ("1300.00", "0.00", "1300.00")}


async def a_taxed_product(box: Box, n: int, components: list[dict[str, Any]]) -> str:
    """A product of a class of its own, at an odd price."""
    rate = {"region": "KE", "valid_from": "2021-01-01", "components": components}
    answer = await box.client("owner").post("/api/v1/taxes/classes", {"name": f"Mixed {n}", "rates": [rate]})
    assert answer.status_code == 201, answer.text
    price = f"{7 * n + 3}.{(37 * n) % 100:02d}"
    return str(await a_product(box, f"MIXED-{n}", price, tax_class_id=answer.json()["id"], track_stock=False))


async def test_both_databases_sum_what_python_computed_and_a_void_takes_its_tax_back(box: Box) -> None:
    exempt = str(await tax_class(box, "exempt"))
    goods = [
        await a_taxed_product(box, 1, [{"code": "VAT", "rate": "16"}]),
        await a_taxed_product(
            box, 2, [{"code": "EXCISE", "rate": "12.5", "affects_base": True}, {"code": "VAT", "rate": "16"}]
        ),
        await a_taxed_product(
            box,
            3,
            [{"code": "BAG", "kind": "per_unit", "amount": "0.35", "affects_base": True}, {"code": "VAT", "rate": "8"}],
        ),
        str(await a_product(box, "EXEMPT", "9.99", tax_class_id=exempt, track_stock=False)),
    ]
    location, cashier = str(await box.location()), box.client("cashier")
    sums: dict[tuple[str, str], list[int]] = {}
    net = 0
    for n in range(1, 5):
        lines = [{"product_id": one, "quantity": f"{n + place}"} for place, one in enumerate(goods)]
        body = {"location_id": location, "lines": lines, "payments": [{"method": "cash", "amount": "9999.00"}]}
        answer = await cashier.post(SALES, body)
        assert answer.status_code == 201, answer.text
        sale = answer.json()
        if n == 4:
            assert (await box.client("manager").post(f"{SALES}/{sale['id']}/void", {"reason": "no"})).status_code == 200
            continue
        for line in sale["lines"]:
            net += cents(line["net"])
            assert cents(line["net"]) + cents(line["tax"]) == cents(line["total"])
            for part in line["taxes"]:
                into = sums.setdefault((part["code"], part["rate"]), [0, 0])
                into[0] += cents(part["taxable"])
                into[1] += cents(part["amount"])
    period = {"from_date": "2026-11-21", "to_date": "2026-11-21"}
    answer = await box.client("accountant").get("/api/v1/sales/tax-totals", params=period)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert {(one["code"], one["rate"]): [cents(one["taxable"]), cents(one["amount"])] for one in found["taxes"]} == sums
    assert [one["category"] for one in found["categories"]] == ["exempt", "standard"]
    assert sum(cents(one["net"]) for one in found["categories"]) == net
    assert sum(cents(one["tax"]) for one in found["categories"]) == sum(amount for _, amount in sums.values())
    for wrong in ({"to_date": "2026-11-20"}, {"to_date": "2027-11-21"}):
        assert (
            await box.client("accountant").get("/api/v1/sales/tax-totals", params=period | wrong)
        ).status_code == 422


def cents(amount: str) -> int:
    return parse_amount(amount, 2)


async def test_a_sale_keeps_how_it_named_its_seller(box: Box) -> None:
    good = await a_product(box, "GOODS", "116.00", track_stock=False)
    owner = box.client("owner")
    numbers = ("P051365947M", "A004416331M")
    made = []
    for number in numbers:
        version = version_of(await owner.get(TAXES))
        values = {"tax_number": number, "legal_name": "Njeri Retail Ltd", "address": "Moi Avenue 12"}
        assert (await owner.patch(TAXES, {"values": values}, version=version)).status_code == 200
        made.append((await sold(box, [good], "116.00"))["id"])
    cashier = box.client("cashier")
    kept = [(await cashier.get(f"{SALES}/{one}")).json()["tax_terms"]["seller"] for one in made]
    named = {"number_name": "KRA PIN", "legal_name": "Njeri Retail Ltd", "address": "Moi Avenue 12"}
    assert kept == [{"tax_number": number, **named} for number in numbers]


async def test_a_location_names_its_own_seller_on_what_it_sells(box: Box) -> None:
    good = await a_product(box, "GOODS", "116.00", track_stock=False)
    owner, there = box.client("owner"), f"/api/v1/locations/{await box.location()}/settings/taxes"
    assert (await owner.patch(there, {"values": {"tax_number": "A004416331M"}}, version=0)).status_code == 200
    assert (await sold(box, [good], "116.00"))["tax_terms"]["seller"]["tax_number"] == "A004416331M"
