"""What becomes of many products at once, planned product by product and written together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from msgspec import UNSET, UnsetType

from kernel.custom import changed_of_many, write_keys
from kernel.db import new_id
from kernel.errors import Fault, Invalid
from kernel.money import MICRO, WHOLE_DIGITS, format_micro, format_price, parse_micro
from kernel.work import Work
from plugins.catalog.models import Product
from plugins.catalog.rules.goods import fits_unit, plain_tags
from plugins.catalog.rules.prices import price_changed
from plugins.catalog.rules.spans import Span
from plugins.catalog.schemas.edits import ChangedProduct, FieldChange, PriceBy, ProductChange, Shown
from plugins.catalog.schemas.goods import ENTITY
from plugins.catalog.services.base_prices import (
    COLUMNS,
    OwnChange,
    OwnResumed,
    change_own,
    now_costs,
    own_spans,
    resume_own,
)
from plugins.catalog.services.common import micro
from plugins.catalog.services.keys import write_search

MOST_TAGS: Final = 20
REFERENCES: Final = ("category_id", "brand_id", "tax_class_id")
FIGURES: Final = ("cost_price", "mrp", "min_stock")
_PLAIN: Final = (*REFERENCES, "hsn_code", "track_stock", "allow_negative_stock", "is_active")
_PRICES: Final = ("price", "wholesale_price", "cost_price", "mrp")


class Former(NamedTuple):
    """A product's own price in a channel as it was: what its row says, and what runs and is planned, never empty."""

    row: int | None
    spans: Sequence[Span]


class Asked(NamedTuple):
    """A product, what is to become of it, and where it stands in the request.

    resumed: column → the prices that go on in place of a new one.
    """

    row: Product
    change: ProductChange
    base: str
    resumed: Mapping[str, Former] = {}


class Planned(NamedTuple):
    """What becomes of a product: column → value, of those that change; before: the same columns as they are.

    former: the prices among them, with all that is planned.
    """

    row: Product
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    former: Mapping[str, Former]
    resumed: Mapping[str, Former]


async def rows_of(work: Work, ids: Sequence[UUID], *, held: bool) -> dict[UUID, Product]:
    """Products by id; held: to the end of the deed, in one order, so that two such deeds never wait in a circle."""
    statement = sa.select(Product).where(Product.business_id == work.business_id, Product.id.in_(ids))
    if held:
        statement = statement.order_by(Product.id).with_for_update(key_share=True)
    return {row.id: row for row in (await work.session.scalars(statement)).all()}


async def plan_changes(work: Work, asked: Sequence[Asked]) -> list[Planned]:
    """What becomes of products, of those that change. Raises Invalid with all that cannot be, product by product."""
    many, bases = [(one.row.custom, one.change.custom) for one in asked], [one.base for one in asked]
    customs = await changed_of_many(work, ENTITY, many, bases) if any(one.change.custom for one in asked) else None
    former, smallest = await _own_prices(work, asked), MICRO // 10**work.shop.exponent
    found: list[Planned] = []
    faults: list[Fault] = []
    for place, one in enumerate(asked):
        before = {name: getattr(one.row, name) for name in (*_PLAIN, *FIGURES, "tags", "custom")}
        prices = former.get(one.row.id, {})
        before |= {name: now_costs(kept.spans, kept.row, work.now) for name, kept in prices.items()}
        after = _wanted(one, before, smallest, faults)
        if customs is not None:
            after["custom"] = customs[place]
        after = {name: value for name, value in after.items() if before[name] != value or name in one.resumed}
        kept = {name: prices[name] for name in after if name in prices}
        found.append(Planned(one.row, {name: before[name] for name in after}, after, kept, one.resumed))
    if faults:
        raise Invalid(faults[0].detail, faults=faults)
    return [one for one in found if one.after]


async def write_changes(work: Work, planned: Sequence[Planned]) -> None:
    """Write what was planned, each product with a new version. Their rows must be held."""
    own, resumed = list[OwnChange](), list[OwnResumed]()
    for one in planned:
        for channel, column in COLUMNS.items():
            was, since = getattr(one.row, column), one.row.created_at
            if column in one.resumed:
                resumed.append(OwnResumed(one.row.id, channel, was, since, one.resumed[column].spans))
            elif column in one.after:
                own.append(OwnChange(one.row.id, channel, was, since, one.after[column]))
    await change_own(work, own, work.now)
    await resume_own(work, resumed)
    for one in planned:
        for name, value in one.after.items():
            setattr(one.row, name, one.resumed[name].row if name in one.resumed else value)
        one.row.version += 1
        one.row.updated_at = work.now
    await work.session.flush()
    if tagged := [one.row for one in planned if "tags" in one.after]:
        await write_search(work, tagged)
    if valued := [(one.row.id, one.row.custom) for one in planned if "custom" in one.after]:
        await write_keys(work, ENTITY, valued)


def shown_change(work: Work, one: Planned) -> ChangedProduct:
    """What becomes of a product, as it travels."""
    fields = []
    for name, after in one.after.items():
        before = one.before[name]
        if name == "custom":
            fields += [FieldChange(f"custom.{key}", before.get(key), after.get(key)) for key in differing(one)]
        else:
            fields.append(FieldChange(name, _said(work, name, before), _said(work, name, after)))
    return ChangedProduct(one.row.id, one.row.sku, one.row.name, fields)


def differing(one: Planned) -> list[str]:
    """The fields of the shop's own that change."""
    before, after = one.before["custom"], one.after["custom"]
    return [key for key in {**before, **after} if before.get(key) != after.get(key)]


async def _own_prices(work: Work, asked: Sequence[Asked]) -> dict[UUID, dict[str, Former]]:
    """Product → its prices, retail and wholesale, where any of them is to change."""
    priced = [one.row for one in asked if (one.change.price, one.change.wholesale_price) != (UNSET, UNSET)]
    known = await own_spans(work, [row.id for row in priced]) if priced else {}
    return {
        row.id: {column: _former(row, column, known.get((row.id, channel))) for channel, column in COLUMNS.items()}
        for row in priced
    }


def _former(row: Product, column: str, spans: Sequence[Span] | None) -> Former:
    price = getattr(row, column)
    return Former(price, spans or [Span(new_id(), price, row.created_at, None)])


def _wanted(one: Asked, before: Mapping[str, Any], smallest: int, faults: list[Fault]) -> dict[str, Any]:
    """What the fields of a product are to be; what cannot be is added to the faults. smallest: coin, to round to."""
    row, change = one.row, one.change
    wanted: dict[str, Any] = {name: value for name in _PLAIN if (value := getattr(change, name)) is not UNSET}
    wanted |= {name: micro(value) for name in FIGURES if (value := getattr(change, name)) is not UNSET}
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


def _said(work: Work, name: str, value: Any) -> Shown:
    """A value as it travels."""
    if value is None or isinstance(value, str | bool | list):
        return value
    if name in _PRICES:
        return format_price(value, work.shop.exponent)
    return format_micro(value) if name == "min_stock" else str(value)
