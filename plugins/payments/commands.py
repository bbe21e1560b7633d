"""duka gateway: where businesses may use which gateway, for operators; duka simulate: a provider's stand-in."""

from __future__ import annotations

import contextlib
import ipaddress
import pkgutil
from typing import Any, get_args
from urllib.parse import urlsplit

import click
import msgspec
import uvicorn

from kernel.cli.building import do, json_option, read, say
from kernel.work import Work
from plugins.payments.schemas.gateways import Gateway, Mode
from plugins.payments.schemas.regions import SwitchIn, SwitchOut
from plugins.payments.services import switching
from plugins.payments.services.accounts import installed
from plugins.payments.services.adopting import adopt_account
from plugins.payments.services.switching import Where

PORT = 8410
_REGION = click.option("--region", required=True, help="Two letters, e.g. KE.")
_MODE = click.option(
    "--mode",
    type=click.Choice(get_args(Mode)),
    default="live",
    show_default=True,
    help="Real money, or the test system.",
)


@click.group()
def gateway() -> None:
    """See and switch payment gateways in regions; make an account from the environment."""


@gateway.command("list")
@json_option
def list_gateways(as_json: bool) -> None:
    """List the gateways that are installed, in each region and mode in which they are offered."""
    found = read(switching.switches)
    say(as_json, {"gateways": found}, list(map(_line, found)) or ["No gateway is installed."])


@gateway.command("enable")
@click.argument("name")
@_REGION
@_MODE
@click.option("--currency", help="Only for businesses with this currency, e.g. KES.")
@click.option("--least", help="The least amount at once, as 10.00; needs --currency.")
@click.option("--most", help="The most at once; needs --currency.")
@click.option(
    "--position", type=click.IntRange(0, 1000), default=1, show_default=True, help="In the order of fallback."
)
@click.option("--canary", type=click.IntRange(1, 100), help="Only on so many of a hundred tills, for a trial.")
@json_option
def enable_gateway(
    name: str,
    region: str,
    mode: Mode,
    currency: str | None,
    least: str | None,
    most: str | None,
    position: int,
    canary: int | None,
    as_json: bool,
) -> None:
    """Let businesses of a region use the gateway NAME, from the next checkout on; what was said before is replaced."""
    values = {"currency": currency, "least": least, "most": most, "position": position, "canary_percent": canary}
    try:
        said = msgspec.convert({"is_on": True, **values}, SwitchIn)
    except msgspec.ValidationError as fault:
        raise click.UsageError(str(fault)) from fault
    _tell(as_json, _switched(Where(region, name, mode), said))


@gateway.command("disable")
@click.argument("name")
@_REGION
@_MODE
@json_option
def disable_gateway(name: str, region: str, mode: Mode, as_json: bool) -> None:
    """Let nobody in a region begin a payment by the gateway NAME, from the next checkout on; those begun go on."""

    async def off(work: Work) -> SwitchOut:
        return await switching.switch_off(work, Where(region, name, mode))

    _tell(as_json, do(off, name="gateway disable"))


@gateway.command("adopt")
@click.argument("name")
@click.option("--business", required=True, help="Slug of the business.")
@_MODE
@json_option
def adopt_gateway(name: str, business: str, mode: Mode, as_json: bool) -> None:
    """Open an account of a business at the gateway NAME from the variables of the environment that it names.

    Or bring one up to date that was made so before. Nothing of what they hold is printed.
    """

    async def adopt(work: Work) -> dict[str, Any]:
        return await adopt_account(work, name, mode)

    said = do(adopt, name="gateway adopt", business=business)
    taken = ", ".join(said["variables"])
    say(as_json, said, [f"{business} has the {mode} account {said['label']!r} at {name}, by {taken}"])


@click.command()
@click.argument("name")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"Port to listen on. The one at which demo shops look for it, or {PORT}.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
def simulate(name: str, port: int | None, host: str) -> None:
    """Serve a stand-in for the provider of the gateway NAME, to try it without money. Ctrl-C ends it.

    Anybody who reaches it can say that payments were made: it listens on this machine alone unless told otherwise.
    """
    found = read(lambda work: _with_simulator(work, name))
    port = _port_of(found) if port is None else port
    if not _is_loopback(host):
        click.echo(f"Anybody who reaches {host}:{port} can play the provider.", err=True)
    app = pkgutil.resolve_name(found.simulator)()
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", interface="asgi3")
    listener = config.bind_socket()
    at = listener.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"The simulator of {name} listens on http://{shown}:{at}")
    with contextlib.suppress(KeyboardInterrupt):  # that is how it ends
        uvicorn.Server(config).run([listener])


async def _with_simulator(work: Work, name: str) -> Gateway:
    found = installed(work.deployment)
    if name not in found:
        raise LookupError(f"there is no gateway {name!r}; installed: {', '.join(sorted(found)) or 'none'}")
    if not found[name].simulator:
        raise LookupError(f"{found[name].title} has no simulator")
    return found[name]


def _port_of(gateway: Gateway) -> int:
    """Where demo shops look for its simulator."""
    return urlsplit(str(gateway.demo.get("test_address", ""))).port or PORT


def _switched(where: Where, said: SwitchIn) -> SwitchOut:
    async def on(work: Work) -> SwitchOut:
        return await switching.switch(work, where, said, expects_version=False)

    return do(on, name="gateway enable")


def _tell(as_json: bool, found: SwitchOut) -> None:
    say(as_json, found, [_line(found)])


def _line(one: SwitchOut) -> str:
    said = [f"{'on ' if one.is_on else 'off'} {one.region} {one.gateway:16} {one.mode}"]
    if one.currency:
        said.append(one.currency)
    if one.least or one.most:
        said.append(f"{one.least or '0'} to {one.most or 'any amount'}")
    if one.is_on and one.canary_percent:
        said.append(f"on {one.canary_percent} % of tills")
    if one.rolled_back_why:
        said.append(f"ended by itself: {one.rolled_back_why}")
    return "  ".join(said)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
