"""Products as they are answered: one, a page, or what a barcode names. Costs only for those who may see them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.orm import aliased

from kernel.custom import Field, Shape, conditions, custom_fields, shown_values
from kernel.db import Prepared, among, gathered
from kernel.errors import NotFound
from kernel.money import format_micro, format_price
from kernel.web import Listing, page, sorting
from kernel.wire import ListQuery, Page
from kernel.work import Work, with_sides
from plugins.catalog.models import Barcode, Brand, Category, Pack, Product
from plugins.catalog.rules.goods import BadBarcode, check_gtin, ids_on, mrp_of
from plugins.catalog.schemas.goods import (
    ENTITY,
    IMAGE_SIZES,
    BarcodeOut,
    BrandOut,
    CategoryOut,
    CategoryQuery,
    ImageLinks,
    PackOut,
    ProductOut,
    ProductQuery,
    Scanned,
)
from plugins.catalog.services.finding import find_products, surely_fits
from plugins.catalog.services.narrowing import Narrowed, conditions_of, narrowed
from plugins.catalog.services.pricing import product_row

_business = sa.bindparam("business_id", type_=sa.Uuid())


class _Code(Struct, array_like=True, frozen=True):
    """A barcode of a product as it is gathered; by their ids they stand in the order they were given."""

    id: UUID
    code: str
    pack_id: UUID | None


class _Pack(Struct, array_like=True, frozen=True):
    """A pack of a product as it is gathered; in the order of what is in them."""

    factor: int
    id: UUID
    name: str
    price: int | None


_codes = gathered(Barcode.id, Barcode.code, Barcode.pack_id)
_packs = gathered(Pack.factor, Pack.id, Pack.name, Pack.price)
_READ_CODES, _READ_PACKS = msgspec.json.Decoder(list[_Code]), msgspec.json.Decoder(list[_Pack])
_PRODUCT = sa.select(
    *product_row(),
    sa.select(_codes)
    .where(Barcode.business_id == Product.business_id, Barcode.product_id == Product.id)
    .scalar_subquery()
    .label("codes"),
    sa.select(_packs)
    .where(Pack.business_id == Product.business_id, Pack.product_id == Product.id)
    .scalar_subquery()
    .label("packs"),
).where(Product.business_id == _business)
"""Products with their barcodes and packs: one statement, whatever the number of rows."""
_ONE = Prepared(
    _PRODUCT.add_columns(Product.price.label("set_price"), Product.wholesale_price.label("set_wholesale")).where(
        Product.id == sa.bindparam("id", type_=sa.Uuid())
    )
)
_MANY = Prepared(_PRODUCT.where(among(Product.id, "product_ids")))
_scanned = aliased(Barcode)
_SCAN = Prepared(
    _PRODUCT.add_columns(_scanned.pack_id.label("code_pack_id"), _scanned.mrp.label("code_mrp"))
    .join(_scanned, sa.and_(_scanned.business_id == Product.business_id, _scanned.product_id == Product.id))
    .where(_scanned.business_id == _business, _scanned.code == sa.bindparam("code"))
)
_BARCODES = Prepared(
    sa.select(Barcode.pack_id, Barcode.code, Barcode.mrp)
    .where(Barcode.business_id == _business, Barcode.product_id == sa.bindparam("product_id", type_=sa.Uuid()))
    .order_by(Barcode.id)
)
_SORTS = {"name": Product.name, "sku": Product.sku, "created_at": Product.created_at}


async def read_product(work: Work, id_: UUID) -> tuple[ProductOut, int, bool]:
    """One product, its version, and whether its prices are such as were planned. Raises NotFound."""
    row = await work.one(_ONE, id=id_, at=work.now)
    if row is None:
        raise NotFound
    planned = (row.price, row.wholesale_price) != (row.set_price, row.set_wholesale)
    return (await _answers(work, [row]))[0], row.version, planned


async def read_products(work: Work, ids: Sequence[UUID]) -> list[ProductOut]:
    """Some products, in the order of their ids."""
    rows = {row.id: row for row in await work.fetch(_MANY, product_ids=ids, at=work.now)}
    return await _answers(work, [rows[id_] for id_ in ids])


async def list_products(work: Work, query: ProductQuery) -> Page[ProductOut]:
    """A page of products: best first where a question is asked, sorted otherwise."""
    filters = await narrowed(work, query)
    if query.q is not None and query.q.strip() and query.sort is None:
        found = await find_products(work, query, filters)
        if not found.ids:
            return Page([], None, found.total)
        rows = {row.id: row for row in await work.fetch(_MANY, product_ids=found.ids, at=work.now)}
        return Page(await _answers(work, [rows[id_] for id_ in found.ids]), found.next_cursor, found.total)
    listed = await _sorted(work, query, filters)
    return Page(await _answers(work, listed.items), listed.next_cursor, listed.total)


async def _sorted(work: Work, query: ProductQuery, filters: Narrowed) -> Page[Any]:
    """A page of rows in the order of a column."""
    column, descending = sorting(query.sort or "name", _SORTS)
    names, custom, given = filters.names, filters.custom, filters.given
    if query.q is None or not query.q.strip():
        return await _listing(column.key, descending, names, custom).page(work, query, **given)
    sure = _PRODUCT.where(surely_fits(query.q, work.business_id, Product.id), *_narrowed(names, custom))
    asked = sure.params(business_id=work.business_id, **given)
    order = [column, Product.id]
    return await page(work, asked, query, order=order, make=lambda row: row, descending=descending)


@lru_cache(maxsize=256)
def _listing(sort: str, descending: bool, filters: tuple[str, ...], custom: Shape) -> Listing:
    return Listing(_PRODUCT.where(*_narrowed(filters, custom)), [_SORTS[sort], Product.id], descending=descending)


def _narrowed(filters: tuple[str, ...], custom: Shape) -> list[sa.ColumnElement[bool]]:
    """The conditions of filters; custom: the shape of the shop's own."""
    return [*conditions_of(Product, filters), *conditions(ENTITY, Product.id, custom)]


async def matching_products(work: Work, query: ProductQuery) -> tuple[list[UUID], bool]:
    """The ids of a page of products, as long as its limit says, and whether there are more."""
    filters = await narrowed(work, query)
    if query.q is not None and query.q.strip():
        found = await find_products(work, query, filters)
        return found.ids, found.next_cursor is not None
    listed = await _sorted(work, query, filters)
    return [row.id for row in listed.items], listed.next_cursor is not None


async def scan(work: Work, code: str) -> Scanned:
    """What a barcode names. Raises NotFound, with the reason where it was misread."""
    try:
        normal = check_gtin(code)
    except BadBarcode as fault:
        raise NotFound(str(fault)) from fault
    row = await work.one(_SCAN, code=normal, at=work.now)
    if row is None:
        raise NotFound(f"No product has the barcode {normal}")
    exponent = work.shop.exponent
    factor = next((one.factor for one in _packs_of(row) if one.id == row.code_pack_id), None)
    (said,) = await _answers(work, [row])
    pack = next((one for one in said.packs if one.id == row.code_pack_id), None)
    return Scanned(normal, _price(mrp_of(row.mrp, row.code_mrp, factor), exponent), said, pack)


async def list_barcodes(work: Work, product_id: UUID) -> list[BarcodeOut]:
    """All barcodes of a product and its packs. Raises NotFound."""
    if await work.one(_ONE, id=product_id, at=work.now) is None:
        raise NotFound
    exponent = work.shop.exponent
    rows = await work.fetch(_BARCODES, product_id=product_id)
    return [BarcodeOut(row.code, _price(row.mrp, exponent), row.pack_id) for row in rows]


async def list_categories(work: Work, query: CategoryQuery) -> Page[CategoryOut]:
    """A page of categories, by name."""
    statement = sa.select(*Category.__table__.c).where(Category.business_id == work.business_id)
    if query.parent_id is not None:
        statement = statement.where(Category.parent_id == query.parent_id)
    return await page(work, statement, query, order=[Category.name, Category.id], make=category_out)


async def list_brands(work: Work, query: ListQuery) -> Page[BrandOut]:
    """A page of brands, by name."""
    statement = sa.select(*Brand.__table__.c).where(Brand.business_id == work.business_id)
    return await page(work, statement, query, order=[Brand.name, Brand.id], make=brand_out)


def category_out(row: Any) -> CategoryOut:
    """A row as it is answered."""
    return CategoryOut(row.id, row.name, row.parent_id, list(reversed(ids_on(row.path))))


def brand_out(row: Any) -> BrandOut:
    """A row as it is answered."""
    return BrandOut(row.id, row.name)


async def categories_by_id(work: Work, ids: Collection[UUID]) -> dict[UUID, CategoryOut]:
    """Categories by id, in one query; the unknown are left out."""
    columns = (Category.id, Category.name, Category.parent_id, Category.path)
    rows = await work.execute(sa.select(*columns).where(Category.business_id == work.business_id, Category.id.in_(ids)))
    return {row.id: category_out(row) for row in rows}


async def brands_by_id(work: Work, ids: Collection[UUID]) -> dict[UUID, BrandOut]:
    """Brands by id, in one query; the unknown are left out."""
    here = sa.and_(Brand.business_id == work.business_id, Brand.id.in_(ids))
    return {row.id: brand_out(row) for row in await work.execute(sa.select(Brand.id, Brand.name).where(here))}


def _packs_of(row: Any) -> list[_Pack]:
    return sorted(_READ_PACKS.decode(row.packs), key=lambda one: (one.factor, one.id)) if row.packs else []


async def _answers(work: Work, rows: Sequence[Any]) -> list[ProductOut]:
    """Rows as they are answered, with what plugins keep on the side."""
    fields = await custom_fields(work, ENTITY)
    exts = await with_sides(work, ENTITY, {row.id: row.ext for row in rows})
    return [_answer(row, work.shop.exponent, fields, exts[row.id]) for row in rows]


def _answer(row: Any, exponent: int, fields: Sequence[Field], ext: dict[str, Any]) -> ProductOut:
    codes = _READ_CODES.decode(row.codes) if row.codes else []
    if len(codes) > 1:
        codes.sort(key=lambda one: one.id)
    packs = [
        PackOut(
            one.id,
            one.name,
            format_micro(one.factor),
            _price(one.price, exponent),
            [code.code for code in codes if code.pack_id == one.id],
        )
        for one in _packs_of(row)
    ]
    return ProductOut(
        id=row.id,
        sku=row.sku,
        name=row.name,
        description=row.description,
        kind=row.kind,
        unit=row.unit,
        price=format_price(row.price, exponent),
        wholesale_price=_price(row.wholesale_price, exponent),
        cost_price=_price(row.cost_price, exponent),
        mrp=_price(row.mrp, exponent),
        category_id=row.category_id,
        brand_id=row.brand_id,
        tax_class_id=row.tax_class_id,
        hsn_code=row.hsn_code,
        min_stock=None if row.min_stock is None else format_micro(row.min_stock),
        track_stock=row.track_stock,
        allow_negative_stock=row.allow_negative_stock,
        is_active=row.is_active,
        tags=row.tags,
        barcodes=[code.code for code in codes if code.pack_id is None],
        packs=packs,
        image=_image(row),
        ext=ext,
        custom=shown_values(fields, row.custom) if fields else {},
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _image(row: Any) -> ImageLinks | None:
    if row.image is None:
        return None
    return ImageLinks(*(f"/api/v1/catalog/products/{row.id}/image/{px}?v={row.image}" for px in IMAGE_SIZES))


def _price(value: int | None, exponent: int) -> str | None:
    return None if value is None else format_price(value, exponent)
