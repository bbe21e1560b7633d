"""The gateway `upi` by itself: what it asks for, what it refuses, what it does not do."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from msgspec import convert, structs

from plugins.gateways_upi.gateway.upi import Upi
from plugins.gateways_upi.rules.links import MOST, parse
from plugins.gateways_upi.schemas.upi import UpiConfig
from plugins.payments.api import Asked, Counter, GatewayFailed, Known, Notice
from plugins.payments.testing import DirectLine

NOW = dt.datetime(2026, 11, 21, 7, 15, tzinfo=dt.UTC)


def a_config(**changes: Any) -> UpiConfig:
    return convert({"address": "dukashop@okhdfcbank", "name": "Duka Shop & Co", **changes}, UpiConfig)


def a_line(config: UpiConfig) -> DirectLine:
    return DirectLine(None, config, now=NOW, region="IN")


def asked(amount: int = 24_900, words: str = "Duka Shop T1-2026-000123", **changes: Any) -> Asked:
    said = {"id": "1", "reference": "T12026000123ABCDEF", "currency": "INR", "exponent": 2, "notify": "", **changes}
    return Asked(amount=amount, words=words, **said)


@pytest.mark.parametrize("address", ["dukashop", "a@b@c", "दुकान@ybl", "duka shop@ybl", "dukashop@1"])
def test_what_is_no_address_opens_no_account(address: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        a_config(address=address)


def test_the_look_of_an_address_is_a_guess_that_can_be_switched_off() -> None:
    with pytest.raises(ValueError, match="look like"):
        a_config(address="d@1bank")
    assert a_config(address="d@1bank", checks_address=False).address == "d@1bank"
    with pytest.raises(ValueError, match="one @"):
        a_config(address="a@b@c", checks_address=False)


@pytest.mark.parametrize(
    ("amount", "currency", "kind"),
    [(99, "INR", "limit"), (10_000_001, "INR", "limit"), (24_900, "KES", "validation")],
)
async def test_what_the_account_does_not_take_is_refused_for_sure(amount: int, currency: str, kind: str) -> None:
    with pytest.raises(GatewayFailed) as failed:
        await Upi().ask(a_line(a_config()), asked(amount, currency=currency))
    assert (failed.value.fault.kind, failed.value.is_unsure) == (kind, False)


async def test_a_bank_that_allows_more_is_taken_at_its_word() -> None:
    started = await Upi().ask(a_line(a_config(most=500_000)), asked(50_000_000))
    assert started.show is not None
    assert parse(started.show.text).amount == 50_000_000


async def test_a_link_that_would_be_hard_to_scan_goes_without_its_note() -> None:
    started = await Upi().ask(
        a_line(a_config(name="शर्मा किराना स्टोर जयपुर")), asked(words="शर्मा किराना स्टोर T1-2026-000123")
    )
    assert started.show is not None
    link = parse(started.show.text)
    assert (link.note, link.name) == (None, "शर्मा किराना स्टोर जयपुर")
    assert len((await Upi().ask(a_line(a_config()), asked(words="x" * 200))).show.text) < MOST  # type: ignore[union-attr]


async def test_nobody_is_called_nothing_is_heard_and_what_comes_is_refused() -> None:
    gateway, line = Upi(), a_line(a_config())
    known = Known(reference="T1", amount=1, currency="INR", exponent=2, asked_at=NOW)
    notice = Notice(method="POST", headers={}, query={}, body=b'{"status": "paid"}', address=None, at=NOW)
    await gateway.ask(line, asked())
    assert (list(await gateway.find(line, known)), list(gateway.read(line.config, notice))) == ([], [])
    assert gateway.judge(line.config, notice).trust == "refused"
    assert gateway.hosts(line.config, "live") == ()
    assert "dukashop@okhdfcbank" in await gateway.check(line)
    assert line.sent == []
    assert gateway.capabilities.ends_by_word


def test_a_code_of_a_counter_asks_for_no_amount_and_bears_the_places_reference() -> None:
    link = parse(Upi().standing_code(a_config(), Counter("KIL4F2A", "Duka Shop Kilimani")).text)
    assert (link.reference, link.note, link.amount, link.mode) == ("KIL4F2A", "Duka Shop Kilimani", None, "01")


def test_the_well_known_variables_are_enough_for_an_account() -> None:
    said = Upi().environment
    assert {said["address"], said["api_key"]} == {"UPI_MERCHANT_ID", "UPI_API_KEY"}
    fields = {one.name: one for one in structs.fields(UpiConfig)}
    assert said.keys() <= fields.keys()
    assert {name for name, one in fields.items() if one.required} == {"address"}
    assert convert(dict(Upi().demo), UpiConfig).category == "5411"
