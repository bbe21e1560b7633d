"""What customers tells catalog: who a price list may be for."""

from __future__ import annotations

import uuid

from kernel.hooks import answers
from kernel.work import Work
from plugins.catalog.hooks import Buyer
from plugins.customers.services import customer, known_group


@answers
async def find_buyer(work: Work, customer_id: uuid.UUID | None, group_id: uuid.UUID | None) -> Buyer | None:
    """Know a customer with their group, or a group."""
    if customer_id is not None:
        found = await customer(work, customer_id)
        return None if found is None else Buyer(found.id, found.group_id)
    if group_id is not None and await known_group(work, group_id):
        return Buyer(None, group_id)
    return None
