"""What tests of plugins that stand on payments are built on: builders of payments, and a line for gateways."""

from plugins.payments.services.hearing import hear
from plugins.payments.testing.builders import (
    A_BILL,
    a_gateway_payment,
    a_payment,
    a_place,
    a_review,
    a_subject,
    an_account,
    fill,
    state_money,
)
from plugins.payments.testing.leavings import fill_gateways
from plugins.payments.testing.line import DirectLine
from plugins.payments.testing.simulator import Call, Due, Pay, Said, Simulator
from plugins.payments.testing.transport import FaultyWay

__all__ = [
    "A_BILL",
    "Call",
    "DirectLine",
    "Due",
    "FaultyWay",
    "Pay",
    "Said",
    "Simulator",
    "a_gateway_payment",
    "a_payment",
    "a_place",
    "a_review",
    "a_subject",
    "an_account",
    "fill",
    "fill_gateways",
    "hear",
    "state_money",
]
