"""Coupons filtered by how far they are used, taken away as tables, and withdrawn by their batch, on both databases."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

from openpyxl import load_workbook

from kernel.testing.box import Box
from plugins.discounts.testing import a_promotion, coupons
from plugins.discounts.tests.test_coupons import COUPONS, with_code
from plugins.discounts.tests.test_prices import goods, sold, voided

BATCHES = "/api/v1/discounts/coupon-batches"


async def codes_by_state(box: Box, **query: Any) -> dict[str, list[str]]:
    """State → codes, as the list shows and filters them; a table of the same filters holds the same."""
    owner = box.client("owner")
    found: dict[str, list[str]] = {}
    for one in (await owner.get(COUPONS, params={**query, "limit": 200})).json()["items"]:
        found.setdefault(one["state"], []).append(one["code"])
    for state, codes in found.items():
        listed = (await owner.get(COUPONS, params={**query, "limit": 200, "state": state})).json()["items"]
        assert [one["code"] for one in listed] == codes
        table = await owner.get(f"{COUPONS}/export", params={**query, "state": state})
        assert [row["code"] for row in csv.DictReader(io.StringIO(table.text))] == codes
    return found


async def test_coupons_are_found_by_how_far_they_are_used(box: Box) -> None:
    rice = await goods(box)
    promotion = await a_promotion(box, "Karibu", by_coupon=True)
    tomorrow = (box.clock.now + dt.timedelta(days=1)).isoformat()
    for code, said in (
        *(("FRESH", {"uses": 2}), ("HALF", {"uses": 2}), ("GONE", {"uses": 1}), ("BACK", {"uses": 1})),
        *(("FREE", {}), ("FREE USED", {}), ("OLD", {"expires_at": tomorrow, "uses": 1}), ("AWAY", {"uses": 1})),
    ):
        await coupons(box, promotion, code=code, **said)
    for code in ("HALF", "GONE", "FREE USED"):
        await sold(box, {"product_id": rice}, **with_code(code))
    await voided(box, await sold(box, {"product_id": rice}, **with_code("BACK")))
    owner = box.client("owner")
    away = (await owner.get(COUPONS, params={"code": "AWAY"})).json()["items"][0]
    assert (await owner.patch(f"{COUPONS}/{away['id']}", {"is_active": False}, version=1)).json()[
        "state"
    ] == "withdrawn"
    box.clock.pass_by(days=1)
    assert await codes_by_state(box) == {
        **{"unused": ["FRESH", "BACK", "FREE"], "partly_used": ["HALF", "FREE USED"], "used_up": ["GONE"]},
        **{"expired": ["OLD"], "withdrawn": ["AWAY"]},
    }
    empty = (await owner.get(COUPONS, params={"code": "GONE"})).json()["items"][0]
    more = (await owner.patch(f"{COUPONS}/{empty['id']}", {"uses": 3}, version=1)).json()
    assert (more["state"], more["remaining"]) == ("partly_used", 2)
    assert (await owner.post(f"/api/v1/discounts/promotions/{promotion}/end", None)).status_code == 200
    assert (await codes_by_state(box)).keys() == {"expired", "withdrawn"}


async def test_tables_of_coupons_run_no_formulas_and_keep_their_order(box: Box) -> None:
    promotion = await a_promotion(box, "=HYPERLINK(1)", by_coupon=True)
    made = await coupons(box, promotion, count=30, prefix="XMAS", uses=3)
    await coupons(box, await a_promotion(box, "Other", by_coupon=True), count=2)
    owner = box.client("owner")
    for kind in ("csv", "xlsx"):
        table = await owner.get(f"{COUPONS}/export", params={"format": kind, "promotion_id": str(promotion)})
        assert table.status_code == 200, table.text
        rows = (
            list(csv.reader(io.StringIO(table.text)))
            if kind == "csv"
            else [list(row) for row in load_workbook(io.BytesIO(table.content)).active.values]
        )
        assert rows[0][:5] == ["code", "promotion", "state", "uses", "remaining"]
        assert sorted(row[0] for row in rows[1:]) == made
        assert {tuple(row[1:5]) for row in rows[1:]} == {("'=HYPERLINK(1)", "unused", "3", "3")}
    assert (await box.client("cashier").get(f"{COUPONS}/export")).status_code == 403
    assert (await owner.get(f"{COUPONS}/export", params={"state": "lost"})).status_code in (400, 422)
    theirs = await box.client("owner", "sharma-kirana").get(f"{COUPONS}/export")
    assert len(theirs.text.splitlines()) == 1


async def test_what_was_made_together_is_withdrawn_and_good_again_as_one_deed(box: Box) -> None:
    promotion = await a_promotion(box, "Karibu", by_coupon=True)
    owner = box.client("owner")
    made = (await owner.post(COUPONS, {"promotion_id": str(promotion), "count": 1000})).json()
    await coupons(box, promotion, code="APART")
    batch = made["batch_id"]
    one = (await owner.get(COUPONS, params={"batch_id": batch, "limit": 1})).json()["items"][0]
    assert (await owner.patch(f"{COUPONS}/{one['id']}", {"is_active": False}, version=1)).status_code == 200
    gone = await owner.post(f"{BATCHES}/{batch}/withdraw", None)
    assert (gone.status_code, gone.json()["changed"], gone.json()["unchanged"]) == (200, 999, 1), gone.text
    listed = (await owner.get(COUPONS, params={"state": "unused"})).json()["items"]
    assert [coupon["code"] for coupon in listed] == ["APART"]
    (trail,) = await box.trail(f"coupon_batch:{batch}")
    assert (trail["deed"], trail["facts"]["changed"]) == ("discounts.withdraw_batch", 999)
    late = await owner.patch(f"{COUPONS}/{one['id']}", {"is_active": True}, version=1)
    assert late.status_code == 412, "the coupon was withdrawn meanwhile"
    back = (await owner.post(f"{BATCHES}/{batch}/restore", None)).json()
    assert (back["changed"], back["unchanged"]) == (1000, 0)
    assert (await box.client("cashier").post(f"{BATCHES}/{batch}/withdraw", None)).status_code == 403
    theirs = box.client("owner", "sharma-kirana")
    assert (await theirs.post(f"{BATCHES}/{batch}/withdraw", None)).status_code == 404
