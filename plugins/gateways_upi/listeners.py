"""What UPI answers: the gateways that it offers."""

from __future__ import annotations

from collections.abc import Sequence

from kernel.hooks import answers
from plugins.gateways_upi.gateway import Upi
from plugins.payments.api import Gateway


@answers
def payment_gateways() -> Sequence[Gateway]:
    """UPI by the shop's own address."""
    return (Upi(),)
