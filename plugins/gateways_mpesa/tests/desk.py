"""What tests of M-PESA are built on: a simulator with a clock of the test's, and a line that leads into it."""

from __future__ import annotations

import datetime as dt
import urllib.parse
import uuid
from collections.abc import Sequence
from typing import Any, Final

from plugins.gateways_mpesa.gateway import Mpesa
from plugins.gateways_mpesa.schemas import MpesaConfig
from plugins.gateways_mpesa.simulator import SHOPS, Scenario, SimulatedDaraja, certificate, make_app
from plugins.payments.api import Asked, Back, GatewayFact, Known, Notice, NoticeAnswer, Started, Verdict
from plugins.payments.testing import DirectLine

NOW: Final = dt.datetime(2026, 11, 21, 7, 15, tzinfo=dt.UTC)
SAFARICOM: Final = "196.201.214.200"
ATTEMPT: Final = "https://duka.example/api/v1/payments/notices/2a"
ACCOUNT: Final = "https://duka.example/api/v1/payments/notices/1b"


def a_config(**changes: Any) -> MpesaConfig:
    """The simulator's PayBill, with its initiator; lists payments."""
    shop = SHOPS[0]
    said: dict[str, Any] = {
        "consumer_key": shop.key,
        "consumer_secret": shop.secret,
        "shortcode": shop.shortcode,
        "passkey": shop.passkey,
        "pulls": True,
        "pull_number": "254700000000",
    }
    if "initiator" not in changes:
        own = {"initiator": shop.initiator, "initiator_password": shop.initiator_password}
        said |= {**own, "certificate": certificate()}
    return MpesaConfig(**(said | changes))


def a_till(**changes: Any) -> MpesaConfig:
    """The simulator's till."""
    shop = SHOPS[1]
    own = {"kind": "till", "till": shop.till, "shortcode": shop.shortcode}
    keys = {"consumer_key": shop.key, "consumer_secret": shop.secret}
    return a_config(**{**own, **keys, **changes})


class Desk:
    """A gateway, its simulator and what came back: notices with their verdicts, answers and facts. address: of the
    sender of notices.
    """

    def __init__(self, config: MpesaConfig | None = None, *, lenient: bool = False, holds: bool = False) -> None:
        self.gateway, self.config = Mpesa(), config or a_config()
        self.clock = NOW
        self.app: SimulatedDaraja = make_app(now=lambda: self.clock, send=self._take, lenient=lenient, holds=holds)
        self.line = DirectLine(self.app, self.config, now=NOW, notify=ACCOUNT)
        self.address: str | None = SAFARICOM
        self.notices: list[Notice] = []
        self.verdicts: list[Verdict] = []
        self.answers: list[NoticeAnswer] = []
        self.told: list[GatewayFact] = []
        self.is_deaf = False

    async def _take(self, url: str, body: bytes) -> tuple[int, bytes]:
        if self.is_deaf:
            return 0, b""
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        notice = Notice(method="POST", headers={}, query=query, body=body, address=self.address, at=self.line.now)
        verdict = self.gateway.judge(self.config, notice)
        answer = self.gateway.answer(self.config, notice, verdict)
        self.notices.append(notice)
        self.verdicts.append(verdict)
        self.answers.append(answer)
        self.told.extend(self.gateway.read(self.config, notice))
        return answer.status, answer.body

    def will(self, **said: Any) -> None:
        """Have the simulator do something from now on."""
        self.app.state.scenarios.append(Scenario(**said))

    async def wait(self, seconds: float) -> None:
        """Let time pass for both."""
        await self.app.advance(seconds)
        self.line.now = self.app.state.now()

    async def ask(
        self, amount: int = 25_000, payer: str | None = "254712345001", reference: str = "DUKA0001", **changes: Any
    ) -> Started:
        """Ask for a payment, in cents."""
        said: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "reference": reference,
            "amount": amount,
            "currency": "KES",
            "exponent": 2,
            "words": "Sale T1-2026-000123",
            "notify": ATTEMPT,
            "phone": payer,
        }
        return await self.gateway.ask(self.line, Asked(**(said | changes)))

    async def find(self, started: Started | None, amount: int = 25_000, **changes: Any) -> Sequence[GatewayFact]:
        """Ask what became of it; without what was started, by its reference."""
        return await self.gateway.find(self.line, self.known(started, amount, **changes))

    def known(self, started: Started | None, amount: int = 25_000, **changes: Any) -> Known:
        """A payment as far as it is known."""
        said: dict[str, Any] = {
            "reference": "DUKA0001",
            "amount": amount,
            "currency": "KES",
            "exponent": 2,
            "asked_at": NOW,
            "ids": started.ids if started else {},
            "phone": "254712345001",
        }
        return Known(**(said | changes))

    def back(self, amount: int, paid: int = 25_000, ids: dict[str, str] | None = None, **changes: Any) -> Back:
        """Money to be given back of a payment whose receipt is known."""
        receipts = tuple(one.receipt for one in self.app.state.ledger.entries if one.is_in)
        payment = self.known(None, paid, **{"money_keys": receipts[-1:], **changes})
        return Back(
            id=str(uuid.UUID(int=7)), payment=payment, amount=amount, words="Return", notify=ATTEMPT, ids=ids or {}
        )
