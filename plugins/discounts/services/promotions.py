"""Promotions in the back office: draw up, change, activate, end, list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from msgspec import UNSET, structs

from kernel.auth import Location
from kernel.db import Prepared, new_id
from kernel.errors import AlreadyExists, Fault, Invalid, NotFound
from kernel.money import format_amount
from kernel.web import page
from kernel.wire import Page
from kernel.work import Work
from plugins.catalog.api import known_brands, known_categories, product_names
from plugins.customers.api import known_groups
from plugins.discounts.errors import AlreadyOver, FixedOnceActive, NotFromThisState
from plugins.discounts.models import LEFT, MONEY, Promotion, Use
from plugins.discounts.rules import figures, states
from plugins.discounts.rules.words import Words
from plugins.discounts.schemas.promotions import (
    PromotionDetail,
    PromotionIn,
    PromotionOut,
    PromotionPatch,
    PromotionQuery,
)
from plugins.discounts.schemas.terms import Bundle, BuyGet, Goods, Terms, read_terms

_NAMED = Prepared(
    sa.select(Promotion.id).where(
        Promotion.business_id == sa.bindparam("business_id", type_=sa.Uuid()),
        Promotion.name == sa.bindparam("name"),
    )
)
_PLAIN = ("name", "starts_at", "ends_at", "priority", "exclusive", "by_coupon")
_SIMPLE = frozenset({"percent", "amount_off", "set_price"})


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
    await _write(work, row, _as_said(work, row) | _one_said(work, row, given))
    row.version += 1
    work.audit(subject=f"promotion:{row.id}")
    await work.session.flush()
    return promotion_out(work, row), row.version


async def move_promotion(work: Work, promotion_id: UUID, action: states.Action) -> tuple[PromotionOut, int]:
    """Activate or end a promotion; returns it with its version. Raises NotFound, NotFromThisState, AlreadyOver."""
    row = await _held(work, promotion_id)
    after = states.after(row.state, action)
    if after is None:
        raise NotFromThisState(f"It is {row.state}")
    if action == "activate" and row.ends_at is not None and row.ends_at <= work.now:
        raise AlreadyOver(f"{row.name} was to end at {row.ends_at.isoformat()}; move its end first")
    row.state = after
    if action == "activate":
        row.activated_at = work.now
        _lay_out(work, row)
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
    exponent, terms = work.shop.exponent, read_terms(row.terms)
    effect, goods, when, limits = figures.terms_said(terms, exponent)
    return PromotionOut(
        id=row.id,
        name=row.name,
        kind=row.kind,
        value=figures.value_of(terms, exponent),
        target=row.target,
        product_id=row.product_id,
        category_id=row.category_id,
        effect=effect,
        goods=goods,
        when=when,
        limits=limits,
        words=Words(work.shop.currency, work.shop.region).terms(terms),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        priority=row.priority,
        exclusive=row.exclusive,
        label=terms.label or None,
        joins=None if terms.joins is None else list(terms.joins),
        by_coupon=row.by_coupon,
        state=row.state,
        created_at=row.created_at,
        activated_at=row.activated_at,
        ended_at=row.ended_at,
    )


def terms_from(said: dict[str, Any], exponent: int) -> Terms:
    """The terms that a request says, the short forms written out. Raises `figures.BadTerms`."""
    plain = {
        "effect": _effect_said(said),
        "goods": _goods_said(said),
        "when": said.get("when") or {},
        "limits": said.get("limits") or {},
        "label": said.get("label") or "",
        "joins": said.get("joins"),
    }
    return figures.plain_terms(msgspec.convert(figures.read_figures(msgspec.to_builtins(plain), exponent), Terms))


async def _held(work: Work, promotion_id: UUID) -> Promotion:
    return await work.get(Promotion, promotion_id, to_change=True)


def _lay_out(work: Work, row: Promotion) -> None:
    """Lay out what there is of a limited promotion; its share of each customer is laid out when they come."""
    limits = read_terms(row.terms).limits
    if limits.uses is not None:
        work.increment(LEFT, (row.id, row.id), limits.uses)
    if limits.spend is not None:
        work.increment(LEFT, (row.id, MONEY), limits.spend)


async def _write(work: Work, row: Promotion, said: dict[str, Any]) -> None:
    """Check what a promotion is to be, and write it to its row."""
    if not said["name"].isprintable():
        raise Invalid.at("/name", "It stands on receipts: printable characters only")
    if said["ends_at"] is not None and said["ends_at"] <= said["starts_at"]:
        raise Invalid.at("/ends_at", "It must end after it starts")
    try:
        terms = terms_from(said, work.shop.exponent)
        await _check_known(work, terms, read_terms(row.terms) if row.terms else None, said)
        figures.check_terms(terms)
    except figures.BadTerms as fault:
        raise Invalid.at(_short(fault.pointer, said), str(fault)) from fault
    await _check_name(work, row, said["name"])
    for name in _PLAIN:
        setattr(row, name, said[name])
    row.terms = msgspec.to_builtins(terms)
    row.kind, effect = row.terms["effect"]["kind"], terms.effect
    row.value = next((value for value in structs.astuple(effect)), 0) if row.kind in _SIMPLE else 0
    row.product_id, row.category_id = _one(terms)
    row.target = _target(row, terms)


def _effect_said(said: dict[str, Any]) -> Any:
    kind, value = said.get("kind"), said.get("value")
    if said.get("effect") is not None:
        if kind is not None or value is not None:
            raise figures.BadTerms("/effect", "Either kind and value, or effect")
        return said["effect"]
    if kind is None or value is None:
        raise figures.BadTerms("/kind" if kind is None else "/value", "Say what it does: kind and value, or effect")
    return {"kind": kind, {"percent": "percent", "amount_off": "amount", "set_price": "price"}[kind]: value}


def _goods_said(said: dict[str, Any]) -> Any:
    product_id, category_id = said.get("product_id"), said.get("category_id")
    if sum(one is not None for one in (said.get("goods"), product_id, category_id)) > 1:
        raise figures.BadTerms("/product_id" if product_id else "/category_id", "A product, a category, or goods")
    if product_id is not None:
        return {"product_ids": [product_id]}
    return {"category_ids": [category_id]} if category_id is not None else said.get("goods")


def _short(pointer: str, said: dict[str, Any]) -> str:
    """Where a fault stands in a request that used the short forms."""
    if said.get("effect") is None and pointer.startswith("/effect/"):
        return "/kind" if pointer == "/effect/kind" else "/value"
    return pointer


def _one(terms: Terms) -> tuple[UUID | None, UUID | None]:
    """The one product or category that a promotion is for, if it is for one alone."""
    goods = terms.goods or Goods()
    named = [*goods.product_ids, *goods.category_ids]
    if len(named) != 1 or goods.brand_ids or goods.tags:
        return None, None
    return (named[0], None) if goods.product_ids else (None, named[0])


def _target(row: Promotion, terms: Terms) -> str:
    if row.product_id is not None:
        return "product"
    if row.category_id is not None:
        return "category"
    return "document" if terms.is_for_document else "goods"


async def _check_known(work: Work, terms: Terms, known: Terms | None, said: dict[str, Any]) -> None:
    """Raise NotFound for a product, category, brand, group or place that is not there; what was named before stays."""
    for pointer, kind, ids in _named(terms, said):
        former = {one for _, other, some in (_named(known, {}) if known else ()) if other == kind for one in some}
        fresh = [one for one in ids if one not in former]
        if fresh and set(fresh) - set(await _KNOWN[kind](work, fresh)):
            raise NotFound.at(pointer, f"There is no such {kind}")


def _named(terms: Terms, said: dict[str, Any]) -> list[tuple[str, str, list[UUID]]]:
    """Pointer, kind and ids of all that terms name."""
    found: list[tuple[str, str, list[UUID]]] = []
    effect = terms.effect
    places = [("/goods", terms.goods)] + ([("/effect/gets", effect.gets)] if isinstance(effect, BuyGet) else [])
    for pointer, goods in places:
        for kind in ("product", "category", "brand"):
            ids = list(getattr(goods or Goods(), f"{kind}_ids"))
            short = f"/{kind}_id" if said.get(f"{kind}_id") is not None and pointer == "/goods" else None
            found.append((short or f"{pointer}/{kind}_ids", kind, ids))
    if isinstance(effect, Bundle):
        for place, part in enumerate(effect.parts):
            found.append((f"/effect/parts/{place}/product_id", "product", [part.product_id]))
    found.append(("/when/group_ids", "group", list(terms.when.group_ids)))
    found.append(("/when/location_ids", "location", list(terms.when.location_ids)))
    return found


async def _known_locations(work: Work, ids: list[UUID]) -> frozenset[UUID]:
    found = await work.execute(
        sa.select(Location.id).where(Location.business_id == work.business_id, Location.id.in_(ids))
    )
    return frozenset(found.scalars())


_KNOWN: dict[str, Callable[[Work, list[UUID]], Awaitable[Iterable[UUID]]]] = {
    "product": product_names,
    "category": known_categories,
    "brand": known_brands,
    "group": known_groups,
    "location": _known_locations,
}


async def _check_name(work: Work, row: Promotion, name: str) -> None:
    """Two at the same moment are refused by the table itself, with less to say."""
    if any(other.id != row.id for other in await work.fetch(_NAMED, name=name)):
        raise AlreadyExists(f"There is a promotion called {name}", faults=[Fault("/name", "already-exists")])


def _as_said(work: Work, row: Promotion) -> dict[str, Any]:
    """A stored promotion as a request would say it, in full."""
    terms = read_terms(row.terms)
    effect, goods, when, limits = figures.terms_said(terms, work.shop.exponent)
    plain = {name: getattr(row, name) for name in _PLAIN}
    label, joins = terms.label or None, terms.joins
    return plain | {"effect": effect, "goods": goods, "when": when, "limits": limits, "label": label, "joins": joins}


def _one_said(work: Work, row: Promotion, given: dict[str, Any]) -> dict[str, Any]:
    """What is named anew takes the place of what stood there: an effect of another, goods of others."""
    if {"kind", "value"} & given.keys():
        kept = {"kind": row.kind, "value": figures.value_of(read_terms(row.terms), work.shop.exponent)}
        given = {"effect": None} | (kept if row.kind in _SIMPLE else {}) | given
    if {"product_id", "category_id"} & given.keys() and "goods" not in given:
        given = {"goods": None} | given
    return given
