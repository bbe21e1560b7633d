"""A plugin that stands on the probe's stock, for the kernel's own tests."""

from kernel.plugin import Permission, Plugin

PLUGIN = Plugin(
    name="probe_till",
    version="0.1.0",
    title="Probe till",
    summary="Stands on the probe's stock, listens to it, and does things on time.",
    depends=("probe_stock>=0.1",),
    permissions=(Permission("probe_till.open", "Open the drawer"),),
    grants={"cashier": ("probe_till.open",)},
)
