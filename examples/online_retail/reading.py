"""Reads the transactions file into invoices: which lines belong together, which are clean, when they were sold.

An invoice is *clean* when its number is all digits (a `C` in front marks a cancellation, an `A` an adjustment of bad
debts) and every one of its lines has a quantity and a price above zero. One other line leaves the whole invoice out:
it is a correction of stock or a gift, not a sale as a till knows it.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from sys import intern
from typing import Final
from zoneinfo import ZoneInfo

ZONE: Final = ZoneInfo("Europe/London")
"""Where the shop stands; the file's times are local."""

COLUMNS: Final = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID")

Row = Mapping[str, str]


class NotTheFile(ValueError):
    """The file is not the shop's transactions: a column is missing, or a cell does not read as it should."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an invoice. `code` is case-sensitive: 85123A and 85123a are two products."""

    code: str
    description: str
    quantity: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice, sold when its first line was. `customer` is empty where the shop did not know one."""

    number: str
    local_time: datetime
    customer: str
    lines: tuple[Line, ...]

    @property
    def day(self) -> date:
        """The business day, in the shop's time."""
        return self.local_time.date()

    @property
    def sold_at(self) -> datetime:
        """The instant, in UTC."""
        return self.local_time.astimezone(UTC)

    @property
    def is_clean(self) -> bool:
        """Whether it is a sale and nothing else."""
        return self.number.isdigit() and all(line.quantity > 0 and line.price > 0 for line in self.lines)


def read_clean(path: Path, day: date | None = None) -> list[Invoice]:
    """The clean invoices of a file, of one day or of all, in the file's order. Raises `NotTheFile`."""
    with _rows(path) as rows:
        invoices = invoices_of(rows)
    return [one for one in invoices if one.is_clean and day in (None, one.day)]


def invoices_of(rows: Iterable[Row]) -> list[Invoice]:
    """Gather rows into invoices by number, in the order in which the numbers first stand. Raises `NotTheFile`."""
    heads: dict[str, Row] = {}
    lines: dict[str, list[Line]] = {}
    for row in rows:
        number = row["InvoiceNo"]
        heads.setdefault(number, row)
        lines.setdefault(number, []).append(_line(row))
    return [_invoice(head, lines[number]) for number, head in heads.items()]


@contextmanager
def _rows(path: Path) -> Iterator[Iterator[Row]]:
    """The rows of a CSV file, packed with gzip or not; headers in between, of files put end to end, are skipped."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as raw:
        rows = csv.DictReader(line.decode("utf-8-sig") for line in raw)
        if missing := [name for name in COLUMNS if name not in (rows.fieldnames or ())]:
            raise NotTheFile(f"{path.name} has no column {', '.join(missing)}")
        yield (row for row in rows if row["InvoiceNo"] != "InvoiceNo")


def _invoice(head: Row, lines: list[Line]) -> Invoice:
    try:
        local = datetime.fromisoformat(head["InvoiceDate"]).replace(tzinfo=ZONE)
    except ValueError as fault:
        raise NotTheFile(f"invoice {head['InvoiceNo']}: {fault}") from fault
    # The file was once read by a program that made the customers' numbers floats: 17850.0.
    return Invoice(head["InvoiceNo"], local, head["CustomerID"].removesuffix(".0"), tuple(lines))


def _line(row: Row) -> Line:
    try:
        price = _decimal(row["UnitPrice"])
        return Line(intern(row["StockCode"]), intern(row["Description"]), int(row["Quantity"]), price)
    except (ValueError, InvalidOperation) as fault:
        raise NotTheFile(f"invoice {row['InvoiceNo']}, product {row['StockCode']}: {fault}") from fault


@cache
def _decimal(text: str) -> Decimal:
    """The same object for the same price: half a million lines bear a few hundred of them."""
    return Decimal(text)
