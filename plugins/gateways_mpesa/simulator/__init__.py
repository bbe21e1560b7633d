"""A stand-in for Safaricom's Daraja, for trying and testing: no money, no outside network.

It keeps the documented rules, has a ledger and a clock of its own, and a page with phones on it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from plugins.gateways_mpesa.simulator.checks import Shop
from plugins.gateways_mpesa.simulator.driven import SimulatedDaraja
from plugins.gateways_mpesa.simulator.scenarios import Scenario, Step
from plugins.gateways_mpesa.simulator.state import SHOPS, Send, certificate
from plugins.payments.testing.simulator.sending import over_http
from plugins.payments.testing.simulator.web import Answer

__all__ = ["SHOPS", "Answer", "Scenario", "Send", "Shop", "SimulatedDaraja", "Step", "certificate", "make_app"]


def make_app(
    *,
    now: Callable[[], dt.datetime] | None = None,
    send: Send | None = None,
    shops: tuple[Shop, ...] = SHOPS,
    lenient: bool = False,
    holds: bool = True,
) -> SimulatedDaraja:
    """The simulator as an ASGI app.

    now: a test's clock, which then decides when things happen (`advance`); without it time passes by itself.
    send: takes notices to where they go; without it over HTTP. lenient: as forgiving as Safaricom's test system.
    holds: prompts that no scenario fits wait for a person at the page; otherwise they are approved.
    """
    return SimulatedDaraja(now=now, send=send or over_http, shops=shops, lenient=lenient, holds=holds)
