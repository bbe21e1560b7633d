"""Catalog in the console: products with all that belongs to them, what sorts them, tables in and out, price lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kernel.hooks import answers
from plugins.catalog.with_console.goods import find_products, read_list, read_new, read_one
from plugins.catalog.with_console.lists import PRICE_LISTS, PRODUCTS
from plugins.catalog.with_console.lists import PRICES as PRICES_OF_A_LIST
from plugins.catalog.with_console.many import read_many
from plugins.catalog.with_console.narrowing import read_filters
from plugins.catalog.with_console.prices import read_edit, read_price_list, read_price_lists
from plugins.catalog.with_console.sorting import read_brand, read_brands, read_categories, read_category
from plugins.catalog.with_console.tables import read_import, read_imports
from plugins.catalog.with_console.undoing import read_deed, read_edits, read_undo
from plugins.console.api import Block, Find, Nav, Page

SEE: Final = "catalog.see"
EDIT: Final = "catalog.edit"
PRICES: Final = "catalog.prices"
IMPORT: Final = "catalog.import"


@answers
def console_nav() -> Sequence[Nav]:
    """Where the goods and their prices are."""
    return (
        Nav("goods", "Products", "/catalog/products", "package", SEE, order=10),
        Nav("goods", "Categories", "/catalog/categories", "folder-tree", SEE, order=12),
        Nav("goods", "Price lists", "/catalog/price-lists", "tags", SEE, order=14),
    )


@answers
def console_pages() -> Sequence[Page]:
    """Products, categories and brands, tables of products, prices."""
    return (
        Page("/products", "console/products.html", "Products", SEE, read_list, lists=PRODUCTS),
        Page("/products/filters", "console/products_filters.html", "Filters", SEE, read_filters),
        Page("/products/edit", "console/products_edit.html", "Change many products", EDIT, read_many),
        Page("/edits", "console/edits.html", "Changed lately", EDIT, read_edits),
        Page("/edits/{product_edit_id}", "console/edit_undo.html", "Undo a change", EDIT, read_undo),
        Page("/products/new", "console/product.html", "New product", EDIT, read_new),
        Page("/products/{product_id}", "console/product.html", "Product", SEE, read_one, subject="product"),
        Page("/categories", "console/categories.html", "Categories", SEE, read_categories),
        Page("/categories/{id}", "console/category.html", "Category", EDIT, read_category, subject="category"),
        Page("/brands", "console/brands.html", "Brands", SEE, read_brands),
        Page("/brands/{id}", "console/brand.html", "Brand", EDIT, read_brand, subject="brand"),
        Page("/imports", "console/imports.html", "Import and export", IMPORT, read_imports),
        Page("/imports/{id}", "console/import.html", "Import", IMPORT, read_import, subject="import"),
        Page("/price-lists", "console/price_lists.html", "Price lists", SEE, read_price_lists, lists=PRICE_LISTS),
        Page(
            "/price-lists/{id}",
            "console/price_list.html",
            "Price list",
            SEE,
            read_price_list,
            subject="price_list",
            lists=PRICES_OF_A_LIST,
        ),
        Page("/price-edits", "console/price_edit.html", "Change many prices", PRICES, read_edit),
    )


@answers
def console_blocks() -> Sequence[Block]:
    """Undo, in the trail."""
    return (Block("console.deed", "undo", "console/deed_undo.html", read_deed, EDIT),)


@answers
def console_finds() -> Sequence[Find]:
    """Products by words, SKU or barcode."""
    return (Find("products", "Products", "package", find_products, SEE, order=10),)
