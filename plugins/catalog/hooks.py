"""The hook that catalog calls: who a price list may be for."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct

from kernel.hooks import spec
from kernel.work import Work


class Buyer(Struct, frozen=True):
    """Somebody who buys: a customer with their group, or a group alone."""

    customer_id: UUID | None
    group_id: UUID | None


@spec(failing="refuse", budget_ms=3_000)
async def find_buyer(work: Work, customer_id: UUID | None, group_id: UUID | None) -> Buyer | None:
    """Say whether a customer, or a group of customers, is yours.

    When: a price list for one is added, or somebody asks why a customer's price is what it is; one of the two is given.
    Answer: the customer with their group, or the group; None where it is not there. If nobody knows it, the request is
    refused with 404. Errors: a DukaError refuses the request. Since: 0.1.
    Not for: prices of a cart; sales gives the customer's group with it.
    """
