"""Builders for other plugins' tests: products that go through the use cases."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import convert

from kernel.money import parse_micro
from kernel.testing.box import Box
from kernel.work import Work
from plugins.catalog.models import PriceList
from plugins.catalog.schemas.edits import ProductsEdit
from plugins.catalog.schemas.goods import BrandIn, CategoryIn, ProductIn
from plugins.catalog.schemas.prices import PriceListIn
from plugins.catalog.services.lookup import sellables
from plugins.catalog.services.price_lists import add_list
from plugins.catalog.services.price_rows import Key, Wanted, set_prices
from plugins.catalog.services.product_edits import apply_edit
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
    for code in ("1005", "1006"):
        own["product_edit_id"] = str(await an_edit(box, UUID(own["product_id"]), {"hsn_code": code}, shop=shop))
    for name in ("Shelf", "Dealers"):
        price_list = await a_price_list(box, name, channel="wholesale", shop=shop)
        await prices_on(box, price_list, UUID(own["product_id"]), "370.00", min_quantity="10", shop=shop)
        own["price_list_id"] = own["based_on_id"] = str(price_list)


async def an_edit(box: Box, product_id: UUID, change: dict[str, Any], *, shop: str = "mama-njeri") -> UUID:
    """Change a product as one of many and return the id of the edit. change: as on the wire."""

    async def run(work: Work) -> UUID:
        said = {"products": [{"product_id": product_id, "version": 1}], "change": change, "regardless": True}
        return (await apply_edit(work, convert(said, ProductsEdit))).id

    return await box.act(run, shop=shop)


async def a_price_list(box: Box, name: str = "Everybody", *, shop: str = "mama-njeri", **said: Any) -> UUID:
    """Add a price list and return its id. said: for whom and when it is, as on the wire."""

    async def run(work: Work) -> UUID:
        return (await add_list(work, PriceListIn(name=name, **said))).id

    return await box.act(run, shop=shop)


async def a_listed_price(
    box: Box, name: str, price: str, *, product_id: UUID, barcode: str | None = None, shop: str = "mama-njeri"
) -> None:
    """Let a product, or the pack of a barcode, have a price on the list of a name; the list is made where it is not."""

    async def known(work: Work) -> tuple[UUID | None, UUID | None]:
        lists = await work.execute(
            sa.select(PriceList.id).where(PriceList.business_id == work.business_id, PriceList.name == name)
        )
        found = await sellables(work, [], [barcode] if barcode else [])
        pack = found.by_barcode[barcode].pack if barcode else None
        return lists.scalar_one_or_none(), pack.id if pack else None

    list_id, pack_id = await box.act(known, shop=shop)
    list_id = list_id or await a_price_list(box, name, shop=shop)
    await prices_on(box, list_id, product_id, price, shop=shop, pack_id=pack_id)


async def prices_on(
    box: Box, price_list_id: UUID, product_id: UUID, price: str, *, shop: str = "mama-njeri", **said: Any
) -> None:
    """Set a price of a product on a list. said: min_quantity, pack_id, starts_at."""

    async def run(work: Work) -> None:
        row = await work.get(PriceList, price_list_id, to_change=True)
        key = Key(product_id, said.get("pack_id"), parse_micro(said.get("min_quantity", "0")))
        await set_prices(work, row, [Wanted(key, parse_micro(price), said.get("starts_at", work.now))])

    await box.act(run, shop=shop)
