"""What holds for every gateway holds for Razorpay: the fault cases of the trade, against its simulator.

In usual runs on one database: what they prove of the databases they prove of any gateway.
"""

from __future__ import annotations

import pytest

from plugins.payments.testing.kit import GatewaySuite


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
class TestRazorpay(GatewaySuite):
    plugin = "gateways_upi"
    gateway = "razorpay"


@pytest.mark.prove
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
class TestRazorpayOnPostgres(GatewaySuite):
    plugin = "gateways_upi"
    gateway = "razorpay"
