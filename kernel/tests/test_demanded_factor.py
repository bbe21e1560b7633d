"""A business may demand a second factor of a role: until they have one, its people can only set it up (P23)."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.testing.box import PASSWORD, Box, Client
from kernel.tests.at_tills import at_till, register, set_pin
from kernel.tests.factors import FACTOR, Phone, login, set_up, told
from kernel.web import Route, paths

ROLES = "/api/v1/roles"


async def demand(box: Box, code: str, role: str = "owner", is_needed: bool = True) -> Any:
    """Say that a role takes a second factor, or that it does not."""
    listed = (await box.client("owner").get(ROLES)).json()["items"]
    one = await box.client("owner").get(f"{ROLES}/{next(it['id'] for it in listed if it['code'] == code)}")
    path, said = f"{ROLES}/{one.json()['id']}", {"needs_second_factor": is_needed}
    return await box.client(role).send("PATCH", path, json=said, headers={"If-Match": one.headers["ETag"]})


async def test_who_lacks_a_demanded_factor_signs_in_only_as_far_as_to_set_one_up(box: Box) -> None:
    assert (await demand(box, "cashier")).json()["needs_second_factor"]
    pair = (await login(box)).json()
    assert (pair["must_set_up_second_factor"], pair["permissions"]) == (True, [])
    cashier = Client(box.http, pair["access_token"])
    assert told(await cashier.get("/api/v1/sales/sales")) == (403, "second-factor-demanded")
    assert told(await cashier.patch("/api/v1/auth/me", {"name": "Other"}, version=1)) == (403, "second-factor-demanded")
    assert (await cashier.get("/api/v1/auth/me")).json()["permissions"] == []
    begun = await cashier.post(FACTOR, {"password": PASSWORD})
    phone = Phone(box, begun.json()["secret"])
    assert (await cashier.post(f"{FACTOR}/confirm", {"code": phone.code()})).status_code == 200
    assert (await cashier.get("/api/v1/locations")).status_code == 200, "at the very next request"
    box.clock.pass_by(seconds=30)
    again = (await login(box, code=phone.code())).json()
    assert not again["must_set_up_second_factor"]
    assert again["permissions"]


async def test_it_acts_on_sign_ins_that_are_open_and_on_no_other_role_or_business(box: Box) -> None:
    cashier, manager = box.client("cashier"), box.client("manager")
    assert (await cashier.get("/api/v1/locations")).status_code == 200
    await demand(box, "cashier")
    assert told(await cashier.get("/api/v1/locations")) == (403, "second-factor-demanded")
    assert (await manager.get("/api/v1/locations")).status_code == 200
    assert (await box.client("cashier", "sharma-kirana").get("/api/v1/locations")).status_code == 200
    await demand(box, "cashier", is_needed=False)
    assert (await cashier.get("/api/v1/locations")).status_code == 200


async def test_whoever_switches_the_factor_off_is_back_at_setting_it_up(box: Box) -> None:
    phone, _ = await set_up(box)
    await demand(box, "cashier")
    cashier = box.client("cashier")
    assert (await cashier.get("/api/v1/locations")).status_code == 200
    said = {"password": PASSWORD, "code": phone.code()}
    assert (await cashier.post(f"{FACTOR}/switch-off", said)).status_code == 204
    assert told(await cashier.get("/api/v1/locations")) == (403, "second-factor-demanded")


async def test_owners_may_demand_it_of_themselves_and_others_need_the_permission(box: Box) -> None:
    assert told(await demand(box, "cashier", role="manager")) == (403, "forbidden")
    assert (await demand(box, "owner")).status_code == 200
    assert told(await box.client("owner").get(ROLES)) == (403, "second-factor-demanded")


async def test_a_pin_is_good_at_its_till_without_a_factor(box: Box) -> None:
    await set_pin(box)
    await demand(box, "cashier")
    _, device = await register(box)
    assert (await (await at_till(box, device)).get("/api/v1/locations")).status_code == 200


async def test_nothing_but_what_is_listed_is_open_before_the_factor_is_set_up(box: Box) -> None:
    await demand(box, "cashier")
    assert await open_before(box) == set()


async def test_a_gate_that_lets_more_through_is_found(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: the whole room of sign-in is open."""
    await demand(box, "cashier")
    more = {("GET", one.path) for one in box.app.routes if one.plugin == "auth"}
    monkeypatch.setattr("kernel.web.gate.ENROLMENT", paths.ENROLMENT | more)
    assert "auth.list_sign_ins" in await open_before(box)


async def open_before(box: Box) -> set[str]:
    """Operations, of those not listed, that answer a cashier without a factor otherwise than by asking for one."""
    cashier, found = box.client("cashier"), set()
    for route in box.app.routes:
        if route.permission == "public" or (route.method, route.path) in paths.ENROLMENT:
            continue
        answer = await cashier.send(route.method, _filled(route), json={} if route.body is not None else None)
        if answer.status_code != 403 or answer.json()["code"] != "second-factor-demanded":
            found.add(route.operation)
    return found


def _filled(route: Route) -> str:
    path = route.path
    for name in route.parameters:
        path = path.replace(f"{{{name}}}", "01935f4e-6d2c-7a51-8f0e-3b1f5a0c9d11")
    return path
