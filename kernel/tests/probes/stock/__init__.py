"""A plugin for the kernel's own tests: tallies, limits, numbered papers, a book."""

from kernel.plugin import Permission, Plugin

PLUGIN = Plugin(
    name="probe_stock",
    version="0.1.0",
    title="Probe stock",
    summary="Tallies, limits, numbered papers and a book, for the kernel's own tests.",
    permissions=(
        Permission("probe_stock.see", "See stock"),
        Permission("probe_stock.take", "Take stock"),
    ),
    grants={"manager": ("probe_stock.see", "probe_stock.take"), "cashier": ("probe_stock.see",)},
)
