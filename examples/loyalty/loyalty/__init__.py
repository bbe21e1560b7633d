"""Points for regular customers: earned with every sale, spent on later ones."""

from kernel.plugin import Permission, Plugin

PLUGIN = Plugin(
    name="loyalty",
    version="1.0.0",
    title="Loyalty",
    summary="Points for regular customers.",
    depends=("catalog>=0.1", "customers>=0.1", "sales>=0.1"),
    optional=("console>=0.1",),
    permissions=(Permission("loyalty.see", "See customers' points"),),
    grants={"manager": ("loyalty.see",), "cashier": ("loyalty.see",)},
    settings="schemas:Settings",
)
