"""P22: cost and margin are seen and set only by those who hold `catalog.see_cost`, on every way in and out."""

from __future__ import annotations

import dataclasses
import re
import sys
import uuid
from collections.abc import Iterator
from typing import Annotated, Any, get_args

import httpx
import msgspec
import pytest

from kernel.plugin import ROLES
from kernel.testing.box import Box
from kernel.web import Route
from kernel.wire import needs
from kernel.work.fields import permissions_in, plain, refuse_unheld
from tests.promises.filling import MARKS, Filling
from tests.promises.spots import lists_of, plain_call
from tests.promises.test_roles import rights_of
from tests.proving import ON_SQLITE

SHOP = next(iter(MARKS))
SECRET = re.compile(r"cost|margin|profit", re.IGNORECASE)
"""What a name of a field is like that tells what goods cost."""
SEES_COST = "catalog.see_cost"
COST = "311.7531"
"""A cost no other figure equals."""


@ON_SQLITE
async def test_no_role_is_answered_a_field_whose_permission_it_lacks(box: Box) -> None:
    asked, seen, leaks = await read_everything(box)
    print(f"{asked} answers, {seen} with costs")
    assert asked > 300
    assert seen >= 20, "those who may see costs see them"
    assert not leaks, "\n".join(leaks)


@ON_SQLITE
async def test_an_encoder_that_hides_nothing_is_found(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin."""
    monkeypatch.setattr(sys.modules["kernel.web.perform"], "shown", lambda body, kind, may, registry: body)
    _, _, leaks = await read_everything(box)
    found = {one.partition(" as ")[0] for one in leaks}
    assert found >= {"catalog.list_products", "catalog.get_product", "catalog.scan_barcode", "inventory.list_moves",
                     "inventory.get_receipt"}  # fmt: skip


async def test_an_openapi_document_names_no_field_its_reader_may_not_see(box: Box) -> None:
    for role in (*ROLES, None):
        client = box.client(role)
        for headers in ({}, {"If-None-Match": "none"}):
            said = (await client.send("GET", "/api/v1/openapi.json", headers=headers)).json()
            names = {name for _, name in keys(said)}
            secret = {name for name in names if name in ("cost_price", "unit_cost")}
            may = role is not None and SEES_COST in await rights_of(box, role)
            assert secret == ({"cost_price", "unit_cost"} if may else set()), role
            lists = [one["required"] for one, _ in values(said) if isinstance(one.get("required"), list)]
            required = [name for names in lists for name in names]
            assert may or not [one for one in required if SECRET.search(one)], role


async def test_what_tells_a_cost_is_marked_on_every_route(box: Box) -> None:
    marked = 0
    for route in box.app.routes:
        for kind in (route.body, route.answer, route.query):
            for name, permission in fields_of(kind):
                if SECRET.search(name):
                    assert permission == SEES_COST, f"{route.operation}: {name}"
                    marked += 1
    assert marked > 10


async def test_a_request_that_sets_a_cost_is_refused_from_those_who_may_not_see_it(box: Box) -> None:
    own = await Filling(box, SHOP).fill()
    await forbid_costs(box, "stock_keeper")
    keeper, owner = box.client("stock_keeper"), box.client("owner")
    line = {"product_id": own["product_id"], "quantity": "1"}
    receipt: dict[str, Any] = {"location_id": own["location_id"], "lines": [line, line | {"unit_cost": COST}]}
    for said, at in (
        (receipt, "/lines/1/unit_cost"),
        (receipt | {"lines": [line | {"unit_cost": None}]}, "/lines/0/unit_cost"),
    ):
        answer = await keeper.post("/api/v1/inventory/receipts", said)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert [one["pointer"] for one in answer.json()["errors"]] == [at]
    assert (await keeper.post("/api/v1/inventory/receipts", receipt | {"lines": [line]})).status_code == 201
    assert (await owner.post("/api/v1/inventory/receipts", receipt)).status_code == 201


async def test_an_answer_kept_for_a_key_hides_what_its_caller_may_no_longer_see(box: Box) -> None:
    keeper, key = box.client("stock_keeper"), uuid.uuid4().hex
    body = {"sku": "X", "name": "Rice", "price": "10", "cost_price": COST}
    assert (await keeper.post("/api/v1/catalog/products", body, key=key)).json()["cost_price"] == COST
    await forbid_costs(box, "stock_keeper")
    again = await keeper.post("/api/v1/catalog/products", body, key=key)
    assert again.status_code == 403, "the same request is one that sets a cost"
    silent = {"sku": "Y", "name": "Rice", "price": "10"}
    await allow_costs(box, "stock_keeper")
    first = await keeper.post("/api/v1/catalog/products", silent, key=key + "2")
    assert "cost_price" in first.json()
    await forbid_costs(box, "stock_keeper")
    kept = await keeper.post("/api/v1/catalog/products", silent, key=key + "2")
    assert kept.headers["idempotency-replayed"] == "true"
    assert "cost_price" not in kept.json()


class Leaf(msgspec.Struct):
    """A guarded field, in a tree."""

    plain: int = 1
    secret: Annotated[int | None, needs("x.see")] = 2
    below: list[Leaf] = []


class Outer(msgspec.Struct):
    """Guarded fields in every kind of place."""

    tree: list[Leaf] = []
    by_name: dict[str, Leaf] = {}
    either: int | Leaf | None = None


def test_guarded_fields_are_found_below_unions_lists_mappings_and_circles() -> None:
    said = {"tree": [{"secret": 1, "plain": 2, "below": [{"secret": 3}]}], "by_name": {"a": {"secret": 1}}, "either": 5}
    assert permissions_in(Outer) == {"x.see"}
    with pytest.raises(Exception, match=r"x\.see") as refused:
        refuse_unheld(said, Outer, lambda _: False)
    pointers = [one.pointer for one in refused.value.faults]  # type: ignore[attr-defined]
    assert pointers == ["/tree/0/secret", "/tree/0/below/0/secret", "/by_name/a/secret"]
    refuse_unheld(said, Outer, lambda _: True)
    refuse_unheld({"tree": [{"plain": 2}], "either": {"plain": 1}}, Outer, lambda _: False)
    value = Outer(tree=[Leaf(below=[Leaf()])], either=Leaf())
    leaf = {"plain": 1, "below": []}
    assert plain(value, lambda _: False) == {"tree": [leaf | {"below": [leaf]}], "by_name": {}, "either": leaf}
    assert plain(value, lambda _: True)["either"] == leaf | {"secret": 2}


async def read_everything(box: Box) -> tuple[int, int, list[str]]:
    """Every GET route as every role: how many answered, how many told a cost, and who was told one in vain."""
    own = await Filling(box, SHOP).fill()
    owner = box.client("owner")
    etag = (await owner.get(f"/api/v1/catalog/products/{own['product_id']}")).headers["etag"]
    path = f"/api/v1/catalog/products/{own['product_id']}"
    assert (await owner.send("PATCH", path, json={"cost_price": COST}, headers={"If-Match": etag})).status_code == 200
    line = {"product_id": own["product_id"], "quantity": "1", "unit_cost": COST}
    receipt = {"location_id": own["location_id"], "lines": [line]}
    own["receipt_id"] = (await owner.post("/api/v1/inventory/receipts", receipt)).json()["id"]
    asked, seen, leaks = 0, 0, []
    await forbid_costs(box, "manager")
    for role in (*ROLES, "operator"):
        held = await rights_of(box, role) - ({SEES_COST} if role == "manager" else set())
        for route in box.app.routes:
            if route.method != "GET":
                continue
            answer = await ask(box, route, role, own)
            asked += 1
            told = answer.status_code == 200 and (COST in answer.text or names_cost(answer))
            seen += told
            if told and SEES_COST not in held:
                leaks.append(f"{route.operation} as {role}: {answer.text[:200]}")
    return asked, seen, leaks


async def ask(box: Box, route: Route, role: str, own: dict[str, str]) -> httpx.Response:
    """Read a route, a list as far as it goes."""
    call = plain_call(route, own)
    limit = {"limit": "200"} if route in lists_of([route]) else {}
    return await dataclasses.replace(call, query=limit).send(box.client(role))


def names_cost(answer: httpx.Response) -> bool:
    """Whether any name in an answer is like one of a cost; words of permissions are none."""
    if answer.headers["content-type"] != "application/json":
        return False  # a file: its figures are looked for, its words are those of the trail
    return any(SECRET.search(name) for _, name in keys(answer.json()))


async def forbid_costs(box: Box, role: str) -> None:
    """Take the sight of costs from a role."""
    await set_costs(box, role, held=False)


async def allow_costs(box: Box, role: str) -> None:
    """Give it back."""
    await set_costs(box, role, held=True)


async def set_costs(box: Box, role: str, *, held: bool) -> None:
    """Edit a role as its owner does."""
    owner = box.client("owner")
    one = next(each for each in (await owner.get("/api/v1/roles")).json()["items"] if each["code"] == role)
    wanted = sorted(({*one["permissions"]} - {SEES_COST}) | ({SEES_COST} if held else set()))
    path = f"/api/v1/roles/{one['id']}"
    etag = (await owner.get(path)).headers["etag"]
    answer = await owner.send("PATCH", path, json={"permissions": wanted}, headers={"If-Match": etag})
    assert answer.status_code == 200, answer.text


def keys(said: Any) -> Iterator[tuple[Any, str]]:
    """Every name of every object in JSON."""
    for value, around in values(said):
        yield from ((value, name) for name in around)


def values(said: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Every object in JSON."""
    if isinstance(said, dict):
        yield said, said
        for inner in said.values():
            yield from values(inner)
    elif isinstance(said, list):
        for inner in said:
            yield from values(inner)


def fields_of(kind: Any, seen: tuple[Any, ...] = ()) -> Iterator[tuple[str, str | None]]:
    """(name, permission) of every field at any depth of a type, read independently of the kernel."""
    for one in get_args(kind):
        yield from fields_of(one, seen)
    struct = kind if isinstance(kind, type) else getattr(kind, "__origin__", None)
    if isinstance(struct, type) and issubclass(struct, msgspec.Struct) and kind not in seen:
        for one in msgspec.structs.fields(kind):
            metas = [meta for meta in getattr(one.type, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]
            yield (
                one.encode_name,
                next((meta.extra["needs"] for meta in metas if meta.extra and "needs" in meta.extra), None),
            )
            yield from fields_of(one.type, (*seen, kind))
