"""Sales in the console: the till, the sales and what became of them, carts set aside, registers."""

from __future__ import annotations

from collections.abc import Sequence

from kernel.hooks import answers
from plugins.console.api import Card, Find, Nav, Page
from plugins.sales.with_console.pages import (
    SALES,
    find_sales,
    read_held,
    read_list,
    read_receipt,
    read_recent,
    read_registers,
    read_sale,
    read_trace,
)
from plugins.sales.with_console.till import read_till


@answers
def console_nav() -> Sequence[Nav]:
    """Where selling begins, and where it is looked up."""
    return (
        Nav("trade", "Sell", "/sales/sell", "shopping-cart", "sales.complete", order=5),
        Nav("trade", "Sales", "/sales/sales", "receipt", "sales.see", order=10),
        Nav("system", "Registers", "/sales/registers", "monitor", "sales.registers", order=60),
    )


@answers
def console_pages() -> Sequence[Page]:
    """The till, and the pages about sales."""
    return (
        Page("/sell", "console/sell.html", "Sell", "sales.complete", read_till),
        Page("/sales", "console/sales.html", "Sales", "sales.see", read_list, lists=SALES),
        Page("/sales/{sale_id}", "console/sale.html", "Sale", "sales.see", read_sale, subject="sale"),
        Page("/sales/{sale_id}/lines/{line}", "console/trace.html", "Why this price?", "sales.see", read_trace),
        Page("/sales/{sale_id}/receipt", "console/receipt.html", "Receipt", "sales.see", read_receipt),
        Page("/held", "console/held.html", "Carts set aside", "sales.complete", read_held),
        Page("/registers", "console/registers.html", "Registers", "sales.registers", read_registers),
    )


@answers
def console_cards() -> Sequence[Card]:
    """The newest sales."""
    return (
        Card(
            "recent",
            "Latest sales",
            "console/recent.html",
            read_recent,
            "sales.see",
            "m",
            30,
            "/sales/sales",
            ["sales"],
        ),
    )


@answers
def console_finds() -> Sequence[Find]:
    """Sales by their number."""
    return (Find("sales", "Sales", "receipt", find_sales, "sales.see", order=20),)
