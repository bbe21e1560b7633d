"""The use cases of sales."""

from plugins.sales.services.checkout import complete_sale, quote
from plugins.sales.services.exporting import export_sales
from plugins.sales.services.holding import held_here, hold_cart, throw_away
from plugins.sales.services.own_fields import change_sale
from plugins.sales.services.reading import (
    find_sale,
    list_sales,
    news_of,
    sale_row,
    todays_sales,
    trace_line,
    whole_sale,
)
from plugins.sales.services.registers import add_office, add_register
from plugins.sales.services.tax_totals import tax_table, tax_totals
from plugins.sales.services.voiding import void_sale
from plugins.sales.services.waiting import let_expire, money_came, pay_pending, still_due, take_on

__all__ = [
    "add_office",
    "add_register",
    "change_sale",
    "complete_sale",
    "export_sales",
    "find_sale",
    "held_here",
    "hold_cart",
    "let_expire",
    "list_sales",
    "money_came",
    "news_of",
    "pay_pending",
    "quote",
    "sale_row",
    "still_due",
    "take_on",
    "tax_table",
    "tax_totals",
    "throw_away",
    "todays_sales",
    "trace_line",
    "void_sale",
    "whole_sale",
]
