"""Rows of a table against the catalog as it is: what is new, what changes, what cannot be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import UNSET, Struct

from kernel.custom import Field, custom_fields
from kernel.db import Prepared, among
from kernel.money import parse_micro
from kernel.work import Work
from plugins.catalog.models import Barcode, Brand, Category, Product
from plugins.catalog.rules.goods import fits_unit, ids_on
from plugins.catalog.schemas.goods import ENTITY
from plugins.catalog.services.forms import Fault, Row, Said
from plugins.catalog.services.own_columns import Cells, missing, read_cells, stored_with
from plugins.catalog.services.pricing import product_row
from plugins.taxes.api import classes_by_code

ABOVE = " > "
"""Stands between the names of a category's path: Food > Flour."""
_FIGURES = ("price", "wholesale_price", "cost_price", "mrp", "min_stock")
_DEEPEST = 10
_NAME = re.compile(r"(?![0-9a-f]{8}(-[0-9a-f]{4}){3}-)[^\x00-\x1f\x7f]{1,200}")
"""A category's name that may be made; an id of one that is not here is none."""
_ONCE = ("kind", "unit")
_PLAIN = ("name", "description", "hsn_code", "track_stock", "allow_negative_stock", "is_active", "tags")

_business = sa.bindparam("business_id", type_=sa.Uuid())
_BY_SKU = Prepared(sa.select(*product_row()).where(Product.business_id == _business, among(Product.sku, "skus")))
_OWN_CODES = Prepared(
    sa.select(Barcode.product_id, Barcode.code).where(
        Barcode.business_id == _business, among(Barcode.product_id, "product_ids"), Barcode.pack_id.is_(None)
    )
)
_HOLDERS = Prepared(
    sa.select(Barcode.code, Barcode.product_id, Barcode.pack_id).where(
        Barcode.business_id == _business, among(Barcode.code, "codes")
    )
)


class Shelf(Struct):
    """What tables call by name: categories by path, brands, tax classes by code, fields of the shop's own."""

    categories: dict[str, UUID]
    brands: dict[str, UUID]
    classes: dict[str, UUID]
    fields: tuple[Field, ...]


class Change(Struct, frozen=True):
    """What a row does. product: the row that is there, None for a new one. values: columns that change.

    codes: the barcodes it is to have instead of `had`, where they change.
    """

    row: Row
    product: Any | None
    values: Mapping[str, Any]
    had: frozenset[str] = frozenset()
    codes: frozenset[str] | None = None

    @property
    def kind(self) -> str:
        """created, changed or unchanged."""
        if self.product is None:
            return "created"
        return "changed" if self.values or self.codes is not None else "unchanged"


class Compared(Struct, frozen=True):
    """What some rows do, and what is wrong with the others."""

    changes: list[Change]
    faults: list[Fault]
    refused: int


async def read_shelf(work: Work) -> Shelf:
    """All names that tables may use."""
    rows = await work.execute(
        sa.select(Category.id, Category.name, Category.path).where(Category.business_id == work.business_id)
    )
    brands = await work.execute(sa.select(Brand.name, Brand.id).where(Brand.business_id == work.business_id))
    by_path = {path: id_ for id_, path in category_paths(rows.all()).items()}
    fields = await custom_fields(work, ENTITY)
    return Shelf(by_path, {row.name: row.id for row in brands.all()}, await classes_by_code(work), fields)


def category_paths(rows: Sequence[Any]) -> dict[UUID, str]:
    """Categories (id, name, path) → how a table calls them: by names from the root, or by id where that is unclear."""
    names = {row.id: row.name for row in rows}
    said: dict[UUID, str] = {}
    for row in rows:
        parts = [names[id_] for id_ in reversed(ids_on(row.path))]
        said[row.id] = str(row.id) if any(">" in part for part in parts) else ABOVE.join(parts)
    counted: dict[str, int] = {}
    for path in said.values():
        counted[path] = counted.get(path, 0) + 1
    return {id_: path if counted[path] == 1 else str(id_) for id_, path in said.items()}


def path_parts(said: str) -> list[str]:
    """The names of a category's path, as a table writes it."""
    return [part.strip() for part in said.split(">")]


async def compare(work: Work, rows: Sequence[Row], shelf: Shelf) -> Compared:
    """What rows do. Categories and brands that are not there yet count as if they were."""
    said = [row for row in rows if row.said is not None]
    faults = [fault for row in rows for fault in row.faults]
    skus = [row.said.sku for row in said if row.said]
    products = {one.sku: one for one in await work.fetch(_BY_SKU, skus=skus, at=work.now)}
    had: dict[UUID, set[str]] = {}
    for one in await work.fetch(_OWN_CODES, product_ids=[product.id for product in products.values()]):
        had.setdefault(one.product_id, set()).add(one.code)
    asked = {code for row in said for code in _codes(row.said)}
    holders = {one.code: one for one in await work.fetch(_HOLDERS, codes=sorted(asked))}
    own, wrong_cells = await read_cells(work, said, shelf.fields)
    changes = []
    for row in said:
        assert row.said is not None  # noqa: S101 - chosen so above
        product, cells = products.get(row.said.sku), own.get(row.row, {})
        wrong = [one for one in wrong_cells if one.row == row.row] if wrong_cells else []
        wrong += _faults(row, row.said, product, shelf, holders)
        wrong += missing(row.row, cells, product, shelf.fields) if not wrong else ()
        if wrong:
            faults += wrong
        else:
            changes.append(
                _change(row, row.said, product, shelf, frozenset(had.get(product.id, ()) if product else ()), cells)
            )
    return Compared(changes, faults, len(rows) - len(changes))


def _codes(said: Said | None) -> list[str]:
    return [] if said is None or said.barcodes is UNSET else said.barcodes


def _faults(row: Row, said: Said, product: Any | None, shelf: Shelf, holders: Mapping[str, Any]) -> Iterable[Fault]:
    if product is None:
        for name in ("name", "price"):
            if getattr(said, name) is UNSET:
                yield Fault(row.row, name, f"A new product needs a {name}")
    for name in _ONCE if product is not None else ():
        if getattr(said, name) not in (UNSET, getattr(product, name)):
            yield Fault(row.row, name, f"The {name} of a product stays: {getattr(product, name)}")
    if isinstance(said.tax_class, str) and said.tax_class not in shelf.classes:
        yield Fault(row.row, "tax_class", f"There is no tax class {said.tax_class[:60]}")
    if isinstance(said.category, str) and said.category not in shelf.categories:
        parts = path_parts(said.category)
        if any(not _NAME.fullmatch(part) for part in parts) or len(parts) > _DEEPEST:
            yield Fault(row.row, "category", "Write the names from the root, with > between")
    unit = product.unit if product is not None else ("piece" if said.unit is UNSET else said.unit)
    if isinstance(said.min_stock, str) and not fits_unit(parse_micro(said.min_stock), str(unit)):
        yield Fault(row.row, "min_stock", f"Too many decimals for the unit {unit}")
    kind = product.kind if product is not None else said.kind
    if kind == "service" and said.track_stock is True:
        yield Fault(row.row, "track_stock", "A service has no stock to count")
    for code in _codes(said):
        holder = holders.get(code)
        if holder is not None and (product is None or holder.product_id != product.id or holder.pack_id is not None):
            yield Fault(row.row, "barcodes", f"The barcode {code} is taken")


def _change(row: Row, said: Said, product: Any | None, shelf: Shelf, had: frozenset[str], cells: Cells) -> Change:
    wanted = {name: value for name in _PLAIN if (value := getattr(said, name)) is not UNSET}
    for name in _FIGURES:
        if (value := getattr(said, name)) is not UNSET:
            wanted[name] = None if value is None else parse_micro(value)
    for name, column, known in (
        ("category", "category_id", shelf.categories),
        ("brand", "brand_id", shelf.brands),
        ("tax_class", "tax_class_id", shelf.classes),
    ):
        if (value := getattr(said, name)) is not UNSET:
            wanted[column] = None if value is None else known.get(value, UNSET)
    if cells:
        wanted["custom"] = stored_with(product, cells)
    if product is None:
        return Change(row, None, wanted)
    values = {name: value for name, value in wanted.items() if getattr(product, name) != value}
    codes = None if said.barcodes is UNSET or frozenset(said.barcodes) == had else frozenset(said.barcodes)
    return Change(row, product, values, had, codes)


def names_missing(rows: Iterable[Row], shelf: Shelf) -> tuple[set[str], set[str]]:
    """Categories, by path, and brands that rows name and that are not there."""
    said = [row.said for row in rows if row.said is not None]
    categories = {one.category for one in said if isinstance(one.category, str)} - shelf.categories.keys()
    brands = {one.brand for one in said if isinstance(one.brand, str)} - shelf.brands.keys()
    return categories, brands
