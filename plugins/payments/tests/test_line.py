"""The way out: where it leads, what it takes in, and what it says of what went wrong."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from typing import Any

import httpcore
import httpx
import pytest
import pytest_asyncio
from msgspec import structs

from kernel.testing.box import Box
from plugins.payments.api import GatewayFailed
from plugins.payments.models import Account
from plugins.payments.services import line as lines
from plugins.payments.services.line import AccountLine, checked_url, client_of, close_lines, lead_to
from plugins.payments.services.open_network import OpenNetwork, OpenTransport, is_open
from plugins.payments.testing.toy import Toy, ToyConfig
from plugins.payments.testing.toy_box import ToyBox
from plugins.payments.tests.looking import rows

HOSTS = ("api.example", "other.example:8443", "127.0.0.1:9", "[::1]:9")


@pytest.mark.parametrize(
    "url",
    ["https://api.example/a?b=c", "https://API.example:443/", "https://other.example:8443/", "http://127.0.0.1:9/x"],
)
def test_what_the_gateway_names_is_called(url: str) -> None:
    assert checked_url(url, HOSTS, lets_loopback=True).host


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example/",
        "https://evil.example/",
        "https://api.example.evil.example/",
        "https://api.example:8443/",
        "https://other.example/",
        "https://api.example@evil.example/",
        "https://evil.example#@api.example/",
        "https://user:pass@api.example/",
        "https://api.example\\@evil.example/",
        "https://api.example\n.evil.example/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:127.0.0.1]/",
        "http://127.0.0.1:10/",
        "http://localhost:9/",
        "ftp://api.example/",
        "file:///etc/passwd",
        "//api.example/",
        "https://",
        "https://api.example:99999/",
    ],
)
def test_nothing_else_is_called(url: str) -> None:
    with pytest.raises(GatewayFailed) as failed:
        checked_url(url, HOSTS, lets_loopback=True)
    assert (failed.value.fault.kind, failed.value.is_unsure) == ("configuration", False)


@pytest.mark.parametrize("host", ["127.0.0.1:9", "localhost", "169.254.169.254", "10.0.0.1", "[::1]:9", "[fd00::1]"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_in_production_neither_this_machine_nor_its_network_is_called(scheme: str, host: str) -> None:
    with pytest.raises(GatewayFailed):
        checked_url(f"{scheme}://{host}/", (host,), lets_loopback=False)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "0.1.2.3", "10.1.2.3", "100.64.0.1", "169.254.169.254", "192.168.1.1", "224.0.0.1", "::1", "::"),
        *("fd00::1", "fe80::1", "ff02::1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::"),
        *("127.1", "0x7f000001", "2130706433", "fe80::1%eth0", ""),
    ],
)
def test_an_address_that_carries_one_of_a_network_of_ones_own_is_not_open(address: str) -> None:
    assert not is_open(address)
    assert is_open("196.201.214.200")
    assert is_open("2606:4700::1111")
    assert is_open("64:ff9b::808:808")


class Names:
    """A name server. told: what it answers, one answer for each question."""

    def __init__(self, *told: list[str]) -> None:
        self.told = list(told)

    async def __call__(self, host: str, port: int, **_how: Any) -> list[Any]:
        return [(2, 1, 6, "", (one, port)) for one in self.told.pop(0)]


@pytest.mark.parametrize("told", [["127.0.0.1"], ["196.201.214.200", "127.0.0.1"], ["::ffff:127.0.0.1"], []])
async def test_in_production_a_name_that_stands_for_this_machine_is_not_called(
    told: list[str], server: tuple[Server, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    provider, port = server
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", Names(told), raising=False)
    async with httpx.AsyncClient(transport=OpenTransport(ssl.create_default_context(), 1, 1)) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://provider.example:{port}/")
    assert provider.heard == []


async def test_what_was_judged_is_what_is_called_whatever_the_name_stands_for_next(
    server: tuple[Server, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    provider, port = server
    provider.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]
    names = Names(["196.201.214.200"], ["127.0.0.1"])
    called: list[str] = []

    async def connect_tcp(_self: Any, host: str, *_more: Any) -> Any:
        called.append(host)
        return await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", port)

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", names, raising=False)
    ways = OpenNetwork()
    monkeypatch.setattr(ways, "_ways", type("Ways", (), {"connect_tcp": connect_tcp})())
    transport = OpenTransport(ssl.create_default_context(), 1, 1)
    monkeypatch.setattr(transport._pool, "_network_backend", ways)
    async with httpx.AsyncClient(transport=transport) as client:
        assert (await client.get(f"http://provider.example:{port}/")).status_code == 200
    assert (called, names.told) == (["196.201.214.200"], [["127.0.0.1"]])
    assert f"Host: provider.example:{port}".encode() in provider.heard[0]


@pytest.mark.parametrize("database", ["sqlite"])
async def test_the_line_of_a_deployment_in_production_reaches_the_open_network_alone(
    toy: ToyBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = toy.box.deployment
    await close_lines(deployment)
    monkeypatch.setattr(lines, "getproxies", dict)
    monkeypatch.setattr(deployment, "settings", structs.replace(deployment.settings, environment="production"))
    ways = [type(one) for one in client_of(deployment)._mounts.values() if one is not None]
    assert OpenTransport in ways
    await close_lines(deployment)


class Plain(Toy):
    """The toy at another host."""

    def hosts(self, config: Any, mode: Any) -> tuple[str, ...]:
        return (config.host,)


async def a_line(box: Box, host: str = "") -> AccountLine:
    [account] = await rows(box, Account)
    config = account.config | ({"host": host} if host else {})
    row = type("Row", (), {"id": account.id, "label": "Toy", "mode": "test", "config": config})
    return AccountLine(box.deployment, box.shop.id, row, Plain(), region="KE")


WRONG: tuple[tuple[Exception, str, bool], ...] = (
    (httpx.ConnectError("x"), "provider_down", False),
    (httpx.ConnectTimeout("x"), "provider_down", False),
    (httpx.PoolTimeout("x"), "provider_down", False),
    (httpx.ReadTimeout("x"), "timeout", True),
    (httpx.WriteTimeout("x"), "timeout", True),
    (httpx.ReadError("x"), "provider_down", True),
    (httpx.RemoteProtocolError("x"), "provider_down", True),
    (TimeoutError(), "timeout", True),
    (httpx.LocalProtocolError("x"), "configuration", False),
)


@pytest.mark.parametrize("database", ["sqlite"])
async def test_what_went_wrong_says_whether_the_provider_may_have_done_it(toy: ToyBox) -> None:
    coming = [fault for fault, _, _ in WRONG]

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise coming.pop(0)

    lead_to(toy.box.deployment, app)
    line = await a_line(toy.box)
    for _, kind, is_unsure in WRONG:
        with pytest.raises(GatewayFailed) as failed:
            await line.send("POST", "https://toy.example/", json={})
        assert (failed.value.fault.kind, failed.value.is_unsure) == (kind, is_unsure)


class Server:
    """A provider on a socket of this machine that answers raw bytes."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.heard: list[bytes] = []
        self.stays = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard.append(await reader.readuntil(b"\r\n\r\n"))
        if self.answers:
            writer.write(self.answers.pop(0))
            await writer.drain()
        writer.close()


@pytest_asyncio.fixture
async def server() -> AsyncIterator[tuple[Server, int]]:
    made = Server()
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    yield made, listening.sockets[0].getsockname()[1]
    listening.close()


@pytest.mark.parametrize("database", ["sqlite"])
async def test_over_a_socket_nothing_is_followed_kept_or_taken_in_without_bounds(
    toy: ToyBox, server: tuple[Server, int], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    provider, port = server
    await close_lines(toy.box.deployment)
    line, url = await a_line(toy.box, f"127.0.0.1:{port}"), f"http://127.0.0.1:{port}/p/254712345678?secret=abc"
    ends = b"Connection: close\r\n"
    provider.answers = [
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n"
        + ends
        + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n" + ends + b"\r\n\x1f\x8b",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n" + ends + b"\r\n" + b"x" * 2_000_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n" + ends + b"\r\nshort",
        b"nonsense\r\n\r\n",
    ]
    with caplog.at_level(logging.INFO, "duka.payments"):
        assert (await line.send("GET", url, headers={"Authorization": "Bearer abc"})).status == 302
        for _ in range(4):
            with pytest.raises(GatewayFailed) as failed:
                await line.send("GET", url)
            assert failed.value.is_unsure
    assert len(provider.heard) == 5
    assert not any(b"Cookie" in one for one in provider.heard)
    assert "302" in caplog.text
    assert not any(secret in caplog.text for secret in ("abc", "254712345678", ToyConfig("x").secret * 9))
    monkeypatch.setattr(lines, "TOTAL_S", 0.05)

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listening = await asyncio.start_server(hang, "127.0.0.1", 0)
    quiet = listening.sockets[0].getsockname()[1]
    line = await a_line(toy.box, f"127.0.0.1:{quiet}")
    with pytest.raises(GatewayFailed) as failed:
        await line.send("POST", f"http://127.0.0.1:{quiet}/", json={})
    assert (failed.value.fault.kind, failed.value.is_unsure) == ("timeout", True)
    listening.close()
    with pytest.raises(GatewayFailed) as failed:
        await line.send("POST", f"http://127.0.0.1:{quiet}/", json={})
    assert (failed.value.fault.kind, failed.value.is_unsure) == ("provider_down", False)
    await close_lines(toy.box.deployment)
