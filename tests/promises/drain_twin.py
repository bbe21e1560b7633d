"""A server that ends at once when it is told to: the check of draining must catch it."""

from __future__ import annotations

import socket

from kernel.app import listening
from kernel.cli import main


class Hasty(listening.Server):
    """Waits for nothing."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        self.force_exit = True


listening.Server = Hasty  # type: ignore[misc]

if __name__ == "__main__":
    main()
