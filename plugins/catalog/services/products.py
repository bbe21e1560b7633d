"""Products added and changed, with their packs and barcodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct, UnsetType

from kernel.custom import changed_values, new_values, write_keys
from kernel.db import new_id
from kernel.errors import Invalid, NotFound
from kernel.money import format_price, parse_micro
from kernel.work import Work, change_sides, changed_ext, read_ext, stored_ext, write_sides
from plugins.catalog.errors import BarcodeTaken, SkuTaken
from plugins.catalog.models import Barcode, Pack, Product
from plugins.catalog.rules.goods import fits_unit, plain_tags
from plugins.catalog.schemas.goods import ENTITY, BarcodeIn, NewBarcode, PackIn, PackPatch, ProductIn, ProductPatch
from plugins.catalog.services.base_prices import COLUMNS, OwnChange, change_own, now_costs, own_spans
from plugins.catalog.services.common import check_references, given_in, locked, micro, normal_barcode
from plugins.catalog.services.keys import write_search

_PRICES = frozenset({"price", "wholesale_price", "cost_price", "mrp", "min_stock"})


class _Code(NamedTuple):
    """A barcode to be stored, and where in the request it stands."""

    code: str
    mrp: int | None
    product: Product
    pack: Pack | None
    pointer: str


async def add_product(work: Work, data: ProductIn) -> Product:
    """Add a product with its packs and barcodes. Raises as `add_products` does."""
    (row,) = await add_products(work, [data])
    work.audit(subject=f"product:{row.id}")
    return row


async def add_products(work: Work, many: Sequence[ProductIn], within: str | None = None) -> list[Product]:
    """Add products with their packs and barcodes, in as few statements as one product takes.

    Raises Invalid at what is wrong, SkuTaken, BarcodeTaken; the database refuses an id that is taken.
    Pointers lead into the one product, or into the list where there are several, or one is named by `within`.
    """
    is_one = within is None and len(many) == 1
    bases = [""] if is_one else [f"{within or ''}/{place}" for place in range(len(many))]
    await check_references(
        work,
        {
            field: {id_ for one in many if (id_ := getattr(one, field)) is not None}
            for field in ("category_id", "brand_id", "tax_class_id")
        },
    )
    custom = await new_values(work, ENTITY, [one.custom for one in many], bases)
    exts = [read_ext(work, ENTITY, one.ext, f"{base}/ext") for one, base in zip(many, bases, strict=True)]
    rows = [_product(work, *one) for one in zip(many, custom, exts, bases, strict=True)]
    packs: list[Pack] = []
    codes: list[_Code] = []
    for data, row, base in zip(many, rows, bases, strict=True):
        codes += _own_codes(data, row, base)
        for place, one in enumerate(data.packs):
            pack = _pack(one, row, f"{base}/packs/{place}")
            packs.append(pack)
            codes += _pack_codes(one, row, pack, f"{base}/packs/{place}/barcode")
    _refuse_twins(zip((one.packs for one in many), bases, strict=True))
    await _refuse_taken_skus(work, rows, bases)
    await _refuse_taken(work, codes)
    for stage in (rows, packs, [_barcode(one) for one in codes]):
        work.session.add_all(stage)
        await work.session.flush()
    await write_search(work, rows, are_new=True)
    await write_keys(work, ENTITY, [(row.id, row.custom) for row in rows], are_new=True)
    await write_sides(work, ENTITY, [(row.id, ext) for row, ext in zip(rows, exts, strict=True)])
    return rows


async def change_product(work: Work, id_: UUID, patch: ProductPatch) -> Product:
    """Change what a patch names. Raises NotFound, Invalid, and for a version that is not the row's."""
    row = await locked(work, Product, id_)
    work.check_version(row.version)
    given = given_in(patch)
    references = ("category_id", "brand_id", "tax_class_id")
    await check_references(work, {name: {one} for name in references if isinstance(one := given.get(name), UUID)})
    price_before = await _change_own(work, row, given)
    if not isinstance(patch.ext, UnsetType):
        row.ext = changed_ext(work, ENTITY, row.ext, patch.ext)
    if not isinstance(patch.custom, UnsetType):
        row.custom = await changed_values(work, ENTITY, row.custom, patch.custom)
    for name, value in given.items():
        if name in _PRICES:
            setattr(row, name, micro(value if isinstance(value, str) else None))
        elif name not in ("ext", "custom", "tags"):
            setattr(row, name, value)
    if not isinstance(patch.tags, UnsetType):
        row.tags = plain_tags(patch.tags)
    _check(row, "")
    await touch(work, row)
    if {"name", "sku", "tags"} & given.keys():
        await write_search(work, [row])
    if "custom" in given:
        await write_keys(work, ENTITY, [(id_, row.custom)])
    if not isinstance(patch.ext, UnsetType):
        await change_sides(work, ENTITY, id_, patch.ext)
    facts: dict[str, Any] = {}
    if "price" in given:
        facts = {"price_before": _price(work, price_before), "price": _price(work, row.price)}
    work.audit(subject=f"product:{id_}", changed=sorted(given), **facts)
    return row


async def add_barcode(work: Work, product_id: UUID, data: NewBarcode) -> Barcode:
    """Give a product, or one of its packs, one more barcode. Raises BarcodeTaken, BarcodeInvalid, Invalid."""
    row = await locked(work, Product, product_id)
    pack = None
    if data.pack_id is not None:
        pack = await work.session.get(Pack, (work.business_id, data.pack_id))
        if pack is None or pack.product_id != product_id:
            raise NotFound.at("/pack_id", "The product has no such pack")
    code = _Code(normal_barcode(data.code, "/code"), micro(data.mrp), row, pack, "/code")
    await _refuse_taken(work, [code])
    made = _barcode(code)
    work.session.add(made)
    await work.session.flush()
    await write_search(work, [row])
    await touch(work, row)
    work.audit(subject=f"product:{product_id}", barcode=made.code)
    return made


async def remove_barcode(work: Work, product_id: UUID, code: str) -> None:
    """Take a barcode off a product, so that it may name another. Raises NotFound."""
    row = await locked(work, Product, product_id)
    deleted = await work.execute(
        sa.delete(Barcode)
        .where(Barcode.business_id == work.business_id, Barcode.product_id == product_id, Barcode.code == code)
        .returning(Barcode.id, Barcode.code, Barcode.pack_id, Barcode.mrp)
    )
    gone = deleted.one_or_none()
    if gone is None:
        raise NotFound("The product has no such barcode")
    work.changed(Barcode, gone.id, gone._mapping, None)
    await write_search(work, [row])
    await touch(work, row)
    work.audit(subject=f"product:{product_id}", barcode=code)


async def add_pack(work: Work, product_id: UUID, data: PackIn) -> Pack:
    """Offer a product in a pack. Raises BarcodeTaken, BarcodeInvalid, Invalid for a factor its unit does not allow."""
    row = await locked(work, Product, product_id)
    pack = _pack(data, row, "")
    codes = _pack_codes(data, row, pack, "/barcode")
    await _refuse_taken(work, codes)
    for stage in ([pack], [_barcode(one) for one in codes]):
        work.session.add_all(stage)
        await work.session.flush()
    await write_search(work, [row])
    await touch(work, row)
    work.audit(subject=f"product:{product_id}", pack=data.name)
    return pack


async def change_pack(work: Work, product_id: UUID, pack_id: UUID, patch: PackPatch) -> tuple[Product, Pack]:
    """Rename a pack or price it anew. If-Match is the product's version. Raises NotFound."""
    row = await locked(work, Product, product_id)
    work.check_version(row.version)
    pack = await work.session.get(Pack, (work.business_id, pack_id))
    if pack is None or pack.product_id != product_id:
        raise NotFound
    if isinstance(patch.name, str):
        pack.name = patch.name
    if not isinstance(patch.price, UnsetType):
        pack.price = micro(patch.price)
    await touch(work, row)
    work.audit(subject=f"product:{product_id}", pack=pack.name)
    return row, pack


async def _change_own(work: Work, row: Product, given: Mapping[str, object]) -> int:
    """Note prices that a patch sets among those of the past and the planned; returns the retail price until now."""
    changed = {channel: column for channel, column in COLUMNS.items() if column in given}
    if not changed:
        return row.price
    spans = (await own_spans(work, [row.id])).get((row.id, "retail"), ())
    before = now_costs(spans, row.price, work.now)
    new = {channel: micro(cast("str | None", given[column])) for channel, column in changed.items()}
    changes = [OwnChange(row.id, one, getattr(row, COLUMNS[one]), row.created_at, new[one]) for one in changed]
    await change_own(work, changes, work.now)
    return row.price if before is None else before


def _product(work: Work, data: ProductIn, custom: dict[str, Any], ext: Mapping[str, Struct], base: str) -> Product:
    row = Product(
        business_id=work.business_id,
        id=data.id or new_id(),
        sku=data.sku,
        name=data.name,
        description=data.description,
        kind=data.kind,
        unit=data.unit,
        price=parse_micro(data.price),
        wholesale_price=micro(data.wholesale_price),
        cost_price=micro(data.cost_price) if isinstance(data.cost_price, str) else None,
        mrp=micro(data.mrp),
        category_id=data.category_id,
        brand_id=data.brand_id,
        tax_class_id=data.tax_class_id,
        hsn_code=data.hsn_code,
        min_stock=micro(data.min_stock),
        track_stock=data.track_stock if isinstance(data.track_stock, bool) else data.kind == "goods",
        allow_negative_stock=data.allow_negative_stock,
        is_active=data.is_active,
        has_barcode=bool(data.barcodes) or any(one.barcode for one in data.packs),
        tags=plain_tags(data.tags),
        ext=stored_ext(ext, ENTITY),
        custom=custom,
        created_at=work.now,
        updated_at=work.now,
        version=1,
    )
    _check(row, base)
    return row


def _check(row: Product, base: str) -> None:
    if row.kind == "service" and row.track_stock:
        raise Invalid.at(f"{base}/track_stock", "A service has no stock to count")
    if row.min_stock is not None and not fits_unit(row.min_stock, row.unit):
        raise Invalid.at(f"{base}/min_stock", f"Too many decimals for the unit {row.unit}")


def _pack(data: PackIn, product: Product, base: str) -> Pack:
    factor = parse_micro(data.factor)
    if factor <= 0:
        raise Invalid.at(f"{base}/factor", "A pack holds more than nothing")
    if not fits_unit(factor, product.unit):
        raise Invalid.at(f"{base}/factor", f"Too many decimals for the unit {product.unit}")
    return Pack(
        business_id=product.business_id,
        id=new_id(),
        product_id=product.id,
        name=data.name,
        factor=factor,
        price=micro(data.price),
    )


def _own_codes(data: ProductIn, row: Product, base: str) -> list[_Code]:
    found = []
    for place, one in enumerate(data.barcodes):
        said, mrp, inside = (one.code, one.mrp, "/code") if isinstance(one, BarcodeIn) else (one, None, "")
        pointer = f"{base}/barcodes/{place}{inside}"
        found.append(_Code(normal_barcode(said, pointer), micro(mrp), row, None, pointer))
    return found


def _pack_codes(data: PackIn, row: Product, pack: Pack, pointer: str) -> list[_Code]:
    if data.barcode is None:
        return []
    return [_Code(normal_barcode(data.barcode, pointer), None, row, pack, pointer)]


def _barcode(one: _Code) -> Barcode:
    return Barcode(
        business_id=one.product.business_id,
        id=new_id(),
        code=one.code,
        product_id=one.product.id,
        pack_id=one.pack.id if one.pack else None,
        mrp=one.mrp,
    )


def _refuse_twins(packs_of: Iterable[tuple[list[PackIn], str]]) -> None:
    for packs, base in packs_of:
        names = [one.name for one in packs]
        if twice := next((place for place, name in enumerate(names) if name in names[:place]), None):
            raise Invalid.at(f"{base}/packs/{twice}/name", "Another pack has this name", code="duplicate")


async def _refuse_taken_skus(work: Work, rows: Sequence[Product], bases: Sequence[str]) -> None:
    skus = [row.sku for row in rows]
    found = await work.execute(
        sa.select(Product.sku).where(Product.business_id == work.business_id, Product.sku.in_(skus))
    )
    taken = set(found.scalars())
    for sku, base in zip(skus, bases, strict=True):
        if sku in taken:
            raise SkuTaken(f"{base}/sku", sku)
        taken.add(sku)


async def _refuse_taken(work: Work, codes: Sequence[_Code]) -> None:
    seen: set[str] = set()
    for one in codes:
        if one.code in seen:
            raise BarcodeTaken(one.pointer, one.code)
        seen.add(one.code)
    if not seen:
        return
    found = await work.execute(
        sa.select(Barcode.code).where(Barcode.business_id == work.business_id, Barcode.code.in_(seen))
    )
    taken = set(found.scalars())
    for one in codes:
        if one.code in taken:
            raise BarcodeTaken(one.pointer, one.code)


async def touch(work: Work, row: Product) -> None:
    """Write a product that has changed, with a new version."""
    row.version += 1
    row.updated_at = work.now
    await work.session.flush()


def _price(work: Work, value: int) -> str:
    return format_price(value, work.shop.exponent)
