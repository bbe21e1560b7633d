"""Products, categories, brands, barcodes, packs and prices."""

from kernel.plugin import Permission, Picture, Plugin

PLUGIN = Plugin(
    name="catalog",
    version="0.1.0",
    title="Catalog",
    summary="Products, categories, brands, barcodes, packs and prices.",
    depends=("taxes>=0.1",),
    optional=("console>=0.1",),
    permissions=(
        Permission("catalog.see", "See products and prices"),
        Permission("catalog.edit", "Add and change products, categories and brands"),
        Permission("catalog.prices", "Set prices on price lists, plan prices and change many at once"),
        Permission("catalog.import", "Take in tables of products"),
        Permission("catalog.see_cost", "See cost prices and margins"),
    ),
    grants={
        "manager": (
            "catalog.see",
            "catalog.edit",
            "catalog.prices",
            "catalog.import",
            "catalog.see_cost",
        ),
        "accountant": (
            "catalog.see",
            "catalog.see_cost",
        ),
        "cashier": ("catalog.see",),
        "stock_keeper": (
            "catalog.see",
            "catalog.edit",
            "catalog.import",
            "catalog.see_cost",
        ),
    },
    pictures=(Picture("pictures/products.webp", "Products with prices, stock and whether they are on sale"),),
)
