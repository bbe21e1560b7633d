"""Promotions tried on past sales, offers that a quote says are missed, and quotes that say what the sale will."""

from __future__ import annotations

from kernel.testing.box import Box
from plugins.catalog.testing import a_category
from plugins.discounts.schemas.promotions import PromotionIn
from plugins.discounts.services.promotions import add_promotion
from plugins.discounts.testing import a_promotion
from plugins.discounts.tests.test_prices import goods, quoted, sold


async def test_a_draft_is_tried_on_the_newest_sales_and_changes_nothing(box: Box) -> None:
    rice = await goods(box, cost_price="300.00")
    salt = await goods(box, "SALT", "50.00")
    for lines in ([(rice, "2")], [(rice, "1"), (salt, "1")], [(salt, "1")]):
        await sold(box, *({"product_id": id_, "quantity": count} for id_, count in lines))
    draft = PromotionIn(name="Ten off rice", kind="percent", value="10", product_id=rice)  # type: ignore[arg-type]
    made = await box.act(lambda work: add_promotion(work, draft))
    path, body = "/api/v1/discounts/simulate", {"promotion_ids": [str(made.id)]}
    answer = await box.client("owner").post(path, body)
    assert answer.status_code == 200, answer.text
    seen = answer.json()
    assert (seen["examined"], seen["of"], seen["unmeasured"]) == (3, 3, 2)
    assert (seen["revenue_before"], seen["revenue_after"], seen["given"]) == ("1240.00", "1126.00", "114.00")
    assert (seen["margin_before"], seen["margin_after"]) == ("55.17", "-10.34")
    assert [(one["before"], one["after"], one["promotions"]) for one in seen["changed"]] == [
        ("430.00", "392.00", ["Ten off rice"]),
        ("760.00", "684.00", ["Ten off rice"]),
    ]
    assert (await quoted(box, {"product_id": rice}))["total"] == "380.00"
    assert (await box.client("cashier").post(path, body)).status_code == 403
    unknown = await box.client("owner", "sharma-kirana").post(path, body)
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (404, "/promotion_ids/0")


async def test_a_quote_says_what_is_missing_and_shows_what_the_sale_will(box: Box) -> None:
    soaps = str(await a_category(box, "Soap"))
    lux, dove = (
        await goods(box, "LUX", "60.00", category_id=soaps),
        await goods(box, "DOVE", "50.00", category_id=soaps),
    )
    await goods(box, "TEA", "120.00")
    three = {"kind": "any_for", "count": 3, "amount": "100.00"}
    await a_promotion(box, "Three soaps", effect=three, goods={"category_ids": [soaps]})
    await a_promotion(box, "Big basket", "50.00", kind="amount_off", when={"least_amount": "500.00"})
    await a_promotion(box, "Happy hour", "5", when={"days": [5], "from_time": "16:00", "until_time": "18:00"})
    two = await quoted(box, {"product_id": lux}, {"product_id": dove})
    assert [(one["rule"], one["words"]) for one in two["missed"]] == [
        ("Three soaps", "1 more for any 3 for KSh 100.00"),
        ("Big basket", "KSh 390.00 more for KSh 50.00 off"),
        ("Happy hour", "only Friday from 16:00 to 18:00: 5 % off"),
    ]
    lines = [{"product_id": lux, "quantity": "2"}, {"product_id": dove}]
    quote, sale = await quoted(box, *lines), await sold(box, *lines)
    assert (quote["total"], quote["lines"]) == ("100.00", sale["lines"])
    trace = await box.client("owner").get(f"/api/v1/sales/sales/{sale['id']}/lines/1/trace")
    assert trace.json()["words"][1].startswith("Three soaps: ")
    assert trace.json()["words"][1].endswith("(any 3 for KSh 100.00)")
