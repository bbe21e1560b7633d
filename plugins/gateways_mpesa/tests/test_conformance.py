"""What holds for every gateway holds for M-PESA: the fault cases of the trade, against its simulator.

In usual runs on one database: what they prove of the databases they prove of any gateway.
"""

from __future__ import annotations

import pytest

from plugins.payments.testing.kit import GatewaySuite


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
class TestGateway(GatewaySuite):
    plugin = "gateways_mpesa"


@pytest.mark.prove
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
class TestGatewayOnPostgres(GatewaySuite):
    plugin = "gateways_mpesa"
    askers = 50
