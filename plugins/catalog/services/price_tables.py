"""Tables of prices: rows against a list as it is, applied to it, and the list as a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import IO, Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from kernel.auth import look
from kernel.db import Prepared, among
from kernel.money import format_micro, format_price, parse_micro
from kernel.web import Scene, as_table, table_line
from kernel.wire import Download
from kernel.work import Work
from plugins.catalog.models import Pack, Price, PriceList, Product
from plugins.catalog.rules.goods import fits_unit
from plugins.catalog.rules.spans import repriced
from plugins.catalog.schemas.goods import Format
from plugins.catalog.services.forms import PRICE_COLUMNS, Fault, PriceRow, PriceSaid
from plugins.catalog.services.price_rows import LATEST, Key, Wanted, known_spans, set_prices
from plugins.catalog.services.tables import lines_file

_AT_ONCE: Final = 1000
_business = sa.bindparam("business_id", type_=sa.Uuid())
_GOODS = Prepared(
    sa.select(Product.id, Product.sku, Product.unit, Pack.id.label("pack_id"), Pack.name.label("pack"))
    .outerjoin(Pack, sa.and_(Pack.business_id == Product.business_id, Pack.product_id == Product.id))
    .where(Product.business_id == _business, among(Product.sku, "skus"))
)
_PAGE = Prepared(
    sa.select(
        Price.id,
        Product.sku,
        Pack.name.label("pack"),
        Price.min_quantity,
        Price.price,
        Price.starts_at,
        Price.ends_at,
    )
    .join(Product, sa.and_(Product.business_id == Price.business_id, Product.id == Price.product_id))
    .outerjoin(Pack, sa.and_(Pack.business_id == Price.business_id, Pack.id == Price.pack_id))
    .where(
        Price.business_id == _business,
        Price.list_id == sa.bindparam("list_id", type_=sa.Uuid()),
        Price.id > sa.bindparam("after", type_=sa.Uuid()),
        sa.or_(Price.ends_at.is_(None), Price.ends_at > sa.bindparam("now", type_=Price.starts_at.type)),
    )
    .order_by(Price.id)
    .limit(_AT_ONCE)
)


class PriceChange(Struct, frozen=True):
    """What a row does to a list."""

    kind: Literal["created", "changed", "unchanged"]
    wanted: Wanted


class ComparedPrices(Struct, frozen=True):
    """What some rows do, and what is wrong with the others."""

    changes: list[PriceChange]
    faults: list[Fault]
    refused: int


class _Goods(Struct):
    """A product as a table names it: by SKU, its packs by name."""

    id: UUID
    unit: str
    packs: dict[str, UUID]


async def compare_prices(work: Work, list_id: UUID, rows: Sequence[PriceRow]) -> ComparedPrices:
    """What rows do to a list. An instant that has passed means now."""
    faults = [fault for row in rows for fault in row.faults]
    said = [(row.row, row.said) for row in rows if row.said is not None]
    goods = _by_sku(await work.fetch(_GOODS, skus=[one.sku for _, one in said]))
    spans = await known_spans(work, list_id, {one.id for one in goods.values()})
    changes = []
    for number, one in said:
        wrong = _fault(work, number, one, goods.get(one.sku))
        if wrong is not None:
            faults.append(wrong)
            continue
        wanted = _wanted(work, one, goods[one.sku])
        known = spans.get(wanted.key, [])
        changed = repriced(known, wanted.starts_at, wanted.until, wanted.price, work.now).changes
        kind: Any = "unchanged" if not changed else "changed" if known else "created"
        changes.append(PriceChange(kind, wanted))
    return ComparedPrices(changes, faults, len(rows) - len(changes))


async def apply_prices(work: Work, list_id: UUID, rows: Sequence[PriceRow]) -> ComparedPrices:
    """Set what rows say on a list, compared anew with it as it is by then."""
    row = await work.get(PriceList, list_id, to_change=True)
    compared = await compare_prices(work, list_id, rows)
    await set_prices(work, row, [one.wanted for one in compared.changes if one.kind != "unchanged"])
    return compared


async def export_prices(scene: Scene, list_id: UUID, kind: Format) -> Download:
    """The prices of a list that run or are planned, as a file in the columns that an import takes. Raises NotFound."""

    async def note(work: Work) -> str:
        row = await work.get(PriceList, list_id)
        work.audit(subject=f"price_list:{list_id}", format=kind)
        return f"prices-{row.id}-{work.now:%Y%m%d}"

    name = await scene.deed(note)
    lines = await look(scene.deployment, scene.standing.business_id, lambda work: _gather(work, list_id, kind))
    return await as_table(lines, kind, name)


async def _gather(work: Work, list_id: UUID, kind: Format) -> IO[bytes]:
    file = lines_file()
    file.write(table_line(PRICE_COLUMNS, kind))
    after = UUID(int=0)
    while rows := await work.fetch(_PAGE, list_id=list_id, after=after, now=work.now):
        for row in rows:
            price = format_price(row.price, work.shop.exponent)
            cells = {"sku": row.sku, "price": price, "pack": row.pack, "min_quantity": format_micro(row.min_quantity)}
            cells["starts_at"] = _written(row.starts_at) if row.starts_at > work.now else ""
            cells["until"] = "" if row.ends_at is None else _written(row.ends_at)
            file.write(table_line([cells[name] for name in PRICE_COLUMNS], kind))
        after = rows[-1].id
    file.seek(0)
    return file


def _written(instant: dt.datetime) -> str:
    return instant.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _by_sku(rows: Iterable[Any]) -> dict[str, _Goods]:
    found: dict[str, _Goods] = {}
    for row in rows:
        one = found.setdefault(row.sku, _Goods(row.id, row.unit, {}))
        if row.pack_id is not None:
            one.packs[row.pack] = row.pack_id
    return found


def _fault(work: Work, number: int, said: PriceSaid, goods: _Goods | None) -> Fault | None:
    if goods is None:
        return Fault(number, "sku", f"There is no product {said.sku}")
    if said.pack is not None and said.pack not in goods.packs:
        return Fault(number, "pack", f"The product has no pack {said.pack}")
    unit = goods.unit if said.pack is None else "pack"
    if not fits_unit(parse_micro(said.min_quantity), unit):
        return Fault(number, "min_quantity", f"Too many decimals for the unit {unit}")
    for name, instant in (("starts_at", said.starts_at), ("until", said.until)):
        if instant is not None and instant.year >= LATEST.year:
            return Fault(number, name, "That is too far away")
    if said.until is not None and _zoned(work, said.until) <= _begins(work, said):
        return Fault(number, "until", "It ends after it begins")
    return None


def _wanted(work: Work, said: PriceSaid, goods: _Goods) -> Wanted:
    key = Key(goods.id, None if said.pack is None else goods.packs[said.pack], parse_micro(said.min_quantity))
    until = None if said.until is None else _zoned(work, said.until)
    return Wanted(key, parse_micro(said.price), _begins(work, said), until)


def _begins(work: Work, said: PriceSaid) -> dt.datetime:
    return work.now if said.starts_at is None else max(work.now, _zoned(work, said.starts_at))


def _zoned(work: Work, instant: dt.datetime) -> dt.datetime:
    return (instant if instant.tzinfo else instant.replace(tzinfo=work.shop.tz)).astimezone(dt.UTC)
