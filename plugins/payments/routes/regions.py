"""Where operators let businesses use a gateway; above all businesses, mounted below `operating`."""

from __future__ import annotations

from kernel.errors import NotFound
from kernel.web import OPERATOR, Scene, command, flow, query
from kernel.wire import Code, Region, Reply
from kernel.work import Work
from plugins.payments.schemas.gateways import GatewayName
from plugins.payments.schemas.regions import FaresOut, SwitchesOut, SwitchIn, SwitchOut
from plugins.payments.services import faring, switching
from plugins.payments.services.switching import Where


@query("/regions", permission=OPERATOR)
async def list_switches(work: Work) -> SwitchesOut:
    """Every gateway that is installed, in each region and mode in which it is offered; off where nothing was said."""
    return SwitchesOut(await switching.switches(work))


@flow("GET", "/fares", permission=OPERATOR)
async def list_fares(scene: Scene) -> FaresOut:
    """How gateways fare in each region: accounts, those that rest, and how the last day's payments ended.

    Sums over all businesses of the region; none is named.
    """
    await scene.pause()
    return FaresOut(await faring.fares(scene.deployment))


@command("PUT", "/regions/{region}/{gateway}/{mode}", permission=OPERATOR, errors=(NotFound,))
async def switch_gateway(
    work: Work, region: Region, gateway: GatewayName, mode: Code, data: SwitchIn
) -> Reply[SwitchOut]:
    """Switch a gateway on or off in a region; it acts at the next checkout. Payments under way go on.

    If-Match is the version that was read, `"0"` where nothing was said before.
    """
    said = await switching.switch(work, Where(region, gateway, mode), data)
    return Reply(said, version=said.version)


@command("DELETE", "/regions/{region}/{gateway}/{mode}", permission=OPERATOR)
async def forget_switch(work: Work, region: Region, gateway: GatewayName, mode: Code) -> None:
    """Take back what was said of a gateway in a region: it is off there."""
    await switching.forget(work, Where(region, gateway, mode))
