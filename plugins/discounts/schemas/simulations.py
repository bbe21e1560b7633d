"""What clients send and are answered when promotions are tried on past sales."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from kernel.money import Amount, SignedAmount
from kernel.wire import Request, needs

SEE_COST = "catalog.see_cost"


class SimulationIn(Request, frozen=True):
    """Promotions to try, drafts above all, as if they had run then; and on how many of the newest sales."""

    promotion_ids: Annotated[list[UUID], Meta(min_length=1, max_length=20)]
    last: Annotated[int, Meta(ge=1, le=300, examples=[100])] = 100


class SaleChanged(Struct, frozen=True):
    """A sale that would have come to something else."""

    sale_id: UUID
    number: Annotated[str, Meta(examples=["T1-2026-000123"])]
    business_date: dt.date
    before: Amount
    after: Amount
    promotions: Annotated[list[str], Meta(description="Those that would have acted.", examples=[["Rice week"]])]


class SimulationOut(Struct, frozen=True):
    """What the sales would have come to. Both prices are by today's rules; what people buy is taken as it was.

    Margins are without tax and of sales whose costs are known; the others are counted in `unmeasured`.
    """

    examined: int
    of: Annotated[int, Meta(description="Sales there are in all.")]
    revenue_before: Amount
    revenue_after: Amount
    given: SignedAmount
    margin_before: Annotated[SignedAmount, needs(SEE_COST)]
    margin_after: Annotated[SignedAmount, needs(SEE_COST)]
    unmeasured: int
    changed: list[SaleChanged]
