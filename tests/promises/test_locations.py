"""People tied to locations act, see and find nothing anywhere else, on every route."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from kernel.testing.box import Box, Client
from kernel.web import Route
from kernel.work import Actor, Work
from tests.promises.bodies import put, spots
from tests.promises.filling import MARKS, Filling
from tests.promises.spots import Call, fresh_token, id_spots, lists_of, plain_call

SHOP = next(iter(MARKS))
NAMES_PLACES = {
    *("kernel.list_locations", "locations.list_locations", "locations.get_location"),
    *("users.get_workplace", "roles.show_mine"),
    "customers.export_person",
}
"""Operations that may name locations one does not work at: what places there are is no secret, and what is handed to a
person about themselves is whole."""
OF_A_PLACE = {
    "sale_id",
    "held_id",
    "payment_id",
    "refund_id",
    "receipt_id",
    "adjustment_id",
    "expense_id",
    "register_id",
}
"""Ids in paths of things that belong to a location."""


async def tied(box: Box, role: str) -> tuple[Client, dict[str, str]]:
    """A filled shop whose every document is at one location, and a person who works at another."""
    own = await Filling(box, SHOP).fill()
    owner = box.client("owner")
    path = f"/api/v1/users/{box.people[SHOP, role].id}/locations"
    etag = (await owner.get(path)).headers["etag"]
    here = [str(await box.location("kilimani"))]
    answer = await owner.send("PATCH", path, json={"location_ids": here}, headers={"If-Match": etag})
    assert answer.status_code == 200, answer.text
    return box.client(role), own


@pytest.mark.parametrize("role", ["manager", "cashier", "operator"])
async def test_a_request_that_names_another_location_is_refused_on_every_route(box: Box, role: str) -> None:
    client, own = await tied(box, role)
    tried = 0
    for call in calls_naming(box.app.routes, own, own["location_id"]):
        answer = await call.send(client)
        nothing = await swapped(call, own["location_id"]).send(client)
        if answer.json().get("code") == "forbidden":
            continue
        assert (answer.status_code, answer.json()["code"]) == (403, "elsewhere"), (
            f"{call.route.operation}: {answer.text}"
        )
        assert (nothing.status_code, nothing.json()["code"]) == (403, "elsewhere"), "whether it exists is not told"
        tried += 1
    print(f"{tried} requests as {role}")
    assert tried >= (10 if role == "cashier" else 20)


async def test_one_location_is_enough_to_work_at_it(box: Box) -> None:
    client, own = await tied(box, "cashier")
    here = str(await box.location("kilimani"))
    line = {"product_id": own["product_id"], "quantity": "1"}
    answer = await client.post("/api/v1/sales/quote", {"location_id": here, "lines": [line]})
    assert answer.status_code == 200, answer.text
    held = await client.post("/api/v1/sales/held", {"location_id": here, "lines": [line]})
    assert held.status_code == 201, held.text
    listed = (await client.get("/api/v1/sales/held")).json()["items"]
    assert [one["id"] for one in listed] == [held.json()["id"]]
    taken = {
        "location_id": here,
        "lines": [line],
        "held_id": own["held_id"],
        "payments": [{"method": "cash", "amount": "9999.00"}],
    }
    gone = await client.post("/api/v1/sales/sales", taken)
    assert gone.status_code in (409, 422), gone.text
    assert (await box.client("owner").get(f"/api/v1/sales/held/{own['held_id']}")).status_code == 200


@pytest.mark.parametrize("role", ["manager", "operator"])
async def test_nothing_of_another_location_is_listed_or_found(box: Box, role: str) -> None:
    client, own = await tied(box, role)
    asked, leaks = await look_everywhere(box, client, own)
    print(f"{asked} reads")
    assert asked > 45
    assert not leaks, "\n".join(leaks)


async def test_a_document_of_another_location_is_not_there_to_be_changed(box: Box) -> None:
    client, own = await tied(box, "operator")
    tried = 0
    for spot in id_spots(box.app.routes):
        if spot.place == "path" and spot.name in OF_A_PLACE and spot.route.method != "GET" and spot.shape == "alone":
            answer = await spot.call(own[spot.name], own).send(client)
            nothing = await spot.call(str(uuid.uuid4()), own).send(client)
            assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), f"{spot}: {answer.text}"
            assert {**answer.json(), "request_id": ""} == {**nothing.json(), "request_id": ""}
            tried += 1
    assert tried >= 5


async def test_lists_that_forget_where_one_works_are_found(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: neither lists nor documents ask where the person works."""
    client, own = await tied(box, "manager")
    monkeypatch.setattr(Work, "here", lambda self, column: sa.true())
    monkeypatch.setattr(Work, "see_location", lambda self, location_id: None)
    _, leaks = await look_everywhere(box, client, own)
    found = {one.partition(":")[0] for one in leaks}
    assert found >= {"sales.list_sales", "sales.get_sale", "inventory.list_levels", "payments.get_refund",
                     "daybook.list_entries"}  # fmt: skip


async def test_requests_that_nobody_asks_where_they_belong_are_found(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin of the refusal."""
    client, own = await tied(box, "manager")
    monkeypatch.setattr(Actor, "works_at", lambda self, location_id: True)
    line = {"product_id": own["product_id"], "quantity": "1"}
    answer = await client.post("/api/v1/sales/quote", {"location_id": own["location_id"], "lines": [line]})
    assert answer.status_code == 200


async def look_everywhere(box: Box, client: Client, own: dict[str, str]) -> tuple[int, list[str]]:
    """Read every GET route with the ids of things at the other location; what showed that location."""
    asked, leaks = 0, []
    for route in box.app.routes:
        if route.method != "GET" or route.operation in NAMES_PLACES:
            continue
        call = plain_call(route, own)
        limit = {"limit": "200"} if route in lists_of([route]) else {}
        answer = await dataclasses.replace(call, query=limit).send(client)
        asked += 1
        if answer.status_code == 200 and own["location_id"] in answer.text:
            leaks.append(f"{route.operation}: {answer.text[:200]}")
        if OF_A_PLACE & set(route.parameters) and answer.status_code != 404:
            leaks.append(f"{route.operation}: {answer.status_code}")
    return asked, leaks


def calls_naming(routes: list[Route], own: dict[str, str], location_id: str) -> Iterator[Call]:
    """Every request that can name a location, naming one."""
    for route in routes:
        for one in msgspec.structs.fields(route.query) if route.query else ():
            if one.encode_name == "location_id":
                plain = plain_call(route, own)
                yield dataclasses.replace(plain, query={**plain.query, "location_id": location_id})
        for pointer in spots(route.body, uuid.UUID) if route.body is not None else ():
            if pointer[-1] == "location_id":
                token = fresh_token()
                plain = plain_call(route, own, token)
                yield dataclasses.replace(plain, body=put(route, plain.body, pointer, location_id, own, token))
        if route.method != "GET" and "location_id" in route.parameters:
            yield plain_call(route, own)


def swapped(call: Call, location_id: str) -> Call:
    """The same request with an id of nothing in the location's place."""

    def swap(said: Any) -> Any:
        text = msgspec.json.encode(said).decode().replace(location_id, str(uuid.uuid4()))
        return msgspec.json.decode(text)

    return dataclasses.replace(call, path=swap(call.path), query=swap(call.query), body=swap(call.body))
