"""Builders for other plugins' tests: sales that go through the use case."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from kernel.money import MICRO, parse_micro
from kernel.testing.box import Box
from plugins.payments.api import PaymentIn
from plugins.sales.rules import begin, finish
from plugins.sales.schemas.answers import SaleOut
from plugins.sales.schemas.requests import CartIn, SaleIn
from plugins.sales.schemas.values import Answer, Applied, Cart, Line, PricedCart
from plugins.sales.services import complete_sale, find_sale, quote
from plugins.taxes.api import TaxComponent, TaxPolicy, Treatment


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
    paid = [PaymentIn(method=method, amount=total)] if Decimal(total) else []
    sale = msgspec.structs.replace(msgspec.convert(said, SaleIn), payments=paid)
    id_ = (await box.act(lambda work: complete_sale(work, sale), role=role, shop=shop)).id
    return await box.look(lambda work: find_sale(work, id_), shop=shop)


def bare_line(
    number: int,
    product_id: uuid.UUID,
    name: str,
    quantity: str,
    price: str,
    category_ids: tuple[uuid.UUID, ...] = (),
    tags: tuple[str, ...] = (),
) -> Line:
    """A line of a cart that is only priced, taxed at 16 %."""
    treatment = Treatment(None, "VAT 16", "standard", (TaxComponent("VAT", 16 * MICRO),))
    figures = parse_micro(quantity), parse_micro(price)
    return Line(number, product_id, name, name.upper(), *figures, "retail", category_ids, None, treatment, tags=tags)


def bare_cart(lines: Sequence[Line], at: dt.datetime) -> Cart:
    """A cart in shillings whose prices include tax, only to be priced."""
    policy = TaxPolicy(True, "line", 2)
    return Cart(tuple(lines), None, "retail", "KES", 2, policy, None, at, uuid.UUID(int=9))


def priced_with(cart: Cart, plugin: str, answer: Callable[[tuple[int, ...]], Sequence[Answer] | None]) -> PricedCart:
    """A cart priced by the rules, with one plugin's answers to price_cart; they are given what the lines cost."""
    begun = begin(cart, [[] for _ in cart.lines])
    return finish(begun, [Applied(plugin, one) for one in answer(begun.amounts) or ()])


async def fill(box: Box, shop: str, own: dict[str, str]) -> None:
    """Two sales of the product, paid in cash, and two carts set aside."""
    product, owner = uuid.UUID(own["product_id"]), box.client("owner", shop)
    for n in "12":
        made = await a_sale(box, {product: n}, shop=shop)
        own["sale_id"], own["payment_id"] = str(made.id), str(made.payments[0].id)
        own["register_id"] = str(made.register_id)
        cart = {"location_id": own["location_id"], "label": f"cart {n}", "lines": [{"product_id": own["product_id"]}]}
        own["held_id"] = (await owner.post("/api/v1/sales/held", cart)).json()["id"]
        back = {"payment_id": own["payment_id"], "amount": "1.00", "reason": "spoilt"}
        own["refund_id"] = (await owner.post("/api/v1/payments/refunds", back)).json()["id"]
    second = {"location_id": own["location_id"], "code": "T9", "name": "Second till"}
    assert (await owner.post("/api/v1/sales/registers", second)).status_code == 201
    own["subject_id"] = own["document_id"] = own["sale_id"]
