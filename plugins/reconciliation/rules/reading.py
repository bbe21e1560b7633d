"""Rows of a statement's file read as lines, each under a key that is the same in every file it stands in."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from plugins.payments.api import LineKind, StatementLine
from plugins.reconciliation.rules.cells import amount_of, date_of, instant_of, time_of
from plugins.reconciliation.rules.layouts import Field, Layout

_RRN: Final = re.compile(r"(?<![0-9])([0-9]{12})(?![0-9])")
_PHONE: Final = re.compile(r"(?<![0-9A-Za-z])(\+?[0-9]{3,5})[0-9]{4,6}([0-9]{3})(?![0-9])")
_LONG_NUMBER: Final = 12
_DONE: Final = frozenset(
    {"", "completed", "complete", "success", "successful", "settled", "captured", "processed", "ok"}
)
_NO_NUMBER: Final = re.compile(r"[^A-Za-z1-9]*\Z")
_KEYED: Final[tuple[Field, ...]] = ("number", "reference", "payer", "words", "balance")
_OUT: Final[tuple[tuple[LineKind, tuple[str, ...]], ...]] = (
    ("fee", ("charge", "fee", "commission", "mdr", "excise", "levy", "gst on")),
    ("refund", ("reversal", "reversed", "refund", "chargeback")),
    ("payout", ("settlement", "payout", "withdraw", "to bank", "organization to", "business to bank", "sweep")),
)


class Wrong(Struct, frozen=True):
    """What is wrong with a cell."""

    column: str
    said: str


class How(Struct, frozen=True):
    """What a reading goes by. places: what a column says → its place in a row.

    is_numbered: a line is known by its number alone, as those of an account at a gateway are, however they are stated.
    """

    layout: Layout
    places: Mapping[Field, int]
    zone: str
    currency: str
    exponent: int
    is_numbered: bool


def how(layout: Layout, headings: Sequence[str], zone: str, currency: str, exponent: int, *, is_numbered: bool) -> How:
    """What rows under these headings are read by."""
    at = {cell.strip(): n for n, cell in reversed(list(enumerate(headings)))}
    places = {field: at[column] for field, column in layout.columns.items() if column in at}
    return How(layout, places, zone, currency, exponent, is_numbered)


def read_row(given: How, cells: Sequence[str], seen: dict[str, int]) -> StatementLine | Wrong | None:
    """The line of a row; what is wrong with it; None for one that is no movement of money: not completed, or empty.

    seen: how often each key came in this file, kept up by this function. A row without a number of its own is known by
    all that it says: of rows that say the same, the second is another line.
    """
    said = {field: cells[n].strip() if n < len(cells) else "" for field, n in given.places.items()}
    if said.get("state", "").lower() not in _DONE or not said.get("date"):
        return None
    at = _instant(given, said)
    if at is None:
        return Wrong(given.layout.columns["date"], "This is no date")
    currency = (said.get("currency") or given.currency).upper()
    amounts: dict[Field, int | None] = {}
    for field in ("amount", "credit", "debit", "fee", "tax", "net"):
        found = _amount(given, said, field)
        if isinstance(found, Wrong):
            return found
        amounts[field] = found
    gross = _gross(given.layout, amounts)
    if gross is None:
        return (
            None if not said.get("words") or "balance" in said else Wrong(_column(given.layout), "There is no amount")
        )
    return _line(given, said, amounts, gross, at, currency, seen)


def _line(
    given: How,
    said: Mapping[Field, str],
    amounts: Mapping[Field, int | None],
    gross: int,
    at: dt.datetime,
    currency: str,
    seen: dict[str, int],
) -> StatementLine | None:
    kind = _kind(given.layout, said, gross)
    number = _number(said) or _number_in(given.layout, said.get("words", ""))
    fee, tax, net = amounts["fee"], amounts["tax"], amounts["net"]
    if kind == "fee":
        gross, fee, net = 0, -gross, None
    if not gross and not fee:
        return None
    return StatementLine(
        line_key=_key(given, said, number, kind, gross - (fee or 0), at, seen),
        kind=kind,
        gross=gross,
        currency=currency,
        occurred_at=at,
        fee=fee if fee is None or kind == "fee" else abs(fee),
        tax=None if tax is None else abs(tax),
        net=net,
        money_key=number or None,
        merchant_ref=said.get("reference") or None,
        payer=_masked(said.get("payer", "")) or None,
        ids={"statement": number} if number and kind == "refund" else {},
        settlement_id=said.get("settlement") or None,
        settlement_ref=said.get("settlement_number") or None,
        said_at=f"{said.get('date', '')} {said.get('time', '')}".strip(),
        words=_masked(said.get("words", "")),
    )


def _instant(given: How, said: Mapping[Field, str]) -> dt.datetime | None:
    whole = instant_of(said["date"])
    if whole is not None:
        return whole
    day = date_of(said["date"], given.layout.date_order)
    if day is None:
        return None
    time = time_of(said.get("time", "")) or time_of(said["date"]) or dt.time(12)
    return dt.datetime.combine(day, time, ZoneInfo(given.zone))


def _amount(given: How, said: Mapping[Field, str], field: Field) -> int | Wrong | None:
    text = said.get(field, "")
    if not text or text in ("-", "–", "--"):
        return None
    found = amount_of(text, given.layout.decimal, given.exponent)
    return Wrong(given.layout.columns[field], "This is no amount") if found is None else found


def _gross(layout: Layout, amounts: Mapping[Field, int | None]) -> int | None:
    if amounts["amount"] is not None:
        gross = amounts["amount"]
    elif amounts["credit"] is None and amounts["debit"] is None:
        return None
    else:
        gross = abs(amounts["credit"] or 0) - abs(amounts["debit"] or 0)
    return -gross if layout.swaps_sign else gross


def _kind(layout: Layout, said: Mapping[Field, str], gross: int) -> LineKind:
    words = f"{said.get('kind', '')} {said.get('words', '')}".lower()
    for word, kind in layout.kinds.items():
        if word.lower() in words:
            return kind
    if gross > 0:
        return "payment"
    return next((kind for kind, signs in _OUT if any(sign in words for sign in signs)), "adjustment")


def _number_in(layout: Layout, words: str) -> str:
    found = _RRN.findall(words) if layout.rrn_in_words else []
    return found[0] if len(set(found)) == 1 else ""


def _number(said: Mapping[Field, str]) -> str:
    """The number of the money; empty where the cell holds a filler, such as 000000."""
    number = said.get("number", "")
    return "" if _NO_NUMBER.match(number) else number


def _key(
    given: How,
    said: Mapping[Field, str],
    number: str,
    kind: LineKind,
    amount: int,
    at: dt.datetime,
    seen: dict[str, int],
) -> str:
    """The number of a payment where lines are known by it; of what else bears that number, the number and the kind.

    Banks give one number to several lines: theirs are known by all that they say.
    """
    if number and given.is_numbered:
        key = number if kind == "payment" else f"{number}:{kind}"
    else:
        told = [at.isoformat(), str(amount), *(said.get(name, "") for name in _KEYED)]
        key = hashlib.sha256("\x1f".join(told).encode()).hexdigest()[:32]
    seen[key] = seen.get(key, 0) + 1
    return key if seen[key] == 1 else f"{key}:{seen[key]}"


def _masked(said: str) -> str:
    """A text without whole numbers of phones. Numbers of twelve figures may be those of money: they stay."""
    return _PHONE.sub(lambda found: found[0] if _is_number(found[0]) else f"{found[1]}*****{found[2]}", said)


def _is_number(said: str) -> bool:
    return len(said) == _LONG_NUMBER and not said.startswith("254")


def _column(layout: Layout) -> str:
    return next((layout.columns[name] for name in ("amount", "credit", "debit") if name in layout.columns), "")
