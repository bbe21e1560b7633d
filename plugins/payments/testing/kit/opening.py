"""Opening the stage of a case, and looking it over when the case is through."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from pkgutil import resolve_name
from typing import Any, ClassVar, Final

import pytest
import pytest_asyncio
import sqlalchemy as sa

from kernel.auth.businesses.switching import enable
from kernel.db import Phase
from kernel.db.tables import Schedule
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import Box, open_box
from kernel.work import Work
from plugins.payments.hooks import payment_gateways
from plugins.payments.schemas.gateways import Gateway
from plugins.payments.services.line import close_lines, lead_over
from plugins.payments.testing.kit.holding import check
from plugins.payments.testing.kit.stage import Stage
from plugins.payments.testing.simulator import Simulator, path_of
from plugins.payments.testing.transport import FaultyWay

SHOP_OF: Final = {"KE": "mama-njeri", "IN": "sharma-kirana"}


class Staged:
    """The stage of every case."""

    plugin: ClassVar[str] = ""
    gateway: ClassVar[str] = ""
    """Which of the plugin's gateways, where it offers several."""
    config: ClassVar[Mapping[str, Any]] = {}
    """What the account brings besides what the simulator wants."""

    @pytest_asyncio.fixture
    async def stage(self, box_settings: Settings, registry: Registry) -> AsyncIterator[Stage]:
        """A shop with the gateway on and an account at the simulator; looked over when the case is through."""
        async with a_stage(box_settings, registry, self.plugin, self.config, self.gateway) as made:
            yield made


@contextlib.asynccontextmanager
async def a_stage(
    settings: Settings,
    registry: Registry,
    plugin: str,
    config: Mapping[str, Any] | None = None,
    gateway_name: str = "",
) -> AsyncIterator[Stage]:
    """A stage for a gateway of a plugin, its first where none is named. A case that ends well is looked over: see
    `holding.check`.
    """
    gateway, box = _offered_by(registry, plugin, gateway_name), await open_box(settings, registry)
    region = next((one for one in gateway.capabilities.regions if one in SHOP_OF), "KE")
    shop = SHOP_OF[region]
    with _overhearing() as said:
        try:
            await box.act(lambda work: enable(work, plugin), phase=Phase.SWITCH, shop=shop)
            await box.act(lambda work: _quiet(work, plugin), shop=shop)
            simulator = _simulator(gateway, box)
            stage = Stage(box, shop, plugin, gateway, simulator, FaultyWay(simulator))
            lead_over(box.deployment, stage.way)
            await _allow(stage, region)
            brings = {**simulator.config(), **(config or {})}
            account = await stage.open_account({"label": "The kit's", "config": brings})
            stage.account_id, simulator.notify = uuid.UUID(account["id"]), account["notify_url"]
            yield stage
            await check(stage, said)
        finally:
            await close_lines(box.deployment)
            await box.close()


@contextlib.contextmanager
def _overhearing() -> Iterator[list[str]]:
    """Everything that Duka logs meanwhile, whatever its level, with the faults that it tells of."""
    said: list[str] = []
    handler = logging.Handler()
    shown = logging.Formatter()
    handler.emit = lambda record: said.append(shown.format(record))  # type: ignore[method-assign]
    log = logging.getLogger("duka")
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        yield said
    finally:
        log.setLevel(level)
        log.removeHandler(handler)


def _simulator(gateway: Gateway, box: Box) -> Simulator:
    made: Any = resolve_name(gateway.simulator)
    simulator: Simulator = made()
    simulator.clock = box.clock

    async def send(method: str, address: str, headers: Mapping[str, str], body: bytes) -> int:
        answer = await box.http.request(method, path_of(address), headers=dict(headers), content=body)
        return answer.status_code

    simulator.send = send
    return simulator


def _offered_by(registry: Registry, plugin: str, name: str) -> Gateway:
    """A plugin's gateway of a name, or its first."""
    if plugin not in registry.plugins:
        pytest.fail(f"no plugin called {plugin!r} is installed; say its name, plugin = …", pytrace=False)
    offered = [one for answer in registry.hooks_of(plugin).offers(payment_gateways) for one in answer.value]
    if not offered:
        pytest.fail(f"{plugin} offers no gateway: answer payment_gateways in listeners.py", pytrace=False)
    found = [one for one in offered if name in ("", one.name)]
    if not found:
        pytest.fail(f"{plugin} offers no gateway called {name!r}", pytrace=False)
    return found[0]


async def _quiet(work: Work, plugin: str) -> None:
    """Let no schedule wake but those of payments and of the gateway, in the shop alone."""
    ours = sa.or_(Schedule.job.startswith("payments."), Schedule.job.startswith(f"{plugin}."))
    others = sa.not_(sa.and_(Schedule.business_id == work.business_id, ours))
    await work.execute(sa.update(Schedule).where(others).values(next_run=work.now + dt.timedelta(days=10_000)))


async def _allow(stage: Stage, region: str) -> None:
    """Switch the gateway on in its region, as an operator does."""
    path = f"/api/v1/operating/payments/regions/{region}/{stage.gateway.name}/test"
    operator = stage.box.client("operator", stage.shop)
    switched = await operator.send("PUT", path, json={"is_on": True}, headers={"If-Match": '"0"'})
    assert switched.status_code in (200, 201), switched.text
