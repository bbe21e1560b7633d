"""Stating: what a provider lists of the money it moved; holding the books against it is reconciliation's."""

from __future__ import annotations

import datetime as dt

import pytest

from plugins.payments.schemas.gateways import Line
from plugins.payments.schemas.statements import Statemented, StatementLine, Window
from plugins.payments.testing.kit.stage import Stage

PAGES = 500


class Stating:
    """Cases 69, 71 and 72, as far as the gateway goes."""

    async def test_69_71_72_a_statement_is_fetched_in_windows_that_overlap(self, stage: Stage) -> None:
        """Every payment stands in it with its number, that nobody knows here too; a line has one key, wherever it is
        met; and what it says of fees adds up.
        """
        gateway = stage.gateway
        if not isinstance(gateway, Statemented) or not gateway.states(await stage.config()):
            pytest.skip("the provider states nothing")
        begin = stage.box.clock()
        payments = []
        for _ in "123":
            payments.append(await stage.ask())
            await stage.hear()
            await stage.pass_by(minutes=10)
        pay = stage.last()
        stage.simulator.ask("NOBODYS1", pay.asked, pay.currency, pay.notify, pay.payer)
        await stage.simulator.settle()
        await stage.pass_by(hours=1)
        line, _ = await stage.way_to(payments[0])
        middle, now = begin + dt.timedelta(minutes=15), stage.box.clock() + dt.timedelta(seconds=1)
        both = [await fetched(gateway, line, Window(since, now)) for since in (begin, middle)]
        whole, later = ({one.line_key: one for one in lines} for lines in both)
        assert all(whole[key] == one for key, one in later.items() if key in whole)
        together = whole | later
        paid = [one for one in together.values() if one.kind == "payment"]
        receipts = sorted(one.receipt for one in stage.simulator.ledger.values())
        assert sorted(one.money_key or "" for one in paid) == receipts
        assert sum(one.gross for one in paid) == stage.simulator.holds()
        assert all(one.is_sound for one in together.values()), "net is not gross less fee and tax"
        assert not gateway.statements.tells_fees or all(one.fee is not None for one in paid)


async def fetched(gateway: Statemented, line: Line, window: Window) -> list[StatementLine]:
    """All lines of a window, page by page."""
    lines: list[StatementLine] = []
    cursor: str | None = None
    for _ in range(PAGES):
        page = await gateway.fetch_statement(line, window, cursor)
        lines += page.items
        if page.next_cursor is None:
            return lines
        cursor = page.next_cursor
    raise AssertionError("its pages have no end")
