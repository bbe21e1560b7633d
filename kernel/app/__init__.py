"""create_app: the one place where everything meets."""

from kernel.app.build import create_app, open_deployment, opened
from kernel.app.served import Served, work_off

__all__ = ["Served", "create_app", "open_deployment", "opened", "work_off"]
