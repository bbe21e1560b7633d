"""P22: what a plugin keeps in another's `ext` and marks with `needs` is seen and set only by those who may."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
import pytest

from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import Box, open_box
from kernel.wire import Request, extends, like, needs
from kernel.work.fields import hide, plain, shown
from tests.promises.filling import MARKS, Filling

SHOP = next(iter(MARKS))
SECRET = "supplier-4711"
KEEPER = "inventory"


class Kept(Request, frozen=True):
    """What a plugin keeps with things of others: open to all, and for those who see costs."""

    shelf: str = ""
    bought_from: Annotated[str | None, needs("catalog.see_cost")] = None


SUBJECTS = ("catalog.product", "customers.customer", "sales.cart")
PART = {KEEPER: {"shelf": "A1", "bought_from": SECRET}}


def with_kept(registry: Registry) -> Registry:
    """The same plugins; one of them keeps something guarded with products, customers and carts."""
    return Registry(
        [
            dataclasses.replace(one, extensions=dict.fromkeys(SUBJECTS, Kept)) if one.name == KEEPER else one
            for one in registry.in_order()
        ]
    )


@pytest.fixture
async def kept(box: Box, box_settings: Settings) -> AsyncIterator[Box]:
    """A box with things of which something guarded is kept."""
    made = await open_box(box_settings, with_kept(box.deployment.registry), clock=box.clock)
    yield made
    await made.close()


async def filled(box: Box) -> dict[str, str]:
    """A product, a customer, a sale, a held cart, each with what is kept with it. Paths by name."""
    owner, own = box.client("owner"), await Filling(box, SHOP).fill()
    product = {"name": "Rice", "sku": "EXT-1", "price": "10.00", "track_stock": False, "ext": PART}
    product_id = (await owner.post("/api/v1/catalog/products", product)).json()["id"]
    customer = await owner.post("/api/v1/customers/customers", {"name": "Achieng", "ext": PART})
    assert customer.status_code == 201, customer.text
    lines = [{"product_id": product_id, "quantity": "1"}]
    cart = {"location_id": own["location_id"], "lines": lines, "ext": PART}
    paid = {"payments": [{"method": "cash", "amount": "10.00", "tendered": "10.00"}]}
    sale = await owner.post("/api/v1/sales/sales", {**cart, **paid, "customer_id": customer.json()["id"]})
    assert sale.status_code == 201, sale.text
    held = await owner.post("/api/v1/sales/held", {**cart, "label": "later"})
    assert held.status_code == 201, held.text
    assert SECRET in held.text
    return {
        "product": f"/api/v1/catalog/products/{product_id}",
        "products": "/api/v1/catalog/products?q=EXT-1",
        "picked": f"/api/v1/catalog/products/{product_id}?fields=ext",
        "customer": f"/api/v1/customers/customers/{customer.json()['id']}",
        "customers": "/api/v1/customers/customers",
        "sale": f"/api/v1/sales/sales/{sale.json()['id']}",
        "held": "/api/v1/sales/held",
    }


async def leaks(box: Box, paths: dict[str, str], role: str) -> set[str]:
    """Which of the paths tell what is guarded; each must tell what is not."""
    found = set()
    for name, path in paths.items():
        answer = await box.client(role).get(path)
        assert answer.status_code == 200, f"{name}: {answer.text}"
        assert "A1" in answer.text, name
        found |= {name} if SECRET in answer.text or "bought_from" in answer.text else set()
    return found


async def test_who_may_not_see_it_is_told_the_rest_everywhere(kept: Box) -> None:
    paths = await filled(kept)
    assert await leaks(kept, paths, "owner") == set(paths)
    assert await leaks(kept, paths, "cashier") == set()
    document = (await kept.client("cashier").get("/api/v1/openapi.json")).text
    assert "bought_from" not in document


async def test_an_answer_that_shapes_no_ext_is_caught(kept: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin knows of fields, and nothing of `ext`."""
    paths = await filled(kept)

    def knows_no_plugin(body: bytes, kind: Any, may: Any, _registry: Any = None) -> bytes:
        return shown(body, kind, may)

    monkeypatch.setattr(sys.modules["kernel.web.perform"], "shown", knows_no_plugin)
    assert await leaks(kept, paths, "cashier") == set(paths)


async def test_a_kept_answer_is_shaped_for_who_asks_again(kept: Box) -> None:
    product = {"name": "Rice", "sku": "EXT-9", "price": "10.00", "ext": PART}
    owner = kept.client("owner")
    first = await owner.post("/api/v1/catalog/products", product, key="k1")
    assert SECRET in first.text
    roles = (await owner.get("/api/v1/roles")).json()["items"]
    assert roles
    again = await owner.post("/api/v1/catalog/products", product, key="k1")
    assert (again.headers["Idempotency-Replayed"], SECRET in again.text) == ("true", True)


async def test_who_may_not_set_it_is_refused_and_takes_nothing_away(kept: Box) -> None:
    paths = await filled(kept)
    owner, clerk = kept.client("owner"), kept.client("manager")
    role = next(one for one in (await owner.get("/api/v1/roles")).json()["items"] if one["code"] == "manager")
    path = f"/api/v1/roles/{role['id']}"
    fewer = [one for one in role["permissions"] if one != "catalog.see_cost"]
    etag = (await owner.get(path)).headers["etag"]
    done = await owner.send("PATCH", path, json={"permissions": fewer}, headers={"If-Match": etag})
    assert done.status_code == 200, done.text
    for name in ("product", "customer"):
        for part, status in (({"bought_from": "x"}, 403), ({"shelf": "B2"}, 200)):
            etag = (await clerk.get(paths[name])).headers["etag"]
            changed = await clerk.send("PATCH", paths[name], json={"ext": {KEEPER: part}}, headers={"If-Match": etag})
            assert changed.status_code == status, changed.text
            assert SECRET not in changed.text
        assert (await owner.get(paths[name])).json()["ext"] == {KEEPER: {"shelf": "B2", "bought_from": SECRET}}


async def test_what_a_person_is_handed_out_about_themselves_leaves_it_out(kept: Box) -> None:
    paths = await filled(kept)
    answer = await kept.client("owner").get(f"{paths['customer']}/personal-data")
    if answer.status_code == 404:
        route = next(one.path for one in kept.app.routes if "personal" in one.path and "customer" in one.path)
        answer = await kept.client("owner").get(route.replace("{customer_id}", paths["customer"].rpartition("/")[2]))
    assert answer.status_code == 200, answer.text
    assert "A1" in answer.text
    assert SECRET not in answer.text


class Thing(msgspec.Struct):
    ext: Annotated[dict[str, Any], extends("catalog.product")]


class Holder(msgspec.Struct):
    things: list[Thing]
    said: Annotated[dict[str, Any], like(Thing)]


def test_it_is_found_below_lists_and_in_plain_values_and_a_missing_plugins_part_is_shown_to_nobody(
    registry: Registry,
) -> None:
    known = with_kept(registry)
    value = Holder([Thing({**PART, "gone": {"x": 1}})], {"ext": PART})
    open_part = {KEEPER: {"shelf": "A1"}}
    assert plain(value, lambda _: False, known) == {"things": [{"ext": open_part}], "said": {"ext": open_part}}
    assert plain(value, lambda _: True, known) == {"things": [{"ext": PART}], "said": {"ext": PART}}
    body = msgspec.json.encode(value)
    assert b"gone" not in shown(body, Holder, lambda _: True, known)
    empty = msgspec.json.encode(Thing({}))
    assert shown(empty, Thing, lambda _: True, known) is empty
    said: dict[str, Any] = {"ext": {KEEPER: "not an object"}}
    hide(said, Thing, lambda _: False, known)
    assert said == {"ext": {KEEPER: "not an object"}}
