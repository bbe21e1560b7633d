"""How a statement's file is laid out: which column says what, by its headings, and how days and amounts are said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Final, Literal, get_args

from msgspec import Meta, Struct

from plugins.payments.api import LineKind
from plugins.reconciliation.rules.cells import amount_of, date_of, looks_like_amount

Column = Annotated[str, Meta(max_length=200, pattern=r"\A[^\x00-\x1f\x7f]*\Z", examples=["Receipt No."])]
DateOrder = Literal["dmy", "mdy", "ymd"]
Field = Literal[
    "date",
    "time",
    "number",
    "reference",
    "amount",
    "debit",
    "credit",
    "fee",
    "tax",
    "net",
    "payer",
    "words",
    "kind",
    "state",
    "settlement",
    "settlement_number",
    "balance",
    "currency",
]
"""What a column says. number: the provider's number of the money. reference: ours. amount: signed; debit and credit
instead, each without a sign. state: lines that are not completed are left out. settlement: the payout that a line
belongs to; settlement_number: the bank's number of that.
"""


class Layout(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a file of a source is read. columns: what a column says → its heading. header_row: counted from 1.

    decimal: what stands before the decimals. swaps_sign: what is a debit for the bank is money of ours. rrn_in_words:
    twelve figures in the text are the number, where no column has it. kinds: word in the text or kind → kind of line.
    """

    columns: Annotated[dict[Field, Column], Meta(max_length=20)]
    header_row: Annotated[int, Meta(ge=1, le=100)] = 1
    date_order: DateOrder = "dmy"
    decimal: Literal[".", ","] = "."
    swaps_sign: bool = False
    rrn_in_words: bool = False
    kinds: Annotated[dict[Column, LineKind], Meta(max_length=50)] = {}


LOOKED_AT: Final = 200
"""Rows by which a layout is found."""
_SAID: Final[Mapping[Field, tuple[str, ...]]] = MappingProxyType(
    {
        "date": (
            *("completion time", "transaction date", "txn date", "trans date", "date", "value date", "posting date"),
            *("transaction time", "date time", "created at", "settled at", "post date", "tran date"),
        ),
        "time": ("time", "txn time"),
        "number": (
            *("receipt no", "receipt", "transaction id", "txn id", "transaction no", "rrn", "utr", "utr no"),
            *("reference number", "ref no cheque no", "chq ref no", "cheque no", "ref no", "payment id", "entity id"),
            *("bank reference", "transaction reference", "reference no", "upi transaction id", "rrn no", "tran id"),
        ),
        "reference": (
            *("a c no", "account no", "account number", "bill reference", "bill ref", "merchant reference"),
            *("order id", "order receipt", "merchant order id", "narration reference", "invoice no", "reference"),
        ),
        "amount": ("amount", "transaction amount", "txn amount", "gross amount", "gross", "amount kes", "amount inr"),
        "credit": (
            *("paid in", "credit", "credit amount", "deposit", "deposit amt", "deposits", "money in", "cr", "received"),
            *("credit inr", "credit kes", "deposit amount"),
        ),
        "debit": (
            *("withdrawn", "debit", "debit amount", "withdrawal", "withdrawal amt", "withdrawals", "money out", "dr"),
            *("paid out", "debit inr", "debit kes", "withdrawal amount"),
        ),
        "fee": ("fee", "fees", "commission", "charge", "charges", "mdr", "fee amount", "merchant discount"),
        "tax": ("tax", "gst", "vat", "service tax", "tax amount", "excise duty"),
        "net": ("net", "net amount", "settlement amount", "net settlement", "payable amount"),
        "payer": ("other party info", "payer", "customer", "sender", "msisdn", "payer vpa", "customer vpa", "from"),
        "words": ("details", "description", "narration", "particulars", "remarks", "transaction details", "memo"),
        "kind": ("reason type", "transaction type", "txn type", "type", "entity"),
        "state": ("transaction status", "status", "txn status", "state"),
        "settlement": ("settlement id", "payout id", "batch no", "batch number", "settlement number"),
        "settlement_number": ("settlement utr", "payout reference", "settlement reference"),
        "balance": ("balance", "closing balance", "running balance", "available balance"),
        "currency": ("currency", "ccy", "currency code"),
    }
)
_HEADINGS: Final[Mapping[str, tuple[Field, int]]] = MappingProxyType(
    {said: (field, place) for field, words in reversed(list(_SAID.items())) for place, said in enumerate(words)}
)
_FILLING: Final = re.compile(r"[^a-z]+")
_FEWEST: Final = 3
"""Headings that a row of headings has at least, those of day and amount among them."""


class Unclear(ValueError):
    """No row of the file names a day and an amount."""


def detect(rows: Sequence[Sequence[str]], *, days_first: bool = True) -> Layout:
    """How a file is laid out, by its first rows. days_first: how days are said where the file leaves it open.

    Raises Unclear.
    """
    header_row, columns = _headings(rows[:LOOKED_AT])
    place = {cell.strip(): n for n, cell in enumerate(rows[header_row])}
    body = [row for row in rows[header_row + 1 : LOOKED_AT] if any(cell.strip() for cell in row)]

    def cells(*fields: Field) -> list[str]:
        named = [place[columns[field]] for field in fields if field in columns]
        return [row[n].strip() for row in body for n in named if n < len(row) and row[n].strip()]

    amounts = [cell for cell in cells("amount", "debit", "credit", "fee", "balance") if looks_like_amount(cell)]
    return Layout(
        columns=columns,
        header_row=header_row + 1,
        date_order=_order(cells("date"), days_first=days_first),
        decimal=_decimal(amounts),
        rrn_in_words="number" not in columns and "words" in columns,
    )


def missing(layout: Layout, headings: Iterable[str]) -> list[str]:
    """The columns that a layout names and a file lacks."""
    there = {cell.strip() for cell in headings}
    return [column for column in layout.columns.values() if column not in there]


def is_whole(layout: Layout) -> bool:
    """Whether a layout names a day and an amount."""
    named = layout.columns.keys()
    return "date" in named and bool({"amount", "debit", "credit"} & named)


def _headings(rows: Sequence[Sequence[str]]) -> tuple[int, dict[Field, str]]:
    best: tuple[int, dict[Field, str]] = (0, {})
    for number, row in enumerate(rows[:100]):
        found = _named(row)
        has_amount = bool({"amount", "credit", "debit"} & found.keys())
        if "date" in found and has_amount and len(found) >= _FEWEST and len(found) > len(best[1]):
            best = (number, found)
    if not best[1]:
        raise Unclear("No row names a day and an amount; say which columns there are")
    return best


def _named(row: Sequence[str]) -> dict[Field, str]:
    """What the cells of a row name; of several that name the same, the likelier."""
    found: dict[Field, tuple[int, str]] = {}
    for cell in row:
        said = _HEADINGS.get(_FILLING.sub(" ", cell.lower()).strip())
        if said is not None and (said[0] not in found or said[1] < found[said[0]][0]):
            found[said[0]] = (said[1], cell.strip())
    if "credit" in found and "debit" in found:
        found.pop("amount", None)
    return {field: cell for field, (_, cell) in found.items()}


def _order(said: Sequence[str], *, days_first: bool) -> DateOrder:
    """The order in which every date can be read; where several are, the region's."""
    wanted: list[DateOrder] = ["dmy", "mdy", "ymd"] if days_first else ["mdy", "dmy", "ymd"]
    good = [order for order in wanted if said and all(date_of(cell, order) is not None for cell in said)]
    return good[0] if good else wanted[0]


def _decimal(said: Sequence[str]) -> Literal[".", ","]:
    """What stands before the decimals in every amount; a point where nothing speaks against it."""
    if all(amount_of(cell, ".", 3) is not None for cell in said):
        return "."
    return "," if all(amount_of(cell, ",", 3) is not None for cell in said) else "."


FIELDS: Final = get_args(Field)
