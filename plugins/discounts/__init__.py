"""Promotions and coupons that lower prices by rule."""

from kernel.plugin import Permission, Picture, Plugin

PLUGIN = Plugin(
    name="discounts",
    version="0.1.0",
    title="Discounts",
    summary="Promotions and coupons that lower prices by rule.",
    depends=(
        "sales>=0.1",
        "catalog>=0.1",
        "customers>=0.1",
    ),
    optional=("console>=0.1",),
    permissions=(
        Permission("discounts.see", "See promotions"),
        Permission("discounts.edit", "Add and change promotions, make coupons"),
        Permission("discounts.coupons", "See coupons with their codes"),
    ),
    grants={
        "manager": (
            "discounts.see",
            "discounts.edit",
            "discounts.coupons",
        ),
        "accountant": ("discounts.see",),
        "cashier": ("discounts.see",),
    },
    pictures=(Picture("pictures/promotions.webp", "Promotions that lower prices by rule and by time"),),
)
