"""What Pull Transactions lists, as lines of a statement. Total: what is no payment says nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from plugins.gateways_mpesa.rules.values import CURRENCY, inside, masked, minor, moment, receipt, text, without_phones
from plugins.payments.api import StatementLine


def pulled_rows(body: Any) -> Iterator[Any]:
    """The rows of an answer: a list of lists of them, or one list."""
    waiting: list[Any] = [inside(body, "Response")]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, list):
            waiting = [*one, *waiting]
        elif one is not None:
            yield one


def pulled_count(body: Any) -> int:
    """How many rows an answer has, whether they can be read or not: the offset of the next page counts them all."""
    return sum(1 for _ in pulled_rows(body))


def pulled_lines(body: Any) -> Sequence[StatementLine]:
    """The payments of an answer. A row without a receipt, an amount or a time is left out."""
    return [line for row in pulled_rows(body) if (line := _line(row)) is not None]


def _line(row: Any) -> StatementLine | None:
    money, amount, at = receipt(inside(row, "transactionId")), minor(inside(row, "amount")), inside(row, "trxDate")
    occurred = moment(at)
    if money is None or amount is None or occurred is None:
        return None
    return StatementLine(
        line_key=money,
        kind="payment",
        gross=amount,
        currency=CURRENCY,
        occurred_at=occurred,
        money_key=money,
        merchant_ref=without_phones(text(inside(row, "billreference")) or "")[:40] or None,
        payer=masked(inside(row, "msisdn")),
        said_at=(text(at) or "")[:40],
        words=without_phones(text(inside(row, "transactiontype")) or "")[:200],
    )
