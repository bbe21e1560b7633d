"""A plugin for the kernel's own tests: books that the law wants kept, notes that may go."""

from kernel.plugin import Permission, Plugin

PLUGIN = Plugin(
    name="probe_shelf",
    version="0.2.0",
    title="Probe shelf",
    summary="Papers that are kept, notes that go, for the kernel's own tests.",
    depends=("probe_stock>=0.1",),
    permissions=(Permission("probe_shelf.see", "See the shelf"),),
    fiscal=("probe_shelf_paper", "probe_shelf_line"),
)
