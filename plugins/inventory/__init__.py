"""Stock per location, and every move of it."""

from kernel.plugin import Permission, Picture, Plugin

PLUGIN = Plugin(
    name="inventory",
    version="0.1.0",
    title="Inventory",
    summary="Stock per location, and every move of it.",
    depends=("catalog>=0.1",),
    optional=("sales>=0.1", "console>=0.1"),
    permissions=(
        Permission("inventory.see", "See stock"),
        Permission("inventory.receive", "Take goods in"),
        Permission("inventory.adjust", "Correct stock"),
        Permission("inventory.oversell", "Let stock go below zero"),
    ),
    grants={
        "manager": (
            "inventory.see",
            "inventory.receive",
            "inventory.adjust",
            "inventory.oversell",
        ),
        "accountant": ("inventory.see",),
        "cashier": ("inventory.see",),
        "stock_keeper": (
            "inventory.see",
            "inventory.receive",
            "inventory.adjust",
        ),
    },
    pictures=(Picture("pictures/stock.webp", "Stock of each product at each place"),),
)
