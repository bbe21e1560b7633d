"""The demo's goods: categories, brands and some 170 products with packs and barcodes, from data/demo_<region>.json."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import UUID

import msgspec

from kernel.work import Work
from plugins.catalog.schemas.goods import BrandIn, CategoryIn, PackIn, ProductIn, Unit
from plugins.catalog.schemas.prices import PriceListIn
from plugins.catalog.services.price_edits import changed_price
from plugins.catalog.services.price_rows import add_price_list
from plugins.catalog.services.products import add_products
from plugins.catalog.services.shelves import add_brand, add_category
from plugins.taxes.api import classes_by_code


class Shelf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A category of the demo; `parent` is the code of one before it."""

    code: str
    name: str
    parent: str | None


class DemoPack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pack of a demo product."""

    name: str
    factor: str
    barcode: str
    price: str


class DemoProduct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A demo product; `weight` says how often it is sold, category, brand and tax class are codes and names."""

    sku: str
    name: str
    category: str
    brand: str | None
    unit: Unit
    price: str
    wholesale_price: str
    cost_price: str
    barcodes: list[str]
    tax_class: str
    hsn_code: str | None
    mrp: str | None
    min_stock: str | None
    opening_stock: str | None
    weight: int
    packs: list[DemoPack]
    track_stock: bool


class DemoBook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All the goods of a demo business."""

    categories: list[Shelf]
    brands: list[str]
    products: list[DemoProduct]


@cache
def book_of(region: str) -> DemoBook:
    """The goods of a region's demo business. Read once in a process."""
    file = files("plugins.catalog") / "data" / f"demo_{region}.json"
    return msgspec.json.decode(file.read_bytes(), type=DemoBook)


async def seed(demo: Any) -> None:
    """Stock the shelves in one deed; leaves in `demo.notes["products"]` what inventory and sales go on with.

    Each note: id, sku, price, cost and opening_stock as decimal strings, weight, unit, track_stock.
    """
    book = book_of(demo.region)
    ids: dict[str, UUID] = await demo.act(lambda work: _stock_shelves(work, book), role="owner")
    demo.notes["products"] = [
        {
            "id": ids[one.sku],
            "sku": one.sku,
            "price": one.price,
            "cost": one.cost_price,
            "opening_stock": one.opening_stock,
            "weight": one.weight,
            "unit": one.unit,
            "track_stock": one.track_stock,
        }
        for one in book.products
    ]


async def _stock_shelves(work: Work, book: DemoBook) -> dict[str, UUID]:
    shelves: dict[str, UUID] = {}
    for shelf in book.categories:
        parent = shelves[shelf.parent] if shelf.parent else None
        shelves[shelf.code] = (await add_category(work, CategoryIn(name=shelf.name, parent_id=parent))).id
    brands = {name: (await add_brand(work, BrandIn(name=name))).id for name in book.brands}
    classes = await classes_by_code(work)
    made = await add_products(work, [_product(one, shelves, brands, classes) for one in book.products])
    wholesale = {row.id: one for row, one in zip(made, book.products, strict=True) if one.unit == "piece"}
    goods = {id_: changed_price(one.wholesale_price, "-3", "0.5") for id_, one in wholesale.items()}
    await add_price_list(work, PriceListIn(name="Dealers", channel="wholesale"), goods, min_quantity="24")
    return {row.sku: row.id for row in made}


def _product(
    one: DemoProduct, shelves: Mapping[str, UUID], brands: Mapping[str, UUID], classes: Mapping[str, UUID]
) -> ProductIn:
    return ProductIn(
        sku=one.sku,
        name=one.name,
        kind="goods" if one.track_stock else "service",
        unit=one.unit,
        price=one.price,
        wholesale_price=one.wholesale_price,
        cost_price=one.cost_price,
        mrp=one.mrp,
        category_id=shelves[one.category],
        brand_id=brands[one.brand] if one.brand else None,
        tax_class_id=classes[one.tax_class],
        hsn_code=one.hsn_code,
        min_stock=one.min_stock,
        track_stock=one.track_stock,
        barcodes=list(one.barcodes),
        packs=[
            PackIn(name=pack.name, factor=pack.factor, price=pack.price, barcode=pack.barcode) for pack in one.packs
        ],
    )
