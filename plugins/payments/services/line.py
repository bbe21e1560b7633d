"""The way out to providers: one HTTP client for the process, only to hosts that the gateway names, never redirected.

What went wrong is sorted by one question: can the provider have done it? Where no connection came about it cannot;
where a request left and no whole answer came, nobody knows.
"""

from __future__ import annotations

import asyncio
import http.cookiejar
import logging
import re
import ssl
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final
from urllib.request import getproxies
from weakref import WeakKeyDictionary

import httpx

from kernel.logs import mention
from kernel.work import Deployment, secret_names
from plugins.payments.schemas.gateways import Fault, Gateway, GatewayFailed, Heard, Mode, Token
from plugins.payments.services import tokens
from plugins.payments.services.accounts import opened_config
from plugins.payments.services.open_network import OpenTransport, is_open

log = logging.getLogger("duka.payments")
CONNECT_S: Final = 5.0
TOTAL_S: Final = 25.0
MOST_BYTES: Final = 1_000_000
MOST_CONNECTIONS, MOST_KEPT = 100, 20
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_ALWAYS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": f"Duka/{version('duka-erp')}",
}
_NUMBERS: Final = re.compile(r"\d{6,}")
_SURE: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""Faults before anything was sent."""
_MISSAID: Final = (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeEncodeError)
_clients: WeakKeyDictionary[Any, httpx.AsyncClient] = WeakKeyDictionary()


class AccountLine:
    """The `Line` of one account, for as long as one piece of work takes.

    config: opened. now: when it was opened. token: as it stands in the database, where that was read already. Raises
    what `opened_config` raises.
    """

    def __init__(
        self,
        deployment: Deployment,
        business_id: uuid.UUID,
        account: Any,
        gateway: Gateway,
        *,
        region: str,
        notify: str = "",
        token: tokens.KnownToken | None = None,
    ) -> None:
        self.config = opened_config(deployment, gateway, account)
        self.mode: Mode = account.mode
        self.region, self.notify, self.now = region, notify, deployment.clock()
        self._deployment, self._gateway = deployment, gateway.name
        self._account, self._known = tokens.Key(business_id, account.id), token
        self._hosts = tuple(gateway.hosts(self.config, self.mode))
        self._lets_loopback = not deployment.settings.production
        mention({"secret": [str(getattr(self.config, name) or "") for name in secret_names(gateway.config)]})

    async def send(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Heard:
        """One call. Raises GatewayFailed: sure when nothing was sent, unsure when no whole answer came."""
        called = checked_url(url, self._hosts, lets_loopback=self._lets_loopback)
        begun, said = time.perf_counter(), "?"
        try:
            async with asyncio.timeout(TOTAL_S):
                heard = await self._exchange(method, called, json=json, form=form, headers=headers)
            said = str(heard.status)
            return heard
        except _SURE as fault:
            said = type(fault).__name__
            raise GatewayFailed(
                Fault("provider_down", "The provider cannot be reached", code=said, again=True)
            ) from fault
        except _MISSAID as fault:
            said = type(fault).__name__
            raise GatewayFailed(Fault("configuration", "The provider cannot be called like this", said)) from fault
        except (httpx.HTTPError, TimeoutError) as fault:
            said = type(fault).__name__
            timed_out = isinstance(fault, (httpx.TimeoutException, TimeoutError))
            kind, words = ("timeout", "did not answer in time") if timed_out else ("provider_down", "broke off")
            told = Fault(kind, f"The provider {words}", said, again=True)  # type: ignore[arg-type]
            raise GatewayFailed(told, is_unsure=True) from fault
        finally:
            ms, path = (time.perf_counter() - begun) * 1000, _NUMBERS.sub("…", called.path)
            log.info("%s: %s %s%s: %s in %.0f ms", self._gateway, method, called.host, path, said, ms)

    async def token(self, fetch: Callable[[], Awaitable[Token]]) -> str:
        """The account's access token; fetched once for all processes when there is none, or it is about to lapse."""
        found = await tokens.token(self._deployment, self._account, fetch, self._known)
        mention({"secret": found})
        return found

    async def forget_token(self, text: str) -> None:
        """Drop a token that the provider refused; the next `token` fetches another."""
        self._known = None
        await tokens.forget(self._deployment, self._account, text)

    async def _exchange(
        self,
        method: str,
        url: httpx.URL,
        *,
        json: Any,
        form: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> Heard:
        client, said = client_of(self._deployment), {**_ALWAYS, **(headers or {})}
        async with client.stream(method, url, json=json, data=form, headers=said) as answer:
            if answer.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
                raise httpx.DecodingError("an encoding that nobody asked for", request=answer.request)
            body = b""
            async for part in answer.aiter_raw():
                body += part
                if len(body) > MOST_BYTES:
                    raise httpx.RemoteProtocolError("the answer is too long", request=answer.request)
        return Heard(answer.status_code, {key.lower(): value for key, value in answer.headers.items()}, body)


def checked_url(url: str, hosts: Sequence[str], *, lets_loopback: bool) -> httpx.URL:
    """An address that may be called: https, to a host of the list, with its port where it is not 443.

    lets_loopback: http too, to this machine; where it is not let, as in production, no address inside a network of
    one's own is called at all: of names, `OpenTransport` sees to it. Raises GatewayFailed, sure: nothing was sent.
    """
    try:
        split = httpx.URL(url)
    except (httpx.InvalidURL, TypeError, ValueError):
        raise _refused("is no address") from None
    if split.userinfo:
        raise _refused("carries a name or password")
    is_plain = split.scheme == "http" and lets_loopback and split.host in LOOPBACK
    if split.scheme != "https" and not is_plain:
        raise _refused("is not https")
    if not lets_loopback and _is_inside(split.host):
        raise _refused("is none of the open network")
    name = f"[{split.host}]" if ":" in split.host else split.host
    usual = 443 if split.scheme == "https" else 80
    port = usual if split.port is None else split.port
    wanted = {f"{name}:{port}"} | ({name} if port == usual else set())
    if not name or wanted.isdisjoint(one.lower() for one in hosts):
        raise _refused("is not one of the gateway's hosts")
    return split


def client_of(deployment: Deployment) -> httpx.AsyncClient:
    """The one HTTP client of a deployment in this process; it keeps no cookies and follows no redirects."""
    found = _clients.get(deployment.database)
    if found is None:
        verify = ssl.create_default_context()
        mounts = _outward(verify) if deployment.settings.production else _homeward()
        found = _clients[deployment.database] = _client(verify=verify, mounts=mounts)
    return found


def _outward(verify: ssl.SSLContext) -> dict[str, httpx.AsyncBaseTransport]:
    """In production: the open network alone. Where operators name a proxy for all, it is the proxy that judges."""
    return {} if "all" in getproxies() else {"all://": OpenTransport(verify, MOST_CONNECTIONS, MOST_KEPT)}


def _homeward() -> dict[str, httpx.AsyncBaseTransport]:
    """While developing: simulators on this machine, past any proxy."""
    return {f"all://{'[::1]' if one == '::1' else one}": httpx.AsyncHTTPTransport() for one in LOOPBACK}


def lead_to(deployment: Deployment, app: Any) -> None:
    """Let every line of a deployment end in an ASGI app, for tests. What the app raises is raised to the caller."""
    lead_over(deployment, httpx.ASGITransport(app=app))


def lead_over(deployment: Deployment, transport: httpx.AsyncBaseTransport) -> None:
    """Let every line of a deployment go over a transport, for tests."""
    _clients[deployment.database] = _client(transport=transport)


async def close_lines(deployment: Deployment) -> None:
    """Close the connections to providers; the next call opens others."""
    found = _clients.pop(deployment.database, None)
    if found is not None:
        await found.aclose()


def _client(**how: Any) -> httpx.AsyncClient:
    nothing = http.cookiejar.DefaultCookiePolicy(allowed_domains=[])
    return httpx.AsyncClient(
        timeout=httpx.Timeout(TOTAL_S, connect=CONNECT_S),
        limits=httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_KEPT),
        follow_redirects=False,
        cookies=http.cookiejar.CookieJar(nothing),
        **how,
    )


def _is_inside(host: str) -> bool:
    """Whether a host is this machine, or an address that only networks of one's own use."""
    is_address = ":" in host or host.replace(".", "").isdigit()
    return not is_open(host) if is_address else host in LOOPBACK


def _refused(words: str) -> GatewayFailed:
    return GatewayFailed(Fault("configuration", f"The address {words}", "egress"))
