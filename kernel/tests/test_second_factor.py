"""The second factor: codes by time, good once; recovery codes; what a thief of one factor cannot do (P24)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from kernel.auth.businesses.making import add_member, role_named
from kernel.auth.credentials import RecoveryCode, SecondFactor
from kernel.auth.models import Role
from kernel.auth.secrets import totp
from kernel.auth.signing_in import second_factor
from kernel.auth.signing_in.second_factor import Verdict
from kernel.db.tables import Audit
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import PASSWORD, Box, open_box
from kernel.tests.command_line import duka
from kernel.tests.factors import FACTOR, Phone, login, set_up, told
from kernel.work import Work


@pytest_asyncio.fixture
async def other_process(box: Box, box_settings: Settings, registry: Registry) -> AsyncIterator[Box]:
    second = await open_box(box_settings, registry, clock=box.clock)
    yield second
    await second.close()


# setting up


async def test_it_counts_only_once_it_is_confirmed(box: Box) -> None:
    cashier = box.client("cashier")
    assert (await cashier.get(FACTOR)).json() == {"is_on": False, "confirmed_at": None, "recovery_codes_left": 0}
    first = (await cashier.post(FACTOR, {"password": PASSWORD})).json()
    assert (await login(box)).status_code == 200
    begun = (await cashier.post(FACTOR, {"password": PASSWORD})).json()
    assert begun["uri"].startswith("otpauth://totp/Duka:cashier@mama-njeri.example?secret=" + begun["secret"])
    stale = await cashier.post(f"{FACTOR}/confirm", {"code": Phone(box, first["secret"]).code()})
    assert told(stale) == (401, "second-factor-wrong")
    assert (await cashier.get(FACTOR)).json()["is_on"] is False
    right = await cashier.post(f"{FACTOR}/confirm", {"code": Phone(box, begun["secret"]).code()})
    assert len(set(right.json()["recovery_codes"])) == 10
    state = (await cashier.get(FACTOR)).json()
    assert (state["is_on"], state["recovery_codes_left"]) == (True, 10)
    assert told(await login(box)) == (401, "second-factor-required")


async def test_beginning_takes_the_password_and_nothing_that_is_on(box: Box) -> None:
    cashier = box.client("cashier")
    assert told(await cashier.post(FACTOR, {"password": "not it"})) == (403, "forbidden")
    await set_up(box)
    assert told(await cashier.post(FACTOR, {"password": PASSWORD})) == (409, "conflict")
    assert told(await cashier.post(f"{FACTOR}/confirm", {"code": "000000"})) == (401, "second-factor-wrong")


async def test_nothing_that_is_shown_once_is_kept_for_a_second_answer(box: Box) -> None:
    cashier = box.client("cashier")
    answers = [await cashier.post(FACTOR, {"password": PASSWORD}, key="same") for _ in "12"]
    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json()["secret"] != answers[1].json()["secret"]


@pytest.mark.parametrize(
    "code",
    [
        "",
        "28708",
        "2870820",
        "28708a",
        "\u0662\u0668\u0667\u0660\u0668\u0662",
        "aaaa-bbbb-cccc",
        "000000\n",
        287082,
        None,
    ],
)
async def test_a_code_that_is_none_is_refused_before_it_is_tried(box: Box, code: Any) -> None:
    await set_up(box)
    answer = await box.client("cashier").post(f"{FACTOR}/confirm", {"code": code})
    assert told(answer) == (422, "validation")


# signing in


async def test_signing_in_takes_the_password_and_a_code(box: Box) -> None:
    phone, _ = await set_up(box)
    missing = await login(box)
    assert told(missing) == (401, "second-factor-required")
    assert missing.headers["www-authenticate"] == "Bearer"
    assert told(await login(box, code="000000")) == (401, "second-factor-wrong")
    assert told(await login(box, password="wrong one", code=phone.code())) == (401, "unauthenticated")
    assert (await login(box, code=phone.code())).status_code == 200


async def test_a_stranger_does_not_learn_who_has_a_second_factor(box: Box) -> None:
    await set_up(box)
    answers = [await login(box, role, "a wrong password") for role in ("cashier", "manager", "nobody")]
    assert len({(one.status_code, one.json()["code"], one.json()["detail"]) for one in answers}) == 1


async def test_a_code_is_good_once_and_none_after_a_later_one(box: Box) -> None:
    phone, _ = await set_up(box)
    code = phone.code()
    assert (await login(box, code=code)).status_code == 200
    assert told(await login(box, code=code)) == (401, "second-factor-wrong")
    assert (await login(box, code=phone.code(1))).status_code == 200
    assert told(await login(box, code=phone.code(-1))) == (401, "second-factor-wrong")


async def test_the_code_that_confirmed_does_not_sign_in(box: Box) -> None:
    phone, _ = await set_up(box)
    assert told(await login(box, code=phone.code(-1))) == (401, "second-factor-wrong")


async def test_codes_out_of_their_time_open_nothing(box: Box) -> None:
    phone, _ = await set_up(box)
    for steps in (-3, -2, 2, 3):
        assert told(await login(box, code=phone.code(steps))) == (401, "second-factor-wrong")
    assert (await login(box, code=phone.code(1))).status_code == 200


async def test_a_code_of_another_person_opens_nothing(box: Box) -> None:
    await set_up(box)
    theirs, codes = await set_up(box, "manager")
    assert told(await login(box, code=theirs.code())) == (401, "second-factor-wrong")
    assert told(await login(box, code=codes[0])) == (401, "second-factor-wrong")


async def test_of_one_code_at_once_in_two_processes_one_is_taken(box: Box, other_process: Box) -> None:
    phone, _ = await set_up(box)
    person = box.people["mama-njeri", "cashier"].id
    assert person
    assert await at_once(box, other_process, lambda work: second_factor._take_step(work, person, phone.code())) == 1


async def test_of_one_recovery_code_at_once_in_two_processes_one_is_taken(box: Box, other_process: Box) -> None:
    _, codes = await set_up(box)
    person = box.people["mama-njeri", "cashier"].id
    assert person
    taken = await at_once(box, other_process, lambda work: second_factor._take_recovery_code(work, person, codes[3]))
    assert taken == 1


async def test_the_broken_twin_that_reads_the_last_step_before_it_writes_is_found_out(
    box: Box, other_process: Box
) -> None:
    phone, _ = await set_up(box)
    person = box.people["mama-njeri", "cashier"].id
    assert person
    step = totp.matching_step(phone.secret, phone.code(), box.clock())
    barrier = asyncio.Barrier(8)

    async def last(work: Work) -> int:
        found = await work.execute(sa.select(SecondFactor.last_step).where(SecondFactor.user_id == person))
        step: int = found.scalar_one()
        return step

    async def naive(server: Box) -> bool:
        fresh = step is not None and await server.look(last) < step
        await barrier.wait()
        if fresh:
            here = sa.update(SecondFactor).where(SecondFactor.user_id == person)
            await server.act(lambda work: work.execute(here.values(last_step=step)))
        return fresh

    assert sum(await asyncio.gather(*(naive((box, other_process)[n % 2]) for n in range(8)))) > 1


async def at_once(box: Box, other: Box, take: Any) -> int:
    barrier = asyncio.Barrier(12)

    async def one(server: Box) -> bool:
        await barrier.wait()
        taken: bool = await server.act(take)
        return taken

    return sum(await asyncio.gather(*(one((box, other)[n % 2]) for n in range(12))))


async def test_ten_codes_are_tried_in_a_quarter_of_an_hour_over_all_processes(box: Box, other_process: Box) -> None:
    phone, _ = await set_up(box)
    person = box.people["mama-njeri", "cashier"].id
    assert person
    barrier = asyncio.Barrier(24)

    async def one(server: Box, number: int) -> str:
        await barrier.wait()
        try:
            verdict: Verdict = await server.act(lambda work: second_factor.check(work, person, f"{number:06d}"))
        except Exception as fault:  # the refusal is what is counted
            return type(fault).__name__
        return verdict.value

    said = await asyncio.gather(*(one((box, other_process)[n % 2], n) for n in range(24)))
    assert sorted(said) == ["RateLimited"] * 14 + ["wrong"] * 10
    assert told(await login(box, code=phone.code())) == (429, "rate-limited")
    assert (await login(box, "manager")).status_code == 200
    box.clock.pass_by(minutes=15, seconds=1)
    assert (await login(box, code=phone.code())).status_code == 200


# recovery codes


async def test_each_recovery_code_signs_in_once(box: Box) -> None:
    _, codes = await set_up(box)
    assert (await login(box, code=codes[0])).status_code == 200
    assert told(await login(box, code=codes[0])) == (401, "second-factor-wrong")
    assert (await login(box, code=codes[9].upper())).status_code == 200
    assert (await box.client("cashier").get(FACTOR)).json()["recovery_codes_left"] == 8


async def test_new_recovery_codes_take_password_and_code_and_end_the_former(box: Box) -> None:
    phone, codes = await set_up(box)
    cashier, path = box.client("cashier"), f"{FACTOR}/recovery-codes"
    assert told(await cashier.post(path, {"password": "not it", "code": phone.code()})) == (403, "forbidden")
    assert told(await cashier.post(path, {"password": PASSWORD, "code": "000000"})) == (401, "second-factor-wrong")
    fresh = (await cashier.post(path, {"password": PASSWORD, "code": phone.code()})).json()["recovery_codes"]
    assert len(set(fresh) | set(codes)) == 20
    assert told(await login(box, code=codes[0])) == (401, "second-factor-wrong")
    assert (await login(box, code=fresh[0])).status_code == 200


# switching off


async def test_switching_off_takes_password_and_code(box: Box) -> None:
    phone, codes = await set_up(box)
    cashier, path = box.client("cashier"), f"{FACTOR}/switch-off"
    assert told(await cashier.post(path, {"password": "not it", "code": phone.code()})) == (403, "forbidden")
    assert told(await cashier.post(path, {"password": PASSWORD, "code": "000000"})) == (401, "second-factor-wrong")
    assert (await cashier.post(path, {"password": PASSWORD, "code": codes[0]})).status_code == 204
    assert (await login(box)).status_code == 200
    assert told(await cashier.post(path, {"password": PASSWORD, "code": codes[1]})) == (409, "conflict")


async def test_who_manages_people_switches_off_anothers_and_it_is_audited(box: Box) -> None:
    await set_up(box, "manager")
    person = box.people["mama-njeri", "manager"].id
    path = f"/api/v1/users/{person}/second-factor"
    for role in ("cashier", "manager", "accountant", "stock_keeper"):
        assert told(await box.client(role).send("DELETE", path)) == (403, "forbidden")
    assert told(await box.client("owner", "sharma-kirana").send("DELETE", path)) == (404, "not-found")
    assert told(await login(box, "manager")) == (401, "second-factor-required")
    assert (await box.client("owner").send("DELETE", path)).status_code == 204
    assert (await login(box, "manager")).status_code == 200

    async def rows(work: Work) -> list[Any]:
        found = await work.execute(
            sa.select(Audit.actor_name, Audit.subject).where(
                Audit.business_id == work.business_id, Audit.deed == "users.switch_off_anothers_second_factor"
            )
        )
        return [tuple(row) for row in found.all()]

    assert await box.look(rows) == [("Owner", f"user:{person}")]


async def test_nobody_switches_off_that_of_a_higher_role(box: Box) -> None:
    """A manager who was also given users.manage is still below the owner."""
    await set_up(box, "owner")

    async def promote(work: Work) -> None:
        role = await role_named(work, "manager")
        here = sa.and_(Role.business_id == work.business_id, Role.id == role)
        await work.execute(sa.update(Role).where(here).values(added=["users.manage"]))

    await box.act(promote)
    manager = box.client("manager")
    path = "/api/v1/users/{}/second-factor"
    owner, below = (box.people["mama-njeri", role].id for role in ("owner", "accountant"))
    assert told(await manager.send("DELETE", path.format(owner))) == (403, "role-above")
    assert (await manager.send("DELETE", path.format(below))).status_code == 204
    assert told(await login(box, "owner")) == (401, "second-factor-required")


async def test_a_business_does_not_weaken_an_account_that_it_shares_or_an_operators(box: Box) -> None:
    await set_up(box, "cashier")
    await set_up(box, "operator")
    person = box.people["mama-njeri", "cashier"].id
    assert person

    async def hire(work: Work) -> None:
        await add_member(work, person, await role_named(work, "cashier"))

    await box.act(hire, shop="sharma-kirana")
    for shop in box.shops:
        answer = await box.client("owner", shop).send("DELETE", f"/api/v1/users/{person}/second-factor")
        assert told(answer) == (403, "forbidden")
    operator = box.people["mama-njeri", "operator"].id
    answer = await box.client("owner").send("DELETE", f"/api/v1/users/{operator}/second-factor")
    assert told(answer) == (403, "forbidden")
    assert told(await login(box, "cashier")) == (401, "second-factor-required")


async def test_ones_own_is_not_switched_off_by_the_road_for_others(box: Box) -> None:
    await set_up(box, "owner")
    person = box.people["mama-njeri", "owner"].id
    answer = await box.client("owner").send("DELETE", f"/api/v1/users/{person}/second-factor")
    assert told(answer) == (403, "forbidden")


async def test_whoever_has_the_server_switches_off_any_from_the_command_line(box: Box, box_settings: Settings) -> None:
    await set_up(box, "owner")
    off = (box_settings, "second-factor", "off")
    code, said = await duka(*off, "nobody@mama-njeri.example")
    assert (code, "nobody has an account" in said) == (1, True), said
    assert told(await login(box, "owner")) == (401, "second-factor-required")
    code, said = await duka(*off, "Owner@mama-njeri.example")
    assert (code, "signs in by password alone" in said) == (0, True), said
    assert (await login(box, "owner")).status_code == 200


async def test_the_own_password_is_tried_ten_times_in_a_quarter_of_an_hour(box: Box) -> None:
    cashier = box.client("cashier")
    statuses = [(await cashier.post(FACTOR, {"password": f"wrong {n}"})).status_code for n in range(12)]
    assert statuses == [403] * 10 + [429] * 2
    assert (await cashier.post(FACTOR, {"password": PASSWORD})).status_code == 429
    assert (await login(box)).status_code == 200


async def test_recovery_codes_are_random_and_not_of_one_another(box: Box) -> None:
    person = box.people["mama-njeri", "cashier"].id
    assert person
    codes = [
        one for _ in range(30) for one in await box.act(lambda work: second_factor.renew_recovery_codes(work, person))
    ]
    assert len(set(codes)) == 300
    counted = sa.select(sa.func.count()).where(RecoveryCode.user_id == person)
    assert (await box.look(lambda work: work.execute(counted))).scalar_one() == 10
