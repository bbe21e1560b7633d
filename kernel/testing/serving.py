"""`python -m kernel.testing.serving APPLICATION PORT`: serve an ASGI factory as `duka run` does, preparing nothing."""

from __future__ import annotations

import gc
import sys

gc.disable()  # until all is loaded
from kernel.app.listening import config_of, serve_one  # noqa: E402
from kernel.settings import Settings  # noqa: E402


def serve(application: str, port: int) -> None:
    """Serve at a port of the loopback until told to stop."""
    config = config_of(Settings(port=port, log_level="error"), application)
    serve_one(config, config.bind_socket(), drain_s=0.0)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
