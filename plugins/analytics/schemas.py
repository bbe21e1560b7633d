"""What reports are asked for, and what they answer. Amounts are decimal strings in major units."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from kernel.money import SignedAmount
from kernel.wire import Currency

By = Literal["day", "hour", "weekday", "product", "cashier", "location", "method"]


class ReportQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to add up by, from a business day to another, both inclusive and at most 366 days; of one place or all."""

    by: By
    from_date: Annotated[dt.date, Meta(examples=["2026-11-01"])]
    to_date: Annotated[dt.date, Meta(examples=["2026-11-30"])]
    location_id: UUID | None = None


class ReportRow(Struct, frozen=True):
    """One day, product, cashier …: `key` names it for programs, `label` for people."""

    key: Annotated[str, Meta(examples=["2026-11-21"])]
    label: Annotated[str, Meta(examples=["2026-11-21"])]
    count: Annotated[int, Meta(description="Sales; of a method its payments.", examples=[41])]
    quantity: Annotated[str | None, Meta(description="Base units, of products alone.", examples=["17"])]
    total: SignedAmount
    tax: SignedAmount | None
    discount: SignedAmount | None


class Report(Struct, frozen=True):
    """A report. What was voided counts for nothing; money given back is taken off its way of paying on its own day.

    Days, hours and days of the week in their order; all else by what it came to, at most the first 500.
    """

    by: By
    from_date: dt.date
    to_date: dt.date
    location_id: UUID | None
    currency: Currency
    rows: list[ReportRow]
    count: int
    total: SignedAmount
    tax: SignedAmount | None
    discount: SignedAmount | None
    average: Annotated[
        SignedAmount | None,
        Meta(
            description="The total over its count, rounded half up; null where nothing was sold, and of ways of paying."
        ),
    ] = None
