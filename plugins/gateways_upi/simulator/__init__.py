"""A stand-in for Razorpay, for trying and testing: no money, no outside network.

It keeps the documented rules of QR codes, payments, refunds, settlements and notices, signs what it sends, has a ledger
and a clock of its own, and a page on which somebody scans and pays.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from plugins.gateways_upi.simulator.checks import Shop
from plugins.gateways_upi.simulator.driven import SimulatedRazorpay
from plugins.gateways_upi.simulator.scenarios import Scenario, Step, Told
from plugins.gateways_upi.simulator.state import SHOPS, Send
from plugins.payments.testing.simulator.sending import over_http
from plugins.payments.testing.simulator.web import Answer

__all__ = ["SHOPS", "Answer", "Scenario", "Send", "Shop", "SimulatedRazorpay", "Step", "Told", "make_app"]


def make_app(
    *,
    now: Callable[[], dt.datetime] | None = None,
    send: Send | None = None,
    shops: tuple[Shop, ...] = SHOPS,
    holds: bool = True,
) -> SimulatedRazorpay:
    """The simulator as an ASGI app.

    now: a test's clock, which then decides when things happen (`advance`); without it time passes by itself.
    send: takes notices to where they go; without it over HTTP. holds: QR codes that no scenario fits wait for a person
    at the page; otherwise they are paid.
    """
    return SimulatedRazorpay(now=now, send=send or over_http, shops=shops, holds=holds)
