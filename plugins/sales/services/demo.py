"""A month of believable sales for a demo business, and today's so far."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from typing import Any, Protocol

from kernel.errors import Conflict
from kernel.money import format_amount, parse_amount
from kernel.work import Work
from plugins.payments.api import PaymentIn
from plugins.sales.schemas.requests import CartIn, LineIn, RegisterIn, SaleIn
from plugins.sales.services.checkout import complete_sale, quote
from plugins.sales.services.registers import add_register

SALES_A_DAY = (8, 14)
SALE = "sales.complete_sale"


class Demo(Protocol):
    """What this needs of the demo in the making."""

    shop: Any
    days: list[dt.date]
    now: dt.datetime
    rng: Any
    notes: dict[str, Any]
    locations: dict[str, tuple[uuid.UUID, str]]
    act: Any


async def sell_for_a_month(demo: Demo) -> None:
    """Add a till to each storefront and ring up every day's sales; an order of last evening waits for its money."""
    shops = [id_ for id_, kind in demo.locations.values() if kind == "storefront"]
    tills = {}
    for number, location_id in enumerate(shops, start=1):
        data = RegisterIn(location_id=location_id, code=f"T{number}", name=f"Till {number}")

        async def add(work: Work, data: RegisterIn = data) -> uuid.UUID:
            return (await add_register(work, data)).id

        tills[location_id] = await demo.act(add, role="manager")
    for day in demo.days:
        await _sell_for_a_day(demo, day, tills)
    evening = dt.datetime.combine(demo.days[-1], dt.time(20), demo.shop.tz).astimezone(dt.UTC)
    cart = _cart(demo, shops[0], tills[shops[0]])
    with contextlib.suppress(Conflict):
        await demo.act(lambda work: _order(work, cart), role="cashier", at=evening)
    await _sell_for_a_day(demo, demo.now.date(), tills)


async def _sell_for_a_day(demo: Demo, day: dt.date, tills: dict[uuid.UUID, uuid.UUID]) -> None:
    """Ring up a day's sales, today those of the hours that are over. tills: by storefront."""
    for _ in range(demo.rng.randint(*SALES_A_DAY)):
        location_id = demo.rng.choices(list(tills), weights=range(len(tills), 0, -1))[0]
        minute = demo.rng.randint(8 * 60, 20 * 60 - 1)
        at = dt.datetime.combine(day, dt.time(), demo.shop.tz) + dt.timedelta(minutes=minute)
        cart = _cart(demo, location_id, tills[location_id])
        if at < demo.now:
            with contextlib.suppress(Conflict):  # sold out: the customer goes without
                await demo.act(
                    lambda work, cart=cart: _ring_up(work, cart), role="cashier", at=at.astimezone(dt.UTC), deed=SALE
                )


def _cart(demo: Demo, location_id: uuid.UUID, register_id: uuid.UUID) -> CartIn:
    products = demo.notes["products"]
    chosen = demo.rng.choices(products, weights=[one["weight"] for one in products], k=demo.rng.randint(1, 6))
    distinct = {one["id"]: one for one in chosen}.values()
    lines = [LineIn(product_id=one["id"], quantity=_quantity(demo, one["unit"])) for one in distinct]
    customers = demo.notes.get("customers") or [None]
    customer = demo.rng.choice(customers) if demo.rng.random() < 0.25 else None
    return CartIn(location_id=location_id, register_id=register_id, customer_id=customer, lines=lines)


def _quantity(demo: Demo, unit: str) -> str:
    if unit in ("kg", "litre", "metre"):
        return str(demo.rng.choice(["0.25", "0.5", "0.75", "1", "1.5", "2"]))
    return str(demo.rng.choices([1, 2, 3, 4], weights=[70, 20, 6, 4])[0])


async def _ring_up(work: Work, cart: CartIn) -> None:
    total = (await quote(work, cart)).total
    exponent = work.shop.exponent
    note = 100 * 10**exponent
    handed = -(-parse_amount(total, exponent) // note) * note
    method = "cash" if handed % (3 * note) else "card"
    paid = PaymentIn(
        method=method, amount=total, tendered=format_amount(handed, exponent) if method == "cash" else None
    )
    await _sell(work, cart, paid)


async def _order(work: Work, cart: CartIn) -> None:
    total = (await quote(work, cart)).total
    await _sell(work, cart, PaymentIn(method="bank_transfer", amount=total, awaited=True))


async def _sell(work: Work, cart: CartIn, paid: PaymentIn) -> None:
    await complete_sale(
        work,
        SaleIn(
            location_id=cart.location_id,
            register_id=cart.register_id,
            customer_id=cart.customer_id,
            lines=cart.lines,
            payments=[paid],
        ),
    )
