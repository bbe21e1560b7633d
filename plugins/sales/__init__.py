"""Registers, carts, checkout and voids."""

from kernel.plugin import Permission, Plugin

PLUGIN = Plugin(
    name="sales",
    version="0.1.0",
    title="Sales",
    summary="Registers, carts, checkout and voids.",
    depends=(
        "taxes>=0.1",
        "catalog>=0.1",
        "customers>=0.1",
        "payments>=0.1",
    ),
    permissions=(
        Permission("sales.complete", "Ring up sales"),
        Permission("sales.see", "See sales"),
        Permission("sales.void", "Take back a sale of the same day"),
        Permission("sales.discount", "Give discounts by hand"),
        Permission("sales.override_price", "Set a price by hand"),
        Permission("sales.import", "Bring in sales of the past"),
        Permission("sales.registers", "Add and change registers"),
    ),
    grants={
        "manager": (
            "sales.complete",
            "sales.see",
            "sales.void",
            "sales.discount",
            "sales.override_price",
            "sales.import",
            "sales.registers",
        ),
        "accountant": ("sales.see",),
        "cashier": (
            "sales.complete",
            "sales.see",
            "sales.discount",
        ),
    },
)
