"""The gateway that tests use, over a line straight into its provider; and in a box, as a plugin of its own."""

from __future__ import annotations

import datetime as dt

import pytest

from plugins.payments.api import Asked, Back, GatewayFailed, Known, Notice, Statemented, StatementLine, Window
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


async def test_the_toy_states_all_that_moved_page_by_page() -> None:
    provider, gateway = ToyProvider(), Toy()
    line = line_to(provider)
    started = await gateway.ask(line, ASKED)
    number = provider.pay(started.ids["payment"])
    paid = Known(reference="T1A1", amount=25_000, currency="KES", exponent=2, asked_at=NOW, ids=started.ids)
    await gateway.give_back(line, Back(id="a", payment=paid, amount=12_500, words="", notify=""))
    provider.booked.append(
        {"kind": "payout", "number": "1", "amount": -9_000, "currency": "KES", "at": NOW.isoformat()}
    )
    provider.page, cursor = 1, None
    window, found = Window(NOW, NOW + dt.timedelta(days=1)), list[StatementLine]()
    while True:
        page = await gateway.fetch_statement(line, window, cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert isinstance(gateway, Statemented)
    assert [(one.kind, one.gross, one.money_key) for one in found] == [
        ("payment", 25_000, number),
        ("refund", -12_500, None),
        ("payout", -9_000, None),
    ]
    assert not (await gateway.fetch_statement(line, Window(NOW - dt.timedelta(days=1), NOW), None)).items


@pytest.mark.parametrize(
    ("net", "net_of", "is_sound"), [(None, 24_410, True), (24_410, 24_410, True), (24_000, 24_000, False)]
)
def test_what_a_line_comes_to_is_what_it_states_or_gross_less_what_is_kept(
    net: int | None, net_of: int, is_sound: bool
) -> None:
    line = StatementLine(
        line_key="1", kind="payment", gross=25_000, fee=500, tax=90, net=net, currency="INR", occurred_at=NOW
    )
    assert (line.net_of, line.is_sound) == (net_of, is_sound)
