"""The lists of catalog, with the columns that their pages have."""

from __future__ import annotations

from typing import Final

from plugins.console.api import Heading, Listing

PRODUCTS: Final = Listing(
    "catalog.products",
    (
        Heading("name", "Product", sort="name"),
        Heading("sku", "SKU", sort="sku"),
        Heading("price", "Price", "number"),
        Heading("state", "State"),
    ),
)
PRICE_LISTS: Final = Listing(
    "catalog.price_lists",
    (
        Heading("name", "Price list"),
        Heading("for", "For"),
        Heading("prices", "Prices"),
        Heading("span", "In force"),
        Heading("state", "State"),
    ),
)
PRICES: Final = Listing("catalog.prices")
"""Of one price list; their columns stay as they come."""
