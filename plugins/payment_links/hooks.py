"""The hook that payment links call: whose documents may be paid by them."""

from __future__ import annotations

import uuid

from msgspec import Struct

from kernel.hooks import spec
from kernel.work import Work


class Payable(Struct, frozen=True):
    """A document that a link may be for. due: what it still waits for, in minor units; None: it is no bill.

    `location_id`, `customer_id`: whose and where it is, if it says so.
    """

    number: str
    due: int | None = None
    location_id: uuid.UUID | None = None
    customer_id: uuid.UUID | None = None


@spec(failing="refuse", budget_ms=1_000)
async def find_payable(work: Work, kind: str, id_: uuid.UUID) -> Payable | None:
    """Find a document that somebody may be sent a link for.

    When: as a link is made, and each time its page is shown. Answer: the document, if it is yours and there is one
    where the caller works; `due` of 0 where it waits for no money. The money itself you want and take by
    `payments.money_wanted` and `payments.payment_captured`. Errors: a DukaError refuses the link. Since: 0.1.
    Not for: holding the document; this only reads.
    """
