"""What promotions do to carts, and what stays noted of it, through the API of sales and on both databases."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from kernel.testing.box import Box
from kernel.work import Work
from plugins.catalog.testing import a_category, a_price_list, a_product, prices_on
from plugins.discounts import listeners
from plugins.discounts.api import offers_of_sale
from plugins.discounts.models import Use
from plugins.discounts.rules.evaluating import Outcome, evaluate
from plugins.discounts.schemas.terms import Offer
from plugins.discounts.testing import a_promotion, coupons
from plugins.sales.api import Cart

PROMOTIONS = "/api/v1/discounts/promotions"


async def goods(box: Box, sku: str = "RICE-2KG", price: str = "380.00", **fields: Any) -> str:
    """A product that any number may be sold of."""
    return str(await a_product(box, sku, price, track_stock=False, **fields))


async def quoted(box: Box, *lines: dict[str, Any], **cart: Any) -> dict[str, Any]:
    body = {"location_id": str(await box.location()), "lines": list(lines)} | cart
    answer = await box.client("cashier").post("/api/v1/sales/quote", body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def sold(box: Box, *lines: dict[str, Any], **cart: Any) -> dict[str, Any]:
    total = (await quoted(box, *lines, **cart))["total"]
    body = {"location_id": str(await box.location()), "lines": list(lines)} | cart
    paid = [] if total == "0.00" else [{"method": "cash", "amount": total}]
    answer = await box.client("cashier").post("/api/v1/sales/sales", body | {"payments": paid})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def voided(box: Box, sale: dict[str, Any]) -> None:
    answer = await box.client("manager").post(f"/api/v1/sales/sales/{sale['id']}/void", {"reason": "wrong customer"})
    assert answer.status_code == 200, answer.text


async def given(box: Box, promotion: UUID) -> tuple[int, str]:
    shown = (await box.client("manager").get(f"{PROMOTIONS}/{promotion}")).json()
    return shown["sales"], shown["given"]


async def uses(box: Box) -> list[tuple[int, int]]:
    """(line, amount) of every use there is, smallest first."""

    async def read(work: Work) -> list[tuple[int, int]]:
        rows = await work.execute(sa.select(Use.line, Use.amount).where(Use.business_id == work.business_id))
        return sorted((row.line, row.amount) for row in rows.all())

    return await box.look(read)


async def test_a_quote_shows_what_a_promotion_does_and_writes_nothing(box: Box) -> None:
    rice = await goods(box)
    promotion = await a_promotion(box, product_id=rice)
    cart = await quoted(box, {"product_id": rice, "quantity": "2"})
    assert (cart["lines"][0]["total"], cart["discount_total"]) == ("684.00", "76.00")
    assert cart["lines"][0]["steps"][1:] == [
        {
            "phase": "promotion",
            "plugin": "discounts",
            "rule": "Rice week",
            "before": "760.00",
            "after": "684.00",
            "reason": "10 % off",
        }
    ]
    assert await given(box, promotion) == (0, "0.00")


async def test_a_quote_works_its_offers_out_once(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    worked: list[int] = []

    def counting(cart: Cart, amounts: Sequence[int], offers: Iterable[Offer]) -> Outcome:
        worked.append(len(amounts))
        return evaluate(cart, amounts, offers)

    monkeypatch.setattr(listeners, "evaluate", counting)
    rice = await goods(box)
    await a_promotion(box, "Three", effect={"kind": "any_for", "count": 3, "amount": "900.00"})
    said = await quoted(box, {"product_id": rice, "quantity": "4"}, {"product_id": rice})
    assert (said["total"], said["missed"], worked) == ("1660.00", [], [2])
    assert (await quoted(box, {"product_id": rice}))["missed"][0]["words"].startswith("2 more")
    assert worked == [2, 1]


async def test_a_promotion_lowers_prices_only_while_it_is_active_and_its_time_runs(box: Box) -> None:
    rice, sugar = await goods(box), await goods(box, "SUGAR-1KG", "160.00")
    manager = box.client("manager")
    body = {"name": "Draft", "kind": "percent", "value": "50", "product_id": rice}
    draft = (await manager.post(PROMOTIONS, body)).json()["id"]
    span = {"starts_at": "2026-11-21T10:00:00Z", "ends_at": "2026-11-21T11:00:00Z"}
    promotion = await a_promotion(box, product_id=rice, **span)
    totals = []
    for _ in range(3):
        totals.append((await quoted(box, {"product_id": rice}, {"product_id": sugar}))["total"])
        box.clock.pass_by(hours=1)
    assert totals == ["540.00", "502.00", "540.00"], "before, from its first moment, and at its end"
    await manager.post(f"{PROMOTIONS}/{draft}/activate")
    assert (await quoted(box, {"product_id": rice}))["total"] == "190.00"
    for id_ in (draft, promotion):
        assert (await manager.post(f"{PROMOTIONS}/{id_}/end")).status_code == 200
    assert (await quoted(box, {"product_id": rice}))["total"] == "380.00"


async def test_a_promotion_on_a_category_reaches_the_goods_below_it(box: Box) -> None:
    food = await a_category(box)
    grain = await a_category(box, "Grain", parent_id=food)
    rice = await goods(box, category_id=str(grain))
    soap = await goods(box, "SOAP", "100.00", category_id=str(await a_category(box, "Soap")))
    await a_promotion(box, category_id=str(food))
    cart = await quoted(box, {"product_id": rice}, {"product_id": soap})
    assert [line["total"] for line in cart["lines"]] == ["342.00", "100.00"]


async def test_a_promotion_on_a_tag_reaches_the_goods_that_bear_it(box: Box) -> None:
    oats, rice = await goods(box, "OATS", "100.00", tags=["Local"]), await goods(box, "RICE", "100.00")
    gets = {"kind": "buy_get", "buy": 1, "get": 1, "gets": {"tags": ["NO"]}}
    await a_promotion(box, "Local week", effect={"kind": "percent", "percent": "10"}, goods={"tags": ["LOCAL"]})
    await a_promotion(box, "Two", effect=gets, goods={"product_ids": [rice]})
    shown = (await box.client("manager").get(PROMOTIONS)).json()["items"]
    assert [one["goods"]["tags"] for one in shown] == [[], ["local"]]
    assert (shown[0]["effect"]["gets"]["tags"], shown[1]["target"]) == (["no"], "goods")
    lines = [{"product_id": oats}, {"product_id": rice}]
    assert [line["total"] for line in (await quoted(box, *lines))["lines"]] == ["90.00", "100.00"]


async def test_the_order_of_the_lines_changes_no_price(box: Box) -> None:
    food = await a_category(box)
    rice = await goods(box, category_id=str(food))
    sugar = await goods(box, "SUGAR-1KG", "160.00", category_id=str(food))
    soap = await goods(box, "SOAP", "99.99")
    await a_promotion(box, "Food", "7.5", category_id=str(food))
    await a_promotion(box, "Rice", "15.55", product_id=rice, kind="amount_off", priority=5)
    await a_promotion(box, "Soap", "50", product_id=soap, exclusive=True)
    lines = [{"product_id": id_, "quantity": "3"} for id_ in (rice, sugar, soap)]
    found = set()
    for order in itertools.permutations(lines):
        cart = await quoted(box, *order)
        found.add(tuple(sorted((line["sku"], line["total"]) for line in cart["lines"])))
    assert found == {(("RICE-2KG", "1011.35"), ("SOAP", "149.98"), ("SUGAR-1KG", "444.00"))}


async def test_an_amount_off_each_unit_counts_parts_of_a_unit(box: Box) -> None:
    beans = await goods(box, "BEANS-KG", "170.00", unit="kg")
    await a_promotion(box, "Beans", "15.55", product_id=beans, kind="amount_off")
    cart = await quoted(box, {"product_id": beans, "quantity": "0.75"})
    assert (cart["lines"][0]["discount"], cart["total"]) == ("11.66", "115.84")


async def test_a_promotion_takes_no_line_below_zero(box: Box) -> None:
    rice = await goods(box)
    promotion = await a_promotion(box, "Free", "500.00", product_id=rice, kind="amount_off")
    sale = await sold(box, {"product_id": rice, "quantity": "2"})
    assert sale["total"] == "0.00"
    assert await given(box, promotion) == (1, "760.00")


async def test_a_set_price_replaces_the_price_of_a_unit_but_not_of_a_pack(box: Box) -> None:
    carton = {"name": "carton", "factor": "12", "barcode": "CARTON-12"}
    rice = await goods(box, packs=[carton])
    await a_promotion(box, "Now 350", "350.00", product_id=rice, kind="set_price")
    cart = await quoted(box, {"product_id": rice, "quantity": "2"}, {"barcode": "CARTON-12"})
    assert [line["total"] for line in cart["lines"]] == ["700.00", "4560.00"]


async def test_a_set_price_holds_beside_the_price_of_a_list(box: Box) -> None:
    carton = {"name": "carton", "factor": "12", "barcode": "CARTON-12"}
    rice = await goods(box, packs=[carton])
    await prices_on(box, await a_price_list(box), UUID(rice), "360")
    await a_promotion(box, "Now 350", "350.00", product_id=rice, kind="set_price")
    cart = await quoted(box, {"product_id": rice}, {"barcode": "CARTON-12"})
    assert [line["total"] for line in cart["lines"]] == ["350.00", "4320.00"]


async def test_a_set_price_holds_for_wholesale_too_and_never_raises(box: Box) -> None:
    rice = await goods(box, wholesale_price="352.50")
    await a_promotion(box, "Now 360", "360.00", product_id=rice, kind="set_price")
    assert (await quoted(box, {"product_id": rice}))["total"] == "360.00"
    assert (await quoted(box, {"product_id": rice}, channel="wholesale"))["total"] == "352.50"


async def test_a_sale_notes_what_each_promotion_took_off_each_line_and_a_void_gives_it_back(box: Box) -> None:
    rice, sugar = await goods(box), await goods(box, "SUGAR-1KG", "160.00")
    ten = await a_promotion(box, "Ten", product_id=rice, priority=9)
    twenty = await a_promotion(box, "Twenty", "20.00", product_id=rice, kind="amount_off")
    sale = await sold(box, {"product_id": rice, "quantity": "2"}, {"product_id": sugar}, {"product_id": rice})
    assert [line["discount"] for line in sale["lines"]] == ["116.00", "0.00", "58.00"]
    assert await uses(box) == [(1, 4000), (1, 7600), (3, 2000), (3, 3800)]
    assert await given(box, ten) == (1, "114.00")
    assert await given(box, twenty) == (1, "60.00")
    other = await sold(box, {"product_id": rice})
    assert await given(box, ten) == (2, "152.00")
    await voided(box, sale)
    assert await given(box, ten) == (1, "38.00")
    await voided(box, other)
    assert await given(box, ten) == await given(box, twenty) == (0, "0.00")
    amounts = [amount for _, amount in await uses(box)]
    assert sorted(amounts) == sorted([each * sign for each in (4000, 7600, 2000, 3800, 2000, 3800) for sign in (1, -1)])


async def test_what_offers_took_off_a_sale_is_told_to_who_takes_it_back(box: Box) -> None:
    rice, tea = await goods(box), await goods(box, "TEA", "120.00")
    three = {"kind": "buy_get", "buy": 2, "get": 1}
    await a_promotion(box, "Three", effect=three, goods={"product_ids": [rice]}, priority=3, exclusive=True)
    await a_promotion(box, "Tenth", by_coupon=True)
    await a_promotion(box, "Idle", product_id=tea, when={"least_quantity": "9"})
    (made,) = [one for one in (await box.client("manager").get(PROMOTIONS)).json()["items"] if one["name"] == "Tenth"]
    await coupons(box, UUID(made["id"]), code="KARIBU")
    lines = [{"product_id": rice, "quantity": "3"}, {"product_id": tea}]
    sale = await sold(box, *lines, ext={"discounts": {"coupon_codes": ["KARIBU"]}})
    told, off = await box.look(lambda work: offers_of_sale(work, UUID(sale["id"])))
    assert [(one.name, one.priority, one.exclusive, bool(one.code)) for one in told] == [
        ("Tenth", 0, False, True),
        ("Three", 3, True, False),
    ]
    assert (off, sale["total"]) == ({1: 380_00, 2: 12_00}, "868.00")
    await voided(box, sale)
    assert await box.look(lambda work: offers_of_sale(work, UUID(sale["id"]))) == ((), {})


async def test_a_set_price_took_the_difference_to_the_list_price(box: Box) -> None:
    rice = await goods(box)
    promotion = await a_promotion(box, "Now 350", "350.00", product_id=rice, kind="set_price")
    await sold(box, {"product_id": rice, "quantity": "2"})
    assert await given(box, promotion) == (1, "60.00")


async def test_what_a_cashier_gave_by_hand_is_not_the_promotions(box: Box) -> None:
    rice = await goods(box)
    promotion = await a_promotion(box, "Twenty", "20.00", product_id=rice, kind="amount_off")
    discount = {"amount": "30.00", "reason": "bruised"}
    sale = await sold(box, {"product_id": rice, "discount": discount})
    assert sale["discount_total"] == "50.00"
    assert await given(box, promotion) == (1, "20.00")


async def test_a_void_gives_back_though_the_plugin_was_switched_off_meanwhile(box: Box) -> None:
    rice = await goods(box)
    promotion = await a_promotion(box, product_id=rice)
    sale = await sold(box, {"product_id": rice})
    owner = box.client("owner")
    assert (await owner.post("/api/v1/plugins/discounts/disable")).status_code == 200
    assert (await quoted(box, {"product_id": rice}))["total"] == "380.00"
    assert (await owner.get(PROMOTIONS)).status_code == 404
    await voided(box, sale)
    assert (await owner.post("/api/v1/plugins/discounts/enable")).status_code == 200
    assert await given(box, promotion) == (0, "0.00")


async def test_a_sale_without_promotions_leaves_no_use(box: Box) -> None:
    rice, sugar = await goods(box), await goods(box, "SUGAR-1KG", "160.00")
    await a_promotion(box, product_id=rice)
    await voided(box, await sold(box, {"product_id": sugar}))
    assert await uses(box) == []


async def test_promotions_of_another_business_change_nothing(box: Box) -> None:
    elsewhere = await a_product(box, shop="sharma-kirana")
    await a_promotion(box, product_id=str(elsewhere), shop="sharma-kirana")
    assert (await quoted(box, {"product_id": await goods(box)}))["total"] == "380.00"


async def test_a_promotion_of_no_product_comes_off_the_whole_document(box: Box) -> None:
    rice = await a_product(box, "RICE", "100.00", track_stock=False)
    salt = await a_product(box, "SALT", "50.00", track_stock=False)
    whole = await a_promotion(box, "Closing sale", "10")
    await a_promotion(box, "Rice week", "20", product_id=str(rice))
    lines = [{"product_id": str(rice)}, {"product_id": str(salt)}]
    body = {"location_id": str(await box.location()), "lines": lines}
    paid = body | {"payments": [{"method": "cash", "amount": "117.00"}]}
    sold = await box.client("cashier").post("/api/v1/sales/sales", paid)
    assert sold.status_code == 201, sold.text
    sale = sold.json()
    assert (sale["total"], sale["discount_total"]) == ("117.00", "33.00")
    assert [one["total"] for one in sale["lines"]] == ["72.00", "45.00"]
    assert [step["rule"] for step in sale["lines"][0]["steps"]] == ["retail price", "Rice week", "Closing sale"]
    shown = await box.client("owner").get(f"/api/v1/discounts/promotions/{whole}")
    assert (shown.json()["target"], shown.json()["given"], shown.json()["sales"]) == ("document", "13.00", 1)
    hand = body | {"discount": {"amount": "2.00"}, "payments": [{"method": "cash", "amount": "115.20"}]}
    assert (await box.client("cashier").post("/api/v1/sales/sales", hand)).json()["total"] == "115.20"
    shown = await box.client("owner").get(f"/api/v1/discounts/promotions/{whole}")
    assert shown.json()["given"] == "25.80"
