"""The statement that Pull Transactions gives: pages, windows, both ways of asking, and rows that are none."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from plugins.gateways_mpesa.rules.lines import pulled_count, pulled_lines
from plugins.gateways_mpesa.tests.desk import NOW, Desk, a_config
from plugins.payments.api import GatewayFailed, StatementLine, Window

DAY = Window(NOW - dt.timedelta(days=2), NOW + dt.timedelta(days=1))


async def everything(desk: Desk, window: Window = DAY) -> list[StatementLine]:
    found, cursor = list[StatementLine](), None
    while True:
        page = await desk.gateway.fetch_statement(desk.line, window, cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


async def enrolled(**changes: Any) -> Desk:
    desk = Desk(a_config(**changes))
    await desk.gateway.enrol(desk.line)
    return desk


async def paid(desk: Desk, times: int) -> None:
    shop = next(iter(desk.app.state.shops.values()))
    for _ in range(times):
        desk.app.state.ledger.enter("c2b", shop.shortcode, "254712345001", 250, "SALE-1", desk.app.state.now())


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_every_payment_is_stated_once_over_all_pages(method: str) -> None:
    desk = await enrolled(pull_method=method)
    await paid(desk, 101)
    found = await everything(desk)
    assert len({one.line_key for one in found}) == len(found) == 101
    assert {(one.kind, one.gross, one.currency, one.merchant_ref) for one in found} == {
        ("payment", 25_000, "KES", "SALE-1")
    }
    assert "345" not in (found[0].payer or ""), "a payer's number is masked"
    assert found[0].occurred_at == NOW


async def test_what_is_older_than_two_days_or_outside_the_window_is_not_stated() -> None:
    desk = await enrolled()
    await paid(desk, 1)
    await desk.wait(47 * 3600)
    await paid(desk, 1)
    wide = Window(NOW - dt.timedelta(days=9), NOW + dt.timedelta(days=9))
    assert len(await everything(desk, wide)) == 2
    assert len(await everything(desk, Window(NOW, NOW + dt.timedelta(hours=1)))) == 1
    await desk.wait(2 * 3600)
    assert len(await everything(desk, wide)) == 1
    assert await everything(desk, Window(NOW - dt.timedelta(days=9), NOW - dt.timedelta(days=8))) == []


async def test_a_day_without_payments_is_an_empty_statement_and_a_refusal_a_failure() -> None:
    assert await everything(await enrolled()) == []
    with pytest.raises(GatewayFailed):
        await everything(Desk(a_config()))


def test_rows_that_cannot_be_read_are_left_out_and_counted() -> None:
    good = {
        "transactionId": "TKL1AB2CD3",
        "trxDate": "2026-11-21 10:15:00",
        "amount": "250.0",
        "msisdn": "254712345001",
    }
    rows = [good, {**good, "transactionId": ""}, {**good, "amount": "x"}, {**good, "trxDate": "yesterday"}, 7, "x"]
    body = {"Response": [rows, [good]]}
    assert pulled_count(body) == 7
    assert [one.line_key for one in pulled_lines(body)] == ["TKL1AB2CD3", "TKL1AB2CD3"]
    nothing: list[Any] = [None, {}, {"Response": None}, {"Response": {"a": 1}}, []]
    for junk in nothing:
        assert list(pulled_lines(junk)) == []
