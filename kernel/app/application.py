"""What a server process runs: the application of the deployment that the environment describes."""

from __future__ import annotations

import importlib
from typing import Any

from kernel import logs
from kernel.app.build import create_app, open_deployment
from kernel.app.served import Served
from kernel.app.settling import settled_apart
from kernel.errors import SettingsFault
from kernel.registry import discover
from kernel.settings import Settings, load_settings
from kernel.work import Deployment


def application() -> Served:
    """The ASGI application of one server process, from the environment's settings."""
    settings = settings_of()
    deployment = open_deployment(settings, registry=settled_apart(settings, discover()))
    if settings.otel_endpoint:
        trace(deployment)
    return create_app(deployment)


def settings_of(**given: Any) -> Settings:
    """The settings, checked, with logging set up by them."""
    settings = load_settings(**given)
    logs.never_show(*settings.secrets().values())
    logs.set_up(settings.log_level, settings.log_format)
    return settings


def trace(deployment: Deployment) -> None:
    """Begin tracing this process. Raises SettingsFault where the packages for it are missing."""
    tracing = load_tracing()
    tracing.Tracing(tracing.provider_for(deployment.settings)).start(deployment.database)


def load_tracing() -> Any:
    """The module that traces. Raises SettingsFault where its packages are missing."""
    try:
        return importlib.import_module("kernel.app.tracing")
    except ModuleNotFoundError as fault:
        said = f"DUKA_OTEL_ENDPOINT: {fault.name} is missing; install the extra: pip install 'duka-erp[otel]'"
        raise SettingsFault(said) from fault
