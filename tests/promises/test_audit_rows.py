"""P37: every command leaves an audit row that says what it was about; a change says what was before and after."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

import msgspec
import pytest
import pytest_asyncio
import sqlalchemy as sa

from kernel.app import create_app
from kernel.auth import look
from kernel.db.tables import Audit
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import PASSWORD, Box
from kernel.web import OPERATOR, PUBLIC, Route
from kernel.wire import set_at
from kernel.work import Work
from plugins.payments.services.line import lead_to
from plugins.payments.testing import a_review
from plugins.payments.testing.toy_box import a_toy_account, a_toy_payment, open_toy_box, with_toy
from tests.promises.bodies import alternatives
from tests.promises.filling import Filling
from tests.promises.prober import MINE
from tests.promises.spots import fresh_token, plain_call
from tests.proving import ON_SQLITE

OF_GATEWAYS = (
    *(f"payments.{name}_payment" for name in ("ask_about", "cancel", "resend")),
    "payments.confirm_payment_by_hand",
)
OF_WAITING = ("sales.pay_pending_sale", "payments.confirm_payment")
LAST = (
    "support_access.revoke_support_access",
    *(f"plugins.{name}" for name in ("disable_plugin", "enable_plugin", "apply_to_plugin", "reset_plugin")),
)


class Ours(msgspec.Struct, frozen=True):
    """What a plugin would let a business and its locations set."""

    most: Annotated[int, set_at("business", "location")] = 1


@pytest_asyncio.fixture
async def box(box_settings: Settings, registry: Registry) -> AsyncIterator[Box]:
    """A box in which a gateway is on."""
    async with open_toy_box(box_settings, with_toy(registry)) as toy:
        lead_to(toy.box.deployment, toy.provider.app)
        yield toy.box


@pytest.fixture(autouse=True)
def _discounts_has_settings(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    plugins = box.deployment.registry.plugins
    monkeypatch.setitem(plugins, "discounts", dataclasses.replace(plugins["discounts"], settings=Ours))


def writing(box: Box) -> list[Route]:
    """Every route of a business that writes; those last that take away what others need."""
    found = [
        one
        for one in box.app.routes
        if one.kind not in ("query", "stream") and one.permission not in (OPERATOR, PUBLIC)
    ]
    places = {operation: place for place, operation in enumerate(LAST)}
    return sorted(
        (one for one in found if one.plugin != "auth"),
        key=lambda one: (places.get(one.operation, -1), one.method == "DELETE"),
    )


async def a_waiting_sale(box: Box, own: Mapping[str, str]) -> dict[str, str]:
    """A sale whose money has still to come."""
    cart = {name: own[name] for name in ("location_id", "register_id")} | {"lines": [{"product_id": own["product_id"]}]}
    price = (await box.client("owner").post("/api/v1/sales/quote", cart)).json()["total"]
    paid = {"payments": [{"method": "bank_transfer", "amount": price, "awaited": True}]}
    sale = (await box.client("owner").post("/api/v1/sales/sales", cart | paid)).json()
    return {"sale_id": sale["id"], "payment_id": sale["payments"][0]["id"]}


async def rows_of(box: Box, deed: str, business: Any = ...) -> list[Any]:
    """What a deed left in the trail, oldest first."""

    async def read(work: Work) -> list[Any]:
        mine = sa.select(*Audit.__table__.c).where(Audit.business_id == work.business_id, Audit.deed == deed)
        return list((await work.execute(mine.order_by(Audit.id))).all())

    return await look(box.deployment, box.shop.id if business is ... else business, read)


async def _fresh(  # noqa: PLR0911 - one a kind of thing
    box: Box, filling: Filling, route: Route, own: dict[str, str], tried: int
) -> dict[str, str]:
    """What a route needs that no other call may have used."""
    if route.operation in OF_WAITING:
        return await a_waiting_sale(box, own)
    if route.operation in OF_GATEWAYS:
        return {"payment_id": str(await a_toy_payment(box, ended=route.operation == "payments.resend_payment"))}
    if route.path.startswith("/api/v1/payments/accounts/"):
        return {"account_id": str(await a_toy_account(box, label=route.operation))}
    if route.plugin == "approvals":
        cart = {name: own[name] for name in ("location_id", "register_id")}
        return {"approval_id": await filling.asked(cart, str(80 + tried % 20))}
    match route.operation:
        case "catalog.remove_price_list":
            unused = await filling.make("/catalog/price-lists", {"name": "Never used"})
            return {"price_list_id": unused["id"]}
        case "reconciliation.fetch_statement":
            return {"source_id": str(await a_toy_account(box, label=route.operation))}
        case "payments.resolve_review":
            return {"review_id": await a_review(box)}
        case "roles.delete_role":
            return {"role_id": own["copy_of"]}
    return {}


async def silent(box: Box) -> tuple[int, list[str]]:
    """Call every route that writes; those that left no row, no subject, or not what they changed."""
    filling = Filling(box, MINE)
    own = await filling.fill() | {"name": "discounts", "plugin": "discounts"}
    tried, wrong = 0, []
    for route in writing(box):
        fresh = await _fresh(box, filling, route, own, tried)
        call = plain_call(route, own | fresh)
        if route.operation == "approvals.approve_here":
            second = {"username": f"manager@{MINE}.example", "password": PASSWORD, "reason": "seen"}
            call = dataclasses.replace(call, body=second)
        elif route.operation == "plugins.apply_to_plugin":
            asked = await box.client("owner").post("/api/v1/plugins/discounts/plan", {"action": "disable"})
            call = dataclasses.replace(call, body={"action": "disable", "hash": asked.json()["hash"]})
        renames = route.method == "PATCH" and "name" in _fields(route)
        if renames:
            call = dataclasses.replace(call, body={**call.body, "name": f"Renamed {fresh_token()}"})
        answer = await call.send(box.client("owner"))
        rows = await rows_of(box, route.operation)
        tried += 1
        if answer.status_code >= 300 and not rows:
            wrong.append(f"{route.operation}: could not be tried: {answer.status_code} {answer.text[:300]}")
            continue
        if not rows or rows[-1].subject is None:
            wrong.append(f"{route.operation}: no row, or no subject")
            continue
        if (renames or (route.method == "DELETE" and answer.status_code < 300)) and not rows[-1].changes:
            wrong.append(f"{route.operation}: not what was before and after")
    return tried, wrong


def _fields(route: Route) -> set[str]:
    kinds = [one for one in alternatives(route.body) if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    return {field.encode_name for kind in kinds for field in msgspec.structs.fields(kind)}


@ON_SQLITE
async def test_every_route_that_writes_leaves_a_row_with_a_subject_and_what_it_changed(box: Box) -> None:
    tried, wrong = await silent(box)
    print(f"{tried} routes that write")
    assert tried > 30
    assert not wrong, "\n".join(wrong)


@ON_SQLITE
async def test_a_deed_that_keeps_silent_is_found(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: what deeds say, and what the ORM changes, is not listened to."""
    monkeypatch.setattr("kernel.work.tenancy.look_at", lambda session, watched: None)
    monkeypatch.setattr(Work, "changed", lambda self, *said: None)
    box.app = create_app(box.deployment)
    _, wrong = await silent(box)
    found = {line.partition(":")[0] for line in wrong}
    assert {"customers.add_group", "locations.change_location", "catalog.change_product"} <= found
    assert "sales.throw_away_held" in found


async def test_a_row_says_who_what_when_where_and_why(box: Box) -> None:
    own = await Filling(box, MINE).fill()
    owner = box.client("owner")
    path = f"/api/v1/catalog/products/{own['product_id']}"
    version = int((await owner.get(path)).headers["etag"].strip('"'))
    box.clock.pass_by(minutes=5)
    answer = await owner.patch(path, {"price": "395.00", "cost_price": "300"}, version=version)
    assert answer.status_code == 200, answer.text
    row = (await rows_of(box, "catalog.change_product"))[-1]
    assert row.actor_id == box.people[MINE, "owner"].id
    assert (row.actor_name, row.subject) == ("Owner", f"product:{own['product_id']}")
    assert (row.at, row.request_id, row.supporting) == (box.clock.now, answer.headers["x-request-id"], False)
    assert row.address is not None
    [change] = row.changes
    assert (change["table"], change["id"]) == ("catalog_product", own["product_id"])
    assert change["before"] == {"price": 380_000_000, "cost_price": None}
    assert change["after"] == {"price": 395_000_000, "cost_price": 300_000_000}
    void = (await rows_of(box, "sales.void_sale"))[-1]
    assert void.reason == "Kitale mistake"
    assert (str(void.location_id), str(void.register_id)) == (own["location_id"], own["register_id"])
    assert void.changes[0]["before"] == {"status": "completed"}


async def test_cost_prices_in_the_trail_are_shown_to_who_may_see_them(box: Box) -> None:
    own = await Filling(box, MINE).fill()
    path = f"/api/v1/catalog/products/{own['product_id']}"
    version = int((await box.client("owner").get(path)).headers["etag"].strip('"'))
    await box.client("owner").patch(path, {"cost_price": "300"}, version=version)
    asked = {"deed": "catalog.change_product"}
    for role, sees in (("owner", True), ("accountant", "catalog.see_cost" in await held(box, "accountant"))):
        for where in ("/api/v1/audit", "/api/v1/audit/export"):
            text = (await box.client(role).get(where, params=asked)).text
            assert ("300000000" in text) is sees, f"{role} at {where}"
    assert "catalog.see_cost" not in await held(box, "cashier")


async def held(box: Box, role: str) -> set[str]:
    return set((await box.client(role).get("/api/v1/auth/me")).json()["permissions"])


async def test_signing_in_is_in_the_deployments_own_trail(box: Box) -> None:
    said = {"username": f"cashier@{MINE}.example", "password": PASSWORD}
    assert (await box.client(None).post("/api/v1/auth/login", said)).status_code == 200
    rows = await rows_of(box, "auth.login", None)
    assert any(row.subject and row.subject.startswith("sign_in:") for row in rows)
    assert not any(PASSWORD in repr(tuple(row)) for row in rows)


async def test_the_trail_holds_no_secret_and_nobodys_own_data(box: Box) -> None:
    own = await Filling(box, MINE).fill()
    owner = box.client("owner")
    path = f"/api/v1/customers/customers/{own['customer_id']}"
    version = int((await owner.get(path)).headers["etag"].strip('"'))
    answer = await owner.patch(path, {"note": "canary-note", "address": "canary-address"}, version=version)
    assert answer.status_code == 200, answer.text
    text = (await owner.get("/api/v1/audit/export", params={"format": "jsonl"})).text
    assert "canary" not in text
    assert "argon2" not in text
    assert PASSWORD not in text
    [change] = (await rows_of(box, "customers.change_customer"))[-1].changes
    assert change["after"]["address"] == "(personal)"
