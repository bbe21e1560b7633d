"""Tax classes through the API: the region's pack, rates added and never rewritten, the default."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.testing.box import Box
from plugins.taxes.testing import tax_class

CLASSES = "/api/v1/taxes/classes"
STANDARD = {"name": "Standard", "rates": [{"region": "KE", "rate": "16", "valid_from": "2021-01-01"}]}


async def classes_of(box: Box, shop: str = "mama-njeri") -> dict[str, Any]:
    answer = await box.client("owner", shop).get(CLASSES, params={"limit": 200})
    assert answer.status_code == 200, answer.text
    return {one["code"]: one for one in answer.json()["items"]}


async def a_class(box: Box, body: dict[str, Any], shop: str = "mama-njeri") -> dict[str, Any]:
    answer = await box.client("owner", shop).post(CLASSES, body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_business_starts_with_the_classes_of_its_region(box: Box) -> None:
    kenya = await classes_of(box)
    assert sorted(kenya) == ["exempt", "non-vat", "petroleum", "standard", "zero"]
    assert [code for code, one in kenya.items() if one["is_default"]] == ["standard"]
    assert [(one["rate"], one["valid_to"]) for one in kenya["standard"]["rates"]][-2:] == [
        ("14", "2020-12-31"),
        ("16", None),
    ]
    assert kenya["standard"]["rates"][-1]["codes"] == {"etims": "B"}
    india = await classes_of(box, "sharma-kirana")
    assert [code for code, one in india.items() if one["is_default"]] == ["gst-18"]
    halves = [(part["code"], part["rate"], part["twin"]) for part in india["gst-18"]["rates"][-1]["components"]]
    assert halves == [("CGST", "9", "SGST"), ("SGST", "9", "CGST")]


async def test_a_class_is_added_with_its_rates(box: Box) -> None:
    answer = await box.client("accountant").post(CLASSES, STANDARD)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert answer.headers["location"] == f"{CLASSES}/{made['id']}"
    assert answer.headers["etag"] == '"1"'
    assert (made["code"], made["category"], made["is_default"]) == ("standard-2", "standard", False)
    (rate,) = made["rates"]
    assert (rate["rate"], rate["valid_from"], rate["valid_to"]) == ("16", "2021-01-01", None)
    assert [part["code"] for part in rate["components"]] == ["VAT"]
    read = await box.client("cashier").get(answer.headers["location"])
    assert read.json() == made
    assert read.headers["etag"] == '"1"'


async def test_a_plain_indian_rate_is_two_equal_halves(box: Box) -> None:
    body = {"name": "Eighteen", "rates": [{"region": "IN", "rate": "18", "valid_from": "2025-09-22"}]}
    made = await a_class(box, body, "sharma-kirana")
    (rate,) = made["rates"]
    assert rate["rate"] == "18"
    assert [(part["code"], part["rate"], part["twin"]) for part in rate["components"]] == [
        ("CGST", "9", "SGST"),
        ("SGST", "9", "CGST"),
    ]


async def test_components_say_what_a_plain_rate_cannot(box: Box) -> None:
    parts = [{"code": "VAT", "rate": "16"}, {"code": "BAG", "kind": "per_unit", "amount": "0.5"}]
    made = await a_class(
        box, {"name": "Bags", "rates": [{"region": "KE", "components": parts, "valid_from": "2024-01-01"}]}
    )
    assert made["rates"][0]["rate"] == "16"
    assert made["rates"][0]["components"][1] == {
        "code": "BAG", "kind": "per_unit", "rate": "0", "amount": "0.50", "twin": None,
        "included": None, "affects_base": False,
    }  # fmt: skip


async def test_several_rates_follow_each_other_whatever_their_order(box: Box) -> None:
    rates = [
        {"region": "KE", "rate": "16", "valid_from": "2021-01-01"},
        {"region": "KE", "rate": "14", "valid_from": "2020-04-01"},
        {"region": "UG", "rate": "18", "valid_from": "2020-01-01"},
    ]
    made = await a_class(box, {"name": "Dated", "rates": rates})
    assert [(one["region"], one["rate"], one["valid_from"], one["valid_to"]) for one in made["rates"]] == [
        ("KE", "14", "2020-04-01", "2020-12-31"),
        ("KE", "16", "2021-01-01", None),
        ("UG", "18", "2020-01-01", None),
    ]


async def test_a_new_rate_ends_the_one_before_and_changes_nothing_else(box: Box) -> None:
    standard = await tax_class(box, "standard")
    before = (await classes_of(box))["standard"]["rates"]
    patch = {"name": "Standard rate", "rates": [{"region": "KE", "rate": "18", "valid_from": "2027-01-01"}]}
    answer = await box.client("manager").patch(f"{CLASSES}/{standard}", patch, version=1)
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == '"2"'
    after = answer.json()["rates"]
    assert after[: len(before) - 1] == before[:-1]
    assert after[-2] == before[-1] | {"valid_to": "2026-12-31"}
    assert (after[-1]["rate"], after[-1]["valid_from"], after[-1]["valid_to"]) == ("18", "2027-01-01", None)


@pytest.mark.parametrize("day", ["2021-01-01", "2019-06-01", "2020-12-31"])
async def test_rates_that_have_begun_are_never_rewritten(box: Box, day: str) -> None:
    standard = await tax_class(box, "standard")
    before = (await classes_of(box))["standard"]
    patch = {"rates": [{"region": "KE", "rate": "1", "valid_from": day}]}
    answer = await box.client("owner").patch(f"{CLASSES}/{standard}", patch, version=1)
    assert answer.status_code == 409, answer.text
    assert answer.json()["code"] == "tax-history"
    assert answer.json()["errors"][0]["pointer"] == "/rates/0/valid_from"
    assert (await classes_of(box))["standard"] == before


async def test_a_rate_that_is_yet_to_begin_may_still_be_corrected(box: Box) -> None:
    standard = await tax_class(box, "standard")
    owner = box.client("owner")
    for version, rate in ((1, "61"), (2, "17")):
        patch = {"rates": [{"region": "KE", "rate": rate, "valid_from": "2027-01-01"}]}
        answer = await owner.patch(f"{CLASSES}/{standard}", patch, version=version)
        assert answer.status_code == 200, answer.text
    assert [one["rate"] for one in (await classes_of(box))["standard"]["rates"]] == ["16", "14", "16", "17"]


async def test_the_default_moves_and_can_be_taken_away(box: Box) -> None:
    owner, zero = box.client("owner"), await tax_class(box, "zero")
    moved = await owner.patch(f"{CLASSES}/{zero}", {"is_default": True}, version=1)
    assert moved.json()["is_default"] is True
    assert [code for code, one in (await classes_of(box)).items() if one["is_default"]] == ["zero"]
    made = await a_class(box, STANDARD | {"is_default": True})
    assert [code for code, one in (await classes_of(box)).items() if one["is_default"]] == [made["code"]]
    stale = await owner.patch(f"{CLASSES}/{zero}", {"is_default": True}, version=2)
    assert stale.status_code == 412
    gone = await owner.patch(f"{CLASSES}/{made['id']}", {"is_default": False}, version=1)
    assert gone.status_code == 200
    assert not any(one["is_default"] for one in (await classes_of(box)).values())


async def test_a_code_is_unique_in_the_business_only(box: Box) -> None:
    taken = await box.client("owner").post(CLASSES, STANDARD | {"code": "zero"})
    assert taken.status_code == 409
    assert taken.json()["errors"][0] | {"detail": ""} == {"pointer": "/code", "code": "already-exists", "detail": ""}
    made = await a_class(box, STANDARD | {"code": "zero"}, "sharma-kirana")
    assert made["code"] == "zero"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": "No rate"}, "/rates"),
        ({"name": "Two", "rates": [{"region": "KE", "valid_from": "2021-01-01"}]}, "/rates/0"),
        ({"name": "Two", "rates": [{"region": "KE", "rate": "1", "components": [], "valid_from": "2021-01-01"}]},
         "/rates/0"),
        ({"name": "Taxed", "category": "exempt", "rates": [{"region": "KE", "rate": "16", "valid_from": "2021-01-01"}]},
         "/rates/0"),
        ({"name": "Odd", "rates": [{"region": "IN", "rate": "0.000001", "valid_from": "2021-01-01"}]}, "/rates/0"),
        ({"name": "Half", "rates": [{"region": "IN", "valid_from": "2021-01-01",
          "components": [{"code": "CGST", "rate": "9", "twin": "SGST"}]}]}, "/rates/0"),
        ({"name": "Both", "rates": [{"region": "KE", "valid_from": "2021-01-01",
          "components": [{"code": "VAT", "rate": "9", "amount": "1"}]}]}, "/rates/0"),
        ({"name": "Bad", "rates": [{"region": "KE", "rate": "-1", "valid_from": "2021-01-01"}]}, "/rates/0/rate"),
        ({"name": "Bad", "rates": [{"region": "KE", "rate": "1", "valid_from": "2021-02-30"}]}, "/rates/0/valid_from"),
        ({"name": "Bad", "rates": [], "category": "luxury"}, "/category"),
        ({"name": "Bad", "colour": "red"}, "/colour"),
    ],
)  # fmt: skip
async def test_a_class_that_makes_no_sense_is_refused(box: Box, body: dict[str, Any], pointer: str) -> None:
    answer = await box.client("owner").post(CLASSES, body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_untaxed_classes_need_no_rate(box: Box) -> None:
    since = {"region": "KE", "rate": "0", "valid_from": "2021-01-01"}
    exempt = await a_class(box, {"name": "Books", "category": "exempt", "rates": [since]})
    assert exempt["rates"][0]["components"] == []
    zero = await a_class(box, {"name": "Exports", "category": "zero", "rates": [since]})
    assert [part["code"] for part in zero["rates"][0]["components"]] == ["VAT"]
    assert (await a_class(box, {"name": "Gifts", "category": "out_of_scope"}))["rates"] == []


async def test_changing_needs_the_version_that_was_read(box: Box) -> None:
    owner, zero = box.client("owner"), await tax_class(box, "zero")
    assert (await owner.patch(f"{CLASSES}/{zero}", {"name": "Nil"})).status_code == 428
    assert (await owner.patch(f"{CLASSES}/{zero}", {"name": "Nil"}, version=7)).status_code == 412
    assert (await owner.patch(f"{CLASSES}/{zero}", {"name": "Nil"}, version=1)).json()["name"] == "Nil"


async def test_who_may_not_edit_taxes_may_still_see_them(box: Box) -> None:
    zero = await tax_class(box, "zero")
    for role in ("cashier", "stock_keeper"):
        client = box.client(role)
        assert (await client.get(f"{CLASSES}/{zero}")).status_code == 200
        assert (await client.post(CLASSES, STANDARD)).status_code == 403
        assert (await client.patch(f"{CLASSES}/{zero}", {"name": "Mine"}, version=1)).status_code == 403
    assert (await box.client(None).get(CLASSES)).status_code == 401


async def test_another_businesss_class_is_not_there(box: Box) -> None:
    foreign = await tax_class(box, "gst-5", shop="sharma-kirana")
    owner = box.client("owner")
    assert (await owner.get(f"{CLASSES}/{foreign}")).status_code == 404
    assert (await owner.patch(f"{CLASSES}/{foreign}", {"name": "Mine"}, version=1)).status_code == 404
    assert (await owner.send("DELETE", f"{CLASSES}/{foreign}")).status_code == 405


async def test_the_list_is_paged_and_filtered(box: Box) -> None:
    owner = box.client("owner")
    codes, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await owner.get(CLASSES, params=params)).json()
        codes += [one["code"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert codes == ["exempt", "non-vat", "petroleum", "standard", "zero"]
    taxed = await owner.get(CLASSES, params={"category": "reduced", "include_total": "true"})
    assert [one["code"] for one in taxed.json()["items"]] == ["petroleum"]
    assert taxed.json()["total"] == 1
