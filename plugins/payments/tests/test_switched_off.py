"""Live payments of a gateway that is off; trials that end by themselves; a new secret key; the first boot."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from kernel.app.prepare import prepare
from kernel.app.resealing import reseal_all
from kernel.auth.businesses.switching import disable
from kernel.db import Phase, new_id
from kernel.db.tables import Business
from kernel.testing.box import Box
from kernel.work import Deployment, Work
from plugins.payments.models import Account, Attempt
from plugins.payments.rules import is_trial_till
from plugins.payments.schemas.gateways import Known
from plugins.payments.services.accounts import gateway_named, offered, opened_config
from plugins.payments.services.hearing import hear
from plugins.payments.services.line import AccountLine, lead_to
from plugins.payments.services.switching import switches
from plugins.payments.testing import a_gateway_payment
from plugins.payments.testing.toy import Toy
from plugins.payments.testing.toy_box import ToyBox, allow
from plugins.payments.testing.toy_provider import SECRET
from plugins.payments.tests.test_allowing import taking


async def account(toy: ToyBox) -> Any:
    async def read(work: Work) -> Any:
        found = sa.select(Account.__table__).where(Account.id == toy.accounts["mama-njeri"])
        return (await work.execute(found)).one()

    return await toy.box.look(read)


async def test_a_payment_that_was_begun_goes_on_when_its_gateway_is_switched_off_everywhere(toy: ToyBox) -> None:
    box, payment_id = toy.box, await a_gateway_payment(toy.box)
    lead_to(box.deployment, toy.provider.app)
    gateway, row = gateway_named(box.deployment, "toy"), await account(toy)
    await allow(box, "toy", "KE", is_on=False)
    await box.act(lambda work: disable(work, "toy"), phase=Phase.SWITCH)
    assert await taking(box) == "plugin_off"

    async def on(work: Work) -> list[str]:
        return list(offered(work))

    assert "toy" not in await box.look(on)
    line = AccountLine(box.deployment, box.shop.id, row, gateway, region="KE")
    toy.provider.always("find", "accept")
    known = Known(reference="none", amount=25_000, currency="KES", exponent=2, asked_at=box.clock())
    assert await gateway.find(line, known) == (), "the provider is asked as before, and has no news"
    toy.provider.receive(25_000)
    [fact] = await gateway.incoming(line, box.clock(), box.clock())
    await box.act(lambda work: hear(work, payment_id, [fact], "provider"))

    async def state(work: Work) -> tuple[str, int]:
        paid = (await work.execute(sa.select(Attempt.__table__).where(Attempt.id == payment_id))).one()
        return paid.state, paid.captured

    assert await box.look(state) == ("captured", 25_000)


async def payments_that_fail(box: Box, count: int) -> None:
    """Payments at tills on trial of which nothing was heard."""
    tills = (uuid.UUID(int=number) for number in range(1, 1000))
    trial = [one for one in tills if is_trial_till(one, "toy", 50)][:count]
    place = await box.location()

    async def run(work: Work) -> None:
        for till in trial:
            work.insert(
                Attempt,
                {
                    **{"id": new_id(), "subject_kind": "bill", "subject_id": new_id(), "subject_number": "B-1"},
                    **{"method": "toy", "kind": "other", "gateway": "toy", "mode": "test", "direction": "in"},
                    **{"amount": 25_000, "change": 0, "currency": "KES", "state": "failed", "captured": 0},
                    **{"refundable": 0, "location_id": place, "register_id": till, "flags": []},
                    **{"business_date": work.now.date(), "taken_at": work.now, "taken_by_name": "Cashier"},
                },
            )

    await box.act(run)


async def test_a_trial_that_fails_is_ended_by_itself_with_its_reason(toy: ToyBox) -> None:
    box = toy.box
    await allow(box, "toy", "KE", canary_percent=50)
    await payments_that_fail(box, 12)
    box.clock.pass_by(minutes=21)
    await box.run_jobs()
    assert await taking(box, till=trial_till()) == "Toy", "too few to tell"
    await payments_that_fail(box, 12)
    box.clock.pass_by(minutes=21)
    await box.run_jobs()
    assert await taking(box, till=trial_till()) == "region_off"
    [row] = [one for one in await box.look(switches) if one.rolled_back_at]
    assert (row.region, row.gateway, row.rolled_back_why) == (
        *("KE", "toy", "0 of 24 (0%) payments on trial succeeded; less than half"),
    )
    assert await taking(box, till=trial_till()) == "region_off"
    await allow(box, "toy", "KE", canary_percent=50)
    assert await taking(box, till=trial_till()) == "Toy", "an operator may try again"


def trial_till() -> int:
    return next(number for number in range(1, 100) if is_trial_till(uuid.UUID(int=number), "toy", 50))


async def test_secrets_of_accounts_are_sealed_anew_with_the_rest_whether_the_plugin_is_on_or_not(toy: ToyBox) -> None:
    box = toy.box
    settings = box.deployment.settings
    new = "another secret key that is long enough"
    both = msgspec.structs.replace(settings, secret_key=new, former_secret_keys=(settings.secret_key,))
    rotated = dataclasses.replace(box.deployment, settings=both, secret=new)
    await box.act(lambda work: disable(work, "toy"), phase=Phase.SWITCH)
    done = await reseal_all(rotated)
    assert (done.of_plugins, done.failed) == ({"payments": 2}, {})
    assert (await reseal_all(rotated)).of_plugins == {}
    alone = dataclasses.replace(rotated, settings=msgspec.structs.replace(both, former_secret_keys=()))
    opened = opened_config(alone, gateway_named(alone, "toy"), await account(toy))
    assert opened.secret == SECRET


async def test_the_first_boot_of_a_single_shop_makes_its_account_from_the_environment_and_the_next_none(
    toy: ToyBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = toy.box
    monkeypatch.setattr(Toy, "environment", {"secret": "TOY_SECRET", "host": "TOY_HOST"})
    monkeypatch.setenv("TOY_SECRET", SECRET)
    assert await prepare(box.deployment) == [], "two businesses: whose would it be"

    async def leave_one(work: Work) -> None:
        await work.execute(sa.update(Business).where(Business.slug == "sharma-kirana").values(is_active=False))
        await work.execute(sa.delete(Account).where(Account.business_id == work.business_id))

    await box.act(leave_one, phase=Phase.SWITCH)
    [told] = await prepare(box.deployment)
    assert told.startswith("Toy money has a test account, from TOY_SECRET; duka gateway enable toy --region KE")
    assert await prepare(box.deployment) == []
    assert await taking(box) == "From the environment"
    assert _is_silent(box.deployment, told)


def _is_silent(deployment: Deployment, told: str) -> bool:
    return SECRET not in told and deployment.secret not in told
