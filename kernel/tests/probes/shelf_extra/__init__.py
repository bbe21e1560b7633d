"""A plugin for the kernel's own tests whose name begins with that of another, which it does not stand on."""

from kernel.plugin import Plugin

PLUGIN = Plugin(
    name="probe_shelf_extra",
    version="0.1.0",
    title="Probe shelf extra",
    summary="A neighbour, for the kernel's own tests.",
)
