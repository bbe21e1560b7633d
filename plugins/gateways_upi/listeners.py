"""What UPI answers: the gateways that it offers."""

from __future__ import annotations

from collections.abc import Sequence

from kernel.hooks import answers
from plugins.gateways_upi.gateway.razorpay import Razorpay
from plugins.gateways_upi.gateway.upi import Upi
from plugins.payments.api import Gateway


@answers
def payment_gateways() -> Sequence[Gateway]:
    """The gateways for UPI."""
    return (Upi(), Razorpay())
