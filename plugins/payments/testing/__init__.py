"""What tests of plugins that stand on payments are built on: builders of payments, and a line for gateways."""

from plugins.payments.testing.builders import A_BILL, a_gateway_payment, a_payment, a_place, a_subject, fill
from plugins.payments.testing.line import DirectLine

__all__ = ["A_BILL", "DirectLine", "a_gateway_payment", "a_payment", "a_place", "a_subject", "fill"]
