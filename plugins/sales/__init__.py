"""Registers, carts, checkout and voids."""

from kernel.plugin import Limit, Permission, Picture, Plugin

PLUGIN = Plugin(
    name="sales",
    version="0.1.0",
    title="Sales",
    summary="Registers, carts, checkout and voids.",
    optional=("console>=0.1", "payment_links>=0.1"),
    depends=(
        "taxes>=0.1",
        "catalog>=0.1",
        "customers>=0.1",
        "payments>=0.1",
    ),
    permissions=(
        Permission("sales.complete", "Ring up sales"),
        Permission("sales.see", "See sales"),
        Permission("sales.annotate", "Change what the shop's own fields say of a sale"),
        Permission("sales.void", "Take back a sale of the same day"),
        Permission("sales.discount", "Give discounts by hand"),
        Permission("sales.override_price", "Set a price by hand"),
        Permission("sales.below_cost", "Sell goods for less than they cost"),
        Permission("sales.import", "Bring in sales of the past"),
        Permission("sales.registers", "Add and change registers"),
    ),
    begins=("hold_cart",),
    limits=(
        Limit(
            "sales.discount_percent",
            "Largest discount by hand, of a line and of the whole sale",
            unit="percent",
            bounds="sales.discount",
            defaults={"manager": None, "cashier": "10"},
        ),
        Limit(
            "sales.price_override_percent",
            "How far a price by hand may be from the shop's",
            unit="percent",
            bounds="sales.override_price",
            defaults={"manager": None},
        ),
        Limit(
            "sales.void_amount",
            "Largest sale to take back",
            unit="amount",
            bounds="sales.void",
            defaults={"manager": None},
        ),
    ),
    settings="schemas.settings:Settings",
    grants={
        "manager": (
            "sales.complete",
            "sales.see",
            "sales.annotate",
            "sales.void",
            "sales.discount",
            "sales.override_price",
            "sales.below_cost",
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
    pictures=(Picture("pictures/sell.webp", "Selling: goods to tap or scan, the cart, and what is to pay"),),
)
