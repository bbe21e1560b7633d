"""Tax classes with dated rates by region, and the region packs."""

from kernel.plugin import Permission, Plugin

PLUGIN = Plugin(
    name="taxes",
    version="0.1.0",
    title="Taxes",
    summary="Tax classes with dated rates by region, and the region packs.",
    optional=("console>=0.1",),
    permissions=(
        Permission("taxes.see", "See tax classes and rates"),
        Permission("taxes.edit", "Change tax classes and rates"),
        Permission("taxes.exempt", "See and set what relieves a customer of tax"),
    ),
    grants={
        "manager": (
            "taxes.see",
            "taxes.edit",
            "taxes.exempt",
        ),
        "accountant": (
            "taxes.see",
            "taxes.edit",
            "taxes.exempt",
        ),
        "cashier": ("taxes.see",),
        "stock_keeper": ("taxes.see",),
    },
    settings="schemas:Settings",
)
