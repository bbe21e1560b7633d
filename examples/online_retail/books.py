"""What the books say after a replay, beside what the file says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from examples.online_retail.client import Client
from examples.online_retail.figures import figures_of
from examples.online_retail.reading import Invoice
from examples.online_retail.replay import Rung


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
    return []


async def _levels(client: Client) -> tuple[int, int]:
    levels = [Decimal(one["on_hand"]) async for one in client.every("/inventory/levels")]
    return len(levels), sum(1 for level in levels if level)


def _row(what: str, expected: int | Decimal, found: int | Decimal) -> Row:
    return Row(what, f"{expected:,}", f"{found:,}")
