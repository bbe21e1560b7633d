"""The gateways of UPI: by the shop's own address, and by Razorpay."""

from plugins.gateways_upi.gateway.upi import Upi

__all__ = ["Upi"]
