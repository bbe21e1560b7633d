"""UPI: QR codes and links to pay by, proved by a provider, by a bank statement or by hand."""

from kernel.plugin import Plugin

PLUGIN = Plugin(
    name="gateways_upi",
    version="0.1.0",
    title="UPI",
    summary="UPI: QR codes and links to pay by, proved by a provider, by a bank statement or by hand.",
    depends=("payments>=0.2",),
    hosts=("api.razorpay.com",),
    regions=("IN",),
)
