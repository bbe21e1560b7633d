"""The open network: where an address of a gateway may lead in production, whatever the name server says it stands for.

A shop may name the host of a simulator. Its name may stand for this machine or for one beside it, and for another one
at each question; so it is looked up once, everything it stands for is judged, and just that is called.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable
from typing import Any, Final

import httpcore
import httpx

_MOST_TRIED: Final = 4
_CARRIES: Final = ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96")
"""Networks whose addresses end in one of IPv4: translated (RFC 6052), and compatible (RFC 4291, given up)."""


class OpenNetwork(httpcore.AsyncNetworkBackend):
    """Connects to addresses of the open network, and tells of all others what it tells of a host that is down."""

    def __init__(self) -> None:
        self._ways = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to a host by the first of its addresses that answers. Raises ConnectError, ConnectTimeout."""
        fault: Exception = httpcore.ConnectError("no address of the open network")
        for address in await _addresses(host, port):
            try:
                return await self._ways.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                fault = failed
        raise fault

    async def sleep(self, seconds: float) -> None:
        """Wait before another try."""
        await self._ways.sleep(seconds)


class OpenTransport(httpx.AsyncHTTPTransport):
    """httpx's own way, but that it reaches the open network alone."""

    def __init__(self, verify: ssl.SSLContext, most: int, most_kept: int) -> None:
        super().__init__(verify=verify)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=verify,
            max_connections=most,
            max_keepalive_connections=most_kept,
            keepalive_expiry=5.0,
            network_backend=OpenNetwork(),
        )


def is_open(address: str) -> bool:
    """Whether an address is one machine's on the open network; also by the address of IPv4 that it carries."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        carried = found.ipv4_mapped or found.sixtofour
        if carried is None and any(found in one for one in _CARRIES):
            carried = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        found = carried or found
    return found.is_global and not found.is_multicast


async def _addresses(host: str, port: int) -> list[str]:
    """What a host's name stands for; nothing where any of it lies elsewhere than on the open network."""
    try:
        told = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    found = list(dict.fromkeys(str(one[4][0]) for one in told))
    return found[:_MOST_TRIED] if all(map(is_open, found)) else []
