"""The catalog as a table: each product a line, in the columns that an import takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any
from uuid import UUID

import sqlalchemy as sa

from kernel.auth import look
from kernel.custom import Field, conditions, custom_fields
from kernel.db import Prepared, among
from kernel.money import format_micro, format_price
from kernel.web import Scene, as_table, table_line
from kernel.wire import Download
from kernel.work import Work
from plugins.catalog.models import Barcode, Brand, Category, Product
from plugins.catalog.rules.goods import joined_codes
from plugins.catalog.schemas.edits import ExportQuery
from plugins.catalog.schemas.goods import ENTITY, Format
from plugins.catalog.services.comparing import category_paths
from plugins.catalog.services.finding import surely_fits
from plugins.catalog.services.forms import COLUMNS
from plugins.catalog.services.narrowing import conditions_of, narrowed
from plugins.catalog.services.own_columns import cells_of, own_columns
from plugins.catalog.services.pricing import product_row
from plugins.catalog.services.tables import lines_file
from plugins.taxes.api import classes_by_code

_AT_ONCE = 1000
_COST = "cost_price"
_business = sa.bindparam("business_id", type_=sa.Uuid())
_PAGE = (
    sa.select(*product_row())
    .where(Product.business_id == _business, Product.sku > sa.bindparam("after"))
    .order_by(Product.sku)
    .limit(_AT_ONCE)
)
_CODES = Prepared(
    sa.select(Barcode.product_id, Barcode.code)
    .where(Barcode.business_id == _business, among(Barcode.product_id, "product_ids"), Barcode.pack_id.is_(None))
    .order_by(Barcode.id)
)


async def export_products(scene: Scene, query: ExportQuery) -> Download:
    """Products as a file, in one snapshot; costs only for those who may see them."""
    columns, kind = columns_for(scene.standing.actor.may("catalog.see_cost")), query.format

    async def note(work: Work) -> str:
        work.audit(subject="products", format=kind)
        return f"products-{work.shop.slug}-{work.now:%Y%m%d}"

    name = await scene.deed(note)
    lines = await look(scene.deployment, scene.standing.business_id, lambda work: _gather(work, columns, query))
    return await as_table(lines, kind, name)


async def template(work: Work, kind: Format) -> Download:
    """An empty table with the columns that an import takes."""
    fields = await custom_fields(work, ENTITY)
    columns = [*columns_for(work.actor.may("catalog.see_cost")), *own_columns(fields)]
    lines = lines_file()
    lines.write(table_line(columns, kind))
    lines.seek(0)
    return await as_table(lines, kind, "products")


def columns_for(may_see_cost: bool) -> list[str]:
    """The columns of a table for somebody."""
    return [name for name in COLUMNS if name != _COST or may_see_cost]


async def _gather(work: Work, columns: Sequence[str], query: ExportQuery) -> IO[bytes]:
    """Page by page into a file, so that memory does not grow with the catalog."""
    kind, (page, given) = query.format, await _asked(work, query)
    names, fields = await _names(work), await custom_fields(work, ENTITY)
    columns = [*columns, *own_columns(fields)]
    file = lines_file()
    file.write(table_line(columns, kind))
    after = ""
    while rows := await work.fetch(page, **given, after=after):
        codes: dict[UUID, list[str]] = {}
        for one in await work.fetch(_CODES, product_ids=[row.id for row in rows]):
            codes.setdefault(one.product_id, []).append(one.code)
        for row in rows:
            cells = _cells(work, row, names, codes.get(row.id, []), fields)
            file.write(table_line([cells[name] for name in columns], kind))
        after = rows[-1].sku
    file.seek(0)
    return file


async def _asked(work: Work, query: ExportQuery) -> tuple[Prepared, dict[str, Any]]:
    """The statement of a page by the filters that are asked for, and their values."""
    filters = await narrowed(work, query)
    wanted = [*conditions_of(Product, filters.names), *conditions(ENTITY, Product.id, filters.custom)]
    if query.q is not None and query.q.strip():
        wanted.append(surely_fits(query.q, work.business_id, Product.id))
    return Prepared(_PAGE.where(*wanted)), filters.given


async def _names(work: Work) -> dict[UUID | None, str]:
    """What a table calls categories, brands and tax classes."""
    categories = await work.execute(
        sa.select(Category.id, Category.name, Category.path).where(Category.business_id == work.business_id)
    )
    brands = await work.execute(sa.select(Brand.id, Brand.name).where(Brand.business_id == work.business_id))
    classes = {id_: code for code, id_ in (await classes_by_code(work)).items()}
    return {None: "", **category_paths(categories.all()), **{row.id: row.name for row in brands.all()}, **classes}


def _cells(
    work: Work, row: Any, names: dict[UUID | None, str], codes: list[str], fields: Sequence[Field]
) -> dict[str, Any]:
    said = {name: getattr(row, name) for name in COLUMNS if hasattr(row, name)}
    for name in ("price", "wholesale_price", _COST, "mrp"):
        if said[name] is not None:
            said[name] = format_price(said[name], work.shop.exponent)
    if row.min_stock is not None:
        said["min_stock"] = format_micro(row.min_stock)
    return (
        said
        | cells_of(row.custom, fields)
        | {
            "category": names[row.category_id],
            "brand": names[row.brand_id],
            "tax_class": names[row.tax_class_id],
            "tags": "; ".join(row.tags),
            "barcodes": joined_codes(codes),
        }
    )
