"""What must hold after every case."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from kernel.testing.checking import faults
from kernel.work import secret_names
from plugins.payments.models import Attempt, Event, Money
from plugins.payments.rules import Fact, project
from plugins.payments.testing.kit.stage import Stage


async def check(stage: Stage, said: Sequence[str]) -> None:
    """Every invariant; no money counted twice, none that no provider vouched for; the facts alone give the same state;
    no error of ours was a provider's answer; nothing was called but the gateway's hosts; and nothing private was
    written down. said: what was logged.
    """
    assert await faults(stage.box.deployment) == []
    money, events = await stage.rows(Money), await stage.rows(Event)
    for payment in [row for row in await stage.rows(Attempt) if row.gateway]:
        own = [_fact(one) for one in events if one.attempt_id == payment.id]
        again = project(payment.amount, payment.currency, own)
        assert again.state == payment.state, "the facts alone give another state"
        vouched = {one.source for one in own if one.kind in ("captured", "settled")}
        assert not payment.captured or vouched & {"provider", "query", "statement"}, "nobody vouched for it"
    counted = [row.money_key for row in money if row.attempt_id]
    assert len(counted) == len(set(counted)), "money is counted twice"
    assert all(status < 500 for status in stage.simulator.told), "a notice was answered with an error of ours"
    await _check_privacy(stage, said, [row.payer for row in money if row.payer])


async def _check_privacy(stage: Stage, said: Sequence[str], payers: Sequence[str]) -> None:
    config, gateway = await stage.config(), stage.gateway
    strange = stage.way.hosts - set(gateway.hosts(config, "test"))
    assert not strange, f"{strange} was called, which the gateway does not name"
    secrets = [str(getattr(config, name)) for name in secret_names(gateway.config)]
    hidden = [one for one in secrets if len(one) > 3] + [_subscriber(phone) for phone in stage.phones]
    for line in said:
        assert not any(one in line for one in hidden), "a secret or a payer's phone stands in the log"
    for payer in payers:
        assert not any(one in payer for one in hidden), "a payer's phone is not masked"


def _subscriber(phone: str) -> str:
    """The last nine figures of a phone, which are the same however it is written."""
    return re.sub(r"\D", "", phone)[-9:]


def _fact(row: Any) -> Fact:
    return Fact(
        row.kind,
        row.source,
        row.dedupe_key or str(row.id),
        row.amount,
        row.currency,
        row.money_key,
        str(row.refund_id or ""),
    )
