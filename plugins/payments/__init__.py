"""Money in and money out, by any method."""

from kernel.plugin import Limit, Permission, Picture, Plugin

PLUGIN = Plugin(
    name="payments",
    version="0.2.0",
    title="Payments",
    summary="Money in and money out, by any method.",
    optional=("console>=0.1",),
    permissions=(
        Permission("payments.see", "See payments and refunds"),
        Permission("payments.refund", "Give money back"),
        Permission("payments.confirm", "Say that awaited money has come"),
        Permission("payments.confirm_by_hand", "Say that money has come which no provider tells of, by its number"),
        Permission("payments.ask", "Ask a provider how a payment stands"),
        Permission("payments.request", "Send a request for money again, or call it back"),
        Permission("payments.manage_accounts", "Open, change and try accounts at payment gateways"),
        Permission("payments.dismiss", "Set incoming money aside that is no sale's"),
        Permission("payments.review", "Decide about money that came late, twice or in another amount"),
    ),
    limits=(
        Limit(
            "payments.refund_amount",
            "Most money to give back of one payment by hand",
            unit="amount",
            bounds="payments.refund",
            defaults={"manager": None},
        ),
        Limit(
            "payments.confirmed_amount",
            "Most money to say has come, of one payment, by its number alone",
            unit="amount",
            bounds="payments.confirm_by_hand",
            defaults={"manager": None, "accountant": None, "cashier": "5000"},
        ),
    ),
    grants={
        "manager": (
            "payments.see",
            "payments.refund",
            "payments.confirm",
            "payments.confirm_by_hand",
            "payments.ask",
            "payments.request",
            "payments.dismiss",
            "payments.review",
        ),
        "accountant": (
            "payments.see",
            "payments.confirm",
            "payments.confirm_by_hand",
            "payments.ask",
            "payments.dismiss",
            "payments.review",
        ),
        "cashier": ("payments.see", "payments.ask", "payments.request", "payments.confirm_by_hand"),
    },
    settings="schemas.settings:Settings",
    pictures=(
        Picture("pictures/payments.webp", "Payments with how, where and when they came"),
        Picture("pictures/gateways.webp", "Payment gateways and the accounts that take money"),
    ),
)
