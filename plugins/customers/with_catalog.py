"""What customers does for catalog: says who a price list may be for; the price list of the demo's staff."""

from __future__ import annotations

import uuid
from typing import Any, Final

import sqlalchemy as sa

from kernel.hooks import answers
from kernel.work import Work
from plugins.catalog.api import PriceListIn, add_price_list, changed_price
from plugins.catalog.hooks import Buyer
from plugins.customers.models import Group
from plugins.customers.services import customer, known_group

_STAFF_PERCENT: Final = "-10"
_STAFF_STEP: Final = "1"


@answers
async def find_buyer(work: Work, customer_id: uuid.UUID | None, group_id: uuid.UUID | None) -> Buyer | None:
    """Know a customer with their group, or a group."""
    if customer_id is not None:
        found = await customer(work, customer_id)
        return None if found is None else Buyer(found.id, found.group_id)
    if group_id is not None and await known_group(work, group_id):
        return Buyer(None, group_id)
    return None


@answers
async def seed_demo(demo: Any) -> None:
    """Goods for staff at a tenth off, as a price list of their group."""
    goods = {one["id"]: changed_price(one["price"], _STAFF_PERCENT, _STAFF_STEP) for one in demo.notes["products"]}

    async def run(work: Work) -> None:
        found = await work.execute(
            sa.select(Group.id, Group.name).where(Group.business_id == work.business_id, Group.code == "staff")
        )
        group = found.first()
        if group is not None:
            await add_price_list(work, PriceListIn(name=f"{group.name} prices", group_id=group.id), goods)

    await demo.act(run, role="manager")
