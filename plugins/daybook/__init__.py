"""Every document and money event of a business day, in order."""

from kernel.plugin import Permission, Plugin

PLUGIN = Plugin(
    name="daybook",
    version="0.1.0",
    title="Day book",
    summary="Every document and money event of a business day, in order.",
    depends=(
        "sales>=0.1",
        "payments>=0.1",
    ),
    optional=("console>=0.1", "reconciliation>=0.1"),
    permissions=(
        Permission("daybook.see", "See the day book"),
        Permission("daybook.expense", "Note expenses"),
    ),
    grants={
        "manager": (
            "daybook.see",
            "daybook.expense",
        ),
        "accountant": (
            "daybook.see",
            "daybook.expense",
        ),
        "cashier": ("daybook.expense",),
    },
)
