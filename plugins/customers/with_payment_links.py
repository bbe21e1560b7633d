"""What customers do where there are payment links: a link may be made for one."""

from __future__ import annotations

import uuid

from kernel.hooks import answers
from kernel.work import Work
from plugins.customers.services import customer
from plugins.payment_links.hooks import Payable


@answers
async def find_payable(work: Work, kind: str, id_: uuid.UUID) -> Payable | None:
    """A customer: whoever is sent a link, though they are no bill."""
    if kind != "customer":
        return None
    found = await customer(work, id_)
    return None if found is None else Payable(found.name, customer_id=found.id)
