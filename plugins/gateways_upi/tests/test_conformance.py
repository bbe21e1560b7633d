"""What holds for every gateway holds for Razorpay: the fault cases of the trade, against its simulator.

All of them on both databases as a proof; in usual runs those that only a provider which signs can show.
"""

from __future__ import annotations

import pytest

from plugins.payments.testing.kit import GatewaySuite, Staged


@pytest.mark.prove
class TestRazorpay(GatewaySuite):
    plugin = "gateways_upi"
    gateway = "razorpay"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
class TestSigned(Staged):
    plugin = "gateways_upi"
    gateway = "razorpay"

    test_01 = GatewaySuite.test_01_a_payment_is_made_and_its_notice_comes
    test_08 = GatewaySuite.test_08_bad_news_then_money
    test_11_to_14 = GatewaySuite.test_11_to_14_a_notice_that_is_not_what_was_signed
    test_15 = GatewaySuite.test_15_the_secret_changes
    test_52 = GatewaySuite.test_52_a_payment_wins_over_being_called_back
