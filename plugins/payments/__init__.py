"""Money in and money out, by any method."""

from kernel.plugin import Limit, Permission, Plugin

PLUGIN = Plugin(
    name="payments",
    version="0.2.0",
    title="Payments",
    summary="Money in and money out, by any method.",
    permissions=(
        Permission("payments.see", "See payments and refunds"),
        Permission("payments.refund", "Give money back"),
        Permission("payments.confirm", "Say that awaited money has come"),
    ),
    limits=(
        Limit(
            "payments.refund_amount",
            "Most money to give back of one payment by hand",
            unit="amount",
            bounds="payments.refund",
            defaults={"manager": None},
        ),
    ),
    grants={
        "manager": (
            "payments.see",
            "payments.refund",
            "payments.confirm",
        ),
        "accountant": (
            "payments.see",
            "payments.confirm",
        ),
        "cashier": ("payments.see",),
    },
    settings="schemas.settings:Settings",
)
