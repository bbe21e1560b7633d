"""Why a product costs what it costs: every list that was considered, what won, and why the others did not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from kernel.auth import Location
from kernel.db import Prepared
from kernel.errors import Invalid, NotFound
from kernel.money import MICRO, format_micro, format_price, parse_micro, round_ratio
from kernel.work import Work
from plugins.catalog.models import Pack, Product
from plugins.catalog.rules.goods import fits_unit
from plugins.catalog.rules.prices import (
    Buying,
    Chosen,
    Listed,
    ListFacts,
    Order,
    OwnPrice,
    based_price,
    choose,
    in_force,
    not_reached,
    order_of,
    order_of_based,
    own_price,
    why_not,
)
from plugins.catalog.schemas.prices import Considered, PriceAsk, PriceWhy
from plugins.catalog.services.price_lists import buyer_of
from plugins.catalog.services.price_rows import LATEST
from plugins.catalog.services.pricing import LISTED, base_price, in_force_of, listed_in, read_lists
from plugins.taxes.api import policy_of

_PRODUCT = Prepared(
    sa.select(
        Product.unit,
        base_price("retail"),
        base_price("wholesale"),
        LISTED,
        Pack.id.label("pack_id"),
        Pack.name.label("pack_name"),
        Pack.factor,
        Pack.price.label("pack_price"),
    )
    .outerjoin(
        Pack,
        sa.and_(
            Pack.business_id == Product.business_id,
            Pack.product_id == Product.id,
            Pack.id == sa.bindparam("wanted_pack", type_=sa.Uuid()),
        ),
    )
    .where(
        Product.business_id == sa.bindparam("business_id", type_=sa.Uuid()),
        Product.id == sa.bindparam("id", type_=sa.Uuid()),
    )
)


async def explain_price(work: Work, product_id: UUID, ask: PriceAsk) -> PriceWhy:
    """The price of a product for somebody, and why. Raises NotFound for what is not there, Invalid for a quantity."""
    buying = await _buying(work, ask)
    lists = (await read_lists(work)).by_id
    row = await work.one(_PRODUCT, id=product_id, wanted_pack=ask.pack_id, at=buying.at, list_ids=list(lists))
    if row is None:
        raise NotFound
    own = _own(row, ask)
    quantity = _quantity(row.unit, own, ask)
    rows = list(listed_in(row.listed, lists))
    running = in_force_of(in_force(lists.values(), buying), lists)
    ours, based = running.rows(rows)
    chosen = choose(ours, own, ask.channel, quantity, based)
    taken = {one.list.id: based_price(one, own, quantity) for one in based}
    exponent = work.shop.exponent
    return PriceWhy(
        product_id=product_id,
        pack_id=own.pack_id,
        price=format_price(chosen.price, exponent),
        rule=chosen.rule,
        reason=chosen.reason,
        list_id=chosen.list.id if chosen.list else None,
        price_id=chosen.row.id if chosen.row else None,
        own_price=format_price(own_price(own, ask.channel).price, exponent),
        at=buying.at,
        considered=[
            _considered(one, listed, reason, chosen, taken.get(one.id), exponent)
            for one, listed, reason in _judged(lists, rows, buying, own, quantity, chosen, taken)
        ],
    )


def _judged(
    lists: Mapping[UUID, ListFacts],
    rows: Sequence[Listed],
    buying: Buying,
    own: OwnPrice,
    quantity: int,
    chosen: Chosen,
    taken: Mapping[UUID, int | None],
) -> Iterator[tuple[ListFacts, Listed | None, str]]:
    """Every row of the product, the best first, then the lists without one; each with what is to be said of it.

    taken: what lists that are based on others take from them.
    """
    for row in sorted(rows, key=lambda one: order_of(one, own), reverse=True):
        reason = why_not(row.list, buying) or not_reached(row, own, quantity)
        if reason is None and chosen.list is not None:
            is_it = chosen.row is not None and row.id == chosen.row.id
            reason = chosen.reason if is_it else _behind(order_of(row, own), row.list, chosen, own)
        yield row.list, row, reason or ""
    priced = {row.list.id for row in rows}
    for one in lists.values():
        if one.id not in priced or (chosen.row is None and chosen.list is one):
            yield one, None, why_not(one, buying) or _of_based(one, chosen, taken, own)


def _of_based(one: ListFacts, chosen: Chosen, taken: Mapping[UUID, int | None], own: OwnPrice) -> str:
    """What is to be said of a list without a row that fits."""
    if taken.get(one.id) is None or chosen.list is None:
        return "It has no price of this product now"
    return chosen.reason if chosen.list is one else _behind(order_of_based(one), one, chosen, own)


def _behind(mine: Order, of: ListFacts, chosen: Chosen, own: OwnPrice) -> str:
    """What decided between a price and the one that won."""
    won = chosen.list
    assert won is not None  # noqa: S101 - something of a list won
    theirs = order_of_based(won) if chosen.row is None else order_of(chosen.row, own)
    said = (
        f"{won.name} is for the {won.scope}, which goes before {of.scope}",
        f"{won.name} prices the pack itself",
        f"{won.name} has a price from a higher quantity on",
        f"{won.name} came into force later",
        f"The price of {won.name} was set later",
    )
    return next(words for a, b, words in zip(mine, theirs, said, strict=True) if a != b)


def _considered(
    one: ListFacts, row: Listed | None, reason: str, chosen: Chosen, taken: int | None, exponent: int
) -> Considered:
    scope: Any = one.scope
    price = row.price if row else taken
    is_it = chosen.list is not None and one.id == chosen.list.id
    return Considered(
        list_id=one.id,
        list=one.name,
        scope=scope,
        price_id=row.id if row else None,
        pack_id=row.pack_id if row else None,
        min_quantity=format_micro(row.min_quantity) if row else None,
        price=None if price is None else format_price(price, exponent),
        won=is_it and (row and row.id) == (chosen.row and chosen.row.id),
        reason=reason,
    )


async def _buying(work: Work, ask: PriceAsk) -> Buying:
    group_id = None
    if ask.customer_id is not None:
        group_id = (await buyer_of(work, ask.customer_id, None)).group_id
    if ask.location_id is not None:
        await work.get(Location, ask.location_id)
    at = work.now if ask.at is None else ask.at
    if at >= LATEST:
        raise Invalid.at("?at", "That is too far away")
    return Buying(
        at,
        ask.channel,
        work.shop.currency,
        policy_of(work).prices_include_tax,
        ask.location_id,
        ask.customer_id,
        group_id,
    )


def _own(row: Any, ask: PriceAsk) -> OwnPrice:
    if ask.pack_id is None:
        return OwnPrice(row.price, row.wholesale_price)
    if row.pack_id is None:
        raise NotFound.at("?pack_id", "The product has no such pack")
    return OwnPrice(row.price, row.wholesale_price, row.pack_id, row.pack_name, row.factor, row.pack_price)


def _quantity(unit: str, own: OwnPrice, ask: PriceAsk) -> int:
    """What is asked for, in the product's own unit."""
    said = parse_micro(ask.quantity)
    if said <= 0 or not fits_unit(said, unit if own.pack_id is None else "pack"):
        raise Invalid.at("?quantity", "More than nothing, and no finer than the unit")
    return round_ratio(said * own.factor, MICRO)
