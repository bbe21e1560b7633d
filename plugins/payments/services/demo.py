"""What the demo shops need to take payments from simulators: accounts, and gateways switched on for tests."""

from __future__ import annotations

from kernel.app.demo import Demo
from kernel.work import Work
from plugins.payments.schemas.accounts import AccountIn
from plugins.payments.schemas.regions import SwitchIn
from plugins.payments.services.accounts import offered
from plugins.payments.services.setting_up import open_account
from plugins.payments.services.switching import Where, switch

__all__ = ["Demo", "open_for_demo"]


async def open_for_demo(demo: Demo) -> None:
    """An account for tests at each gateway that says what a demo shop brings; no money is real there."""

    async def run(work: Work) -> None:
        for gateway in offered(work).values():
            if gateway.demo and work.shop.region in gateway.capabilities.regions:
                label = f"{gateway.title} (simulator)" if gateway.simulator else gateway.title
                config = dict(gateway.demo)
                await open_account(work, AccountIn(gateway=gateway.name, label=label, mode="test", config=config))
                where = Where(work.shop.region, gateway.name, "test")
                await switch(work, where, SwitchIn(is_on=True), expects_version=False)

    await demo.act(run)
