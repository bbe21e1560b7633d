"""The gateway that tests use, over a line straight into its provider; and in a box, as a plugin of its own."""

from __future__ import annotations

import datetime as dt

import pytest

from plugins.payments.api import Asked, Back, GatewayFailed, Known, Notice
from plugins.payments.services.accounts import gateway_named, offered
from plugins.payments.testing import DirectLine
from plugins.payments.testing.toy import Toy, ToyConfig
from plugins.payments.testing.toy_box import ToyBox
from plugins.payments.testing.toy_provider import SECRET, ToyProvider

NOW = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)
ASKED = Asked(
    id="1", reference="T1A1", amount=25_000, currency="KES", exponent=2, words="Sale", notify="https://duka.example/n"
)
KNOWN = Known(reference="T1A1", amount=25_000, currency="KES", exponent=2, asked_at=NOW)


def line_to(provider: ToyProvider) -> DirectLine:
    return DirectLine(provider.app, ToyConfig(SECRET), now=NOW)


async def test_the_toy_takes_money_finds_it_and_gives_parts_of_it_back() -> None:
    provider, gateway = ToyProvider(), Toy()
    line = line_to(provider)
    started = await gateway.ask(line, ASKED)
    assert [fact.kind for fact in started.facts] == ["pending"]
    number = provider.pay(started.ids["payment"])
    [fact] = await gateway.find(line, KNOWN)
    assert (fact.kind, fact.money_key, fact.amount) == ("captured", number, 25_000)
    paid = Known(reference="T1A1", amount=25_000, currency="KES", exponent=2, asked_at=NOW, ids=started.ids)
    for part in ("a", "b"):
        back = Back(id=part, payment=paid, amount=12_500, words="", notify="")
        [done] = (await gateway.give_back(line, back)).facts
        assert (done.kind, done.refund_id) == ("refund_done", part)
    with pytest.raises(GatewayFailed):
        await gateway.give_back(line, Back(id="c", payment=paid, amount=1, words="", notify=""))
    assert provider.tokens == 1


@pytest.mark.parametrize(
    ("mode", "kind", "is_unsure"), [("refuse", "validation", False), ("html", "provider_down", True)]
)
async def test_what_the_toy_provider_is_told_to_do_is_what_it_does(mode: str, kind: str, is_unsure: bool) -> None:
    provider = ToyProvider()
    provider.next("ask", mode)  # type: ignore[arg-type]
    with pytest.raises(GatewayFailed) as failed:
        await Toy().ask(line_to(provider), ASKED)
    assert (failed.value.fault.kind, failed.value.is_unsure) == (kind, is_unsure)


async def test_a_notice_of_the_toy_is_worth_what_its_signature_is() -> None:
    provider, gateway, config = ToyProvider(), Toy(), ToyConfig(SECRET)
    started = await gateway.ask(line_to(provider), ASKED)
    body, headers = provider.notice_of(started.ids["payment"])

    def judged(headers: dict[str, str], body: bytes = body) -> str:
        said = Notice(method="POST", headers=headers, query={}, body=body, address=None, at=NOW)
        gateway.read(config, said)
        return gateway.judge(config, said).trust

    assert [judged(headers), judged({}), judged(headers, b"junk")] == ["trusted", "hint", "refused"]


async def test_the_toy_is_on_in_its_box(toy: ToyBox) -> None:
    assert gateway_named(toy.box.deployment, "toy").phone("0712 345 678", "KE") == "254712345678"

    async def known(work: object) -> list[str]:
        return list(offered(work))  # type: ignore[arg-type]

    assert "toy" in await toy.box.look(known)
