"""People and companies a business sells to."""

from kernel.plugin import Permission, Plugin

PLUGIN = Plugin(
    name="customers",
    version="0.1.0",
    title="Customers",
    summary="People and companies a business sells to.",
    permissions=(
        Permission("customers.see", "See customers"),
        Permission("customers.edit", "Add and change customers"),
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
    personal_data=(
        "customers_customer.name",
        "customers_customer.phone",
        "customers_customer.email",
        "customers_customer.tax_number",
        "customers_customer.address",
        "customers_customer.note",
        "customers_customer.search",
    ),
)
