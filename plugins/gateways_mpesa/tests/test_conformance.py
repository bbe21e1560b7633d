"""What holds for every gateway holds for M-PESA: the fault cases of the trade, against its simulator.

In usual runs on one database, and without the cases in which payments alone decides: what they prove of those is proved
there, on a gateway that can do everything.
"""

from __future__ import annotations

import pytest

from plugins.payments.testing.kit import GatewaySuite

PAYMENTS_ALONE = (
    "test_06_the_same_notice_comes_twenty_times_at_once",
    "test_17_a_genuine_notice_comes_again_a_day_later",
    "test_34_two_ask_for_the_same_document_at_once",
    "test_41_the_provider_is_away_for_an_hour",
    "test_42_it_stays_pending_for_half_an_hour_and_is_paid",
    "test_45_it_is_asked_about_at_its_times_and_no_oftener",
    "test_50_51_money_comes_for_what_is_over",
    "test_55_refunds_at_once_never_exceed_what_came",
    "test_65_the_answer_to_a_notice_gets_lost",
    "test_67_a_notice_is_answered_before_it_is_read",
    "test_74_the_gateway_is_switched_off_with_payments_under_way",
    "test_80_secrets_are_never_shown",
)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
class TestGateway(GatewaySuite):
    plugin = "gateways_mpesa"


for case in PAYMENTS_ALONE:
    assert hasattr(GatewaySuite, case), case
    setattr(TestGateway, case, None)


@pytest.mark.prove
class TestGatewayAtLength(GatewaySuite):
    plugin = "gateways_mpesa"
    askers = 50
