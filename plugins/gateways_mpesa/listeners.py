"""What M-PESA answers: the one gateway that it offers."""

from __future__ import annotations

from collections.abc import Sequence

from kernel.hooks import answers
from plugins.gateways_mpesa.gateway import Mpesa
from plugins.payments.api import Gateway


@answers
def payment_gateways() -> Sequence[Gateway]:
    """M-PESA."""
    return (Mpesa(),)
