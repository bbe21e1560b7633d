"""Plan, then apply: what switching a plugin would do is seen before, and nothing else is done."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from kernel.app.plans import making, rehearse
from kernel.auth.businesses.switching import hindrances_to_enable
from kernel.auth.identity import standing_of_business
from kernel.db.tables import Audit
from kernel.jobs import Runner, set_schedules
from kernel.registry import Registry
from kernel.testing.box import Box
from kernel.work import Work
from plugins.catalog.testing import a_product
from plugins.discounts.rules import evaluating
from plugins.discounts.testing import a_promotion
from plugins.sales.testing import a_sale

PLUGINS = "/api/v1/plugins"


async def plan(box: Box, name: str, action: str) -> Any:
    answer = await box.client("owner").post(f"{PLUGINS}/{name}/plan", {"action": action})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def apply(box: Box, seen: dict[str, Any], **said: Any) -> httpx.Response:
    body = {"action": seen["action"], "hash": seen["hash"], **said}
    return await box.client("owner").post(f"{PLUGINS}/{seen['plugin']}/apply", body)


async def state_of(box: Box, name: str) -> str:
    state: str = (await box.client("owner").get(f"{PLUGINS}/{name}")).json()["state"]
    return state


async def test_a_plan_says_what_goes_and_what_stays_and_changes_nothing(box: Box) -> None:
    await a_promotion(box)
    seen = await plan(box, "discounts", "disable")
    assert seen["hindrances"] == seen["obligations"] == []
    assert ("POST", "/api/v1/discounts/promotions") in {(one["method"], one["path"]) for one in seen["routes"]}
    managed = next(one for one in seen["permissions"] if one["name"] == "discounts.edit")
    assert "Owner" in managed["roles"]
    assert "Cashier" not in managed["roles"]
    line = next(one for one in seen["hooks"] if one["hook"] == "price_cart")
    assert (line["before"], line["after"]) == (["discounts"], [])
    rows = {one["table"]: one["rows"] for one in seen["tables"]}
    assert rows == {
        "discounts_promotion": 1,
        "discounts_use": 0,
        "discounts_coupon": 0,
        "discounts_left": 0,
        "discounts_claim": 0,
    }
    assert await state_of(box, "discounts") == "enabled"


async def test_a_plan_is_applied_by_its_hash_and_back(box: Box) -> None:
    seen = await plan(box, "discounts", "disable")
    applied = await apply(box, seen)
    assert (applied.status_code, applied.json()["state"]) == (200, "available")
    assert (await box.client("owner").get("/api/v1/discounts/promotions")).status_code == 404
    done = await plan(box, "discounts", "disable")
    assert (done["is_done"], done["consequences"]) == (True, [])
    back = await plan(box, "discounts", "enable")
    assert next(one for one in back["hooks"] if one["hook"] == "price_cart")["after"] == ["discounts"]
    assert (await apply(box, back)).json()["state"] == "enabled"
    assert (await box.client("owner").get("/api/v1/discounts/promotions")).status_code == 200


async def stale_apply(box: Box) -> httpx.Response:
    """Apply a plan after somebody else has switched another plugin."""
    seen = await plan(box, "discounts", "disable")
    assert (await apply(box, await plan(box, "daybook", "disable"))).status_code == 200
    return await apply(box, seen)


async def test_a_plan_that_the_world_has_left_behind_is_refused(box: Box) -> None:
    told = await stale_apply(box)
    assert (told.status_code, told.json()["code"]) == (409, "plan-stale")
    assert await state_of(box, "discounts") == "enabled"


async def test_a_hash_that_does_not_name_the_epochs_is_caught(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "_hash", lambda _work, seen: (seen.plugin.encode().hex() * 9)[:64])
    assert (await stale_apply(box)).status_code == 200


async def test_a_sale_does_not_make_a_plan_stale(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    seen = await plan(box, "discounts", "disable")
    await a_sale(box, {rice: "1"})
    assert (await apply(box, seen)).status_code == 200


async def test_of_two_who_apply_at_once_one_wins_and_the_other_is_told(box: Box) -> None:
    seen = [await plan(box, "discounts", "disable"), await plan(box, "daybook", "disable")]
    told = await asyncio.gather(*(apply(box, one) for one in seen))
    assert sorted(one.status_code for one in told) == [200, 409]
    assert {one.json().get("code") for one in told} == {None, "plan-stale"}
    states = [await state_of(box, name) for name in ("discounts", "daybook")]
    assert sorted(states) == ["available", "enabled"]


async def test_what_hinders_is_named_with_its_path(box: Box) -> None:
    seen = await plan(box, "taxes", "disable")
    assert {"code": "needed", "words": "sales stands on taxes", "path": ["sales", "taxes"]} in seen["hindrances"]
    refused = await apply(box, seen)
    assert (refused.status_code, refused.json()["code"]) == (409, "plugin-fault")
    for name in ("analytics", "daybook", "discounts", "inventory", "sales"):
        assert (await apply(box, await plan(box, name, "disable"))).status_code == 200, name
    seen = await plan(box, "discounts", "enable")
    assert [one["path"] for one in seen["hindrances"]] == [["discounts", "sales"]]
    assert (seen["hooks"], seen["consequences"]) == ([], [])


async def test_a_contradiction_between_plugins_hinders(box: Box) -> None:
    registry = box.deployment.registry
    said: dict[str, dict[str, Any]] = {"discounts": {"after": ("daybook",)}, "daybook": {"after": ("discounts",)}}
    loaded = [
        replace(one, manifest=replace(one.manifest, **said.get(one.name, {}))) for one in registry.plugins.values()
    ]
    every = frozenset(registry.plugins)
    (found,) = hindrances_to_enable(Registry(loaded), "discounts", every - {"discounts"})
    assert found.code == "order"
    assert "discounts after daybook (after of discounts)" in found.words
    assert hindrances_to_enable(registry, "discounts", every - {"discounts"}) == []


async def test_a_plan_shows_what_the_last_week_would_have_come_to(box: Box) -> None:
    rice, soap = (
        await a_product(box, price="100.00", track_stock=False),
        await a_product(box, "SOAP", price="50.00", track_stock=False),
    )
    await a_sale(box, {soap: "2"})
    await a_promotion(box, value="10", product_id=str(rice))
    sale = await a_sale(box, {rice: "3"})
    (seen,) = (await plan(box, "discounts", "disable"))["consequences"]
    assert (seen["plugin"], seen["examined"], seen["of"]) == ("sales", 2, 2)
    assert (seen["before"], seen["after"]) == ("370.00", "400.00")
    (changed,) = seen["changed"]
    assert (changed["id"], changed["before"], changed["after"]) == (str(sale.id), "270.00", "300.00")
    assert changed["words"].startswith(sale.number)
    assert (await plan(box, "daybook", "disable"))["consequences"] == []


STANDS_ON_SALES = ["discounts", "daybook", "analytics", "sales"]


async def plan_along(box: Box, name: str, action: str, **said: Any) -> Any:
    answer = await box.client("owner").post(f"{PLUGINS}/{name}/plan", {"action": action, "along": True, **said})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_what_an_app_needs_comes_along_as_one_plan(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    await a_sale(box, {await a_product(box, track_stock=False): "1"})
    off = await plan_along(box, "sales", "disable")
    assert (off["turn"], off["hindrances"]) == (STANDS_ON_SALES, [])
    assert [one["plugin"] for one in off["along"]] == STANDS_ON_SALES[:-1]
    assert off["hash"] != (await plan(box, "sales", "disable"))["hash"]
    assert (await apply(box, off)).json()["code"] == "plan-stale", "without what comes along it is another plan"
    done = await apply(box, off, along=True)
    assert (done.json()["state"], done.json()["along"]) == ("available", STANDS_ON_SALES[:-1])
    assert [await state_of(box, name) for name in STANDS_ON_SALES] == ["available"] * 4

    on = await plan_along(box, "discounts", "enable")
    assert (on["turn"], on["is_done"]) == (["sales", "discounts"], False)
    assert on["along"][0]["permissions"][0]["roles"], "each of them tells what it brings"
    with monkeypatch.context() as broken:
        broken.setattr("kernel.auth.businesses.switching.set_schedules", fails_at("discounts", set_schedules))
        assert (await apply(box, on, along=True)).status_code == 500
    assert await state_of(box, "sales") == "available", "all of them, or none"
    told = await asyncio.gather(*(apply(box, on, along=True) for _ in range(2)))
    assert sorted(one.status_code for one in told) == [200, 409]
    rest = await plan_along(box, "daybook", "enable", also=["analytics", "sales"])
    assert rest["turn"] == STANDS_ON_SALES[2:0:-1], "what is on already is left out"
    assert (await apply(box, rest, along=True, also=["analytics", "sales"])).json()["along"] == ["analytics"]
    assert [await state_of(box, name) for name in STANDS_ON_SALES] == ["enabled"] * 4
    history = (await box.client("owner").get("/api/v1/audit?deed=plugins.apply_to_plugin")).json()["items"]
    assert [one["facts"]["along"] for one in history] == [["analytics"], ["sales"], STANDS_ON_SALES[:-1]]


def fails_at(name: str, real: Any) -> Any:
    async def fail(work: Work, plugin: str, zone: str) -> None:
        await real(work, plugin, zone)
        if plugin == name:
            raise ZeroDivisionError

    return fail


async def test_only_what_a_business_switches_has_others_along(box: Box) -> None:
    owner, operator = box.client("owner"), box.client("operator")
    wrong = await owner.post(f"{PLUGINS}/sales/plan", {"action": "disable", "also": ["daybook", "no_such"]})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/also/1")
    for said in ({"along": True}, {"also": ["daybook"]}):
        told = await operator.post(f"{PLUGINS}/daybook/plan", {"action": "uninstall", **said})
        assert told.status_code == 422
    seen = await plan_along(box, "daybook", "disable", also=["analytics"])
    assert (seen["turn"], seen["hindrances"]) == (["daybook", "analytics"], []), "beside one another"


async def test_what_drains_together_goes_off_from_the_top(box: Box) -> None:
    order = await given_pending_sale(box)
    seen = await plan_along(box, "payments", "disable")
    assert "sales" in seen["turn"]
    assert seen["turn"][-1] == "payments"
    assert (await apply(box, seen, along=True)).json()["code"] == "obligations-open"
    assert (await apply(box, seen, along=True, on_open="wait")).json()["state"] == "draining"
    paid = order["payments"][0]["id"]
    confirmed = await box.client("accountant").post(f"/api/v1/payments/payments/{paid}/confirm", {"reference": "X1"})
    assert confirmed.status_code == 200
    run = Runner(box.deployment, standing_of_business)
    for _ in range(len(seen["turn"])):
        box.clock.pass_by(minutes=2)
        await run.run_due()
    assert {await state_of(box, name) for name in seen["turn"]} == {"available"}
    box.clock.pass_by(minutes=2)
    assert (await plan(box, "payments", "enable"))["is_done"] is False


async def given_pending_sale(box: Box) -> dict[str, Any]:
    rice = await a_product(box, price="100.00", track_stock=False)
    body = {
        "location_id": str(await box.location()),
        "lines": [{"product_id": str(rice)}],
        "payments": [{"method": "bank_transfer", "amount": "100.00", "awaited": True}],
    }
    answer = await box.client("cashier").post("/api/v1/sales/sales", body)
    assert answer.status_code == 202
    for name in ("analytics", "daybook", "discounts", "inventory"):
        assert (await apply(box, await plan(box, name, "disable"))).status_code == 200
    order: dict[str, Any] = answer.json()
    return order


async def test_what_is_open_is_shown_and_refused(box: Box) -> None:
    await given_pending_sale(box)
    seen = await plan(box, "sales", "disable")
    assert [(one["name"], one["count"]) for one in seen["obligations"]] == [("pending", 1)]
    refused = await apply(box, seen)
    assert (refused.status_code, refused.json()["code"]) == (409, "obligations-open")
    assert (await box.client("owner").post(f"{PLUGINS}/sales/disable")).json()["code"] == "obligations-open"
    assert await state_of(box, "sales") == "enabled"


async def test_what_is_open_is_left_behind_only_with_a_reason_that_is_kept(box: Box) -> None:
    await given_pending_sale(box)
    seen = await plan(box, "sales", "disable")
    assert (await apply(box, seen, on_open="force")).status_code == 422
    assert (await apply(box, seen, on_open="force", reason="the shop closes")).json()["state"] == "available"

    async def trail(work: Work) -> tuple[str, Any]:
        newest = sa.select(Audit.reason, Audit.facts).where(Audit.deed == "plugins.apply_to_plugin")
        row = (await work.execute(newest.order_by(Audit.id.desc()).limit(1))).one()
        return row.reason, row.facts

    reason, facts = await box.look(trail)
    assert (reason, facts["left_open"]) == ("the shop closes", ["pending: 1"])


async def test_a_draining_plugin_goes_off_once_nothing_is_open(box: Box) -> None:
    order = await given_pending_sale(box)
    assert (await apply(box, await plan(box, "sales", "disable"), on_open="wait")).json()["state"] == "draining"
    run = Runner(box.deployment, standing_of_business)
    box.clock.pass_by(minutes=2)
    await run.run_due()
    assert await state_of(box, "sales") == "draining"
    assert (await box.client("owner").get("/api/v1/sales/sales")).status_code == 200
    paid = order["payments"][0]["id"]
    confirmed = await box.client("accountant").post(f"/api/v1/payments/payments/{paid}/confirm", {"reference": "X1"})
    assert confirmed.status_code == 200
    box.clock.pass_by(minutes=2)
    await run.run_due()
    assert await state_of(box, "sales") == "available"
    assert (await box.client("owner").get("/api/v1/sales/sales")).status_code == 404


async def test_a_draining_plugin_begins_nothing_more_and_ends_the_old(box: Box) -> None:
    order = await given_pending_sale(box)
    cart = {"location_id": order["location_id"], "lines": [{"product_id": order["lines"][0]["product_id"]}]}
    till, payment = box.client("cashier"), {"method": "bank_transfer", "amount": "100.00"}
    waiting = cart | {"payments": [payment | {"awaited": True}]}
    assert (await till.post("/api/v1/sales/held", cart)).status_code == 201
    assert (await apply(box, await plan(box, "sales", "disable"), on_open="wait")).json()["state"] == "draining"
    for path, body in (("held", cart), ("sales", waiting)):
        told = await till.post(f"/api/v1/sales/{path}", body)
        assert (told.status_code, told.json()["code"]) == (409, "plugin-draining"), path
    at_once = await till.post("/api/v1/sales/sales", cart | {"payments": [payment]})
    assert at_once.status_code == 201, at_once.text
    paid = order["payments"][0]["id"]
    confirmed = await box.client("accountant").post(f"/api/v1/payments/payments/{paid}/confirm", {"reference": "X1"})
    assert confirmed.status_code == 200
    assert (await box.client("owner").post(f"{PLUGINS}/sales/enable")).json()["state"] == "enabled"
    assert (await till.post("/api/v1/sales/held", cart)).status_code == 201


async def test_a_plugin_that_does_not_say_what_it_begins_goes_on_beginning(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Work, "is_draining", lambda _work, _plugin: False)
    order = await given_pending_sale(box)
    cart = {"location_id": order["location_id"], "lines": [{"product_id": order["lines"][0]["product_id"]}]}
    assert (await apply(box, await plan(box, "sales", "disable"), on_open="wait")).json()["state"] == "draining"
    assert (await box.client("cashier").post("/api/v1/sales/held", cart)).status_code == 201


async def test_a_draining_plugin_may_be_kept_after_all(box: Box) -> None:
    await given_pending_sale(box)
    await apply(box, await plan(box, "sales", "disable"), on_open="wait")
    kept = await plan(box, "sales", "enable")
    assert (kept["is_done"], (await apply(box, kept)).json()["state"]) == (False, "enabled")
    assert await state_of(box, "sales") == "enabled"
    box.clock.pass_by(minutes=2)
    await Runner(box.deployment, standing_of_business).run_due()
    assert await state_of(box, "sales") == "enabled"


async def test_the_order_of_a_hook_is_explained(box: Box) -> None:
    owner = box.client("owner")
    told = (await owner.get(f"{PLUGINS}/hooks/erasing_person")).json()
    assert told["summary"]
    reasons = {one["plugin"]: one["comes_after"] for one in told["answers"]}
    assert reasons["sales"] == {"customers": "depends of sales"}
    assert list(reasons).index("customers") < list(reasons).index("sales")
    assert (await owner.get(f"{PLUGINS}/hooks/no_such_hook")).status_code == 404


async def test_only_who_may_switch_plugins_sees_plans(box: Box) -> None:
    for role in ("manager", "cashier"):
        assert (await box.client(role).post(f"{PLUGINS}/sales/plan", {"action": "disable"})).status_code == 403
    assert (await box.client("owner").post(f"{PLUGINS}/no_such/plan", {"action": "disable"})).status_code == 404


async def sold_in_every_way(box: Box) -> None:
    """Sales with a promotion, with discounts and prices by hand, with a promotion that has ended since."""
    rice = await a_product(box, price="100.00", track_stock=False)
    soap = await a_product(box, "SOAP", price="33.33", track_stock=False)
    ended = await a_promotion(box, "Yesterday's", value="7")
    await a_sale(box, {rice: "3", soap: "2"})
    owner = box.client("owner")
    box.clock.pass_by(minutes=5)
    path = f"/api/v1/discounts/promotions/{ended}"
    assert (await owner.post(f"{path}/end")).status_code == 200
    await a_promotion(box, value="10", product_id=str(rice))
    box.clock.pass_by(minutes=5)
    await a_sale(box, {rice: "1"})
    cart = {
        "location_id": str(await box.location()),
        "lines": [
            {"product_id": str(rice), "quantity": "3", "discount": {"percent": "5", "reason": "dented"}},
            {"product_id": str(soap), "quantity": "7", "unit_price": "30.00"},
        ],
        "discount": {"amount": "10.01", "reason": "regular"},
    }
    total = (await owner.post("/api/v1/sales/quote", cart)).json()["total"]
    paid = cart | {"payments": [{"method": "cash", "amount": total}]}
    assert (await owner.post("/api/v1/sales/sales", paid)).status_code == 201


async def test_a_rehearsal_prices_every_sale_as_it_was(box: Box) -> None:
    await sold_in_every_way(box)
    done = await rehearse(box.deployment, 100)
    assert (done.migrated, done.broken, done.is_clean) == ([], [], True)
    (seen,) = done.priced["mama-njeri"]
    assert (seen.examined, seen.of, seen.before, seen.changed) == (3, 3, seen.after, [])


async def test_a_rehearsal_names_each_sale_that_new_code_prices_otherwise(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sold_in_every_way(box)
    monkeypatch.setattr(evaluating, "in_turn", lambda _offers: [])
    done = await rehearse(box.deployment, 100)
    assert not done.is_clean
    (seen,) = done.priced["mama-njeri"]
    assert {(one.before, one.after) for one in seen.changed} >= {("90.00", "100.00")}


async def test_an_upload_to_what_is_off_finds_nothing_whatever_it_sends(box: Box) -> None:
    rice, owner = await a_product(box), box.client("owner")
    on = {one["name"]: one["needed_by"] for one in (await owner.get(PLUGINS)).json()["items"]}
    path = f"/api/v1/catalog/products/{rice}/image"
    said: list[dict[str, Any]] = [
        {"content": b"x", "headers": {"Content-Type": kind}} for kind in ("text/x", "image/png")
    ]
    told = [(await owner.send("POST", path, **one)).status_code for one in said]
    assert told == [415, 422]
    for name in sorted(on["catalog"], key=lambda above: len(on[above])):
        assert (await owner.post(f"{PLUGINS}/{name}/disable")).status_code == 200, name
    assert (await owner.post(f"{PLUGINS}/catalog/disable")).status_code == 200
    told = [(await owner.send(how, path, **one)).status_code for one in said for how in ("PUT", "POST", "PATCH")]
    assert told == [404] * 6
