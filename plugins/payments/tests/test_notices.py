"""What providers send on their own, on both databases: kept first, read once, believed as far as it is proved."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from kernel.db import Transaction
from kernel.errors import Unavailable
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import Box
from plugins.payments.api import GatewayFact
from plugins.payments.models import Attempt, Event, ProviderNotice, Review
from plugins.payments.services.hearing import hear
from plugins.payments.services.paths import Thing, notify_url
from plugins.payments.testing import a_gateway_payment
from plugins.payments.testing.toy_box import ToyBox, a_paid_one, open_toy_box
from plugins.payments.testing.toy_provider import SIGNATURE, sign
from plugins.payments.tests.looking import rows
from plugins.payments.tests.looking import the as one

AMOUNT = 25_000


def path_of(box: Box, thing: Thing, id_: uuid.UUID, generation: int = 1, shop: str = "mama-njeri") -> str:
    url = notify_url(box.deployment, box.shops[shop].id, thing, id_, generation if thing == "account" else 0)
    return "/api" + url.partition("/api")[2]


async def asked(box: Box, reference: str = "T1A1", **ids: str) -> uuid.UUID:
    """A payment that was asked for, under a reference of ours and by the provider's ids."""
    payment_id = await a_gateway_payment(box, AMOUNT)
    here = sa.update(Attempt).where(Attempt.id == payment_id, Attempt.business_id == box.shop.id)
    await box.act(lambda work: work.execute(here.values(merchant_ref=reference, provider_ids=ids or None)))
    return payment_id


def paid(number: str = "R1", reference: str = "T1A1", amount: int = AMOUNT, currency: str = "KES") -> dict[str, Any]:
    money = [{"number": number, "amount": amount}]
    said = {"id": "P1", "reference": reference, "status": "captured", "code": "", "money": money, "currency": currency}
    return {"payment": said}


def unasked(number: str = "U1", amount: int = AMOUNT, reference: str = "") -> dict[str, Any]:
    phone = "254712345678"
    return {"unasked": {"number": number, "amount": amount, "currency": "KES", "reference": reference, "phone": phone}}


async def send(
    toy: ToyBox, path: str, said: Any, *, secret: str | None = None, signed: bool = True, **headers: str
) -> Any:
    body = said if isinstance(said, bytes) else msgspec.json.encode(said)
    mac = {SIGNATURE: sign(secret or toy.provider.secret, body)} if signed else {}
    return await toy.box.http.post(path, content=body, headers={"Content-Type": "text/plain", **mac, **headers})


async def test_a_signed_notice_is_kept_byte_for_byte_and_credits_its_payment_once(toy: ToyBox) -> None:
    box = toy.box
    payment_id = await asked(box)
    path = path_of(box, "payment", payment_id)
    body = b" " + msgspec.json.encode(paid()) + b"\n"
    for _ in "12":
        answer = await send(toy, path, body, Authorization="Bearer of-the-provider", Cookie="a=b")
        assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"{}", "application/json")
    await box.run_jobs()
    assert (await send(toy, path, body)).status_code == 200
    await box.run_jobs()
    row = await one(box, payment_id)
    assert (row.state, row.captured, row.reference) == ("captured", AMOUNT, "R1")
    [kept] = await rows(box, ProviderNotice)
    assert (bytes(kept.body), kept.state, kept.trust, kept.attempt_id) == (body, "read", "trusted", payment_id)
    assert kept.headers[SIGNATURE]
    assert not {"authorization", "cookie"} & kept.headers.keys()
    assert len(await rows(box, Event)) == 1


async def test_equal_notices_at_once_are_one_credit(toy: ToyBox) -> None:
    box = toy.box
    payment_id = await asked(box)
    path = path_of(box, "payment", payment_id)
    answers = await asyncio.gather(*(send(toy, path, paid()) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await rows(box, ProviderNotice)) == 1
    jobs = [job for job in await box.jobs() if job["name"] == "payments.read_notice"]
    assert len(jobs) == 1
    await box.run_jobs()
    assert (await one(box, payment_id)).captured == AMOUNT


@pytest.mark.parametrize("how", ["guessed", "another business", "another generation", "unknown payment"])
async def test_a_path_that_is_not_ours_keeps_nothing(toy: ToyBox, how: str) -> None:
    box = toy.box
    account = toy.accounts["mama-njeri"]
    paths = {
        "guessed": path_of(box, "account", account)[:-4] + "0000",
        "another business": path_of(box, "account", account, shop="sharma-kirana"),
        "another generation": path_of(box, "account", account, 2),
        "unknown payment": path_of(box, "payment", uuid.uuid4()),
    }
    for method in ("POST", "GET"):
        answer = await box.http.request(method, paths[how])
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert not await rows(box, ProviderNotice) + await rows(box, ProviderNotice, "sharma-kirana")


async def test_forgeries_are_kept_and_refused_and_somebody_is_asked_once(toy: ToyBox) -> None:
    box = toy.box
    payment_id = await asked(box)
    path = path_of(box, "payment", payment_id)
    for n in range(3):
        answer = await send(toy, path, paid(f"F{n}"), secret="of somebody else")
        assert (answer.status_code, answer.json()["code"]) == (401, "notice-refused")
    await box.run_jobs()
    assert {row.state for row in await rows(box, ProviderNotice)} == {"refused"}
    assert [(row.kind, row.about) for row in await rows(box, Review)] == [("forged", toy.accounts["mama-njeri"])]
    assert (await one(box, payment_id)).captured == 0
    figures = (await box.http.get("/metrics")).text
    assert 'duka_payments_notices_total{gateway="toy",trust="refused"}' in figures
    assert (await send(toy, path, paid("F1"))).status_code == 200  # the same words, proved this time
    await box.run_jobs()
    assert (await one(box, payment_id)).captured == AMOUNT


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"content": b"x" * 65_537}, 413),
        ({"content": b"x", "headers": {"Content-Encoding": "gzip"}}, 415),
        ({"content": b"\xff\x00", "headers": {"Content-Type": "application/x-nothing"}}, 200),
        ({"params": {"a": "\x00"}}, 422),
        ({"params": [("a", "1"), ("a", "2")]}, 200),
        ({}, 200),
    ],
)
async def test_any_body_is_taken_or_refused_plainly(toy: ToyBox, sent: dict[str, Any], status: int) -> None:
    path = path_of(toy.box, "account", toy.accounts["mama-njeri"])
    assert (await toy.box.http.post(path, **sent)).status_code == status
    await toy.box.run_jobs()
    kept = await rows(toy.box, ProviderNotice)
    assert len(kept) == (status == 200)
    assert all(row.state == "read" for row in kept)


async def test_a_notice_may_come_by_get_and_a_look_at_the_path_is_none(toy: ToyBox) -> None:
    path = path_of(toy.box, "account", toy.accounts["mama-njeri"])
    assert (await toy.box.http.head(path)).status_code == 200
    assert not await rows(toy.box, ProviderNotice)
    for said in ("1", "2", "2"):
        assert (await toy.box.http.get(path, params={"said": said})).status_code == 200
    kept = await rows(toy.box, ProviderNotice)
    assert sorted(row.query["said"] for row in kept) == ["1", "2"]


async def test_a_notice_at_an_account_finds_its_payment_by_our_reference_or_the_providers_ids(toy: ToyBox) -> None:
    box = toy.box
    by_reference, by_ids = await asked(box, "T1A1"), await asked(box, "T1A2", payment="P2")
    path = path_of(box, "account", toy.accounts["mama-njeri"])
    await send(toy, path, paid("R1", "T1A1"))
    await send(toy, path, {"payment": paid("R2", "nobody's")["payment"] | {"id": "P2"}})
    await box.run_jobs()
    assert [(await one(box, id_)).reference for id_ in (by_reference, by_ids)] == ["R1", "R2"]


async def test_money_that_came_before_its_payment_is_known_stands_in_the_tray_until_it_is(toy: ToyBox) -> None:
    box = toy.box
    await send(toy, path_of(box, "account", toy.accounts["mama-njeri"]), paid("R1", "T1A9"))
    await box.run_jobs()
    listed = (await box.client("cashier").get("/api/v1/payments/incoming")).json()["items"]
    assert [(one["number"], one["amount"], one["gateway"]) for one in listed] == [("R1", "250.00", "toy")]
    payment_id = await asked(box, "T1A9")
    box.clock.pass_by(seconds=11)
    await box.run_jobs()
    assert (await one(box, payment_id)).captured == AMOUNT
    assert not (await box.client("cashier").get("/api/v1/payments/incoming")).json()["items"]
    assert [row.state for row in await rows(box, ProviderNotice)] == ["read"]


@pytest.mark.parametrize("signed", [True, False])
async def test_a_notice_of_a_refund_finds_it_and_a_hint_of_one_has_it_asked_about(toy: ToyBox, signed: bool) -> None:
    box, manager = toy.box, toy.box.client("manager")
    said = {"payment_id": str(await a_paid_one(toy)), "amount": "100.00", "reason": "dented"}
    box.clock.pass_by(seconds=15)  # no provider is asked sooner
    await box.run_jobs()
    made = await manager.post("/api/v1/payments/refunds", said)
    assert made.status_code == 201, made.text
    refund = made.json()["id"]
    toy.provider.next("refund", "pending")
    await box.run_jobs()
    assert (await manager.get(f"/api/v1/payments/refunds/{refund}")).json()["status"] == "pending"
    toy.provider.refunds[refund]["status"] = "done"
    before = toy.provider.count("find_refund")
    path = path_of(box, "account", toy.accounts["mama-njeri"])
    assert (await send(toy, path, {"refund": toy.provider.refunds[refund]}, signed=signed)).status_code == 200
    await box.run_jobs()
    assert (await manager.get(f"/api/v1/payments/refunds/{refund}")).json()["status"] == "done"
    assert toy.provider.count("find_refund") - before == (0 if signed else 1)
    assert [row.state for row in await rows(box, ProviderNotice)] == ["read"]
    assert not await rows(box, Review)


async def test_what_belongs_to_nobody_is_asked_about_after_a_day(toy: ToyBox) -> None:
    box = toy.box
    failed = {"payment": paid()["payment"] | {"status": "failed", "money": []}}
    await send(toy, path_of(box, "account", toy.accounts["mama-njeri"]), failed)
    for hours in (0, 1, 12):
        box.clock.pass_by(hours=hours)
        await box.run_jobs()
        assert not await rows(box, Review)
    box.clock.pass_by(hours=12)
    await box.run_jobs()
    assert [row.kind for row in await rows(box, Review)] == ["orphan"]
    assert [row.state for row in await rows(box, ProviderNotice)] == ["orphan"]


async def test_a_hint_makes_duka_ask_and_counts_once_the_provider_confirms(toy: ToyBox) -> None:
    box = toy.box
    payment_id = await asked(box)
    await send(toy, path_of(box, "payment", payment_id), paid("R1"), signed=False)
    await box.run_jobs()
    assert (await one(box, payment_id)).captured == 0
    names = [(job["name"], job["payload"]) for job in await every_job(box) if job["name"] == "payments.ask"]
    assert names == [("payments.ask", {"payment_id": str(payment_id)})]
    await box.act(lambda work: hear(work, payment_id, [proof()], "query"))
    assert (await one(box, payment_id)).reference is None
    await box.run_jobs()
    row = await one(box, payment_id)
    assert (row.captured, row.reference) == (AMOUNT, "R1")
    assert [row.state for row in await rows(box, ProviderNotice)] == ["read"]
    assert not await rows(box, Review)


@pytest.mark.parametrize("how", ["another amount", "no money came", "never confirmed"])
async def test_a_hint_that_its_provider_does_not_confirm_is_asked_about(toy: ToyBox, how: str) -> None:
    box = toy.box
    payment_id = await asked(box)
    await send(toy, path_of(box, "payment", payment_id), paid("R1", amount=AMOUNT * 2), signed=False)
    await box.run_jobs()
    if how != "never confirmed":
        fact = proof() if how == "another amount" else GatewayFact(kind="failed", key="query")
        await box.act(lambda work: hear(work, payment_id, [fact], "query"))
    else:
        box.clock.pass_by(hours=25)
    await box.run_jobs()
    row = await one(box, payment_id)
    assert (row.captured, row.reference) == (AMOUNT if how == "another amount" else 0, None)
    assert [row.kind for row in await rows(box, Review)] == ["contradicted"]


async def test_a_gateway_that_stumbles_over_a_notice_keeps_it(toy: ToyBox, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("plugins.payments.testing.toy.Toy.judge", stumble)
    monkeypatch.setattr("plugins.payments.testing.toy.Toy.answer", stumble)
    answer = await send(toy, path_of(toy.box, "account", toy.accounts["mama-njeri"]), unasked())
    assert answer.status_code == 200
    assert [row.trust for row in await rows(toy.box, ProviderNotice)] == ["hint"]


async def test_a_notice_takes_five_statements(toy: ToyBox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standing, the payment's account, epochs under the lock, the notice, and the job; the account is remembered."""
    box = toy.box
    payment_id = await asked(box)
    path = path_of(box, "payment", payment_id)
    await send(toy, path, b"first")
    said: list[str] = []
    for name in ("fetch", "execute"):
        honest = getattr(Transaction, name)

        async def noting(self: Transaction, *args: Any, honest: Any = honest, **named: Any) -> Any:
            said.append(str(args[0])[:60])
            return await honest(self, *args, **named)

        monkeypatch.setattr(Transaction, name, noting)
    await send(toy, path, paid())
    assert len(said) + 1 == 5, said


async def test_paths_of_ours_are_not_throttled_by_address_and_guessed_ones_are(
    box_settings: Settings, toy_registry: Registry
) -> None:
    settings = msgspec.structs.replace(box_settings, enable_api_throttle="true", requests_per_address=20)
    async with open_toy_box(settings, toy_registry) as toy:
        path = path_of(toy.box, "account", toy.accounts["mama-njeri"])
        assert {(await send(toy, path, unasked())).status_code for _ in range(30)} == {200}
        letters = "0123456789abcdef" * 2
        guessed = [(await send(toy, f"{path[:-1]}{letter}", unasked())).status_code for letter in letters]
        wrong = [status for letter, status in zip(letters, guessed, strict=True) if letter != path[-1]]
        assert (wrong[0], wrong[-1]) == (404, 429)
        assert guessed.count(200) == 2, "the one letter that is right, twice"
        assert (await send(toy, path, unasked())).status_code == 200


async def test_when_the_database_is_away_the_provider_is_told_to_send_again(
    toy: ToyBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any, **__: Any) -> None:
        raise Unavailable

    path = path_of(toy.box, "account", toy.accounts["mama-njeri"])
    monkeypatch.setattr(toy.box.deployment.database, "open", away)
    assert (await send(toy, path, unasked())).status_code == 503
    monkeypatch.undo()
    assert not await rows(toy.box, ProviderNotice)


async def test_bodies_are_forgotten_after_120_days_and_what_they_came_to_is_not(toy: ToyBox) -> None:
    box = toy.box
    payment_id = await asked(box)
    await send(toy, path_of(box, "payment", payment_id), paid())
    await box.run_jobs()
    for days, length in ((119, True), (2, False)):
        box.clock.pass_by(days=days)
        await box.run_jobs()
        assert [bool(kept.body) for kept in await rows(box, ProviderNotice)] == [length]
    assert all(kept.digest for kept in await rows(box, ProviderNotice))
    assert len(await rows(box, Event)) == 1
    assert (await one(box, payment_id)).captured == AMOUNT


def proof() -> GatewayFact:
    return GatewayFact(kind="captured", key="query", currency="KES")


async def every_job(box: Box) -> list[Any]:
    return [job for state in ("pending", "dead", "done", "parked") for job in await box.jobs(state)]
