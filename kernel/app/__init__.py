"""create_app: the one place where everything meets."""

from kernel.app.build import Served, create_app, open_deployment

__all__ = ["Served", "create_app", "open_deployment"]
