"""The use cases of discounts: draw up, activate and end promotions; find those of a cart; note what they took."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import UNSET, structs

from kernel.db import Configured, Prepared, among, new_id
from kernel.errors import AlreadyExists, Fault, Invalid, NotFound
from kernel.money import format_amount
from kernel.web import page
from kernel.wire import Page
from kernel.work import Work
from plugins.catalog.api import known_categories, product_names, sellables
from plugins.discounts import PLUGIN, rules
from plugins.discounts.errors import AlreadyOver, FixedOnceActive, NotFromThisState
from plugins.discounts.models import Promotion, Use
from plugins.discounts.schemas import (
    Offer,
    Offers,
    PromotionDetail,
    PromotionIn,
    PromotionOut,
    PromotionPatch,
    PromotionQuery,
)
from plugins.sales.api import Cart, PlacedSale

MOST_OF_DAY = 500
"""Promotions of a day that are kept in the process; where there are more, each cart asks for its own."""
_business = sa.bindparam("business_id", type_=sa.Uuid())
_offer = (Promotion.id, Promotion.name, Promotion.kind, Promotion.value, Promotion.priority, Promotion.exclusive)


def _in_force(since: sa.ColumnElement[dt.datetime]) -> sa.ColumnElement[bool]:
    """Active, or ended by hand only after an instant: past carts are priced as they were."""
    ended_later = sa.and_(Promotion.state == "ended", Promotion.activated_at.is_not(None), Promotion.ended_at > since)
    return sa.or_(Promotion.state == "active", ended_later)


_RUNNING = Prepared(
    sa.select(*_offer, Promotion.product_id, Promotion.category_id).where(
        Promotion.business_id == _business,
        _in_force(sa.bindparam("at", type_=Promotion.starts_at.type)),
        Promotion.starts_at <= sa.bindparam("at", type_=Promotion.starts_at.type),
        sa.or_(Promotion.ends_at.is_(None), Promotion.ends_at > sa.bindparam("at", type_=Promotion.starts_at.type)),
        sa.or_(
            among(Promotion.product_id, "products"),
            among(Promotion.category_id, "categories"),
            Promotion.target == "document",
        ),
    )
)
_OF_DAY = Configured(
    sa.select(
        *(*_offer, Promotion.product_id, Promotion.category_id),
        *(Promotion.starts_at, Promotion.ends_at, Promotion.ended_at),
    )
    .where(
        Promotion.business_id == _business,
        _in_force(sa.bindparam("start", type_=Promotion.starts_at.type)),
        Promotion.starts_at < sa.bindparam("end", type_=Promotion.starts_at.type),
        sa.or_(Promotion.ends_at.is_(None), Promotion.ends_at > sa.bindparam("start", type_=Promotion.starts_at.type)),
    )
    .limit(MOST_OF_DAY + 1)
)
_NAMED = Prepared(sa.select(*_offer).where(Promotion.business_id == _business, among(Promotion.name, "names")))
_OF_SALE = Prepared(
    sa.select(Use.promotion_id, Use.line, sa.func.sum(Use.amount).label("amount"))
    .where(Use.business_id == _business, Use.sale_id == sa.bindparam("sale_id", type_=sa.Uuid()))
    .group_by(Use.promotion_id, Use.line)
    .having(sa.func.sum(Use.amount) != 0)
)
_SHOWN = ("name", "kind", "value", "product_id", "category_id", "starts_at", "ends_at", "priority", "exclusive")


# Back office


async def add_promotion(work: Work, data: PromotionIn) -> PromotionOut:
    """Draw up a promotion; it lowers nothing before it is activated. Raises Invalid, AlreadyExists for its name."""
    values = structs.asdict(data) | {"starts_at": data.starts_at or work.now}
    row = Promotion(id=new_id(), created_at=work.now, created_by=work.actor.id, state="draft", version=1)
    await _write(work, row, values)
    work.session.add(row)
    work.audit(subject=f"promotion:{row.id}")
    await work.session.flush()
    return promotion_out(work, row)


async def change_promotion(work: Work, promotion_id: UUID, data: PromotionPatch) -> tuple[PromotionOut, int]:
    """Change a draft, or the end of an active promotion; returns it with its version.

    Raises NotFound, PreconditionFailed, Invalid, AlreadyExists, FixedOnceActive, NotFromThisState once it has ended.
    """
    row = await _held(work, promotion_id)
    work.check_version(row.version)
    given = {name: value for name, value in structs.asdict(data).items() if value is not UNSET}
    if row.state == "ended":
        raise NotFromThisState("An ended promotion stays as it is")
    if row.state == "active" and (fixed := sorted(given.keys() - {"ends_at"})):
        raise FixedOnceActive(
            f"Once it is active only ends_at changes, not {', '.join(fixed)}; end it and draw up another"
        )
    await _write(work, row, _as_shown(work, row) | _one_target(given))
    row.version += 1
    work.audit(subject=f"promotion:{row.id}")
    await work.session.flush()
    return promotion_out(work, row), row.version


async def move_promotion(work: Work, promotion_id: UUID, action: rules.Action) -> tuple[PromotionOut, int]:
    """Activate or end a promotion; returns it with its version. Raises NotFound, NotFromThisState, AlreadyOver."""
    row = await _held(work, promotion_id)
    after = rules.after(row.state, action)
    if after is None:
        raise NotFromThisState(f"{row.name} is {row.state}")
    if action == "activate" and row.ends_at is not None and row.ends_at <= work.now:
        raise AlreadyOver(f"{row.name} was to end at {row.ends_at.isoformat()}; move its end first")
    row.state = after
    if action == "activate":
        row.activated_at = work.now
    else:
        row.ended_at = work.now
    row.version += 1
    work.audit(subject=f"promotion:{promotion_id}", action=action)
    await work.session.flush()
    return promotion_out(work, row), row.version


async def find_promotion(work: Work, promotion_id: UUID) -> tuple[PromotionDetail, int]:
    """A promotion with what it gave, and its version. Raises NotFound."""
    row = await work.get(Promotion, promotion_id)
    per_sale = (
        sa.select(sa.func.sum(Use.amount).label("amount"))
        .where(Use.business_id == work.business_id, Use.promotion_id == promotion_id)
        .group_by(Use.sale_id)
        .having(sa.func.sum(Use.amount) != 0)
        .subquery()
    )
    summed = sa.select(sa.func.count().label("sales"), sa.func.sum(per_sale.c.amount).label("given"))
    found = (await work.execute(summed.select_from(per_sale))).one()
    given = format_amount(int(found.given or 0), work.shop.exponent)
    out = structs.asdict(promotion_out(work, row))
    return PromotionDetail(**out, sales=found.sales, given=given), row.version


async def list_promotions(work: Work, query: PromotionQuery) -> Page[PromotionOut]:
    """Promotions, newest first."""
    statement = sa.select(Promotion.__table__).where(Promotion.business_id == work.business_id)
    for name in ("state", "kind", "product_id", "category_id"):
        if (wanted := getattr(query, name)) is not None:
            statement = statement.where(getattr(Promotion, name) == wanted)
    return await page(
        work, statement, query, order=[Promotion.id], make=lambda row: promotion_out(work, row), descending=True
    )


def promotion_out(work: Work, row: Any) -> PromotionOut:
    """A stored promotion as answers show it."""
    return PromotionOut(
        id=row.id,
        name=row.name,
        kind=row.kind,
        value=rules.format_value(row.kind, row.value, work.shop.exponent),
        target=row.target,
        product_id=row.product_id,
        category_id=row.category_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        priority=row.priority,
        exclusive=row.exclusive,
        state=row.state,
        created_at=row.created_at,
        activated_at=row.activated_at,
        ended_at=row.ended_at,
    )


async def _held(work: Work, promotion_id: UUID) -> Promotion:
    """A promotion, held until the deed ends, so that of two changes of one version one is told. Raises NotFound."""
    found = await work.session.get(Promotion, (work.business_id, promotion_id), with_for_update={"key_share": True})
    if found is None:
        raise NotFound
    return found


async def _write(work: Work, row: Promotion, said: dict[str, Any]) -> None:
    """Put what was said, as it stands on the wire, into a row. Raises Invalid, AlreadyExists."""
    if not said["name"].isprintable():
        raise Invalid.at("/name", "The name holds a character that cannot be printed")
    if said["product_id"] is not None and said["category_id"] is not None:
        raise Invalid.at("/product_id", "Name the product or the category it is for, not both")
    if said["product_id"] is None and said["category_id"] is None and said["kind"] == "set_price":
        raise Invalid.at("/kind", "A price can be set for a product or a category, not for a whole document")
    if said["ends_at"] is not None and said["ends_at"] <= said["starts_at"]:
        raise Invalid.at("/ends_at", "It must end after it starts")
    try:
        said["value"] = rules.parse_value(said["kind"], said["value"], work.shop.exponent)
    except rules.BadValue as fault:
        raise Invalid.at("/value", str(fault)) from fault
    await _check_target(work, row, said)
    await _check_name(work, row, said["name"])
    for name in _SHOWN:
        setattr(row, name, said[name])
    row.target = "product" if row.product_id is not None else "category" if row.category_id is not None else "document"


async def _check_target(work: Work, row: Promotion, said: dict[str, Any]) -> None:
    product_id = said["product_id"]
    if product_id is not None and product_id != row.product_id and not await product_names(work, [product_id]):
        raise NotFound.at("/product_id", "There is no such product")
    category_id = said["category_id"]
    if category_id is not None and category_id != row.category_id and not await known_categories(work, [category_id]):
        raise NotFound.at("/category_id", "There is no such category")


async def _check_name(work: Work, row: Promotion, name: str) -> None:
    """Two at the same moment are refused by the table itself, with less to say."""
    if any(other.id != row.id for other in await work.fetch(_NAMED, names=[name])):
        raise AlreadyExists(f"There is a promotion called {name}", faults=[Fault("/name", "already-exists")])


def _as_shown(work: Work, row: Promotion) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in _SHOWN}
    return shown | {"value": rules.format_value(row.kind, row.value, work.shop.exponent)}


def _one_target(given: dict[str, Any]) -> dict[str, Any]:
    """A product named alone takes the place of a category, and the other way round."""
    for name, other in (("product_id", "category_id"), ("category_id", "product_id")):
        if given.get(name) is not None and other not in given:
            return given | {other: None}
    return given


# Carts and sales


async def running_offers(work: Work, cart: Cart) -> Offers | None:
    """What runs on the cart's goods at its instant; None where nothing does."""
    rows = await _running(work, cart)
    if not rows:
        return None
    by_product = _grouped((row.product_id, _offer_of(row)) for row in rows if row.product_id is not None)
    by_category = _grouped((row.category_id, _offer_of(row)) for row in rows if row.category_id is not None)
    own_prices = await _own_prices(work, cart, by_product, by_category)
    on_document = tuple(_offer_of(row) for row in rows if row.product_id is None and row.category_id is None)
    return Offers(by_product, by_category, own_prices, on_document)


async def _running(work: Work, cart: Cart) -> Sequence[Any]:
    """The promotions that run on the cart's goods, or on whole documents, at its instant."""
    products = {line.product_id for line in cart.lines}
    categories = {category for line in cart.lines for category in line.category_ids}
    day = cart.at.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    kept = await work.recall(_OF_DAY, tuple, start=day, end=day + dt.timedelta(days=1))
    if len(kept) > MOST_OF_DAY:
        return await work.fetch(_RUNNING, at=cart.at, products=list(products), categories=list(categories))
    return [
        row
        for row in kept
        if row.starts_at <= cart.at
        and all(end is None or end > cart.at for end in (row.ends_at, row.ended_at))
        and (row.product_id is None or row.product_id in products)
        and (row.category_id is None or row.category_id in categories)
    ]


async def note_uses(work: Work, sale: PlacedSale) -> None:
    """Declare what each promotion took off each line of a sale; sales without any cost nothing."""
    taken = [(line.line, rule, off) for line in sale.lines for plugin, rule, off in line.taken if plugin == PLUGIN.name]
    if not taken:
        return
    rows = await work.fetch(_NAMED, names=sorted({rule for _, rule, _ in taken}))
    ids = {row.name: row.id for row in rows}
    for line, rule, off in taken:
        if off > 0 and rule in ids:
            _note(work, ids[rule], sale.id, line, off, sale.sold_at)


async def give_back_uses(work: Work, sale_id: UUID) -> None:
    """Declare the reverse of what a sale's promotions took; what was given back already stays so."""
    for row in await work.fetch(_OF_SALE, sale_id=sale_id):
        _note(work, row.promotion_id, sale_id, row.line, -int(row.amount), work.now)


async def used_in(work: Work, sale_id: UUID) -> Sequence[Any]:
    """The promotions that took something off a sale, whether that was given back since or not."""
    uses = sa.select(Use.promotion_id).where(Use.business_id == work.business_id, Use.sale_id == sale_id)
    mine = sa.and_(Promotion.business_id == work.business_id, Promotion.id.in_(uses))
    return (await work.execute(sa.select(*Promotion.__table__.c).where(mine).order_by(Promotion.name))).all()


def _note(work: Work, promotion_id: UUID, sale_id: UUID, line: int, amount: int, at: dt.datetime) -> None:
    row = {"id": new_id(), "promotion_id": promotion_id, "sale_id": sale_id, "line": line, "amount": amount, "at": at}
    work.insert(Use, row)


def _offer_of(row: Any) -> Offer:
    return Offer(row.id, row.name, row.kind, row.value, row.priority, row.exclusive)


def _grouped(pairs: Iterable[tuple[UUID, Offer]]) -> dict[UUID, tuple[Offer, ...]]:
    found: dict[UUID, tuple[Offer, ...]] = {}
    for key, offer in pairs:
        found[key] = (*found.get(key, ()), offer)
    return found


async def _own_prices(
    work: Work, cart: Cart, by_product: dict[UUID, tuple[Offer, ...]], by_category: dict[UUID, tuple[Offer, ...]]
) -> dict[UUID, tuple[int, ...]]:
    """The prices of one unit, of the products for which an offer sets a price; one more query, and only then."""
    wanted = {
        line.product_id
        for line in cart.lines
        for offer in (
            *by_product.get(line.product_id, ()),
            *(offer for category in line.category_ids for offer in by_category.get(category, ())),
        )
        if offer.kind == "set_price"
    }
    if not wanted:
        return {}
    found = await sellables(work, list(wanted), [])
    own: dict[UUID, tuple[int, ...]] = {
        id_: (one.price,) if one.wholesale_price is None else (one.price, one.wholesale_price)
        for id_, one in found.by_id.items()
    }
    for line in cart.lines:  # a price list's
        if line.in_unit and line.product_id in own:
            own[line.product_id] += (line.list_price,)
    return own
