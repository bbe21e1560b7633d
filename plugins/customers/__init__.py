"""People and companies a business sells to."""

from kernel.plugin import Permission, Plugin

PLUGIN = Plugin(
    name="customers",
    version="0.1.0",
    title="Customers",
    summary="People and companies a business sells to.",
    optional=("catalog>=0.1", "console>=0.1", "payment_links>=0.1"),
    permissions=(
        Permission("customers.see", "See customers"),
        Permission("customers.edit", "Add and change customers"),
        Permission("customers.export_person", "Hand out everything known about a customer"),
        Permission("customers.erase", "Erase a customer's personal data for good"),
    ),
    grants={
        "manager": (
            "customers.see",
            "customers.edit",
        ),
        "accountant": ("customers.see",),
        "cashier": (
            "customers.see",
            "customers.edit",
        ),
    },
)
