"""A server process for the storm: the application with the toy gateway on, its clock set by the environment."""

from __future__ import annotations

import datetime as dt
import os

from kernel.app import Served, create_app, open_deployment
from kernel.app.application import settings_of
from kernel.registry import discover
from plugins.payments.services.line import lead_to
from plugins.payments.testing.toy_box import with_toy
from plugins.payments.testing.toy_provider import ToyProvider

NOW = "STORM_NOW"


def application() -> Served:
    """The application, at the moment that the environment names."""
    now = dt.datetime.fromisoformat(os.environ[NOW])
    deployment = open_deployment(settings_of(), registry=with_toy(discover()), clock=lambda: now)
    lead_to(deployment, ToyProvider().app)
    return create_app(deployment)
