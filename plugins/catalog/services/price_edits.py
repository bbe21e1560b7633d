"""Many prices changed at once by a rule: looked at first, then applied if nothing has changed meanwhile."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from msgspec import structs

from kernel.db import new_id
from kernel.errors import Invalid, NotFound
from kernel.money import MICRO, WHOLE_DIGITS, format_micro, format_price, parse_micro
from kernel.work import Work
from plugins.catalog.errors import EditChanged
from plugins.catalog.models import Category, Price, PriceList, Product
from plugins.catalog.rules.prices import price_changed
from plugins.catalog.schemas.prices import EditDone, Edited, EditPreview, PriceEdit, PriceEditApply
from plugins.catalog.services.base_prices import COLUMNS, OwnChange, change_own
from plugins.catalog.services.common import check_references
from plugins.catalog.services.lookup import product_names
from plugins.catalog.services.price_rows import Key, Wanted, end_of, instant_of, set_prices
from plugins.catalog.services.pricing import base_price, running

MOST = 10_000
FIRST = 200
_OF_LIST: tuple[Any, ...] = (Price.price, Price.pack_id, Price.min_quantity)


class _Line(NamedTuple):
    """A price that is to change. pack_id, min_quantity: of a list's; row: of the product or of the list's price."""

    row: Any
    pack_id: UUID | None
    min_quantity: int | None
    before: int
    after: int


async def preview_edit(work: Work, data: PriceEdit) -> EditPreview:
    """What a change would do. Raises NotFound for what it names, Invalid for what makes no sense."""
    end_of(data.until, instant_of(work, data.starts_at, "/starts_at"), "/until")
    return _preview(work, data, await _lines(work, data, instant_of(work, data.starts_at, "/starts_at")))


async def apply_edit(work: Work, data: PriceEditApply) -> EditDone:
    """Do what a preview has shown. Raises as it does; EditChanged where it would be something else by now."""
    at = instant_of(work, data.starts_at, "/starts_at")
    until = end_of(data.until, at, "/until")
    await _hold(work, data)
    lines = await _lines(work, data, at)
    changed = [one for one in lines if one.before != one.after]
    digest = _digest(data, changed)
    if digest != data.digest:
        raise EditChanged
    if data.price_list_id is None:
        await _change_own(work, data.channel, changed, at, until)
    else:
        row = await _list_of(work, data.price_list_id)
        keyed = [(Key(one.row.id, one.pack_id, one.min_quantity or 0), one.after) for one in changed]
        await set_prices(work, row, [Wanted(key, after, at, until) for key, after in keyed])
    id_ = new_id()
    where = data.channel if data.price_list_id is None else str(data.price_list_id)
    rule = {"percent": data.percent, "amount": data.amount, "round_to": data.round_to}
    span: dict[str, Any] = {"starts_at": at.isoformat()} | ({"until": until.isoformat()} if until else {})
    work.audit(subject=f"price_edit:{id_}", prices=where, rule=rule, changed=len(changed), **span)
    return EditDone(id=id_, **structs.asdict(_preview(work, data, lines)))


def changed_price(price: str, percent: str, round_to: str) -> str:
    """A price changed by a percentage, which may be negative, and rounded to a multiple; all as on the wire."""
    return format_micro(price_changed(parse_micro(price), parse_micro(percent), 0, parse_micro(round_to)))


def _preview(work: Work, data: PriceEdit, lines: list[_Line]) -> EditPreview:
    changed = [one for one in lines if one.before != one.after]
    first = [_edited(work, one) for one in changed[:FIRST]]
    return EditPreview(prices=len(lines), changed=len(changed), first=first, digest=_digest(data, changed))


async def _lines(work: Work, data: PriceEdit, at: dt.datetime) -> list[_Line]:
    """The prices that a change concerns, as they will be at its instant, by SKU."""
    step = _step(data)
    percent, amount = parse_micro(data.percent), parse_micro(data.amount)
    found = []
    for row in (await work.execute(await _concerned(work, data, at))).all():
        after = price_changed(row.price, percent, amount, step)
        if after >= 10**WHOLE_DIGITS * MICRO:
            raise Invalid.at("/percent", f"{row.sku} would cost more than can be written")
        found.append(_Line(row, row.pack_id, row.min_quantity, row.price, after))
    if len(found) > MOST:
        raise Invalid.at("", f"At most {MOST} prices at once: take a category at a time")
    return found


async def _concerned(work: Work, data: PriceEdit, at: dt.datetime) -> sa.Select[*tuple[Any, ...]]:
    await _check_named(work, data)
    statement: sa.Select[*tuple[Any, ...]]
    order: list[Any]
    if data.price_list_id is None:
        price = base_price(data.channel, at)
        columns = (price.label("price"), sa.null().label("pack_id"), sa.null().label("min_quantity"))
        statement = sa.select(Product.id, Product.sku, Product.name, *columns).where(price.is_not(None))
        order = [Product.sku]
    else:
        mine = sa.and_(Price.business_id == Product.business_id, Price.product_id == Product.id)
        statement = sa.select(Product.id, Product.sku, Product.name, *_OF_LIST).join(Price, mine)
        statement = statement.where(Price.list_id == data.price_list_id, running(Price, at))
        order = [Product.sku, Price.min_quantity, Price.id]
    if data.category_id is not None:
        below = sa.select(Category.id).where(
            Category.business_id == work.business_id, Category.path.contains(data.category_id.hex)
        )
        statement = statement.where(Product.category_id.in_(below))
    if data.brand_id is not None:
        statement = statement.where(Product.brand_id == data.brand_id)
    if data.product_ids:
        statement = statement.where(Product.id.in_(data.product_ids))
    return statement.where(Product.business_id == work.business_id).order_by(*order).limit(MOST + 1)


async def _check_named(work: Work, data: PriceEdit) -> None:
    wanted = {name: {id_} for name in ("category_id", "brand_id") if (id_ := getattr(data, name)) is not None}
    await check_references(work, wanted)
    if data.price_list_id is not None:
        await _list_of(work, data.price_list_id, to_change=False)
    known = await product_names(work, data.product_ids) if data.product_ids else {}
    for place, id_ in enumerate(data.product_ids):
        if id_ not in known:
            raise NotFound.at(f"/product_ids/{place}", "There is no such product")


async def _list_of(work: Work, id_: UUID, *, to_change: bool = True) -> PriceList:
    try:
        return await work.get(PriceList, id_, to_change=to_change)
    except NotFound:
        raise NotFound.at("/price_list_id", "There is no such price list") from None


async def _hold(work: Work, data: PriceEdit) -> None:
    """Hold what is to change, in one order: the list, or the products."""
    if data.price_list_id is not None:
        await _list_of(work, data.price_list_id)
        return
    concerned = (await _concerned(work, data, work.now)).with_only_columns(Product.id).limit(None)
    rows = sa.select(Product.id).where(Product.business_id == work.business_id, Product.id.in_(concerned))
    await work.execute(rows.order_by(Product.id).with_for_update(key_share=True))


async def _change_own(work: Work, channel: str, lines: list[_Line], at: dt.datetime, until: dt.datetime | None) -> None:
    column = getattr(Product, COLUMNS[channel])
    after = {one.row.id: one.after for one in lines}
    rows = await work.execute(
        sa.select(Product.id, Product.created_at, column.label("was")).where(
            Product.business_id == work.business_id, Product.id.in_(list(after))
        )
    )
    changes = [OwnChange(row.id, channel, row.was, row.created_at, after[row.id], until) for row in rows.all()]
    await change_own(work, changes, at)
    if at <= work.now and changes:
        here = sa.and_(Product.business_id == work.business_id, Product.id == sa.bindparam("product"))
        new: dict[str, Any] = {"version": Product.version + 1, "updated_at": work.now}
        prices: list[dict[str, Any]] = [{"product": one.product_id} for one in changes]
        if until is None:  # what is set for a while is not what was last set by hand
            new[column.key] = sa.bindparam("new_price")
            prices = [{"product": one.product_id, "new_price": one.price} for one in changes]
        await work.execute(sa.update(Product).where(here).values(new), prices)


def _step(data: PriceEdit) -> int:
    if data.round_to is None:
        return 1
    step = parse_micro(data.round_to)
    if not step:
        raise Invalid.at("/round_to", "Round to something above zero")
    return step


def _digest(data: PriceEdit, changed: list[_Line]) -> str:
    """What is applied by: the same only while the same prices become the same."""
    said, where = hashlib.sha256(), f"{data.price_list_id} {data.channel} {data.starts_at} {data.until}"
    for one in changed:
        said.update(f"{where} {one.row.id} {one.pack_id} {one.min_quantity} {one.before} {one.after}\n".encode())
    return said.hexdigest()[:32]


def _edited(work: Work, one: _Line) -> Edited:
    exponent = work.shop.exponent
    return Edited(
        product_id=one.row.id,
        sku=one.row.sku,
        name=one.row.name,
        pack_id=one.pack_id,
        min_quantity=None if one.min_quantity is None else format_micro(one.min_quantity),
        before=format_price(one.before, exponent),
        after=format_price(one.after, exponent),
    )
