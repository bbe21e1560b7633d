"""Fields of the shop's own on sales: said at the checkout, changed afterwards; no figure depends on them."""

from __future__ import annotations

import uuid
from typing import Any

from kernel.custom import Value, changed_values, new_values, write_keys
from kernel.work import Work
from plugins.sales.models import Sale
from plugins.sales.schemas.requests import ENTITY, CartIn, SaleIn, SalePatch


async def read_fields(work: Work, data: CartIn) -> dict[str, Value]:
    """What a cart says in the shop's own fields; what is required is asked of a sale alone. Raises Invalid, NotFound.

    A business that has no such fields is asked nothing, and costs no round trip.
    """
    if isinstance(data, SaleIn):
        return (await new_values(work, ENTITY, [data.custom], [""]))[0]
    return await changed_values(work, ENTITY, {}, data.custom)


async def change_sale(work: Work, sale_id: uuid.UUID, data: SalePatch) -> Any:
    """Change what the shop's own fields say of a sale, whatever became of it; returns its row.

    Raises NotFound, PreconditionFailed, and Invalid as the checkout does.
    """
    sale = await work.get(Sale, sale_id, to_change=True)
    work.check_version(sale.version)
    sale.custom = await changed_values(work, ENTITY, sale.custom, data.custom)
    sale.version += 1
    await work.session.flush()
    await write_keys(work, ENTITY, [(sale_id, sale.custom)])
    work.audit(
        subject=f"sale:{sale_id}",
        location_id=sale.location_id,
        register_id=sale.register_id,
        changed=[f"custom.{key}" for key in sorted(data.custom)],
    )
    return sale
