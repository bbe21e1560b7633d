"""Agent float: the cash and e-float of a mobile-money agent, line by line and day by day."""

from kernel.plugin import Plugin

PLUGIN = Plugin(
    name="agent_float",
    version="0.1.0",
    title="Agent float",
    summary="Agent float: the cash and e-float of a mobile-money agent, line by line and day by day.",
)
