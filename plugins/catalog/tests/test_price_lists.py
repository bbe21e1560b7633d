"""Price lists over the API: added, filled, explained, planned, changed at once; another business's stay its own."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import httpx
import sqlalchemy as sa

from kernel.invariants import broken
from kernel.testing.box import Box
from kernel.work import Work
from plugins.catalog.models import Price, PriceList
from plugins.catalog.testing import a_category, a_price_list, a_product, prices_on
from plugins.customers.testing import a_customer, a_group

LISTS = "/api/v1/catalog/price-lists"
PRODUCTS = "/api/v1/catalog/products"
EDITS = "/api/v1/catalog/price-edits"


async def why(box: Box, product: uuid.UUID, **ask: Any) -> dict[str, Any]:
    """What a product costs, and why."""
    answer = await box.client("cashier").get(f"{PRODUCTS}/{product}/price", params=ask)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


async def price_of(box: Box, product: uuid.UUID, **ask: Any) -> str:
    """What a product costs."""
    return str((await why(box, product, **ask))["price"])


async def put(box: Box, path: str, prices: list[dict[str, Any]], version: int) -> httpx.Response:
    """Set prices on a list."""
    headers = {"If-Match": f'"{version}"'}
    return await box.client("manager").send("PUT", path, json={"prices": prices}, headers=headers)


async def delete(box: Box, path: str) -> httpx.Response:
    """Delete something."""
    return await box.client("manager").send("DELETE", path)


def at(box: Box, **later: float) -> str:
    """An instant from now, as a request says it."""
    return (box.clock.now + dt.timedelta(**later)).isoformat()


async def test_a_list_is_added_changed_and_thrown_away(box: Box) -> None:
    manager = box.client("manager")
    said = {"name": "December", "channel": "wholesale", "valid_from": "2026-12-01", "valid_until": "2026-12-31"}
    made = await manager.post(LISTS, said)
    assert made.status_code == 201, made.text
    one = made.json()
    assert (one["scope"], one["currency"], one["prices_include_tax"]) == ("everybody", "KES", True)
    assert (one["starts_at"], one["ends_at"]) == ("2026-11-30T21:00:00Z", "2026-12-31T21:00:00Z")
    path = made.headers["location"]
    assert (await box.client("cashier").get(path)).json() == one
    changed = await manager.patch(path, {"valid_until": None, "name": "From December"}, version=1)
    assert (changed.json()["ends_at"], changed.json()["valid_from"]) == (None, "2026-12-01")
    assert (await manager.patch(path, {"name": "Late"}, version=1)).status_code == 412
    assert (await manager.post(LISTS, {"name": "From December"})).json()["code"] == "already-exists"
    assert (await box.client("cashier").post(LISTS, {"name": "Mine"})).status_code == 403
    assert (await delete(box, path)).status_code == 204
    assert (await manager.get(path)).status_code == 404


NONSENSE: list[tuple[dict[str, Any], int, str]] = [
    ({"customer_id": str(uuid.UUID(int=7)), "group_id": str(uuid.UUID(int=7))}, 422, "/customer_id"),
    ({"customer_id": str(uuid.UUID(int=7))}, 404, "/customer_id"),
    ({"group_id": str(uuid.UUID(int=7))}, 404, "/group_id"),
    ({"location_id": str(uuid.UUID(int=7))}, 404, "/location_id"),
    ({"currency": "UGX"}, 422, "/currency"),
    ({"prices_include_tax": False}, 422, "/prices_include_tax"),
    ({"valid_from": "2026-12-02", "valid_until": "2026-12-01"}, 422, "/valid_until"),
    ({"valid_until": "9999-12-31"}, 422, "/valid_until"),
    ({"valid_from": "0001-01-01"}, 422, "/valid_from"),
    ({"based_on": "retail"}, 422, "/percent"),
    ({"percent": "-5"}, 422, "/percent"),
    ({"based_on": "retail", "percent": "-100.1"}, 422, "/percent"),
    ({"based_on": "retail", "percent": "1", "round_to": "0"}, 422, "/round_to"),
    ({"round_to": "1"}, 422, "/round_to"),
    ({"based_on_id": str(uuid.UUID(int=7)), "percent": "1"}, 404, "/based_on_id"),
    ({"based_on": "retail", "based_on_id": str(uuid.UUID(int=7)), "percent": "1"}, 404, "/based_on_id"),
]


async def test_a_list_that_makes_no_sense_is_refused_where_it_makes_none(box: Box) -> None:
    for said, status, pointer in NONSENSE:
        answer = await box.client("manager").post(LISTS, {"name": "Odd", **said})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (status, pointer), f"{said} {answer.text}"
    assert (await box.client("manager").get(LISTS)).json()["items"] == []


async def test_the_list_that_wins_and_why_the_others_lost_is_told(box: Box) -> None:
    rice, other = await a_product(box, price="100"), await a_product(box, "MAIZE", "50")
    group = await a_group(box)
    grace = await a_customer(box, group_id=group)
    kilimani = str(await box.location())
    lists = {
        name: await a_price_list(box, name, **said)
        for name, said in {
            "All": dict[str, Any](),
            "Kilimani": {"location_id": uuid.UUID(kilimani)},
            "Hotels": {"group_id": group},
            "Grace": {"customer_id": grace},
            "Dealers": {"channel": "wholesale"},
        }.items()
    }
    for price, name, least in ("98", "All", "0"), ("97", "Kilimani", "0"), ("95", "Hotels", "6"), ("90", "Grace", "12"):
        await prices_on(box, lists[name], rice, price, min_quantity=least)
    assert await price_of(box, rice) == "98.00"
    assert await price_of(box, rice, location_id=kilimani) == "97.00"
    assert await price_of(box, other, location_id=kilimani) == "50.00"
    whose = {"customer_id": str(grace), "location_id": kilimani}
    assert [await price_of(box, rice, quantity=n, **whose) for n in ("5", "6", "12")] == ["97.00", "95.00", "90.00"]
    said = await why(box, rice, quantity="6", **whose)
    assert (said["rule"], said["own_price"]) == ("Hotels", "100.00")
    assert said["reason"] == "price list of the customer's group, from 6, since 2026-11-21 09:00Z"
    assert [(one["list"], one["won"], one["reason"]) for one in said["considered"]] == [
        ("Grace", False, "It is from 12 on"),
        ("Hotels", True, said["reason"]),
        ("Kilimani", False, "Hotels is for the group, which goes before location"),
        ("All", False, "Hotels is for the group, which goes before everybody"),
        ("Dealers", False, "It is for wholesale"),
    ]


async def test_a_price_acts_at_its_instant_and_what_it_was_stays_known(box: Box) -> None:
    rice = await a_product(box, price="100")
    everybody = await a_price_list(box)
    path = f"{LISTS}/{everybody}/prices"
    manager = box.client("manager")
    box.clock.pass_by(minutes=1)
    wanted = [
        {"product_id": str(rice), "price": "98"},
        {"product_id": str(rice), "price": "96", "starts_at": at(box, hours=2)},
    ]
    first = await put(box, path, wanted, 1)
    assert (first.status_code, first.json()) == (200, {"set": 2, "unchanged": 0}), first.text
    assert first.headers["etag"] == '"2"'
    assert (await put(box, path, wanted, 1)).status_code == 412
    assert (await put(box, path, wanted, 2)).json() == {"set": 0, "unchanged": 2}
    assert [one["state"] for one in (await manager.get(path)).json()["items"]] == ["running", "planned"]
    assert [await price_of(box, rice, at=at(box, **when)) for when in ({"hours": 1.99}, {"hours": 2})] == [
        "98.00",
        "96.00",
    ]
    assert await price_of(box, rice, at=at(box, seconds=-30)) == "100.00"
    box.clock.pass_by(hours=2)
    assert await price_of(box, rice) == "96.00"
    assert [one["price"] for one in (await manager.get(path)).json()["items"]] == ["96.00"]
    past = (await manager.get(path, params={"past": "true"})).json()["items"]
    assert [(one["price"], one["state"]) for one in past] == [("98.00", "past"), ("96.00", "running")]
    running = past[1]["id"]
    assert (await delete(box, f"{path}/{past[0]['id']}")).json()["code"] == "price-over"
    box.clock.pass_by(hours=1)
    assert (await delete(box, f"{path}/{running}")).status_code == 204
    assert await price_of(box, rice) == "100.00"
    assert await price_of(box, rice, at=at(box, hours=-0.5)) == "96.00"
    assert (await delete(box, f"{LISTS}/{everybody}")).json()["code"] == "in-use"
    assert await broken(box.deployment) == []


async def test_a_list_takes_so_many_percent_off_other_prices_as_they_are(box: Box) -> None:
    rice, maize = await a_product(box, "RICE", "100", wholesale_price="90"), await a_product(box, "MAIZE", "50")
    manager, group = box.client("manager"), await a_group(box)
    asha = {"customer_id": str(await a_customer(box, group_id=group))}
    base = await a_price_list(box, "Base", location_id=await box.location())
    await prices_on(box, base, rice, "80")
    said = {"name": "Hotels", "group_id": str(group), "based_on": "wholesale", "percent": "-12", "round_to": "0.5"}
    made = await manager.post(LISTS, said)
    assert made.status_code == 201, made.text
    assert {name: made.json()[name] for name in said} == said | {"round_to": "0.50"}
    assert [await price_of(box, one, **asha) for one in (rice, maize, rice)] == ["79.00", "44.00", "79.00"]
    deeper = await manager.post(LISTS, {"name": "Deeper", **asha, "based_on_id": str(base), "percent": "-50"})
    assert [await price_of(box, one, **asha) for one in (rice, maize)] == ["40.00", "44.00"]
    found = await why(box, rice, **asha)
    assert (found["rule"], found["reason"]) == ("Deeper", "price list of the customer: 50 % less than Base")
    assert (found["list_id"], found["price_id"]) == (deeper.json()["id"], None)
    assert [(one["list"], one["price"], one["won"], one["reason"]) for one in found["considered"]] == [
        ("Base", "80.00", False, "It is for another location"),
        ("Deeper", "40.00", True, found["reason"]),
        ("Hotels", "79.00", False, "Deeper is for the customer, which goes before group"),
    ]
    await prices_on(box, base, rice, "60")
    await prices_on(box, uuid.UUID(made.json()["id"]), maize, "41")
    assert [await price_of(box, one, **asha) for one in (rice, maize)] == ["30.00", "41.00"]
    sold = {"location_id": str(await box.location()), "lines": [{"product_id": str(rice)}], **asha}
    quoted = (await box.client("cashier").post("/api/v1/sales/quote", sold)).json()["lines"][0]
    assert (quoted["total"], quoted["steps"][0]["rule"]) == ("30.00", "Deeper price")
    assert (await delete(box, f"{LISTS}/{base}")).json()["code"] == "in-use"
    assert (await delete(box, made.headers["location"])).json()["code"] == "in-use"
    idle = await manager.post(LISTS, {"name": "Idle", "based_on": "retail", "percent": "0", "is_active": False})
    assert (await delete(box, idle.headers["location"])).status_code == 204
    assert await broken(box.deployment) == []


async def test_no_more_than_five_lists_stand_on_each_other(box: Box) -> None:
    manager, below = box.client("manager"), str(await a_price_list(box))
    twice = await manager.post(LISTS, {"name": "Two", "based_on": "retail", "based_on_id": below, "percent": "-1"})
    assert (twice.status_code, twice.json()["errors"][0]["pointer"]) == (422, "/based_on_id")
    for number in range(4):
        made = await manager.post(LISTS, {"name": f"No. {number}", "based_on_id": below, "percent": "-1"})
        assert made.status_code == 201, made.text
        below = made.json()["id"]
    refused = await manager.post(LISTS, {"name": "Sixth", "based_on_id": below, "percent": "-1"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/based_on_id")


async def test_a_price_for_a_while_ends_by_itself_and_what_was_before_goes_on(box: Box) -> None:
    rice, maize = await a_product(box, "RICE", "100"), await a_product(box, "MAIZE", "50")
    path, manager = f"{LISTS}/{await a_price_list(box)}/prices", box.client("manager")
    box.clock.pass_by(hours=1)
    week = {"starts_at": at(box, hours=2), "until": at(box, hours=4)}
    usual, cheap = {"product_id": str(rice), "price": "98"}, {"product_id": str(rice), "price": "90", **week}
    only = {"product_id": str(maize), "price": "45", "until": week["until"]}
    assert (await put(box, path, [usual, cheap, only], 1)).json() == {"set": 3, "unchanged": 0}
    assert (await put(box, path, [usual, cheap, only], 2)).json() == {"set": 0, "unchanged": 3}
    wrong = await put(box, path, [cheap | {"until": week["starts_at"]}], 2)
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/prices/0/until")

    async def costs(product: Any) -> list[str]:
        return [await price_of(box, product, at=at(box, hours=n)) for n in (0, 1.99, 2, 3.99, 4)]

    assert await costs(rice) == ["98.00", "98.00", "90.00", "90.00", "98.00"]
    assert await costs(maize) == ["45.00", "45.00", "45.00", "45.00", "50.00"]
    own = f"{PRODUCTS}/{maize}/prices"
    assert (await manager.post(own, {"price": "40"})).json()["errors"][0]["pointer"] == "/starts_at"
    for said in ({"price": "47", "until": at(box, hours=6)}, {"price": "52", "starts_at": at(box, hours=5)}):
        planned = await manager.post(own, said)
        assert planned.status_code == 201, planned.text
    shown = await manager.get(f"{PRODUCTS}/{maize}")
    assert (shown.json()["price"], await price_of(box, maize, at=at(box, hours=4.5))) == ("47.00", "47.00")
    assert [await price_of(box, maize, at=at(box, hours=n)) for n in (4.9, 5, 6)] == ["47.00", "52.00", "52.00"]
    rule = {"product_ids": [str(rice)], "percent": "-50", "until": at(box, hours=1)}
    digest = (await manager.post(f"{EDITS}/preview", rule)).json()["digest"]
    assert (await manager.post(EDITS, rule | {"digest": digest})).status_code == 200
    assert (await manager.get(f"{PRODUCTS}/{rice}")).json()["price"] == "50.00"
    late = await manager.post(f"{EDITS}/preview", rule | {"until": at(box)})
    assert (late.status_code, late.json()["errors"][0]["pointer"]) == (422, "/until")
    box.clock.pass_by(hours=1)
    assert (await manager.get(f"{PRODUCTS}/{rice}")).json()["price"] == "100.00"
    assert await broken(box.deployment) == []


async def test_what_makes_no_sense_on_a_list_changes_nothing(box: Box) -> None:
    rice = await a_product(box, packs=[{"name": "Carton", "factor": "12"}])
    maize = await a_product(box, "MAIZE")
    carton = (await box.client("owner").get(f"{PRODUCTS}/{rice}")).json()["packs"][0]["id"]
    everybody = await a_price_list(box)
    good = {"product_id": str(maize), "price": "1"}
    for wrong, status, pointer in (
        ({"product_id": str(uuid.UUID(int=7)), "price": "1"}, 404, "/prices/1/product_id"),
        ({"product_id": str(maize), "pack_id": carton, "price": "1"}, 404, "/prices/1/pack_id"),
        ({"product_id": str(rice), "min_quantity": "0.5", "price": "1"}, 422, "/prices/1/min_quantity"),
        ({"product_id": str(rice), "starts_at": at(box, seconds=-1), "price": "1"}, 422, "/prices/1/starts_at"),
        ({"product_id": str(rice), "starts_at": "9999-12-31T23:59:59-12:00", "price": "1"}, 422, "/prices/1/starts_at"),
        (good, 422, "/prices/1"),
    ):
        answer = await put(box, f"{LISTS}/{everybody}/prices", [good, wrong], 1)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (status, pointer), answer.text
    assert (await box.client("owner").get(f"{LISTS}/{everybody}/prices")).json()["items"] == []


async def test_a_products_own_price_is_planned_and_its_history_kept(box: Box) -> None:
    rice = await a_product(box, price="100", wholesale_price="90")
    path = f"{PRODUCTS}/{rice}"
    manager = box.client("manager")
    box.clock.pass_by(days=1)
    for price, hours in ("105", 24), ("110", 48):
        planned = await manager.post(f"{path}/prices", {"price": price, "starts_at": at(box, hours=hours)})
        assert (planned.status_code, planned.json()["state"]) == (201, "planned"), planned.text
    now = await manager.post(f"{path}/prices", {"price": "1", "starts_at": at(box)})
    assert now.json()["errors"][0]["pointer"] == "/starts_at"
    read = await manager.get(path)
    assert (read.json()["price"], read.headers["etag"]) == ("100.00", '"3"')
    changed = await manager.patch(path, {"price": "102", "wholesale_price": None}, version=3)
    assert changed.json()["price"] == "102.00"
    history = (await manager.get(f"{path}/prices")).json()["items"]
    assert [(one["channel"], one["price"], one["state"]) for one in history] == [
        ("retail", "100.00", "past"),
        ("retail", "102.00", "running"),
        ("retail", "105.00", "planned"),
        ("retail", "110.00", "planned"),
        ("wholesale", "90.00", "past"),
        ("wholesale", None, "running"),
    ]
    assert (await delete(box, f"{path}/prices/{history[3]['id']}")).status_code == 204
    assert (await delete(box, f"{path}/prices/{history[1]['id']}")).json()["code"] == "price-over"
    old = (await manager.get(path)).headers["etag"]
    box.clock.pass_by(hours=24)
    read = await manager.get(path)
    assert (read.json()["price"], read.json()["wholesale_price"]) == ("105.00", None)
    assert read.headers["etag"] != old
    assert (await manager.get(PRODUCTS)).json()["items"][0]["price"] == "105.00"
    assert await price_of(box, rice, at=at(box, days=30)) == "105.00"
    table = (await manager.get("/api/v1/catalog/export")).text
    assert ",105.00," in table
    again = await manager.patch(path, {"price": "105"}, version=5)
    assert again.status_code == 200, again.text
    assert len((await manager.get(f"{path}/prices")).json()["items"]) == 5
    assert await broken(box.deployment) == []


async def test_many_prices_change_as_the_preview_said_or_not_at_all(box: Box) -> None:
    food = await a_category(box, "Food")
    below = await a_category(box, "Flour", parent_id=food)
    rice = await a_product(box, "RICE", "101", category_id=str(food), wholesale_price="90")
    flour = await a_product(box, "FLOUR", "99.99", category_id=str(below))
    soap = await a_product(box, "SOAP", "50")
    manager = box.client("manager")
    rule = {"category_id": str(food), "percent": "5", "round_to": "0.50", "starts_at": at(box, hours=1)}
    seen = await manager.post(f"{EDITS}/preview", rule)
    assert seen.status_code == 200, seen.text
    first = [(one["sku"], one["before"], one["after"]) for one in seen.json()["first"]]
    assert first == [("FLOUR", "99.99", "105.00"), ("RICE", "101.00", "106.00")]
    apply = rule | {"digest": seen.json()["digest"]}
    await manager.patch(f"{PRODUCTS}/{rice}", {"price": "102"}, version=1)
    assert (await manager.post(EDITS, apply)).json()["code"] == "price-edit-changed"
    apply["digest"] = (await manager.post(f"{EDITS}/preview", rule)).json()["digest"]
    done = await manager.post(EDITS, apply)
    assert (done.status_code, done.json()["changed"]) == (200, 2), done.text
    costs = [await price_of(box, one) for one in (rice, flour, soap)]
    box.clock.pass_by(hours=1)
    assert costs == ["102.00", "99.99", "50.00"]
    assert [await price_of(box, one) for one in (rice, flour, soap)] == ["107.00", "105.00", "50.00"]
    at_once = {"percent": "-10", "channel": "wholesale"}
    digest = (await manager.post(f"{EDITS}/preview", at_once)).json()["digest"]
    assert (await manager.post(EDITS, at_once | {"digest": digest})).json()["changed"] == 1
    assert (await manager.get(f"{PRODUCTS}/{rice}")).json()["wholesale_price"] == "81.00"
    dealers = await a_price_list(box, "Dealers")
    await prices_on(box, dealers, soap, "48")
    listed = {"price_list_id": str(dealers), "amount": "1.20", "round_to": "0.05"}
    digest = (await manager.post(f"{EDITS}/preview", listed)).json()["digest"]
    assert (await manager.post(EDITS, listed | {"digest": digest})).json()["changed"] == 1
    assert await price_of(box, soap) == "49.20"
    assert await broken(box.deployment) == []


async def test_lists_of_another_business_are_not_there(box: Box) -> None:
    theirs = await a_price_list(box, shop="sharma-kirana", name="Theirs")
    atta = await a_product(box, "ATTA", "100", shop="sharma-kirana")
    await prices_on(box, theirs, atta, "90", shop="sharma-kirana")
    mine, owner = await a_price_list(box), box.client("owner")
    for method, path in (("GET", ""), ("GET", "/prices"), ("DELETE", "")):
        assert (await owner.send(method, f"{LISTS}/{theirs}{path}")).status_code == 404
    wanted = [{"product_id": str(atta), "price": "1"}]
    assert (await put(box, f"{LISTS}/{mine}/prices", wanted, 1)).status_code == 404
    assert (await put(box, f"{LISTS}/{theirs}/prices", wanted, 1)).status_code == 404
    assert (await owner.get(f"{PRODUCTS}/{atta}/price")).status_code == 404
    assert (await owner.post(f"{EDITS}/preview", {"price_list_id": str(theirs)})).status_code == 404
    assert [one["id"] for one in (await owner.get(LISTS)).json()["items"]] == [str(mine)]


async def test_a_customers_list_wants_the_plugin_that_keeps_customers(box: Box) -> None:
    grace = await a_customer(box)
    theirs = await a_customer(box, "Asha", shop="sharma-kirana")
    answer = await box.client("owner").post(LISTS, {"name": "A", "customer_id": str(grace)})
    assert answer.status_code == 201, answer.text
    answer = await box.client("owner").post(LISTS, {"name": "B", "customer_id": str(theirs)})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (404, "/customer_id")


async def test_prices_that_overlap_or_are_of_another_lists_product_are_found(box: Box) -> None:
    """The broken twin of the rules above: rows written past the use cases."""
    rice = await a_product(box)
    everybody = await a_price_list(box)
    await prices_on(box, everybody, rice, "98")

    async def spoil(work: Work) -> None:
        found = await work.execute(sa.select(Price).where(Price.business_id == work.business_id))
        row = dict(found.mappings().one())
        again = {"id": uuid.uuid4(), "starts_at": work.now + dt.timedelta(hours=1)}
        await work.execute(sa.insert(Price), [row | again])
        ours = sa.update(PriceList).where(PriceList.business_id == work.business_id)
        await work.execute(ours.values(currency="UGX"))

    async def repair(work: Work) -> None:
        mine = sa.and_(Price.business_id == work.business_id, Price.starts_at > work.now)
        await work.execute(sa.delete(Price).where(mine))
        ours = sa.update(PriceList).where(PriceList.business_id == work.business_id)
        await work.execute(ours.values(currency="KES"))

    await box.act(spoil)
    found = " ".join(await broken(box.deployment))
    await box.act(repair)
    assert "no two prices of one list" in found
    assert "a price list is in the currency" in found
