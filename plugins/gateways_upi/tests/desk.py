"""What tests of Razorpay are built on: a simulator with a clock of the test's, and a line that leads into it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from plugins.gateways_upi.gateway.razorpay import Razorpay, RazorpayConfig
from plugins.gateways_upi.simulator import SHOPS, Scenario, Shop, SimulatedRazorpay, make_app
from plugins.gateways_upi.simulator.state import Hook
from plugins.payments.api import Asked, Back, GatewayFact, Known, Notice, Started, Verdict
from plugins.payments.testing import DirectLine

NOW: Final = dt.datetime(2026, 11, 21, 7, 15, tzinfo=dt.UTC)
ACCOUNT: Final = "https://duka.example/api/v1/payments/notices/1b"
SECRET: Final = "simulated-webhook"


def a_config(shop: Shop = SHOPS[0], **changes: Any) -> RazorpayConfig:
    """An account at the simulator."""
    said = {"key_id": shop.key_id, "key_secret": shop.key_secret, "webhook_secret": SECRET, "merchant": shop.merchant}
    return RazorpayConfig(**(said | changes))


class Desk:
    """A gateway, its simulator and what came back: notices with their verdicts and facts. is_deaf: nobody answers."""

    def __init__(self, config: RazorpayConfig | None = None, *, holds: bool = False) -> None:
        self.gateway, self.config = Razorpay(), config or a_config()
        self.app: SimulatedRazorpay = make_app(now=lambda: NOW, send=self._take, holds=holds)
        self.state = self.app.state
        self.line = DirectLine(self.app, self.config, now=NOW, notify=ACCOUNT, region="IN")
        self.hook = self.state.hooks[self.config.key_id] = Hook(url=ACCOUNT, secret=SECRET)
        self.notices: list[Notice] = []
        self.verdicts: list[Verdict] = []
        self.told: list[GatewayFact] = []
        self.is_deaf = False

    async def _take(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        if self.is_deaf:
            return 0, b""
        notice = Notice(method="POST", headers=headers, query={}, body=body, address=None, at=self.state.now())
        verdict = self.gateway.judge(self.config, notice)
        self.notices.append(notice)
        self.verdicts.append(verdict)
        if verdict.trust == "refused":
            return 401, b""
        self.told.extend(self.gateway.read(self.config, notice))
        return 200, self.gateway.answer(self.config, notice, verdict).body

    def will(self, **said: Any) -> None:
        """Have the simulator do something from now on."""
        self.state.scenarios.append(Scenario(**said))

    async def wait(self, seconds: float) -> None:
        """Let time pass for both."""
        await self.app.advance(seconds)
        self.line.now = self.state.now()

    async def ask(self, amount: int = 24_900, reference: str = "DUKA0001", **changes: Any) -> Started:
        """Ask for a payment, in paise."""
        said: dict[str, Any] = {
            "id": str(uuid.UUID(int=1)),
            "reference": reference,
            "amount": amount,
            "currency": "INR",
            "exponent": 2,
            "words": "Sharma Kirana T1-2026-000123",
            "notify": "https://duka.example/api/v1/payments/notices/2a",
            "expires_at": self.line.now + dt.timedelta(seconds=300),
        }
        return await self.gateway.ask(self.line, Asked(**(said | changes)))

    async def find(self, started: Started | None = None, **changes: Any) -> Sequence[GatewayFact]:
        """Ask what became of it; without what was started, by its reference."""
        return await self.gateway.find(self.line, self.known(started, **changes))

    def known(self, started: Started | None = None, **changes: Any) -> Known:
        """A payment as far as it is known."""
        said: dict[str, Any] = {
            "reference": "DUKA0001",
            "amount": 24_900,
            "currency": "INR",
            "exponent": 2,
            "asked_at": NOW,
            "ids": started.ids if started else {},
        }
        return Known(**(said | changes))

    def back(self, amount: int, n: int = 7, ids: dict[str, str] | None = None) -> Back:
        """Money to be given back of the payment that came last."""
        [*_, last] = self.state.payments.values()
        payment = self.known(None, money_keys=(last.id,), amount=last.amount)
        return Back(
            id=str(uuid.UUID(int=n)), payment=payment, amount=amount, words="Return", notify=ACCOUNT, ids=ids or {}
        )


def kinds(facts: Any) -> list[str]:
    """The kinds of facts, in order."""
    return [fact.kind for fact in facts]
