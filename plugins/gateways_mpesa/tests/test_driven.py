"""The simulator as the kit for gateways drives it: its ledger says what payers do, and notices wait to be delivered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from plugins.gateways_mpesa.gateway import Mpesa
from plugins.gateways_mpesa.schemas import MpesaConfig
from plugins.gateways_mpesa.simulator import SimulatedDaraja, make_app
from plugins.gateways_mpesa.tests.desk import ACCOUNT, ATTEMPT, NOW, Desk
from plugins.payments.api import Notice
from plugins.payments.testing.simulator import Payer


def a_desk() -> tuple[Desk, SimulatedDaraja]:
    """A desk whose simulator is driven, and answers as an account made by its own `config`."""
    app: SimulatedDaraja = make_app()
    desk = Desk(msgspec.convert(app.config(), MpesaConfig))
    gateway = Mpesa()

    async def send(method: str, address: str, headers: Mapping[str, str], body: bytes) -> int:
        query = dict(parse_qsl(urlsplit(address).query))
        come = Notice(method=method, headers=headers, query=query, body=body, address="127.0.0.1", at=NOW)
        desk.verdicts.append(gateway.judge(desk.config, come))
        desk.told.extend(gateway.read(desk.config, come))
        return 200

    app.clock, app.send = lambda: NOW, send
    desk.app = app
    desk.line = type(desk.line)(app, desk.config, now=NOW, notify=ACCOUNT)
    return desk, app


@pytest.mark.parametrize(
    ("payer", "kind", "amount"),
    [
        ("pays", "captured", 25_000),
        ("pays less", "captured", 24_900),
        ("pays more", "captured", 25_100),
        ("pays in another currency", "captured", 25_000),
        ("declines", "cancelled", None),
        ("lets it lapse", "expired", None),
        ("has too little", "failed", None),
    ],
)
async def test_what_the_kit_has_a_payer_do_is_told_and_found(payer: Payer, kind: str, amount: int | None) -> None:
    desk, app = a_desk()
    app.next(payer=payer, word="five times")
    started = await desk.ask(payer="254700000001")
    assert desk.told == []
    assert await app.deliver() == [200] * 5
    assert [(fact.kind, fact.amount) for fact in desk.told] == [(kind, amount)] * 5
    assert (await desk.find(started))[0].kind == kind
    assert app.ledger[started.ids["checkout"]].notify == ATTEMPT


async def test_whoever_waits_is_told_to_go_on_and_one_may_pay_twice() -> None:
    desk, app = a_desk()
    app.next(payer="waits")
    started = await desk.ask(payer="254700000001")
    assert [fact.kind for fact in await desk.find(started)] == ["pending"]
    app.decide(started.ids["checkout"])
    app.pay_again(started.ids["checkout"])
    await app.deliver()
    assert len({fact.money_key for fact in desk.told}) == 2
    assert app.holds() == 50_000


@pytest.mark.parametrize(("amount", "spent", "kind"), [(25_000, 0, "done"), (10_000, 0, "done"), (25_000, 1, "failed")])
async def test_money_goes_back_as_far_as_the_kits_ledger_holds_it(amount: int, spent: int, kind: str) -> None:
    desk, app = a_desk()
    await desk.find(await desk.ask(payer="254700000001"))
    [pay] = app.ledger.values()
    pay.paid -= spent
    changes: dict[str, Any] = {"money_keys": (pay.receipt,), "phone": "254700000001"}
    await desk.gateway.give_back(desk.line, desk.back(amount, **changes))
    await app.deliver()
    assert desk.told[-1].kind == f"refund_{kind}"
    assert desk.verdicts[-1].trust == "trusted"
    assert app.holds() == 25_000 - spent - (amount if kind == "done" else 0)
