"""How documents name their seller."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from kernel.testing.box import Box
from plugins.taxes.rules.naming import seller_of
from plugins.taxes.schemas.circumstances import Scheme, Seller, Settings
from plugins.taxes.schemas.packs import SellerRules

SETTINGS, SELLER = "/api/v1/settings/taxes", "/api/v1/taxes/seller"
KENYAN, INDIAN = "P051365947M", "27AAPFU0939F1ZV"


async def change(box: Box, values: dict[str, Any], path: str = SETTINGS, shop: str = "mama-njeri") -> httpx.Response:
    """Change settings at the version that stands."""
    owner = box.client("owner", shop)
    version = int((await owner.get(path)).headers["etag"].strip('"').partition(".")[0])
    return await owner.patch(path, {"values": values}, version=version)


async def seller(box: Box, shop: str = "mama-njeri", **query: str) -> dict[str, Any]:
    """The seller as a cashier is told."""
    answer = await box.client("cashier", shop).get(SELLER, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_business_names_itself_and_a_location_may_differ(box: Box) -> None:
    place = str(await box.location())
    before = await seller(box)
    assert (before["legal_name"], before["number_name"], before["is_wanted"]) == (None, "KRA PIN", True)
    whole = {"tax_number": "p051365947m", "legal_name": "Njeri Retail Ltd", "address": "Moi Avenue 12, Nairobi"}
    assert (await change(box, whole)).status_code == 200
    assert (await seller(box))["tax_number"] == KENYAN, "in its plain form"
    there = f"/api/v1/locations/{place}/settings/taxes"
    assert (await change(box, {"tax_number": "A004416331M"}, there)).status_code == 200
    found = await seller(box, location_id=place)
    assert (found["tax_number"], found["legal_name"]) == ("A004416331M", "Njeri Retail Ltd")
    assert (await seller(box))["tax_number"] == KENYAN


@pytest.mark.parametrize(
    ("shop", "wrong", "words"),
    [
        ("mama-njeri", "P05136594M", "This is not a valid KRA PIN; one looks like P051365947M"),
        ("mama-njeri", INDIAN, "This is not a valid KRA PIN; one looks like P051365947M"),
        ("sharma-kirana", "27AAPFU0939F1ZO", "This is not a valid GSTIN; one looks like 27AAPFU0939F1ZV"),
    ],
)
async def test_a_number_that_cannot_be_there_is_refused_in_words_and_nothing_changes(
    box: Box, shop: str, wrong: str, words: str
) -> None:
    refused = await change(box, {"legal_name": "Else Ltd", "tax_number": wrong}, shop=shop)
    fault = refused.json()["errors"][0]
    assert (refused.status_code, fault["pointer"], fault["detail"]) == (422, "/values/tax_number", words)
    assert (await seller(box, shop))["legal_name"] is None
    place = str(await box.location(shop=shop))
    there = await change(box, {"tax_number": wrong}, f"/api/v1/locations/{place}/settings/taxes", shop)
    assert (there.status_code, there.json()["errors"][0]["pointer"]) == (422, "/values/tax_number")


async def test_what_the_business_was_made_with_counts_until_something_is_set(box: Box) -> None:
    owner = box.client("owner")
    path = f"/api/v1/businesses/{box.shop.id}"
    etag = (await owner.get(path)).headers["etag"]
    noted = await owner.send("PATCH", path, json={"tax_number": "VAT 12"}, headers={"If-Match": etag})
    assert noted.status_code == 200, noted.text
    assert (await seller(box))["tax_number"] == "VAT 12", "as it was noted before numbers were checked"
    assert (await change(box, {"tax_number": KENYAN})).status_code == 200
    assert (await seller(box))["tax_number"] == KENYAN


async def test_nobody_learns_how_another_business_is_named(box: Box) -> None:
    theirs = str(await box.location(shop="sharma-kirana"))
    assert (await box.client("cashier").get(SELLER, params={"location_id": theirs})).status_code == 404


@pytest.mark.parametrize(
    ("scheme", "only_registered", "number"),
    [
        ("registered", True, INDIAN),
        ("composition", True, INDIAN),
        ("unregistered", True, None),
        ("unregistered", False, INDIAN),
    ],
)
def test_a_number_of_the_registered_is_not_shown_by_others(
    scheme: Scheme, only_registered: bool, number: str | None
) -> None:
    rules = SellerRules(is_named=True, only_registered=only_registered)
    said = Settings(tax_number=INDIAN)
    assert seller_of(said, None, "IN", scheme, rules) == Seller(number, "GSTIN")
