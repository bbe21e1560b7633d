"""Products as other plugins look them up: for a whole cart, or list, in one query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from kernel.db import Prepared, among
from kernel.work import Work
from plugins.catalog.models import Barcode, Brand, Category, Pack, Product
from plugins.catalog.rules.goods import UNIT_DECIMALS, BadBarcode, check_gtin, ids_on, mrp_of
from plugins.catalog.rules.prices import Buying, Chosen, OwnPrice, choose
from plugins.catalog.services.facts import Found, ProductName, Sellable, SellablePack, StockFacts
from plugins.catalog.services.pricing import LISTED, InForce, base_price, listed_in, lists_for

_business = sa.bindparam("business_id", type_=sa.Uuid())
_category = sa.and_(Category.business_id == Product.business_id, Category.id == Product.category_id)
_sold = (
    Product.id,
    Product.sku,
    Product.name,
    Product.unit,
    base_price("retail"),
    base_price("wholesale"),
    Product.cost_price,
    Category.path,
    Product.brand_id,
    Product.tax_class_id,
    Product.mrp,
    Product.track_stock,
    Product.allow_negative_stock,
    Product.is_active,
    Product.tags,
    LISTED,
)


def _nothing(column: Any, name: str) -> sa.ColumnElement[Any]:
    return sa.cast(sa.null(), column.type).label(name)


_SELLABLES = Prepared(
    sa.union_all(
        sa.select(
            *_sold,
            _nothing(Barcode.code, "code"),
            _nothing(Barcode.mrp, "code_mrp"),
            _nothing(Pack.id, "pack_id"),
            _nothing(Pack.name, "pack_name"),
            _nothing(Pack.factor, "factor"),
            _nothing(Pack.price, "pack_price"),
        )
        .outerjoin(Category, _category)
        .where(Product.business_id == _business, among(Product.id, "product_ids")),
        sa.select(
            *_sold,
            Barcode.code,
            Barcode.mrp.label("code_mrp"),
            Pack.id.label("pack_id"),
            Pack.name.label("pack_name"),
            Pack.factor,
            Pack.price.label("pack_price"),
        )
        .select_from(Barcode)
        .join(Product, sa.and_(Product.business_id == Barcode.business_id, Product.id == Barcode.product_id))
        .outerjoin(Category, _category)
        .outerjoin(Pack, sa.and_(Pack.business_id == Barcode.business_id, Pack.id == Barcode.pack_id))
        .where(Barcode.business_id == _business, among(Barcode.code, "codes")),
    )
)
_NAMES = Prepared(
    sa.select(Product.id, Product.sku, Product.name, Product.unit).where(
        Product.business_id == _business, among(Product.id, "product_ids")
    )
)
_stock = (
    Product.id,
    Product.sku,
    Product.name,
    Product.unit,
    Product.track_stock,
    Product.allow_negative_stock,
    Product.is_active,
    Product.min_stock,
    Product.cost_price,
    Product.ext,
)
_STOCK_FACTS = Prepared(sa.select(*_stock).where(Product.business_id == _business, among(Product.id, "product_ids")))
_TRACKED = Prepared(
    sa.select(*_stock)
    .where(Product.business_id == _business, Product.track_stock.is_(True), Product.is_active.is_(True))
    .order_by(Product.name, Product.id)
)


async def sellables(
    work: Work, product_ids: Sequence[UUID], barcodes: Sequence[str], buying: Buying | None = None
) -> Found:
    """All products of a cart in one query, with what price lists say for who buys.

    What does not exist is left out; a misread barcode does not exist. Prices are those of the instant in `buying`;
    without it those of now, from no list.
    """
    codes = {code: normal for code in barcodes if (normal := normal_code(code)) is not None}
    lists = await lists_for(work, buying)
    rows = await work.fetch(
        _SELLABLES,
        product_ids=list(set(product_ids)),
        codes=list(set(codes.values())),
        at=work.now if buying is None else buying.at,
        list_ids=list(lists.read),
    )
    by_id = {row.id: _sellable(row, lists) for row in rows if row.code is None}
    by_code = {row.code: _sellable(row, lists) for row in rows if row.code is not None}
    return Found(by_id, {code: by_code[normal] for code, normal in codes.items() if normal in by_code})


def list_price(good: Sellable, channel: str, quantity: int) -> Chosen:
    """What a product costs, a unit or the pack it was asked by, before anything lowers it: by a list or by itself.

    quantity: of the product in the whole cart, in its own unit, scaled by `money.MICRO`.
    """
    pack = good.pack
    own = OwnPrice(good.price, good.wholesale_price)
    if pack is not None:
        own = OwnPrice(good.price, good.wholesale_price, pack.id, pack.name, pack.factor, pack.price)
    return choose(good.listed, own, channel, quantity, good.based)


_CATEGORIES = Prepared(
    sa.select(Category.id).where(Category.business_id == _business, among(Category.id, "category_ids"))
)


_BRANDS = Prepared(sa.select(Brand.id).where(Brand.business_id == _business, among(Brand.id, "brand_ids")))


async def product_names(work: Work, product_ids: Iterable[UUID]) -> dict[UUID, ProductName]:
    """How products are called; those that do not exist are left out."""
    rows = await work.fetch(_NAMES, product_ids=list(set(product_ids)))
    return {row.id: ProductName(row.id, row.sku, row.name, row.unit, UNIT_DECIMALS[row.unit]) for row in rows}


async def known_categories(work: Work, category_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Which of some ids are categories of this business."""
    return frozenset(row.id for row in await work.fetch(_CATEGORIES, category_ids=list(set(category_ids))))


async def known_brands(work: Work, brand_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Which of some ids are brands of this business."""
    return frozenset(row.id for row in await work.fetch(_BRANDS, brand_ids=list(set(brand_ids))))


async def stock_facts(work: Work, product_ids: Iterable[UUID]) -> dict[UUID, StockFacts]:
    """What stock-keeping needs to know of products; those that do not exist are left out."""
    return {row.id: _facts(row) for row in await work.fetch(_STOCK_FACTS, product_ids=list(set(product_ids)))}


async def tracked_products(work: Work) -> list[StockFacts]:
    """Every active product whose stock is counted, by name."""
    return [_facts(row) for row in await work.fetch(_TRACKED)]


def product_columns() -> sa.Subquery:
    """Products as a table to join in a list's query, each call with an alias of its own.

    Join on `business_id` and `id`; the query must name its business itself. Columns: business_id, id, sku, name, unit,
    category_id, brand_id, min_stock, cost_price, price, track_stock, allow_negative_stock, is_active, ext. The price is
    the one last set by hand; what was planned since is not in it.
    """
    return sa.select(
        Product.business_id,
        Product.id,
        Product.sku,
        Product.name,
        Product.unit,
        Product.category_id,
        Product.brand_id,
        Product.min_stock,
        Product.cost_price,
        Product.price,
        Product.track_stock,
        Product.allow_negative_stock,
        Product.is_active,
        Product.ext,
    ).subquery()


def normal_code(code: str) -> str | None:
    """The form under which a barcode is looked up; None where it can name nothing."""
    try:
        return check_gtin(code)
    except BadBarcode:
        return None


def _sellable(row: Any, lists: InForce) -> Sellable:
    listed, based = lists.rows(listed_in(row.listed, lists.read))
    pack = SellablePack(row.pack_id, row.pack_name, row.factor, row.pack_price) if row.pack_id else None
    return Sellable(
        row.id,
        row.sku,
        row.name,
        row.unit,
        UNIT_DECIMALS[row.unit],
        row.price,
        row.wholesale_price,
        row.cost_price,
        ids_on(row.path),
        row.brand_id,
        row.tax_class_id,
        mrp_of(row.mrp, row.code_mrp, row.factor),
        row.track_stock,
        row.allow_negative_stock,
        row.is_active,
        row.code,
        pack,
        listed,
        tuple(row.tags),
        based,
    )


def _facts(row: Any) -> StockFacts:
    return StockFacts(
        row.id,
        row.sku,
        row.name,
        row.unit,
        UNIT_DECIMALS[row.unit],
        row.track_stock,
        row.allow_negative_stock,
        row.is_active,
        row.min_stock,
        row.cost_price,
        row.ext,
    )
