"""Products as they are answered: one, a page, or what a barcode names. Costs only for those who may see them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from kernel.db import Prepared, among
from kernel.errors import NotFound
from kernel.money import format_micro, format_price
from kernel.web import page, sorting
from kernel.wire import ListQuery, Page
from kernel.work import Work
from plugins.catalog.models import Barcode, Brand, Category, Pack, Product
from plugins.catalog.rules import BadBarcode, check_gtin, ids_on, mrp_of
from plugins.catalog.schemas import (
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

_business = sa.bindparam("business_id", type_=sa.Uuid())
_PRODUCT = sa.select(*Product.__table__.c)
_ONE = Prepared(_PRODUCT.where(Product.business_id == _business, Product.id == sa.bindparam("id", type_=sa.Uuid())))
_MANY = Prepared(_PRODUCT.where(Product.business_id == _business, among(Product.id, "product_ids")))
_CODES = Prepared(
    sa.select(Barcode.product_id, Barcode.pack_id, Barcode.code, Barcode.mrp)
    .where(Barcode.business_id == _business, among(Barcode.product_id, "product_ids"))
    .order_by(Barcode.id)
)
_PACKS = Prepared(
    sa.select(Pack.id, Pack.product_id, Pack.name, Pack.factor, Pack.price)
    .where(Pack.business_id == _business, among(Pack.product_id, "product_ids"))
    .order_by(Pack.factor, Pack.id)
)
_SCAN = Prepared(
    sa.select(Barcode.product_id, Barcode.pack_id, Barcode.mrp.label("code_mrp"), Product.mrp, Pack.factor)
    .join(Product, sa.and_(Product.business_id == Barcode.business_id, Product.id == Barcode.product_id))
    .outerjoin(Pack, sa.and_(Pack.business_id == Barcode.business_id, Pack.id == Barcode.pack_id))
    .where(Barcode.business_id == _business, Barcode.code == sa.bindparam("code"))
)
_SORTS = {"name": Product.name, "sku": Product.sku, "created_at": Product.created_at}


async def read_product(work: Work, id_: UUID) -> tuple[ProductOut, int]:
    """One product and its version. Raises NotFound."""
    row = await work.one(_ONE, id=id_)
    if row is None:
        raise NotFound
    (said,) = await _answers(work, [row])
    return said, row.version


async def list_products(work: Work, query: ProductQuery) -> Page[ProductOut]:
    """A page of products: best first where a question is asked, sorted otherwise."""
    asks = query.q is not None and query.q.strip()
    if asks and query.sort is None:
        found = await find_products(work, query)
        rows = {row.id: row for row in await work.fetch(_MANY, product_ids=found.ids)}
        return Page(await _answers(work, [rows[id_] for id_ in found.ids]), found.next_cursor, found.total)
    statement = _PRODUCT.where(Product.business_id == work.business_id)
    if asks:
        statement = statement.where(surely_fits(query.q or "", work.business_id, Product.id))
    if query.category_id is not None:
        below = sa.select(Category.id).where(
            Category.business_id == work.business_id, Category.path.contains(query.category_id.hex)
        )
        statement = statement.where(Product.category_id.in_(below))
    if query.brand_id is not None:
        statement = statement.where(Product.brand_id == query.brand_id)
    if query.is_active is not None:
        statement = statement.where(Product.is_active.is_(query.is_active))
    column, descending = sorting(query.sort or "name", _SORTS)
    listed = await page(work, statement, query, order=[column, Product.id], make=lambda row: row, descending=descending)
    return Page(await _answers(work, listed.items), listed.next_cursor, listed.total)


async def scan(work: Work, code: str) -> Scanned:
    """What a barcode names. Raises NotFound, with the reason where it was misread."""
    try:
        normal = check_gtin(code)
    except BadBarcode as fault:
        raise NotFound(str(fault)) from fault
    row = await work.one(_SCAN, code=normal)
    if row is None:
        raise NotFound(f"No product has the barcode {normal}")
    said, _ = await read_product(work, row.product_id)
    pack = next((one for one in said.packs if one.id == row.pack_id), None)
    return Scanned(normal, _price(work, mrp_of(row.mrp, row.code_mrp, row.factor)), said, pack)


async def list_barcodes(work: Work, product_id: UUID) -> list[BarcodeOut]:
    """All barcodes of a product and its packs. Raises NotFound."""
    if await work.one(_ONE, id=product_id) is None:
        raise NotFound
    rows = await work.fetch(_CODES, product_ids=[product_id])
    return [barcode_out(work, row) for row in rows]


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


def barcode_out(work: Work, row: Any) -> BarcodeOut:
    """A row as it is answered."""
    return BarcodeOut(row.code, _price(work, row.mrp), row.pack_id)


async def _answers(work: Work, rows: Sequence[Any]) -> list[ProductOut]:
    ids = [row.id for row in rows]
    if not ids:
        return []
    codes: dict[tuple[UUID, UUID | None], list[str]] = {}
    for code in await work.fetch(_CODES, product_ids=ids):
        codes.setdefault((code.product_id, code.pack_id), []).append(code.code)
    packs: dict[UUID, list[PackOut]] = {}
    for pack in await work.fetch(_PACKS, product_ids=ids):
        own = codes.get((pack.product_id, pack.id), [])
        said = PackOut(pack.id, pack.name, format_micro(pack.factor), _price(work, pack.price), own)
        packs.setdefault(pack.product_id, []).append(said)
    return [_answer(work, row, codes.get((row.id, None), []), packs.get(row.id, [])) for row in rows]


def _answer(work: Work, row: Any, codes: list[str], packs: list[PackOut]) -> ProductOut:
    return ProductOut(
        id=row.id,
        sku=row.sku,
        name=row.name,
        description=row.description,
        kind=row.kind,
        unit=row.unit,
        price=format_price(row.price, work.shop.exponent),
        wholesale_price=_price(work, row.wholesale_price),
        cost_price=_price(work, row.cost_price),
        mrp=_price(work, row.mrp),
        category_id=row.category_id,
        brand_id=row.brand_id,
        tax_class_id=row.tax_class_id,
        hsn_code=row.hsn_code,
        min_stock=None if row.min_stock is None else format_micro(row.min_stock),
        track_stock=row.track_stock,
        allow_negative_stock=row.allow_negative_stock,
        is_active=row.is_active,
        barcodes=codes,
        packs=packs,
        image=_image(row),
        ext=row.ext,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _image(row: Any) -> ImageLinks | None:
    if row.image is None:
        return None
    return ImageLinks(*(f"/api/v1/catalog/products/{row.id}/image/{px}?v={row.image}" for px in IMAGE_SIZES))


def _price(work: Work, value: int | None) -> str | None:
    return None if value is None else format_price(value, work.shop.exponent)
