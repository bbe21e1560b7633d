"""M-PESA: prompts, till and PayBill payments, reversals and payouts, by Safaricom's Daraja."""

from kernel.plugin import Plugin

PLUGIN = Plugin(
    name="gateways_mpesa",
    version="0.1.0",
    title="M-PESA",
    summary="M-PESA: prompts, till and PayBill payments, reversals and payouts, by Safaricom's Daraja.",
    depends=("payments>=0.2",),
    hosts=("api.safaricom.co.ke", "sandbox.safaricom.co.ke"),
    regions=("KE",),
)
