"""Many products changed as one deed: looked at first, then changed at the versions that were seen, all or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from msgspec import UNSET, UnsetType, structs

from kernel.custom import changed_of_many, write_keys
from kernel.db import new_id
from kernel.errors import Fault, Invalid, NotFound
from kernel.money import MICRO, WHOLE_DIGITS, format_micro, format_price, parse_micro
from kernel.work import Work
from plugins.catalog.errors import ProductsMoved
from plugins.catalog.models import Product
from plugins.catalog.rules.goods import fits_unit, plain_tags
from plugins.catalog.rules.prices import price_changed
from plugins.catalog.schemas.edits import (
    MOST,
    ChangedProduct,
    FieldChange,
    PickedProduct,
    PriceBy,
    ProductChange,
    ProductsEdit,
    ProductsEdited,
    ProductsFilter,
    ProductsLook,
    ProductsPreview,
    SeenProduct,
    Shown,
)
from plugins.catalog.schemas.goods import ENTITY, ProductQuery
from plugins.catalog.services.base_prices import COLUMNS, OwnChange, change_own, now_costs, own_spans
from plugins.catalog.services.common import check_references, micro, missing_references
from plugins.catalog.services.keys import write_search
from plugins.catalog.services.reading import matching_products

FIRST: Final = 100
MOST_TAGS: Final = 20
_REFERENCES: Final = ("category_id", "brand_id", "tax_class_id")
_PLAIN: Final = (*_REFERENCES, "hsn_code", "track_stock", "allow_negative_stock", "is_active")
_PRICES: Final = ("price", "wholesale_price", "cost_price", "mrp")
_FIGURES: Final = ("cost_price", "mrp", "min_stock")


class _Asked(NamedTuple):
    """A product, what is to become of it, and where it stands in the request."""

    row: Product
    change: ProductChange
    base: str


class _Planned(NamedTuple):
    """What becomes of a product: column → value, of those that change; before: the same columns as they are."""

    row: Product
    before: Mapping[str, Any]
    after: Mapping[str, Any]


async def preview_edit(work: Work, data: ProductsLook) -> ProductsPreview:
    """What a change would do. Raises as `apply_edit`."""
    ids, more = list(dict.fromkeys(data.product_ids)), False
    if data.matching is not None:
        if ids:
            raise Invalid.at("/matching", "Name products by their ids or by filters, not both")
        await check_references(work, _references(data.matching), "/matching")
        ids, more = await matching_products(work, ProductQuery(limit=MOST, **structs.asdict(data.matching)))
    await check_references(work, _references(data.change), "/change")
    rows = await _rows(work, ids, held=False)
    _refuse_missing(ids, rows, "/product_ids/{place}")
    base = "/change" if data.matching else "/product_ids/{place}"
    asked = [_Asked(rows[id_], data.change, base.format(place=place)) for place, id_ in enumerate(ids)]
    planned = [one for one in await _plan(work, asked) if one.after]
    return ProductsPreview(
        products=[SeenProduct(id_, rows[id_].version) for id_ in ids],
        more=more,
        changed=len(planned),
        first=[_shown(work, one) for one in planned[:FIRST]],
    )


async def apply_edit(work: Work, data: ProductsEdit) -> ProductsEdited:
    """Change products, each as its version says it was seen.

    Raises NotFound and Invalid for what the request names, ProductsMoved where any has changed since.
    """
    ids = [one.product_id for one in data.products]
    if twice := [Fault(f"/products/{n}/product_id", "duplicate", "It stands here twice") for n, id_ in _again(ids)]:
        raise Invalid(twice[0].detail, faults=twice)
    rows = await _rows(work, ids, held=True)
    _refuse_missing(ids, rows, "/products/{place}/product_id")
    await _check_references(work, data)
    if not data.regardless:
        _refuse_moved(data.products, rows)
    asked = [
        _Asked(rows[one.product_id], _over(data.change, one.change), f"/products/{place}")
        for place, one in enumerate(data.products)
    ]
    planned = [one for one in await _plan(work, asked) if one.after]
    await _write(work, planned)
    id_ = new_id()
    fields = sorted({name for one in planned for name in one.after})
    work.audit(subject=f"product_edit:{id_}", changed=len(planned), fields=fields)
    return ProductsEdited(id=id_, changed=len(planned), unchanged=len(ids) - len(planned))


def _again(ids: Sequence[UUID]) -> Iterable[tuple[int, UUID]]:
    """Where something stands that stood before."""
    first = {id_: place for place, id_ in reversed(list(enumerate(ids)))}
    return ((place, id_) for place, id_ in enumerate(ids) if first[id_] != place)


async def _rows(work: Work, ids: Sequence[UUID], *, held: bool) -> dict[UUID, Product]:
    """Products by id; held: to the end of the deed, in one order, so that two such deeds never wait in a circle."""
    statement = sa.select(Product).where(Product.business_id == work.business_id, Product.id.in_(ids))
    if held:
        statement = statement.order_by(Product.id).with_for_update(key_share=True)
    return {row.id: row for row in (await work.session.scalars(statement)).all()}


def _refuse_missing(ids: Sequence[UUID], rows: Mapping[UUID, Product], pointer: str) -> None:
    missing = [place for place, id_ in enumerate(ids) if id_ not in rows]
    if missing:
        faults = [Fault(pointer.format(place=place), "not-found", "There is no such product") for place in missing]
        raise NotFound(faults[0].detail, faults=faults)


def _refuse_moved(products: Sequence[PickedProduct], rows: Mapping[UUID, Product]) -> None:
    moved = [
        (place, rows[one.product_id])
        for place, one in enumerate(products)
        if rows[one.product_id].version != one.version
    ]
    if moved:
        raise ProductsMoved([(f"/products/{place}/version", f"{row.name} ({row.sku})") for place, row in moved])


def _over(common: ProductChange, own: ProductChange | UnsetType) -> ProductChange:
    """The change of one product: its own fields go before those of all."""
    if isinstance(own, UnsetType):
        return common
    given = {name: value for name in own.__struct_fields__ if (value := getattr(own, name)) not in (UNSET, [], {})}
    return structs.replace(common, **given | {"custom": {**common.custom, **own.custom}})


async def _plan(work: Work, asked: Sequence[_Asked]) -> list[_Planned]:
    """What becomes of products. Raises Invalid with all that cannot be, product by product."""
    many, bases = [(one.row.custom, one.change.custom) for one in asked], [one.base for one in asked]
    customs = await changed_of_many(work, ENTITY, many, bases) if any(one.change.custom for one in asked) else None
    costs, smallest = await _costs(work, asked), MICRO // 10**work.shop.exponent
    found: list[_Planned] = []
    faults: list[Fault] = []
    for place, one in enumerate(asked):
        before = {name: getattr(one.row, name) for name in (*_PLAIN, *_FIGURES, "tags", "custom")}
        before |= costs.get(one.row.id, {})
        after = _wanted(one, before, smallest, faults)
        if customs is not None:
            after["custom"] = customs[place]
        after = {name: value for name, value in after.items() if before[name] != value}
        found.append(_Planned(one.row, {name: before[name] for name in after}, after))
    if faults:
        raise Invalid(faults[0].detail, faults=faults)
    return found


def _references(said: ProductChange | ProductsFilter) -> dict[str, set[UUID]]:
    return {name: {id_} for name in _REFERENCES if isinstance(id_ := getattr(said, name), UUID)}


async def _check_references(work: Work, data: ProductsEdit) -> None:
    """Raise NotFound at what names nothing of this business; one question a kind, however many products name it."""
    await check_references(work, _references(data.change), "/change")
    own = {n: _references(one.change) for n, one in enumerate(data.products) if isinstance(one.change, ProductChange)}
    wanted: dict[str, set[UUID]] = {}
    for said in own.values():
        for name, ids in said.items():
            wanted.setdefault(name, set()).update(ids)
    missing = await missing_references(work, wanted)
    for place, said in own.items():
        for name, ids in said.items():
            if ids & missing[name]:
                raise NotFound.at(f"/products/{place}/change/{name}", "There is no such thing")


async def _costs(work: Work, asked: Sequence[_Asked]) -> dict[UUID, dict[str, int | None]]:
    """Product → what it costs now, retail and wholesale: what its row says, or what was planned meanwhile."""
    priced = [one.row for one in asked if (one.change.price, one.change.wholesale_price) != (UNSET, UNSET)]
    known = await own_spans(work, [row.id for row in priced]) if priced else {}
    return {
        row.id: {
            column: now_costs(known, row.id, channel, getattr(row, column), work.now)
            for channel, column in COLUMNS.items()
        }
        for row in priced
    }


def _wanted(one: _Asked, before: Mapping[str, Any], smallest: int, faults: list[Fault]) -> dict[str, Any]:
    """What the fields of a product are to be; what cannot be is added to the faults. smallest: coin, to round to."""
    row, change = one.row, one.change
    wanted: dict[str, Any] = {name: value for name in _PLAIN if (value := getattr(change, name)) is not UNSET}
    wanted |= {name: micro(value) for name in _FIGURES if (value := getattr(change, name)) is not UNSET}
    for name in COLUMNS.values():
        said = getattr(change, name)
        if isinstance(said, PriceBy) and before[name] is not None:
            wanted[name] = _changed(before[name], said, smallest)
        elif not isinstance(said, PriceBy | UnsetType):
            wanted[name] = micro(said)
    if change.add_tags or change.remove_tags:
        wanted["tags"] = sorted({*row.tags, *plain_tags(change.add_tags)} - set(plain_tags(change.remove_tags)))
    for name, detail in _wrong(row, wanted):
        faults.append(Fault(f"{one.base}/{name}", "invalid", f"{row.name} ({row.sku}): {detail}"))
    return wanted


def _changed(price: int, by: PriceBy, smallest: int) -> int:
    step = smallest if by.round_to is None else parse_micro(by.round_to)
    if not step:
        raise Invalid.at("/change/price/round_to", "Round to something above zero")
    return price_changed(price, parse_micro(by.percent), 0, step)


def _wrong(row: Product, wanted: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What a product does not allow: field and why."""
    if row.kind == "service" and wanted.get("track_stock"):
        yield "track_stock", "a service has no stock to count"
    if (least := wanted.get("min_stock")) is not None and not fits_unit(least, row.unit):
        yield "min_stock", f"too many decimals for the unit {row.unit}"
    if len(wanted.get("tags", ())) > MOST_TAGS:
        yield "add_tags", f"it would have more than {MOST_TAGS} tags"
    for name in COLUMNS.values():
        if (wanted.get(name) or 0) >= 10**WHOLE_DIGITS * MICRO:
            yield name, "it would cost more than can be written"


async def _write(work: Work, planned: Sequence[_Planned]) -> None:
    own = [
        OwnChange(one.row.id, channel, getattr(one.row, column), one.row.created_at, one.after[column])
        for one in planned
        for channel, column in COLUMNS.items()
        if column in one.after
    ]
    await change_own(work, own, work.now)
    for one in planned:
        for name, value in one.after.items():
            setattr(one.row, name, value)
        one.row.version += 1
        one.row.updated_at = work.now
    await work.session.flush()
    if tagged := [one.row for one in planned if "tags" in one.after]:
        await write_search(work, tagged)
    if valued := [(one.row.id, one.row.custom) for one in planned if "custom" in one.after]:
        await write_keys(work, ENTITY, valued)


def _shown(work: Work, one: _Planned) -> ChangedProduct:
    fields = []
    for name, after in one.after.items():
        before = one.before[name]
        if name == "custom":
            keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
            fields += [FieldChange(f"custom.{key}", before.get(key), after.get(key)) for key in keys]
        else:
            fields.append(FieldChange(name, _said(work, name, before), _said(work, name, after)))
    return ChangedProduct(one.row.id, one.row.sku, one.row.name, fields)


def _said(work: Work, name: str, value: Any) -> Shown:
    """A value as it travels."""
    if value is None or isinstance(value, str | bool | list):
        return value
    if name in _PRICES:
        return format_price(value, work.shop.exponent)
    return format_micro(value) if name == "min_stock" else str(value)
