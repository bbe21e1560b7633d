"""The rules by themselves: amounts and days as banks write them, layouts, keys of lines, decisions, days, takings."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.payments.api import StatementLine
from plugins.reconciliation.rules.cells import amount_of, date_of, instant_of, time_of
from plugins.reconciliation.rules.days import bounds_of, day_of, whole_days, window_of
from plugins.reconciliation.rules.deciding import RESOLUTIONS, booking, offered
from plugins.reconciliation.rules.layouts import Layout, Unclear, detect, is_whole, missing
from plugins.reconciliation.rules.likeness import closeness, is_same_payer
from plugins.reconciliation.rules.reading import Wrong, how, read_row
from plugins.reconciliation.rules.truth import Takings

ZONES = ("Africa/Nairobi", "Asia/Kolkata", "UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe")
DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2090, 12, 31))
MINOR = st.integers(-(10**12), 10**12)


@pytest.mark.parametrize(
    ("said", "minor"),
    [
        ("1,250.00", 125_000),
        ("12,34,567.50", 123_456_750),
        ("-12.5", -1_250),
        ("(12.50)", -1_250),
        ("12.50 Dr", -1_250),
        ("12.50Cr.", 1_250),
        ("KES 5", 500),
        ("Ksh. 1 200.00", 120_000),
        ("₹ 249.00", 24_900),
        ("250.0", 25_000),
        ("5/=", 500),
        ("+7", 700),
        ("100-", -10_000),
        ("12.500", 1_250),
        ("12.505", None),
        ("1.2.3", None),
        ("", None),
        ("yes", None),
        ("1e9", None),
        ("NaN", None),
        ("١٢", None),
        ("9" * 25, None),
    ],
)
def test_an_amount_is_read_as_it_is_written_or_not_at_all(said: str, minor: int | None) -> None:
    assert amount_of(said, ".", 2) == minor


@pytest.mark.parametrize(
    ("said", "minor"), [("1.250,00", 125_000), ("12,5", 1_250), ("1 250,00", 125_000), ("1,2,3", None)]
)
def test_an_amount_may_have_a_comma_before_its_decimals(said: str, minor: int | None) -> None:
    assert amount_of(said, ",", 2) == minor


@given(MINOR, st.sampled_from((".", ",")), st.sampled_from((0, 2, 3)), st.booleans())
def test_every_amount_that_is_written_is_read_again(
    minor: int, decimal: Literal[".", ","], exponent: int, grouped: bool
) -> None:
    whole, rest = divmod(abs(minor), 10**exponent)
    separator = "," if decimal == "." else "."
    text = f"{whole:,}".replace(",", separator) if grouped else str(whole)
    text = f"{'-' if minor < 0 else ''}{text}" + (f"{decimal}{rest:0{exponent}}" if exponent else "")
    assert amount_of(text, decimal, exponent) == minor


@given(st.text(max_size=40))
def test_no_cell_breaks_the_reading(said: str) -> None:
    for decimal in (".", ","):
        assert isinstance(amount_of(said, decimal, 2), int | None)
    for order in ("dmy", "mdy", "ymd"):
        assert isinstance(date_of(said, order), dt.date | None)
    assert isinstance(time_of(said), dt.time | None)
    assert isinstance(instant_of(said), dt.datetime | None)


@given(DAYS, st.sampled_from(("%d/%m/%Y", "%d-%b-%Y", "%Y-%m-%d", "%d.%m.%y", "%Y%m%d", "%d %B %Y", "%b %d, %Y")))
def test_every_day_that_is_written_is_read_again(day: dt.date, shape: str) -> None:
    if "%y" not in shape or day.year >= 2000:
        assert date_of(day.strftime(shape), "dmy") == day


def test_the_order_of_days_and_months_is_what_the_layout_says() -> None:
    assert date_of("03/04/2026", "dmy") == dt.date(2026, 4, 3)
    assert date_of("03/04/2026", "mdy") == dt.date(2026, 3, 4)
    assert date_of("31/04/2026", "dmy") is None
    assert date_of("21/11/2026 10:15:00", "dmy") == dt.date(2026, 11, 21)
    assert (time_of("21/11/2026 10:15 pm"), time_of("21-11-2026")) == (dt.time(22, 15), None)
    assert instant_of("2026-11-21T10:15:00Z") == dt.datetime(2026, 11, 21, 10, 15, tzinfo=dt.UTC)


MPESA = [
    ["Account Holder:", "Mama Njeri"],
    ["Receipt No.", "Completion Time", "Details", "Transaction Status", "Paid In", "Withdrawn", "Balance", "A/C No."],
    [
        "TKL1AB2CD3",
        "2026-11-21 10:15:12",
        "From 254712345678 - NJERI",
        "Completed",
        "250.00",
        "",
        "250.00",
        "S1",
    ],
    ["TKL1AB2CD3", "2026-11-21 10:15:12", "Pay merchant Charge", "Completed", "", "-5.00", "245.00", ""],
    ["TKL1AB2CD4", "2026-11-21 10:16:12", "Reversal of payment", "Completed", "", "-100.00", "145.00", ""],
    ["TKL1AB2CD5", "2026-11-21 11:00:00", "Organization Settlement", "Completed", "", "-145.00", "0.00", ""],
    ["TKL1AB2CD6", "2026-11-21 11:00:00", "Pay Bill", "Failed", "9.00", "", "0.00", ""],
]


def lines_of(rows: list[list[str]], *, is_numbered: bool = True, **changes: Any) -> list[StatementLine | Wrong]:
    layout = detect(rows)
    by = how(layout, rows[layout.header_row - 1], "Africa/Nairobi", "KES", 2, is_numbered=is_numbered)
    seen: dict[str, int] = {}
    read = [read_row(by, row, seen) for row in rows[layout.header_row :]]
    assert not changes
    return [one for one in read if one is not None]


def test_the_statement_of_the_mpesa_portal_reads_as_payments_fees_reversals_and_payouts() -> None:
    lines = lines_of(MPESA)
    assert [(one.kind, one.gross, one.fee, one.line_key) for one in lines if isinstance(one, StatementLine)] == [
        ("payment", 25_000, None, "TKL1AB2CD3"),
        ("fee", 0, 500, "TKL1AB2CD3:fee"),
        ("refund", -10_000, None, "TKL1AB2CD4:refund"),
        ("payout", -14_500, None, "TKL1AB2CD5:payout"),
    ]
    [first, *_] = lines
    assert isinstance(first, StatementLine)
    assert (first.money_key, first.merchant_ref) == ("TKL1AB2CD3", "S1")
    assert first.occurred_at == dt.datetime(2026, 11, 21, 10, 15, 12, tzinfo=ZoneInfo("Africa/Nairobi"))
    assert "712345" not in first.words, "a payer's number is masked"


def test_a_banks_numbers_are_not_believed_to_be_of_one_line() -> None:
    rows = [
        ["Date", "Description", "Cheque No", "Amount"],
        *[["21/11/2026", f"NEFT {n}", "NEFT", "10.00"] for n in "112"],
        ["21/11/2026", "UPI/632512345678/rent", "000000", "10.00"],
    ]
    keys = [one.line_key for one in lines_of(rows, is_numbered=False) if isinstance(one, StatementLine)]
    assert len(set(keys)) == 4
    assert keys[1] == f"{keys[0]}:2"
    again = [rows[0], rows[3], rows[1], rows[4]]
    overlapping = [one.line_key for one in lines_of(again, is_numbered=False) if isinstance(one, StatementLine)]
    assert set(overlapping) <= set(keys)


def test_an_rrn_is_found_in_the_text_where_no_column_has_it() -> None:
    rows = [["Value Date", "Particulars", "Debit", "Credit"], ["21-Nov-26", "UPI/632512345678/RENT", "", "1,000.00"]]
    [line] = lines_of(rows, is_numbered=False)
    assert isinstance(line, StatementLine)
    assert (line.money_key, line.gross) == ("632512345678", 100_000)


def test_what_is_wrong_with_a_row_is_said_and_what_names_no_amount_is_refused() -> None:
    rows = [["Date", "Details", "Amount"], ["soon", "x", "1"], ["21/11/2026", "x", "much"], ["", "total", "1"]]
    assert lines_of(rows) == [Wrong("Date", "This is no date"), Wrong("Amount", "This is no amount")]
    with pytest.raises(Unclear):
        detect([["Date", "Name"], ["21/11/2026", "x"]])
    layout = Layout(columns={"date": "Day", "amount": "Sum"})
    assert (missing(layout, ["Day", "Other"]), is_whole(layout), is_whole(Layout(columns={"date": "Day"}))) == (
        ["Sum"],
        True,
        False,
    )


@given(st.lists(st.tuples(DAYS, MINOR.filter(bool), st.text("abc ", max_size=5)), max_size=12))
def test_a_file_that_is_read_twice_has_the_same_lines_each_under_a_key_of_its_own(
    rows: list[tuple[dt.date, int, str]],
) -> None:
    body = [[day.isoformat(), words, f"{minor / 100:.2f}"] for day, minor, words in rows]
    table = [["Date", "Details", "Amount"], *body]
    text = io.StringIO()
    csv.writer(text).writerows(table)
    again = list(csv.reader(io.StringIO(text.getvalue())))
    first, second = lines_of(table, is_numbered=False), lines_of(again, is_numbered=False)
    assert first == second
    assert len({one.line_key for one in first if isinstance(one, StatementLine)}) == len(rows)


@given(st.sampled_from(sorted(RESOLUTIONS)), MINOR, st.booleans())
def test_whatever_is_offered_books_the_whole_difference_or_nothing_and_its_mirror_undoes_it(
    kind: Any, amount: int, has_tray: bool
) -> None:
    choices = offered(kind, amount, has_tray=has_tray)
    assert "dismiss" in choices
    assert ("claim" in choices) <= has_tray
    for one in choices:
        made = booking(one, amount)
        if made is not None:
            assert made.amount == abs(amount) > 0
            assert (made.credit == "clearing") == (amount < 0)
            assert made.reversed.reversed == made
            assert (made.reversed.debit, made.reversed.credit) == (made.credit, made.debit)


@given(DAYS, st.sampled_from(ZONES))
def test_a_day_holds_its_own_instants_and_ends_where_the_next_begins(day: dt.date, zone: str) -> None:
    bounds, after = bounds_of(day, zone), bounds_of(day + dt.timedelta(days=1), zone)
    assert bounds.until == after.since
    assert day_of(bounds.since, zone) == day_of(bounds.until - dt.timedelta(seconds=1), zone) == day
    assert dt.timedelta(hours=22) < bounds.until - bounds.since < dt.timedelta(hours=26)


@given(st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2040, 1, 1)), st.sampled_from(ZONES), st.integers(0, 400))
def test_what_is_asked_for_covers_two_days_back_or_all_that_is_not_known(
    naive: dt.datetime, zone: str, hours: int
) -> None:
    now = naive.replace(tzinfo=dt.UTC)
    known = now - dt.timedelta(hours=hours)
    since, until = window_of(now, known, zone, dt.timedelta(days=30))
    assert until == now
    assert since <= known
    yesterday = day_of(now, zone) - dt.timedelta(days=1)
    assert {yesterday, yesterday - dt.timedelta(days=1)} <= set(whole_days(since, until, zone))
    assert window_of(now, known, zone, dt.timedelta(hours=48))[0] >= now - dt.timedelta(hours=48)


@pytest.mark.parametrize(
    ("stated", "known", "is_same"),
    [
        ("2547*****678", "254712345678", True),
        ("2547 ***** 678", "254712345678", True),
        ("2547*****679", "254712345678", False),
        ("2541*****678", "254712345678", False),
        ("***78", "254712345678", False),
        (None, "254712345678", False),
        ("njeri@bank", "254712345678", False),
    ],
)
def test_a_masked_number_may_be_a_phone_if_its_ends_are(stated: str | None, known: str, is_same: bool) -> None:
    assert is_same_payer(stated, known) is is_same


def test_the_likeliest_is_of_the_same_payer_and_then_the_nearest() -> None:
    at = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
    hour = dt.timedelta(hours=1)
    found = [closeness("2547*****678", "254712345678", at, at + hour), closeness("2547*****678", None, at, at)]
    assert sorted(found) == found


@given(st.lists(st.integers(0, 10**9), min_size=8, max_size=8))
def test_takings_agree_only_where_all_of_them_are_stated_or_in_nobodys_statement(parts: list[int]) -> None:
    of, transit, lost, word, hand, off, back, spent = parts
    found = Takings(
        taken=of + transit + lost + word + hand,
        stated_of=of,
        stated=of + off,
        in_transit=transit,
        missing=lost,
        unverified=word,
        by_hand=hand,
        given_back=back,
        spent=spent,
    )
    assert found.is_whole
    assert found.difference(is_cash=False) == off - lost
    assert found.agrees(is_cash=False) == (off == lost == 0 and not word)
    cash = found.taken - back - spent
    assert found.difference(is_cash=True) == cash
