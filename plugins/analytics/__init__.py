"""Reports of what was sold: by day, hour, product, cashier, place and way of paying; the cards of the dashboard."""

from kernel.plugin import Permission, Picture, Plugin

PLUGIN = Plugin(
    name="analytics",
    version="0.1.0",
    title="Reports",
    summary="What was sold, by day, hour, product, cashier, place and way of paying.",
    depends=("payments>=0.2", "sales>=0.1"),
    optional=("console>=0.1",),
    permissions=(Permission("analytics.see", "See reports of what was sold"),),
    grants={"manager": ("analytics.see",), "accountant": ("analytics.see",)},
    pictures=(Picture("pictures/reports.webp", "What was sold, day by day"),),
)
