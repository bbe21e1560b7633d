"""Where a gateway may be used: pure rules, and the account that takes an amount at a till."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

import pytest
from msgspec import structs

from kernel.errors import DukaError
from kernel.testing.box import Box
from kernel.work import Work
from plugins.payments.errors import GatewayUnavailable
from plugins.payments.models import Account, Health
from plugins.payments.rules import Tally, is_trial_till, why_trial_fails
from plugins.payments.services import accounts, allowing
from plugins.payments.services.accounts import account_for, gateway_named
from plugins.payments.testing.toy_box import ToyBox, a_toy_account, allow


@pytest.mark.parametrize(
    ("trial", "others", "fails"),
    [
        (Tally(19, 0), Tally(200, 190), False),  # too few to tell
        (Tally(40, 11), Tally(200, 190), True),
        (Tally(200, 179), Tally(200, 190), False),  # five points
        (Tally(20, 16), Tally(20, 18), False),  # ten points, which chance shows often
        (Tally(200, 160), Tally(200, 190), True),
        (Tally(20, 9), Tally(19, 19), True),  # nothing to compare with: less than half
        (Tally(20, 10), Tally(0, 0), False),
        (Tally(20, 0), Tally(20, 0), False),  # nobody pays anywhere: it is not the trial
        (Tally(200, 199), Tally(200, 100), False),
    ],
)
def test_a_trial_fails_where_it_is_clearly_worse(trial: Tally, others: Tally, fails: bool) -> None:
    assert (why_trial_fails(trial, others) is not None) is fails


def test_the_same_share_of_tills_tries_a_gateway_and_more_of_them_as_it_grows() -> None:
    tills = [uuid.UUID(int=number) for number in range(4000)]
    few = {one for one in tills if is_trial_till(one, "toy", 10)}
    more = {one for one in tills if is_trial_till(one, "toy", 50)}
    assert few < more
    assert 0.07 < len(few) / len(tills) < 0.13
    assert all(is_trial_till(one, "toy", 100) for one in tills)
    assert few != {one for one in tills if is_trial_till(one, "other", 10)}


async def taking(box: Box, amount: int = 25_000, *, location: str = "kilimani", till: int = 1) -> str:
    """The label of the account that takes an amount, or why none does."""
    place = await box.location(location)

    async def choose(work: Work) -> str:
        gateway = gateway_named(work.deployment, "toy")
        row = await account_for(work, gateway, amount, place, uuid.UUID(int=till))
        return str(row.label)

    try:
        return await box.look(choose)
    except GatewayUnavailable as refusal:
        others, why = refusal.members["others"], refusal.members["why"]
    return str(why) if "cash" in others and "toy" not in others else f"{why}, and pay with {others}"


async def change(box: Box, account_id: uuid.UUID, **values: Any) -> None:
    async def run(work: Work) -> None:
        row = await work.get(Account, account_id)
        for name, value in values.items():
            setattr(row, name, value)

    await box.act(run)


async def rest(box: Box, account_id: uuid.UUID, kind: str) -> None:
    """The gateway of an account is down for an hour."""

    async def run(work: Work) -> None:
        row = {"account_id": account_id, "kind": kind, "failed_in_a_row": 5, "closings": 1}
        work.insert(Health, row | {"closed_until": work.now + dt.timedelta(hours=1)})

    await box.act(run)


async def test_a_switch_of_the_region_acts_at_the_next_checkout_and_says_why(toy: ToyBox) -> None:
    box = toy.box
    assert await taking(box) == "Toy"
    await allow(box, "toy", "KE", is_on=False)
    assert await taking(box) == "region_off"
    await allow(box, "toy", "KE", mode="live")
    assert await taking(box) == "region_off", "the account is in test mode"
    await allow(box, "toy", "KE", currency="KES", least="100.00", most="300.00")
    assert [await taking(box, amount) for amount in (9_900, 10_000, 30_000, 30_100, 25_050)] == [
        *("amount", "Toy", "Toy", "amount", "amount")
    ]
    await allow(box, "toy", "KE", currency="TZS")
    assert await taking(box) == "currency"


async def test_a_process_that_kept_the_switches_would_be_found_out(
    toy: ToyBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[allowing.Ground] = []

    async def keeping(work: Work) -> allowing.Ground:
        kept[:] = kept or [await allowing.ground_of(work)]
        return kept[0]

    monkeypatch.setattr(accounts, "ground_of", keeping)
    assert await taking(toy.box) == "Toy"
    await allow(toy.box, "toy", "KE", is_on=False)
    assert await taking(toy.box) == "Toy", "it goes on taking money, as no process of ours does"


async def test_only_the_tills_of_the_trial_use_a_gateway_on_trial(toy: ToyBox) -> None:
    await allow(toy.box, "toy", "KE", canary_percent=50)
    for till in range(1, 7):
        expected = "Toy" if is_trial_till(uuid.UUID(int=till), "toy", 50) else "trial"
        assert await taking(toy.box, till=till) == expected


async def test_an_account_takes_money_where_it_is_meant_to_in_the_order_of_the_business(toy: ToyBox) -> None:
    box, first = toy.box, toy.accounts["mama-njeri"]
    second = await a_toy_account(box, label="Second", position=2)
    store = str(await box.location("store"))
    assert await taking(box) == "Toy"
    await change(box, first, locations=[store])
    assert [await taking(box, location=one) for one in ("kilimani", "store")] == ["Second", "Toy"]
    await change(box, first, locations=[])
    await rest(box, first, "ask")
    assert await taking(box) == "Second", "the first does not answer just now"
    await change(box, second, is_on=False)
    assert await taking(box) == "Toy", "there is no other"
    await change(box, first, locations=[store])
    assert await taking(box) == "elsewhere"
    await change(box, first, is_on=False)
    assert await taking(box) == "not_set_up"


async def test_production_takes_no_real_sale_by_a_test_account_unless_the_business_is_for_practice(toy: ToyBox) -> None:
    box = toy.box
    settings = structs.replace(box.deployment.settings, environment="production")
    box.deployment = dataclasses.replace(box.deployment, settings=settings)
    assert await taking(box) == "test_only"
    owner = box.client("owner")
    assert (
        await owner.patch("/api/v1/settings/payments", {"values": {"is_practice": True}}, version=0)
    ).status_code == 200
    assert await taking(box) == "Toy"


def test_the_refusal_is_a_problem_with_its_reason() -> None:
    refusal: DukaError = GatewayUnavailable("Toy is off", "toy", "region_off", ["cash", "card"])
    assert (refusal.status, refusal.code, str(refusal)) == (
        *(409, "gateway-unavailable", "Toy is off; pay with cash, card"),
    )
