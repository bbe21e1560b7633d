"""Accounts at gateways over the API: what is kept, what is shown, who may, and what a trial of one comes to."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from kernel.testing.box import Client
from kernel.work import Work
from plugins.payments.models import Account
from plugins.payments.services import line
from plugins.payments.services.accounts import gateway_named, opened_config
from plugins.payments.testing import a_gateway_payment
from plugins.payments.testing.toy_box import ToyBox, allow
from plugins.payments.testing.toy_provider import SECRET

HERE = "/api/v1/payments/accounts"
REGIONS = "/api/v1/operating/payments/regions"
NEW = {"gateway": "toy", "label": "Second", "mode": "test", "config": {"secret": "a very secret word"}}


async def opened(owner: Client, **more: Any) -> dict[str, Any]:
    answer = await owner.post(HERE, NEW | more)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_an_account_is_opened_changed_tried_and_given_up_and_its_secret_never_comes_out(toy: ToyBox) -> None:
    box, owner = toy.box, toy.box.client("owner")
    made = await opened(owner, config={"secret": "wrong word"})
    path, said = f"{HERE}/{made['id']}", [str(made)]
    assert (made["secrets"], made["config"], made["unavailable"]) == ({"secret": True}, {"host": "toy.example"}, None)
    line.lead_to(box.deployment, toy.provider.app)
    toy.provider.next("check", "refuse")
    tried = await owner.post(f"{path}/check")
    assert (tried.status_code, tried.json()["is_well"], tried.json()["fault"]) == (200, False, "validation")
    stale = await owner.patch(path, {"config": {"secret": SECRET}}, version=1)
    assert stale.status_code == 412
    changed = await owner.patch(path, {"label": "Third", "config": {"secret": SECRET}}, version=2)
    assert (changed.status_code, changed.json()["label"], changed.json()["tested"]) == (200, "Third", None)
    tried = await owner.post(f"{path}/check")
    assert (tried.json()["is_well"], tried.json()["words"]) == (True, "The account is open")
    shown = (await owner.get(path)).json()
    assert shown["tested"] == "The account is open"
    former = shown["notify_url"]
    renewed = (await owner.post(f"{path}/renew-path")).json()
    assert renewed["notify_url"] != former
    assert (await owner.post(f"{path}/enrol")).json()["fault"] == "not_supported"
    gone = await owner.send("DELETE", path, headers={"If-Match": "*"})
    assert gone.status_code == 204, gone.text
    assert (await owner.get(path)).status_code == 404
    said += [tried.text, str(shown), changed.text, str(await box.trail(f"gateway_account:{made['id']}"))]
    assert not [text for text in said if SECRET in text or "wrong word" in text]
    kept = await box.look(configs)
    assert all(SECRET not in str(one) for one in kept)


async def configs(work: Work) -> list[Any]:
    return [row.config for row in await work.execute(sa.select(Account.config))]


@pytest.mark.parametrize(
    ("said", "status", "pointer"),
    [
        ({"gateway": "none"}, 422, "/gateway"),
        ({"config": {}}, 422, "/config/secret"),
        ({"config": {"secret": 5}}, 422, "/config/secret"),
        ({"config": {"secret": "a", "other": "b"}}, 422, "/config/other"),
        ({"location_ids": ["019377d6-5b1e-7c3a-8f00-000000000001"]}, 404, "/location_ids/0"),
        ({"mode": "real"}, 422, "/mode"),
        ({"position": -1}, 422, "/position"),
    ],
)
async def test_what_is_wrong_is_refused_at_its_place(toy: ToyBox, said: Any, status: int, pointer: str) -> None:
    answer = await toy.box.client("owner").post(HERE, NEW | said)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (status, pointer)


async def test_only_a_person_of_the_owners_choice_manages_accounts_and_another_shop_never(toy: ToyBox) -> None:
    box, mine = toy.box, toy.accounts["mama-njeri"]
    for role in ("manager", "cashier", "accountant", "stock_keeper"):
        assert (await box.client(role).get(HERE)).status_code == 403
    other = box.client("owner", "sharma-kirana")
    assert (await other.get(f"{HERE}/{mine}")).status_code == 404
    key = await box.client("owner").post("/api/v1/keys", {"name": "key", "scopes": ["payments.manage_accounts"]})
    program = Client(box.http, key.json()["key"])
    assert (await program.get(HERE)).status_code == 200
    assert (await program.post(HERE, NEW)).status_code == 403


async def test_an_account_by_which_something_was_paid_stays_and_opens_after_it_was_switched_off(toy: ToyBox) -> None:
    box, owner = toy.box, toy.box.client("owner")
    listed = (await owner.get(HERE)).json()["items"]
    path = f"{HERE}/{listed[0]['id']}"
    await a_gateway_payment(box)
    refused = await owner.send("DELETE", path, headers={"If-Match": "*"})
    assert (refused.status_code, refused.json()["code"]) == (409, "in-use")
    off = await owner.patch(path, {"is_on": False}, version=listed[0]["version"])
    assert off.json()["unavailable"] == "It is switched off"

    async def secret(work: Work) -> str:
        row = await work.get(Account, toy.accounts["mama-njeri"])
        return str(opened_config(work.deployment, gateway_named(work.deployment, "toy"), row).secret)

    assert await box.look(secret) == SECRET


async def test_a_trial_is_made_at_most_twenty_times_in_a_quarter_of_an_hour(toy: ToyBox) -> None:
    line.lead_to(toy.box.deployment, toy.provider.app)
    owner, path = toy.box.client("owner"), f"{HERE}/{toy.accounts['mama-njeri']}/check"
    codes = [(await owner.post(path)).status_code for _ in range(21)]
    assert codes == [200] * 20 + [429]


async def test_gateways_and_methods_say_what_can_be_used_and_managers_of_accounts_why_not(toy: ToyBox) -> None:
    box, owner = toy.box, toy.box.client("owner")
    listed = (await owner.get("/api/v1/payments/gateways")).json()["items"]
    one = next(said for said in listed if said["name"] == "toy")
    assert (one["name"], one["methods"], one["capabilities"]["refunds"]) == ("toy", ["toy"], "parts")
    assert {said["mode"]: said["is_on"] for said in one["allowed"]} == {"live": False, "test": True}
    assert "secret" in one["config_schema"]["$defs"]["ToyConfig"]["required"]
    await allow(box, "toy", "KE", is_on=False)
    for role, expected in (("owner", "region_off"), ("cashier", None)):
        said = (await box.client(role).get("/api/v1/payments/methods")).json()
        assert "toy" not in [method["code"] for method in said["items"]]
        told = said.get("unavailable")
        assert (told and {one["code"]: one["why"] for one in told}["toy"]) == expected
    await allow(box, "toy", "KE")
    place = {"location_id": str(await box.location())}
    said = (await box.client("cashier").get("/api/v1/payments/methods", params=place)).json()
    assert "toy" in [method["code"] for method in said["items"]]


async def test_amounts_are_multiples_of_what_the_provider_takes_or_of_what_the_business_rounds_to(toy: ToyBox) -> None:
    owner, settings = toy.box.client("owner"), "/api/v1/settings/payments"
    for step, expected in ((None, "1.00"), ("0.5", "1.00"), ("5", "5.00")):
        if step is not None:
            version = int((await owner.get(settings)).headers["etag"].strip('"').partition(".")[0])
            rounding = [{"method": "toy", "step": step}]
            changed = await owner.patch(settings, {"values": {"rounding": rounding}}, version=version)
            assert changed.status_code == 200, changed.text
        listed = (await owner.get("/api/v1/payments/methods")).json()["items"]
        steps = {one["code"]: one["step"] for one in listed}
        assert (steps["toy"], steps["card"]) == (expected, "0.01")


async def test_operators_switch_gateways_without_a_business_and_nobody_else_does(toy: ToyBox) -> None:
    box, operator = toy.box, toy.box.client("operator")
    for role in ("owner", "cashier"):
        assert (await box.client(role).get(REGIONS)).status_code == 403
    assert (await box.client(None).get(REGIONS)).status_code == 401
    listed = (await operator.get(REGIONS)).json()["items"]
    mine = next(one for one in listed if (one["region"], one["gateway"], one["mode"]) == ("KE", "toy", "live"))
    assert (mine["is_on"], mine["version"]) == (False, 0)
    path = f"{REGIONS}/KE/toy/live"
    said = {"is_on": True, "currency": "KES", "least": "10.00", "most": "70000.00", "canary_percent": 10}
    assert (await operator.send("PUT", path, json=said)).status_code == 428
    made = await operator.send("PUT", path, json=said, headers={"If-Match": '"0"'})
    assert (made.status_code, made.json()["most"], made.json()["version"]) == (200, "70000.00", 1), made.text
    assert made.json()["canary_since"] is not None
    assert (await operator.send("PUT", path, json=said, headers={"If-Match": '"0"'})).status_code == 412
    for wrong in ({"most": "1.00"}, {"currency": None}, {"currency": "XXQ"}, {"least": "1.001"}, {"canary_percent": 0}):
        refused = await operator.send("PUT", path, json=said | wrong, headers={"If-Match": "*"})
        assert refused.status_code == 422, wrong
    for nowhere in ("KE/none/live", "XX/toy/live", "KE/toy/real"):
        answer = await operator.send("PUT", f"{REGIONS}/{nowhere}", json=said, headers={"If-Match": "*"})
        assert answer.status_code == 404
    assert (await operator.send("DELETE", path)).status_code == 204
    assert (await operator.send("DELETE", path)).status_code == 404
    assert not await box.trail("gateway:KE/toy/live"), "it is in the trail of the deployment, not of a business"
