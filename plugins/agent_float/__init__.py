"""Agent float: the cash and e-float of a mobile-money agent, line by line and day by day."""

from kernel.plugin import Limit, Permission, Plugin

PLUGIN = Plugin(
    name="agent_float",
    version="0.1.0",
    title="Agent float",
    summary="Agent float: the cash and e-float of a mobile-money agent, line by line and day by day.",
    optional=("console>=0.1",),
    permissions=(
        Permission("agent_float.see", "See agent lines, what moved on them and how their days ended"),
        Permission("agent_float.serve", "Take deposits and pay withdrawals out"),
        Permission("agent_float.move", "Move money between lines, and note commission"),
        Permission("agent_float.close", "Count the lines and close the day"),
        Permission("agent_float.reverse", "Take back what was noted wrongly"),
        Permission("agent_float.manage", "Open and change lines, put capital in and take it out"),
    ),
    limits=(
        Limit(
            "agent_float.variance_amount",
            "Largest difference on one line to close a day with",
            unit="amount",
            bounds="agent_float.close",
            defaults={"manager": None},
        ),
    ),
    grants={
        "manager": (
            "agent_float.see",
            "agent_float.serve",
            "agent_float.move",
            "agent_float.close",
            "agent_float.reverse",
            "agent_float.manage",
        ),
        "accountant": ("agent_float.see",),
        "cashier": ("agent_float.see", "agent_float.serve", "agent_float.move", "agent_float.close"),
    },
    fiscal=("agent_float_line", "agent_float_transaction", "agent_float_entry", "agent_float_closing"),
)
