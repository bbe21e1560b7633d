"""P25, P43: a colleague's PIN approves at the counter only where it may, and is not found by trying."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
import sqlalchemy as sa
from msgspec import structs

from kernel.auth.signing_in import pins
from kernel.db.tables import Audit
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import Box, Client, open_box
from kernel.tests.at_tills import SECRET_DIGITS, at_till, register, set_pin
from kernel.tests.factors import set_up
from kernel.work import Work
from tests.promises.test_approvals import APPROVALS, WHY, again, asked, cart, refused_as
from tests.promises.test_delegation import edit, role

WRONG = "8053"


@pytest_asyncio.fixture
async def counter(box: Box, box_settings: Settings, registry: Registry) -> AsyncIterator[Box]:
    """The same shops in a process whose deployment lets PINs approve in any sign-in."""
    second = await open_box(structs.replace(box_settings, counter_approvals="sign-ins"), registry, clock=box.clock)
    yield second
    await second.close()


def proof(box: Box, role: str = "manager", pin: str = SECRET_DIGITS, shop: str = "mama-njeri") -> dict[str, Any]:
    """What is sent with a PIN."""
    return {"user_id": str(box.people[shop, role].id), "pin": pin, **WHY}


async def by_pin(client: Client, approval: str, said: dict[str, Any]) -> httpx.Response:
    """Try to approve here."""
    return await client.post(f"{APPROVALS}/{approval}/approve-here", said)


async def here(client: Client, approval: str) -> list[str]:
    """The names of those who can."""
    answer = await client.get(f"{APPROVALS}/{approval}/here")
    assert answer.status_code == 200, answer.text
    return [one["name"] for one in answer.json()["people"]]


async def test_a_colleague_approves_in_the_sign_in_of_whoever_asked(counter: Box) -> None:
    cashier, body = counter.client("cashier"), await cart(counter)
    approval = await asked(cashier, body)
    assert await here(cashier, approval) == [], "nobody has a PIN"
    for one in ("manager", "cashier", "stock_keeper"):
        await set_pin(counter, one)
    assert await here(cashier, approval) == ["Manager"], "who could do it alone, and did not ask"
    said = await by_pin(cashier, approval, proof(counter))
    assert (said.status_code, said.json()["state"], said.json()["answered_by_name"]) == (200, "approved", "Manager")
    assert (await again(cashier, body, approval)).status_code == 201
    assert (await cashier.get("/api/v1/auth/me")).json()["name"] == "Cashier", "nobody was signed in"


async def test_a_deployment_that_has_not_said_so_takes_pins_at_tills_alone(box: Box) -> None:
    await set_pin(box, "manager")
    cashier = box.client("cashier")
    approval = await asked(cashier, await cart(box))
    assert await here(cashier, approval) == []
    assert refused_as(await by_pin(cashier, approval, proof(box)), "forbidden")
    await set_pin(box, "cashier")
    _till, device = await register(box)
    at = await at_till(box, device)
    mine = await asked(at, await cart(box))
    assert await here(at, mine) == ["Manager"]
    assert (await by_pin(at, mine, proof(box))).status_code == 200


async def test_who_may_not_alone_who_asked_and_who_is_elsewhere_are_not_asked(counter: Box) -> None:
    owner, manager, cashier = counter.client("owner"), counter.client("manager"), counter.client("cashier")
    for one in ("owner", "manager", "cashier", "stock_keeper"):
        await set_pin(counter, one)
    one = (await role(owner, "manager"))["id"]
    assert (await edit(owner, one, limits={"sales.discount_percent": "30"})).status_code == 200
    beyond = await asked(cashier, await cart(counter, "31"))
    assert await here(cashier, beyond) == ["Owner"], "the manager's limit counts"
    for role_ in ("manager", "stock_keeper"):
        assert refused_as(await by_pin(cashier, beyond, proof(counter, role_)), "forbidden"), role_
    theirs = proof(counter, "owner", shop="sharma-kirana")
    assert refused_as(await by_pin(cashier, beyond, theirs), "forbidden")
    assert refused_as(await by_pin(cashier, beyond, proof(counter) | {"user_id": str(uuid.uuid4())}), "forbidden")
    own = await asked(manager, await cart(counter, "31"))
    assert await here(manager, own) == ["Owner"]
    assert refused_as(await by_pin(manager, own, proof(counter, "manager")), "self-approval")
    assert (await by_pin(manager, own, proof(counter, "owner"))).status_code == 200


async def test_only_who_asked_is_told_who_can_and_only_while_it_waits(counter: Box) -> None:
    await set_pin(counter, "manager")
    cashier = counter.client("cashier")
    approval = await asked(cashier, await cart(counter))
    for other in ("manager", "accountant"):
        client = counter.client(other)
        assert (await client.get(f"{APPROVALS}/{approval}/here")).status_code == 404
        assert (await by_pin(client, approval, proof(counter, "owner"))).status_code == 404
    assert (await by_pin(cashier, approval, proof(counter))).status_code == 200
    assert refused_as(await by_pin(cashier, approval, proof(counter)), "already-answered", 409)
    late = await asked(cashier, await cart(counter))
    counter.clock.pass_by(minutes=15)
    assert refused_as(await by_pin(cashier, late, proof(counter)), "already-answered", 409)


async def test_a_pin_passes_no_second_factor_by_but_at_a_till(counter: Box) -> None:
    await set_pin(counter, "manager")
    await set_up(counter, "manager")
    cashier = counter.client("cashier")
    approval = await asked(cashier, await cart(counter))
    assert await here(cashier, approval) == []
    assert refused_as(await by_pin(cashier, approval, proof(counter)), "forbidden")
    await set_pin(counter, "owner", "8642")
    demanding = await role(counter.client("owner"), "owner")
    demanded = await edit(counter.client("owner"), demanding["id"], needs_second_factor=True)
    assert demanded.status_code == 200, demanded.text
    assert await here(cashier, approval) == [], "nor one that is demanded and not there yet"


async def guess(box: Box, tries: int) -> list[int]:
    """Wrong PINs of the manager, one after the other, each for a request of its own."""
    cashier = box.client("cashier")
    found = []
    for _ in range(tries):
        approval = await asked(cashier, await cart(box))
        found.append((await by_pin(cashier, approval, proof(box, pin=WRONG))).status_code)
    return found


async def test_three_wrong_pins_are_all_however_one_signs_in(counter: Box) -> None:
    await set_pin(counter, "manager")
    assert await guess(counter, 4) == [401, 401, 401, 429]
    cashier = counter.client("cashier")
    approval = await asked(cashier, await cart(counter))
    assert refused_as(await by_pin(cashier, approval, proof(counter)), "rate-limited", 429), "the right one too"
    counter.clock.pass_by(minutes=16)
    fresh = await asked(cashier, await cart(counter))
    assert (await by_pin(cashier, fresh, proof(counter))).status_code == 200, "a quarter of an hour later"


async def test_a_right_pin_uses_nothing_up_and_forgives_nothing(counter: Box) -> None:
    await set_pin(counter, "manager")
    cashier = counter.client("cashier")
    assert await guess(counter, 2) == [401, 401]
    for _ in range(3):
        approval = await asked(cashier, await cart(counter))
        assert (await by_pin(cashier, approval, proof(counter))).status_code == 200
    assert await guess(counter, 2) == [401, 429]


async def test_ten_a_day_of_one_person_whoever_tries(counter: Box) -> None:
    await set_pin(counter, "manager")
    found = []
    for _ in range(4):
        found += await guess(counter, 3)
        counter.clock.pass_by(minutes=16)
    assert found == [401] * 10 + [429, 429]


async def test_guesses_at_once_are_counted_before_any_is_compared(counter: Box) -> None:
    await set_pin(counter, "manager")
    cashier = counter.client("cashier")
    approval = await asked(cashier, await cart(counter))
    answers = await asyncio.gather(*(by_pin(cashier, approval, proof(counter, pin=WRONG)) for _ in range(8)))
    assert sorted(one.status_code for one in answers) == [401] * 3 + [429] * 5


async def test_guessing_without_a_count_is_found(counter: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: tries are not counted."""
    monkeypatch.setattr(pins, "_limits_of_colleague", lambda work, user_id: [])
    await set_pin(counter, "manager")
    assert await guess(counter, 5) == [401] * 5


async def test_a_wrong_pin_stands_in_the_trail(counter: Box) -> None:
    await set_pin(counter, "manager")
    await guess(counter, 1)

    async def read(work: Work) -> Any:
        subject = f"user:{counter.people['mama-njeri', 'manager'].id}"
        tried = sa.select(Audit.__table__).where(
            Audit.business_id == work.business_id, Audit.subject == subject, Audit.actor_name == "Cashier"
        )
        return (await work.execute(tried)).one()

    row = await counter.look(read)
    assert row.facts["is_wrong_pin"] is True
    assert WRONG not in str(row.facts)


async def test_a_key_is_no_person(counter: Box) -> None:
    await set_pin(counter, "manager")
    made = await counter.client("owner").post("/api/v1/keys", {"name": "web shop", "scopes": ["sales.complete"]})
    key = Client(counter.http, made.json()["key"])
    approval = await asked(counter.client("cashier"), await cart(counter))
    assert refused_as(await key.get(f"{APPROVALS}/{approval}/here"), "not-found", 404), "somebody else asked"
    assert refused_as(await by_pin(key, approval, proof(counter)), "forbidden")
