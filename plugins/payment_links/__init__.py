"""Payment links: a page and a code by which a customer who is not in the shop pays."""

from kernel.plugin import Permission, Plugin

PLUGIN = Plugin(
    name="payment_links",
    version="0.1.0",
    title="Payment links",
    summary="Payment links: a page and a code by which a customer who is not in the shop pays.",
    depends=("payments>=0.2",),
    optional=("console>=0.1",),
    permissions=(
        Permission("payment_links.see", "See payment links and who has paid"),
        Permission("payment_links.make", "Make payment links and send them again"),
        Permission("payment_links.cancel", "Cancel payment links"),
    ),
    grants={
        "manager": ("payment_links.see", "payment_links.make", "payment_links.cancel"),
        "accountant": ("payment_links.see",),
        "cashier": ("payment_links.see", "payment_links.make"),
    },
    settings="schemas.settings:Settings",
    begins=("make_link",),
)
