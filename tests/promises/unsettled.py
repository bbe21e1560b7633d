"""The broken twin: a server that asks nobody which plugins' migrations have run."""

from __future__ import annotations

from kernel.app import Served, create_app, open_deployment
from kernel.settings import load_settings


def application() -> Served:
    """The application of every plugin that loads."""
    return create_app(open_deployment(load_settings()))
