"""The read phase of a cart: everything pricing needs, in as few queries as there are plugins to ask."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from msgspec import Struct, structs

from kernel.auth import Location
from kernel.custom import Field, Value, custom_fields
from kernel.db import Configured, Rows
from kernel.errors import Fault, Invalid, NotFound
from kernel.money import MICRO, BadDecimal, parse_amount, parse_micro
from kernel.work import Work, business_date, read_ext
from plugins.catalog.api import Buying, Found, Sellable, list_price, sellables
from plugins.customers.api import CustomerFacts, customer
from plugins.sales.errors import MayNotDiscount, MayNotOverride, NotSold, RegisterClosed
from plugins.sales.models import Register
from plugins.sales.schemas.requests import ENTITY, CartIn, DiscountIn, LineIn
from plugins.sales.schemas.values import Cart, HandDiscount, Line, Override
from plugins.sales.services.own_fields import read_fields
from plugins.sales.services.taxed import buyer_of
from plugins.taxes.api import Terms, policy_of, seller_at, taxing

_MOST_MICRO = 10**18
CART = "sales.cart"
"""The subject under which plugins read their part of a cart's `ext`."""


class Place(Struct, frozen=True):
    """Where a cart is sold: the location and the register, and the business day there."""

    location_id: uuid.UUID
    location_name: str
    register_id: uuid.UUID
    register_code: str
    business_date: dt.date
    subdivision: str | None = None


class Ground(Struct, frozen=True):
    """A cart and what was read for it; `goods` stands beside the cart's lines, in their order.

    fields, custom: the shop's own on sales, and what the request says in them.
    """

    place: Place
    cart: Cart
    goods: tuple[Sellable, ...]
    terms: Terms = Terms()
    fields: tuple[Field, ...] = ()
    custom: Mapping[str, Value] = {}


_PLACES = Configured(
    sa.select(
        Location.id.label("location_id"),
        Location.name.label("location_name"),
        Location.kind,
        Location.zone,
        Location.day_cutoff,
        Location.subdivision,
        Location.is_active.label("location_is_active"),
        Register.id.label("register_id"),
        Register.code,
        Register.is_office,
        Register.is_active,
    )
    .outerjoin(Register, sa.and_(Register.business_id == Location.business_id, Register.location_id == Location.id))
    .where(Location.business_id == sa.bindparam("business_id"))
)


async def read_ground(work: Work, data: CartIn, at: dt.datetime) -> Ground:
    """Read all a cart needs. Raises NotFound for unknown things, Invalid for what cannot be sold, Forbidden."""
    ext = read_ext(work, CART, data.ext)
    _check_rights(work, data)
    place = await read_place(work, data.location_id, data.register_id, at)
    buyer = None if data.customer_id is None else await customer(work, data.customer_id)
    if data.customer_id is not None and buyer is None:
        raise NotFound.at("/customer_id", "There is no such customer")
    policy = policy_of(work)
    found = await sellables(
        work,
        [line.product_id for line in data.lines if line.product_id is not None],
        [line.barcode for line in data.lines if line.barcode is not None],
        _buying(work, data, at, policy.prices_include_tax, buyer),
    )
    goods = tuple(_good(line, index, found) for index, line in enumerate(data.lines))
    quantities = [
        _quantity(line, good, index) for index, (line, good) in enumerate(zip(data.lines, goods, strict=True))
    ]
    bought = _bought(goods, quantities)
    classes = {one.tax_class_id for one in goods}
    taxed = await taxing(work, classes, place.business_date, buyer_of(buyer), place.subdivision)
    terms = structs.replace(taxed.terms, seller=await seller_at(work, place.location_id, place.business_date))
    exponent = work.shop.exponent
    cart = Cart(
        lines=tuple(
            Line(
                line=index + 1,
                product_id=good.product_id,
                name=good.name,
                sku=good.sku,
                quantity=quantities[index],
                list_price=listed.price,
                price_rule=listed.rule,
                price_reason=listed.reason,
                in_unit=good.pack is None,
                category_ids=good.category_ids,
                brand_id=good.brand_id,
                treatment=taxed.treatments[good.tax_class_id],
                hand=_discount(line.discount, exponent, f"/lines/{index}/discount"),
                override=_override(line, index),
                mrp=good.mrp,
                pack=good.pack.name if good.pack else None,
                tags=good.tags,
            )
            for index, (line, good) in enumerate(zip(data.lines, goods, strict=True))
            for listed in [list_price(good, data.channel, bought[good.product_id])]
        ),
        customer_id=data.customer_id,
        channel=data.channel,
        currency=work.shop.currency,
        exponent=exponent,
        policy=policy,
        hand=_discount(data.discount, exponent, "/discount"),
        at=at,
        location_id=place.location_id,
        ext=ext,
        region=work.shop.region,
    )
    return Ground(place, cart, goods, terms, await custom_fields(work, ENTITY), await read_fields(work, data))


async def read_place(work: Work, location_id: uuid.UUID, register_id: uuid.UUID | None, at: dt.datetime) -> Place:
    """The storefront and register; without a register, the office. Raises NotFound, RegisterClosed."""
    rows = (await work.recall(_PLACES, _by_location)).get(location_id)
    if not rows:
        raise NotFound.at("/location_id", "There is no such location")
    wanted = [row for row in rows if (row.register_id == register_id if register_id else row.is_office)]
    if not wanted and register_id:
        raise NotFound.at("/register_id", "There is no such register here")
    if not wanted or not (wanted[0].is_active and wanted[0].location_is_active):
        raise RegisterClosed(f"Nothing is sold at {rows[0].location_name}")
    row = wanted[0]
    day = business_date(at, ZoneInfo(row.zone), row.day_cutoff)
    return Place(row.location_id, row.location_name, row.register_id, row.code, day, row.subdivision)


def _by_location(rows: Rows) -> Mapping[uuid.UUID, Sequence[Any]]:
    """Location → its registers, or itself without one."""
    found: dict[uuid.UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row.location_id, []).append(row)
    return found


def base_quantity(line: Line, good: Sellable) -> int:
    """A line's quantity in the product's own unit. Raises Invalid when it is too large to store."""
    quantity = line.quantity if good.pack is None else line.quantity * good.pack.factor // MICRO
    if quantity >= _MOST_MICRO:
        raise Invalid.at(f"/lines/{line.line - 1}/quantity", "The quantity is too large")
    return quantity


def _check_rights(work: Work, data: CartIn) -> None:
    discounted = data.discount is not None or any(line.discount is not None for line in data.lines)
    if discounted and not work.actor.may("sales.discount"):
        raise MayNotDiscount("A discount by hand needs the permission sales.discount")
    if any(line.unit_price is not None for line in data.lines) and not work.actor.may("sales.override_price"):
        raise MayNotOverride("A price by hand needs the permission sales.override_price")


def _good(line: LineIn, index: int, found: Found) -> Sellable:
    if (line.product_id is None) == (line.barcode is None):
        raise Invalid.at(f"/lines/{index}", "Name the product by product_id or by barcode, not both")
    if line.product_id is not None:
        good, pointer = found.by_id.get(line.product_id), "product_id"
    else:
        good, pointer = found.by_barcode.get(line.barcode or ""), "barcode"
    if good is None:
        fault = Fault(f"/lines/{index}/{pointer}", "not-found")
        raise NotFound("There is no such product", faults=[fault])
    if not good.is_active:
        raise NotSold.at(f"/lines/{index}", f"{good.name} is switched off", code="not-sold")
    return good


def _quantity(line: LineIn, good: Sellable, index: int) -> int:
    quantity = parse_micro(line.quantity)
    decimals = 0 if good.pack else good.decimals
    pointer = f"/lines/{index}/quantity"
    if quantity <= 0:
        raise Invalid.at(pointer, "The quantity must be above zero")
    if quantity % 10 ** (6 - decimals):
        sold_by = "whole numbers" if not decimals else f"up to {decimals} decimals"
        raise NotSold.at(pointer, f"{good.name} is sold in {sold_by}", code="not-sold")
    return quantity


def _buying(work: Work, data: CartIn, at: dt.datetime, prices_include_tax: bool, buyer: CustomerFacts | None) -> Buying:
    """Who buys where and when, as price lists look at it."""
    group_id = None if buyer is None else buyer.group_id
    return Buying(
        at, data.channel, work.shop.currency, prices_include_tax, data.location_id, data.customer_id, group_id
    )


def _bought(goods: Sequence[Sellable], quantities: Sequence[int]) -> Mapping[uuid.UUID, int]:
    """How much of each product the cart holds, in the product's own unit, whatever the lines it stands on."""
    found: dict[uuid.UUID, int] = {}
    for good, quantity in zip(goods, quantities, strict=True):
        units = quantity if good.pack is None else quantity * good.pack.factor // MICRO
        found[good.product_id] = found.get(good.product_id, 0) + units
    return found


def _discount(said: DiscountIn | None, exponent: int, pointer: str) -> HandDiscount | None:
    if said is None:
        return None
    if (said.percent is None) == (said.amount is None):
        raise Invalid.at(pointer, "A discount is either a percentage or an amount")
    if said.percent is not None:
        percent = parse_micro(said.percent)
        if percent > 100 * MICRO:
            raise Invalid.at(f"{pointer}/percent", "At most 100 percent")
        return HandDiscount(said.reason, percent=percent)
    return HandDiscount(said.reason, amount=amount_of(said.amount or "0", exponent, f"{pointer}/amount"))


def _override(line: LineIn, index: int) -> Override | None:
    if line.unit_price is None:
        return None
    return Override(parse_micro(line.unit_price), "set by hand")


def amount_of(text: str, exponent: int, pointer: str) -> int:
    """An amount in minor units. Raises Invalid when it has more decimals than the currency."""
    try:
        return parse_amount(text, exponent)
    except BadDecimal as fault:
        raise Invalid.at(pointer, f"The currency has {exponent} decimals") from fault
