"""Builders for other plugins' tests: products that go through the use cases."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec import convert

from kernel.testing.box import Box
from kernel.work import Work
from plugins.catalog.schemas.goods import BrandIn, CategoryIn, ProductIn
from plugins.catalog.services.products import add_product
from plugins.catalog.services.shelves import add_brand, add_category

MUCH_WANTED = {"min_stock": "9999999"}
"""Of a product that is always short."""


async def a_product(
    where: Box | Work, sku: str = "RICE-2KG", price: str = "380.00", *, shop: str = "mama-njeri", **fields: Any
) -> UUID:
    """Add a product and return its id: inside a deed, given its work, or in a deed of its own, given the box.

    fields: any of a product's, as on the wire; its name is the SKU unless given.
    """
    data = convert({"name": sku, "sku": sku, "price": price, **fields}, ProductIn)
    if isinstance(where, Work):
        return (await add_product(where, data)).id
    return await where.act(lambda work: a_product(work, sku, price, **fields), shop=shop)


async def a_category(
    where: Box | Work, name: str = "Food", *, parent_id: UUID | None = None, shop: str = "mama-njeri"
) -> UUID:
    """Add a category and return its id."""
    if isinstance(where, Work):
        return (await add_category(where, CategoryIn(name=name, parent_id=parent_id))).id
    return await where.act(lambda work: a_category(work, name, parent_id=parent_id), shop=shop)


async def a_brand(where: Box | Work, name: str = "Kilele", *, shop: str = "mama-njeri") -> UUID:
    """Add a brand and return its id."""
    if isinstance(where, Work):
        return (await add_brand(where, BrandIn(name=name))).id
    return await where.act(lambda work: a_brand(work, name), shop=shop)


async def fill(box: Box, shop: str, own: dict[str, str]) -> None:
    """Categories, brands, and two products with barcodes that are sold whether they are in stock or not."""
    own["parent_id"] = str(await a_category(box, "Goods", shop=shop))
    own["category_id"] = str(await a_category(box, "Food", parent_id=UUID(own["parent_id"]), shop=shop))
    for brand in ("Kilele", "Bonde"):
        own["brand_id"] = str(await a_brand(box, brand, shop=shop))
    for name, sku in (("other_product_id", "MAIZE-2KG"), ("product_id", "RICE-5KG")):
        placed: dict[str, Any] = {
            "category_id": own["category_id"],
            "brand_id": own["brand_id"],
            "barcodes": [f"BAR-{sku}"],
        }
        own[name] = str(await a_product(box, sku, shop=shop, allow_negative_stock=True, **placed, **MUCH_WANTED))
        own["barcode"] = own["code"] = f"BAR-{sku}"
