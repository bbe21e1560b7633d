"""What the books say after a replay, beside what the file says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from operator import eq
from typing import Final

from examples.online_retail.client import Client
from examples.online_retail.figures import by_day, figures_of
from examples.online_retail.reading import Invoice
from examples.online_retail.replay import Rung

_NO_CASH: Final = {"opening": "0", "received": "0", "closing": "0"}


@dataclass(frozen=True)
class Row:
    """One figure: as the file has it, and as it was found."""

    what: str
    expected: str
    found: str

    @property
    def differs(self) -> bool:
        """Whether the two are not the same."""
        return self.expected != self.found


@dataclass(frozen=True)
class Day:
    """A day of the day book: what was sold, and the cash before, of and after it."""

    sales: int
    total: Decimal
    opening: Decimal
    received: Decimal
    closing: Decimal


async def compare(client: Client, invoices: Sequence[Invoice], rung: Rung) -> list[Row]:
    """Ask every book, and put it beside the file."""
    said = figures_of(invoices)
    sales, payments, days, levels = await asyncio.gather(
        _sales(client), _payments(client), _days(client, invoices), _levels(client)
    )
    products, customers = await client.count("/catalog/products"), await client.count("/customers/customers")
    return [
        _row("sales", said.invoices, sales[0]),
        _row("lines of sales", said.lines, rung.lines),
        _row("units sold", said.units, rung.units),
        _row("lines of the largest sale", said.most_lines, rung.most_lines),
        _row("total of sales", said.total, sales[1]),
        _row("products", said.products, products),
        _row("customers", said.customers, customers),
        _row("payments", said.invoices, payments[0]),
        _row("total of payments", said.total, payments[1]),
        *days,
        _row("products with a stock level", said.products, levels[0]),
        _row("levels that are not zero", 0, levels[1]),
    ]


def table(rows: Sequence[Row]) -> str:
    """The figures in columns; what differs is marked."""
    columns = [("", "expected", "found"), *((row.what, row.expected, row.found) for row in rows)]
    widths = [max(len(line[place]) for line in columns) for place in range(3)]
    marks = [""] + ["  differs" if row.differs else "" for row in rows]
    return "\n".join(
        f"{what:<{widths[0]}}  {expected:>{widths[1]}}  {found:>{widths[2]}}{mark}".rstrip()
        for (what, expected, found), mark in zip(columns, marks, strict=True)
    )


async def _sales(client: Client) -> tuple[int, Decimal]:
    totals = [Decimal(one["total"]) async for one in client.every("/sales/sales", status="completed")]
    return len(totals), sum(totals, Decimal(0))


async def _payments(client: Client) -> tuple[int, Decimal]:
    amounts = [Decimal(one["captured"]) - Decimal(one["refunded"]) async for one in client.every("/payments/payments")]
    return len(amounts), sum(amounts, Decimal(0))


async def _days(client: Client, invoices: Sequence[Invoice]) -> list[Row]:
    """Every business day with the cash before and after it, and the sums of all days."""
    expected: list[Day] = []
    found: list[Day] = []
    before = Decimal(0)
    for day, sold in by_day(invoices).items():
        said = figures_of(sold)
        expected.append(Day(said.invoices, said.total, before, said.total, before + said.total))
        found.append(await _day(client, day))
        before += said.total
    return [
        _row("days of which the day book agrees", len(expected), sum(map(eq, expected, found))),
        _row("sales in the day book", sum(day.sales for day in expected), sum(day.sales for day in found)),
        _row("their total", sum(day.total for day in expected), sum(day.total for day in found)),
        _row("cash received in the day book", before, sum(day.received for day in found)),
    ]


async def _day(client: Client, day: date) -> Day:
    book = await client.get(f"/daybook/days/{day}")
    cash = next((one for one in book["accounts"] if one["account"] == "cash"), _NO_CASH)
    sums = (book["sales_total"], cash["opening"], cash["received"], cash["closing"])
    return Day(book["sales"], *map(Decimal, sums))


async def _levels(client: Client) -> tuple[int, int]:
    levels = [Decimal(one["on_hand"]) async for one in client.every("/inventory/levels")]
    return len(levels), sum(1 for level in levels if level)


def _row(what: str, expected: int | Decimal, found: int | Decimal) -> Row:
    return Row(what, f"{expected:,}", f"{found:,}")
