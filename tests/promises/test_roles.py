"""P21: every route asks for a declared permission, and each role is let in exactly where it holds it."""

from __future__ import annotations

import dataclasses
import re
import uuid
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from kernel.app import create_app
from kernel.auth.models import SignIn
from kernel.auth.rights.permissions import Rights
from kernel.plugin import ROLES
from kernel.registry import Registry
from kernel.testing.box import Box
from kernel.testing.reference import FOLDER
from kernel.web import IN_PERSON, OPERATOR, PUBLIC, SIGNED_IN, TILL, Route, command, perform
from kernel.work import Work
from tests.proving import ON_SQLITE

PRINCIPALS: tuple[str | None, ...] = (*ROLES, "operator", None)
OPEN = frozenset(
    {
        *(
            ("POST", f"/api/v1/auth/{deed}")
            for deed in (
                *("login", "refresh", "password/forgot", "password/reset", "email/verify", "email/change/confirm"),
                *("invitations/show", "invitations/accept"),
            )
        ),
        *((method, "/api/v1/payments/notices/{token}") for method in ("GET", "POST")),
        *((method, "/pay/{token}") for method in ("GET", "POST")),
        ("GET", "/pay/{token}/events"),
    }
)
"""Every route that anyone may call; another one is a decision to be made here."""
FOR_ALL_STAFF = frozenset(
    {
        ("POST", "/api/v1/auth/logout"),
        ("GET", "/api/v1/approvals/{approval_id}"),
        ("POST", "/api/v1/approvals/{approval_id}/approve-here"),
        ("GET", "/api/v1/approvals/{approval_id}/here"),
        *(("GET", f"/api/v1/{path}") for path in ("auth/me", "roles/mine", "businesses", "locations", "plugins")),
        *(("GET", f"/api/v1/{path}") for path in ("regions", "console/changes")),
        ("GET", "/api/v1/businesses/{business_id}"),
        ("GET", "/api/v1/locations/{location_id}"),
        ("GET", "/api/v1/plugins/{name}"),
        *(("GET", f"/api/v1/custom-fields{path}") for path in ("", "/{custom_field_id}")),
    }
)
"""Every route that anyone signed in may call."""
ENDINGS = {"auth.logout", "auth.logout_everywhere"}
"""After these the caller is signed out."""
FOR_ALL_IN_PERSON = frozenset(
    {
        *(("POST", f"/api/v1/auth/{path}") for path in ("switch", "my-pin", "second-factor")),
        *(("POST", f"/api/v1/auth/{path}") for path in ("logout/everywhere", "password", "invitations/join")),
        *(("POST", f"/api/v1/auth/email/{deed}") for deed in ("verify/send", "change")),
        ("PATCH", "/api/v1/auth/me"),
        ("GET", "/api/v1/auth/sign-ins"),
        ("GET", "/api/v1/auth/me/personal-data"),
        ("DELETE", "/api/v1/auth/sign-ins/{sign_in_id}"),
        *(("POST", f"/api/v1/auth/second-factor/{deed}") for deed in ("confirm", "recovery-codes", "switch-off")),
        *((method, "/api/v1/auth/my-pin") for method in ("GET", "DELETE")),
        ("GET", "/api/v1/auth/second-factor"),
        *((method, "/api/v1/console/dashboard") for method in ("GET", "PUT", "DELETE")),
        ("GET", "/api/v1/console/lists/{list_name}"),
        *(("PUT", f"/api/v1/console/lists/{{list_name}}/{part}") for part in ("columns", "opening")),
        ("POST", "/api/v1/console/views"),
        *((method, "/api/v1/console/views/{view_id}") for method in ("GET", "PATCH", "DELETE")),
    }
)
"""Every route that anyone may call who signed in with their password: no key, no PIN."""
FOR_TILLS = frozenset({("POST", "/api/v1/auth/pin"), ("GET", "/api/v1/tills/me/people")})
"""Every route for a registered till's device, and so for no person at all."""
NEVER: dict[str, set[str]] = {
    "cashier": {
        "sales.void", "sales.override_price", "sales.import", "sales.registers", "payments.refund", "catalog.edit",
        "catalog.see_cost", "inventory.receive", "inventory.adjust", "discounts.edit", "taxes.edit", "daybook.see",
        "inventory.oversell", "approvals.answer",
    },
    "stock_keeper": {"sales.complete", "sales.void", "payments.refund", "customers.see", "taxes.edit"},
    "accountant": {"sales.complete", "sales.void", "payments.refund", "catalog.edit", "inventory.adjust"},
    "manager": set(),
}  # fmt: skip
"""What a shipped role must not come with, whatever a manifest grants."""
ABOVE_STAFF = {
    "keys.manage",
    "tills.manage",
    "users.manage",
    "roles.manage",
    "plugins.manage",
    "business.manage",
    "locations.manage",
    "customers.export_person",
    "customers.erase",
}
"""What only owners come with."""


def test_every_route_declares_who_may_call_it(box: Box, registry: Registry) -> None:
    known = {one.name for one in Rights(registry).declared(registry.plugins)}
    for route in box.app.routes:
        assert route.permission in known | {PUBLIC, SIGNED_IN, IN_PERSON, TILL, OPERATOR}, (
            f"{route.operation}: {route.permission!r}"
        )
    assert {(one.method, one.path) for one in box.app.routes if one.permission == PUBLIC} == OPEN
    assert {(one.method, one.path) for one in box.app.routes if one.permission == SIGNED_IN} == FOR_ALL_STAFF
    assert {(one.method, one.path) for one in box.app.routes if one.permission == IN_PERSON} == FOR_ALL_IN_PERSON
    assert {(one.method, one.path) for one in box.app.routes if one.permission == TILL} == FOR_TILLS
    spoken_for = {one.permission for one in box.app.routes}
    own = {name for name in known - spoken_for if name.partition(".")[0] in registry.plugins}
    assert own <= {
        "catalog.see_cost",
        "console.share_views",
        "sales.discount",
        "sales.override_price",
        "sales.below_cost",
        "sales.import",
        "daybook.see",
        "daybook.expense",
        "inventory.oversell",
        "taxes.exempt",
        "reconciliation.write_off",
    }


def test_a_route_without_a_permission_cannot_be_declared() -> None:
    async def anything(work: Any) -> None:
        """Do something."""

    with pytest.raises(TypeError, match="neither a permission"):
        command("POST", "/anything", permission="")(anything)


def test_no_shipped_role_comes_with_more_than_it_should(registry: Registry) -> None:
    for role, never in NEVER.items():
        held = Rights(registry).of(role, (), (), frozenset(registry.plugins))
        assert not held & (never | ABOVE_STAFF), f"{role}: {sorted(held & (never | ABOVE_STAFF))}"


@ON_SQLITE
async def test_each_role_is_let_in_exactly_where_it_holds_the_permission(box: Box) -> None:
    calls, wrong = await every_cell(box)
    print(f"{calls} calls: {len(box.app.routes)} routes × {len(PRINCIPALS)} principals")
    assert calls == len(box.app.routes) * len(PRINCIPALS) > 400
    assert not wrong, "\n".join(wrong)


async def test_the_published_table_says_what_each_role_may_call(box: Box) -> None:
    """docs/reference/roles.md, read as a reader would, against the rule by which every cell above was tried."""
    told: dict[str, list[str]] = {}
    for line in (FOLDER / "roles.md").read_text().splitlines():
        if line.startswith("| `"):
            name, _, *marks = (cell.strip() for cell in line.strip("|").split("|"))
            told[name.strip("`")] = marks
    assert told.keys() == {f"{route.method} {route.path}" for route in box.app.routes}
    for role, place in zip(ROLES, range(len(ROLES)), strict=True):
        held = await rights_of(box, role)
        for route in box.app.routes:
            let_in = refusal(route, role, held) is None
            assert (told[f"{route.method} {route.path}"][place] == "✓") == let_in, f"{route.operation} as {role}"


@ON_SQLITE
@pytest.mark.parametrize("turn", [0, 1, 2])
async def test_an_edited_role_and_one_of_the_businesss_own_are_let_in_exactly_where_they_hold_it(
    box: Box, registry: Registry, turn: int
) -> None:
    owner = box.client("owner")
    every = sorted(one.name for one in Rights(registry).declared(registry.plugins))
    edited, own = every[turn::3], every[: (turn + 1) * len(every) // 4]
    cashiers = next(one for one in (await owner.get("/api/v1/roles")).json()["items"] if one["code"] == "cashier")
    changed = await owner.patch(f"/api/v1/roles/{cashiers['id']}", {"permissions": edited}, version=1)
    assert changed.json()["permissions"] == edited, changed.text
    made = await owner.post("/api/v1/roles", {"name": "Of our own", "permissions": own})
    person = f"/api/v1/users/{box.people['mama-njeri', 'accountant'].id}"
    given = await owner.patch(person, {"role_id": made.json()["id"]}, version=1)
    assert given.status_code == 200, given.text
    wrong, calls = [], 0
    for role, held in (("cashier", frozenset(edited)), ("accountant", frozenset(own))):
        for route in box.app.routes:
            answer = await empty_request(box, route, role)
            calls += 1
            if route.operation in ENDINGS:
                await box.act(sign_in_again)
            refused = answer.status_code == 403 and answer.json()["code"] == "forbidden"
            if refused != (refusal(route, role, held) == 403) or answer.status_code >= 500:
                wrong.append(f"{route.operation} as {role}: {answer.status_code} {answer.text[:200]}")
    print(f"{calls} cells")
    assert not wrong, "\n".join(wrong)


@ON_SQLITE
async def test_a_gate_that_forgets_to_ask_is_found(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: one route whose permission nobody checks, one that asks for another's."""

    async def forgetful(visit: Any, route: Route, path: Any) -> Any:
        if route.operation == "sales.void_sale":
            route = dataclasses.replace(route, permission=SIGNED_IN)
        if route.operation == "catalog.list_products":
            route = dataclasses.replace(route, permission="catalog.edit")
        return await perform(visit, route, path)

    monkeypatch.setattr("kernel.app.build.perform", forgetful)
    box.app = create_app(box.deployment)
    await box.http.aclose()
    box.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=box.app), base_url="http://duka.test")
    _, wrong = await every_cell(box)
    found = sorted(line.partition(":")[0] for line in wrong)
    assert found == [
        *(f"catalog.list_products as {role}" for role in ("accountant", "cashier")),
        *(f"sales.void_sale as {role}" for role in ("accountant", "cashier", "stock_keeper")),
    ]


async def every_cell(box: Box) -> tuple[int, list[str]]:
    """Call every route as everybody with an empty request; what was answered otherwise than the table says."""
    calls, wrong = 0, []
    for role in PRINCIPALS:
        held = await rights_of(box, role)
        for route in box.app.routes:
            answer = await empty_request(box, route, role)
            calls += 1
            if route.operation in ENDINGS:
                await box.act(sign_in_again)
            expected = refusal(route, role, held)
            said = answer.status_code if answer.status_code in (401, 403) else None
            if route.permission == PUBLIC and said == 401:  # wrong credentials, not a closed door
                said = None
            if said != expected or answer.status_code >= 500:
                wrong.append(
                    f"{route.operation} as {role}: {answer.status_code}, expected {expected}: {answer.text[:200]}"
                )
    return calls, wrong


async def sign_in_again(work: Work) -> None:
    """Undo a sign-out."""
    await work.execute(sa.update(SignIn).values(revoked_at=None))


async def rights_of(box: Box, role: str | None) -> frozenset[str]:
    """What a principal holds here. The operator of the box is a member as owner."""
    if role is None:
        return frozenset()
    registry = box.deployment.registry
    held = Rights(registry).of("owner" if role == "operator" else role, (), (), frozenset(registry.plugins))
    return held | {OPERATOR} if role == "operator" else held


def refusal(route: Route, role: str | None, held: frozenset[str]) -> int | None:
    """How the table says a principal is turned away from a route; None: it is let in."""
    if route.permission == PUBLIC:
        return None
    if role is None:
        return 401
    return None if route.permission in (SIGNED_IN, IN_PERSON, *held) else 403


async def empty_request(box: Box, route: Route, role: str | None) -> httpx.Response:
    """The least request: ids of nothing, an empty body or a file of one letter."""
    path = re.sub(r"{(\w+)}", lambda name: str(uuid.uuid4()) if name[1].endswith("_id") else "0", route.path)
    headers = {"Idempotency-Key": uuid.uuid4().hex} if route.takes_key else {}
    body: dict[str, Any] = {"json": {} if route.body is not None else None}
    if route.takes is not None:
        body, headers["Content-Type"] = {"content": b"x"}, route.takes.media_types[0]
    return await box.client(role).send(route.method, path, headers=headers, **body)
