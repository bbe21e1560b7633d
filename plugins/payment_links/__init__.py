"""Payment links: a page and a code by which a customer who is not in the shop pays."""

from kernel.plugin import Plugin

PLUGIN = Plugin(
    name="payment_links",
    version="0.1.0",
    title="Payment links",
    summary="Payment links: a page and a code by which a customer who is not in the shop pays.",
    depends=("payments>=0.2",),
)
