"""What other plugins may use of catalog: products for a cart, their names, facts for stock-keeping, units, barcodes."""

from __future__ import annotations

from plugins.catalog.rules.goods import UNIT_DECIMALS, BadBarcode, check_gtin, fits_decimals, fits_unit, plain_tags
from plugins.catalog.rules.prices import Buying, Chosen
from plugins.catalog.schemas.goods import Tag
from plugins.catalog.schemas.prices import PriceListIn
from plugins.catalog.services.facts import Found, ProductName, Sellable, SellablePack, StockFacts
from plugins.catalog.services.finding import surely_fits
from plugins.catalog.services.lookup import (
    known_brands,
    known_categories,
    list_price,
    product_columns,
    product_names,
    sellables,
    stock_facts,
    tracked_products,
)
from plugins.catalog.services.price_edits import changed_price
from plugins.catalog.services.price_rows import add_price_list

__all__ = [
    "UNIT_DECIMALS",
    "BadBarcode",
    "Buying",
    "Chosen",
    "Found",
    "PriceListIn",
    "ProductName",
    "Sellable",
    "SellablePack",
    "StockFacts",
    "Tag",
    "add_price_list",
    "changed_price",
    "check_gtin",
    "fits_decimals",
    "fits_unit",
    "known_brands",
    "known_categories",
    "list_price",
    "plain_tags",
    "product_columns",
    "product_names",
    "sellables",
    "stock_facts",
    "surely_fits",
    "tracked_products",
]
