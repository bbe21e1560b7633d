"""Reconciliation: what the till took held against what providers and banks say, line by line and day by day."""

from kernel.plugin import Limit, Permission, Plugin

PLUGIN = Plugin(
    name="reconciliation",
    version="0.1.0",
    title="Reconciliation",
    summary="What the till took held against what providers and banks say, line by line and day by day.",
    depends=("payments>=0.2",),
    optional=("console>=0.1",),
    permissions=(
        Permission("reconciliation.see", "See statements, differences and daily reports"),
        Permission("reconciliation.manage", "Say who states money, fetch statements and take in files of them"),
        Permission("reconciliation.resolve", "Decide about differences between books and statements"),
        Permission("reconciliation.write_off", "Write differences off"),
        Permission("reconciliation.bank", "Note cash that is taken to the bank"),
    ),
    limits=(
        Limit(
            "reconciliation.write_off_amount",
            "Most money of one difference to write off",
            unit="amount",
            bounds="reconciliation.write_off",
            defaults={"manager": None, "accountant": "1000"},
        ),
    ),
    grants={
        "manager": (
            "reconciliation.see",
            "reconciliation.manage",
            "reconciliation.resolve",
            "reconciliation.write_off",
            "reconciliation.bank",
        ),
        "accountant": (
            "reconciliation.see",
            "reconciliation.manage",
            "reconciliation.resolve",
            "reconciliation.write_off",
            "reconciliation.bank",
        ),
    },
)
