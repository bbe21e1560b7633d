"""Builders for other plugins' tests: sales that go through the use case."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from kernel.testing.box import Box
from plugins.payments.api import PaymentIn
from plugins.sales.schemas.answers import SaleOut
from plugins.sales.schemas.requests import CartIn, SaleIn
from plugins.sales.services import complete_sale, find_sale, quote


async def a_sale(
    box: Box,
    lines: dict[uuid.UUID, str],
    *,
    method: str = "cash",
    role: str | None = None,
    shop: str = "mama-njeri",
    **fields: Any,
) -> SaleOut:
    """Complete a sale of products by quantity, paid to the last unit by one method. fields: more of the request."""
    said = {
        "location_id": await box.location(shop=shop),
        "lines": [{"product_id": id_, "quantity": quantity} for id_, quantity in lines.items()],
        **fields,
    }
    cart = msgspec.convert({k: v for k, v in said.items() if k in CartIn.__struct_fields__}, CartIn)
    total = (await box.look(lambda work: quote(work, cart), shop=shop)).total
    paid = [PaymentIn(method=method, amount=total)] if float(total) else []
    sale = msgspec.structs.replace(msgspec.convert(said, SaleIn), payments=paid)
    id_ = (await box.act(lambda work: complete_sale(work, sale), role=role, shop=shop)).id
    return await box.look(lambda work: find_sale(work, id_), shop=shop)
