"""What happens at a till without a sale."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from kernel.money import Amount, Quantity
from kernel.wire import ListQuery, Name, Request

Kind = Literal["drawer_opened", "line_deleted", "reprint"]
Reason = Annotated[
    str, Meta(min_length=1, max_length=200, pattern=r"\A[^\x00-\x1f\x7f]*\Z", examples=["change for the next stall"])
]


class TillEventIn(Request, frozen=True):
    """What happened, and why. A deleted line names its product, a reprint its sale."""

    kind: Kind
    reason: Reason
    sale_id: UUID | None = None
    product_id: UUID | None = None
    quantity: Quantity | None = None
    amount: Annotated[Amount | None, Meta(description="Of the line, before it was taken off.")] = None


class TillEventQuery(ListQuery, frozen=True):
    """Which events."""

    kind: Kind | None = None


class TillEventOut(Struct, frozen=True):
    """What happened at a till, and by whom."""

    id: UUID
    register_id: UUID
    location_id: UUID
    kind: Annotated[str, Meta(examples=["drawer_opened"])]
    reason: str
    sale_id: UUID | None
    product_id: UUID | None
    quantity: Quantity | None
    amount: Amount | None
    at: dt.datetime
    by_id: UUID | None
    by_name: Name
