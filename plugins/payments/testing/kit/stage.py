"""A shop, a gateway and the simulator of its provider, joined without a network; and what must hold after each case."""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pkgutil import resolve_name
from typing import Any, ClassVar

import pytest
import pytest_asyncio
import sqlalchemy as sa

from kernel.auth.businesses.switching import enable
from kernel.db import Phase
from kernel.db.tables import Job
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import Box, open_box
from kernel.testing.checking import faults
from kernel.work import Work
from kernel.work.configuring import secret_names
from plugins.payments.hooks import payment_gateways
from plugins.payments.models import Account, Attempt, Event, Money, Refund, Review
from plugins.payments.rules import Fact, project
from plugins.payments.schemas.capabilities import Span
from plugins.payments.schemas.gateways import Gateway, Known
from plugins.payments.schemas.requests import PaymentIn, RefundIn
from plugins.payments.schemas.told import Subject, Taken
from plugins.payments.services import read_payments, refund_one, take
from plugins.payments.services.accounts import opened_config
from plugins.payments.services.line import close_lines, lead_over
from plugins.payments.testing.builders import a_place
from plugins.payments.testing.simulator import Due, Pay, Payer, Simulator, Way, Word, path_of
from plugins.payments.testing.transport import FaultyWay

SHOP_OF = {"KE": "mama-njeri", "IN": "sharma-kirana"}


@dataclass
class Stage:
    """What a case is played on. Amounts in minor units."""

    box: Box
    shop: str
    plugin: str
    gateway: Gateway
    simulator: Simulator
    account_id: uuid.UUID
    said: list[str] = field(default_factory=list)
    """What was logged."""
    phones: int = 0

    @property
    def span(self) -> Span:
        """What may be paid at once."""
        currency = self.box.shops[self.shop].currency
        return next(one for one in self.gateway.capabilities.spans if one.currency == currency)

    @property
    def amount(self) -> int:
        """An amount that may be paid, and parted."""
        return max(self.span.least, 100 * self.span.step, 25_000)

    async def ask(
        self,
        amount: int | None = None,
        *,
        payer: Payer = "pays",
        way: Way = "good",
        word: Word = "once",
        subject: Subject | None = None,
        run: bool = True,
    ) -> uuid.UUID:
        """Ask for a payment, as a checkout does, and let it be sent; returns its id."""
        self.simulator.next(payer=payer, way=way, word=word)
        payment_id = await self.declare(amount, subject=subject)
        if run:
            await self.run()
        return payment_id

    async def declare(
        self, amount: int | None = None, *, subject: Subject | None = None, same_payer: bool = False
    ) -> uuid.UUID:
        """Declare a payment that has still to be asked for. same_payer: by the phone of the one before."""
        place = await a_place(self.box, self.shop)
        method = self.gateway.methods[0]
        self.phones += 0 if same_payer else 1
        phone = self.simulator.phone(self.phones) if method.takes_phone else None
        units = f"{(self.amount if amount is None else amount) / 100:.2f}"
        about = subject or Subject("bill", uuid.uuid4(), "B-1")

        async def run(work: Work) -> uuid.UUID:
            wanted = read_payments(work, [PaymentIn(method=method.code, amount=units, phone=phone)])
            await work.write()
            taken = [
                Taken(one.method, one.amount, reference=one.reference, phone=one.phone, awaited=True) for one in wanted
            ]
            return (await take(work, about, taken, place))[0].id

        return await self.box.act(run, role="cashier", shop=self.shop)

    async def run(self) -> None:
        """Let everything that is due be done."""
        await self.box.run_jobs()

    async def hear(self) -> list[int]:
        """Let the provider send its notices and have them read; returns how they were answered."""
        await self.simulator.tick()
        answered = await self.simulator.deliver()
        await self.run()
        return answered

    async def pass_by(self, **length: float) -> None:
        """Let time go by, from one thing that falls due to the next; schedules are looked at every half hour."""
        end = self.box.clock.now + dt.timedelta(**length)
        while self.box.clock.now < end:
            soonest = min(await self._next_due() or end, self.box.clock.now + dt.timedelta(minutes=30), end)
            self.box.clock.now = max(soonest, self.box.clock.now + dt.timedelta(milliseconds=1))
            await self.simulator.tick()
            await self.run()

    async def _next_due(self) -> dt.datetime | None:
        """When the next job falls due."""

        async def read(work: Work) -> dt.datetime | None:
            here = sa.and_(Job.business_id == work.business_id, Job.state == "pending")
            found: dt.datetime | None = (
                await work.execute(sa.select(sa.func.min(Job.run_at)).where(here))
            ).scalar_one()
            return found

        return await self.box.look(read, shop=self.shop)

    async def payment(self, payment_id: uuid.UUID) -> Any:
        """A payment's row."""
        return next(row for row in await self.rows(Attempt) if row.id == payment_id)

    async def state(self, payment_id: uuid.UUID) -> tuple[str, int]:
        """Its state, and what it captured."""
        row = await self.payment(payment_id)
        return row.state, row.captured

    async def known(self, payment_id: uuid.UUID) -> Known:
        """A payment as the gateway is told of it."""
        row = await self.payment(payment_id)
        return Known(
            reference=row.merchant_ref or "",
            amount=row.amount,
            currency=row.currency,
            exponent=2,
            asked_at=row.taken_at,
            ids=row.provider_ids or {},
            phone=row.payer_phone,
        )

    async def reviews(self) -> list[str]:
        """The kinds of questions that are open, in order."""
        return sorted(row.kind for row in await self.rows(Review) if row.state == "open")

    async def refund(self, payment_id: uuid.UUID, amount: int | None = None, *, run: bool = True) -> uuid.UUID:
        """Give money back, by the way it came; returns the refund's id."""
        said = None if amount is None else f"{amount / 100:.2f}"
        data = RefundIn(payment_id=payment_id, amount=said, reason="spoilt")
        made = await self.box.act(lambda work: refund_one(work, data), role="owner", shop=self.shop)
        if run:
            await self.run()
        return made.id

    async def refund_state(self, refund_id: uuid.UUID) -> str:
        """How a refund stands."""
        state: str = next(row.state for row in await self.rows(Refund) if row.id == refund_id)
        return state

    async def post(self, due: Due, **changed: Any) -> int:
        """Send a notice of one's own making; returns how it was answered."""
        headers, body = changed.get("headers", due.headers), changed.get("body", due.body)
        answer = await self.box.http.request(due.method, path_of(due.address), headers=dict(headers), content=body)
        return answer.status_code

    def last(self) -> Pay:
        """The payment that the provider was last asked for."""
        return list(self.simulator.ledger.values())[-1]

    async def config(self) -> Any:
        """What the business brought, opened."""
        row = next(row for row in await self.rows(Account) if row.id == self.account_id)
        return opened_config(self.box.deployment, self.gateway, row)

    async def rows(self, model: Any) -> list[Any]:
        """Every row of the shop in a table, oldest first."""

        async def read(work: Work) -> list[Any]:
            table = model.__table__
            found = sa.select(table).where(table.c.business_id == work.business_id).order_by(table.c.id)
            return list((await work.execute(found)).all())

        return await self.box.look(read, shop=self.shop)

    async def check(self) -> None:
        """What must hold after every case."""
        assert await faults(self.box.deployment) == []
        events = await self.rows(Event)
        for payment in [row for row in await self.rows(Attempt) if row.gateway]:
            facts = [
                Fact(
                    one.kind,
                    one.source,
                    one.dedupe_key or str(one.id),
                    one.amount,
                    one.currency,
                    one.money_key,
                    str(one.refund_id or ""),
                )
                for one in events
                if one.attempt_id == payment.id
            ]
            again = project(payment.amount, payment.currency, facts)
            assert again.state == payment.state, "the facts alone give another state"
        counted = [row.money_key for row in await self.rows(Money) if row.attempt_id]
        assert len(counted) == len(set(counted)), "money is counted twice"
        assert all(status < 500 for status in self.simulator.told), "a notice was answered with an error of ours"
        config = await self.config()
        secrets = [str(getattr(config, name)) for name in secret_names(self.gateway.config)]
        for line in self.said:
            assert not any(len(one) > 3 and one in line for one in secrets), "a secret stands in the log"

    async def agree(self) -> None:
        """Provider and books agree to the last unit."""
        payments = [row for row in await self.rows(Attempt) if row.gateway]
        back = [row for row in await self.rows(Refund) if row.state == "done"]
        ours = sum(row.captured for row in payments) - sum(row.amount for row in back)
        assert ours == self.simulator.holds(), "the provider holds another sum"


class Staged:
    """The stage of every case."""

    plugin: ClassVar[str] = ""
    gateway: ClassVar[str] = ""
    """Which of the plugin's gateways, where it offers several."""
    config: ClassVar[Mapping[str, Any]] = {}
    """What the account brings besides what the simulator wants."""

    @pytest_asyncio.fixture
    async def stage(
        self, box_settings: Settings, registry: Registry, caplog: pytest.LogCaptureFixture
    ) -> AsyncIterator[Stage]:
        """A shop with the gateway on and an account at the simulator; looked over when the case is through."""
        caplog.set_level(logging.DEBUG, logger="duka")
        box = await open_box(box_settings, registry)
        gateway = _offered_by(registry, self.plugin, self.gateway)
        region = next((one for one in gateway.capabilities.regions if one in SHOP_OF), "KE")
        shop = SHOP_OF[region]
        await box.act(lambda work: enable(work, self.plugin), phase=Phase.SWITCH, shop=shop)
        made: Any = resolve_name(gateway.simulator)
        simulator: Simulator = made()
        simulator.clock = box.clock
        account = await _account(box, shop, gateway, {**simulator.config(), **self.config}, region)
        account_id, simulator.notify = uuid.UUID(account["id"]), account["notify_url"]
        stage = Stage(box, shop, self.plugin, gateway, simulator, account_id)

        async def send(method: str, address: str, headers: Mapping[str, str], body: bytes) -> int:
            answer = await box.http.request(method, path_of(address), headers=dict(headers), content=body)
            return answer.status_code

        simulator.send = send
        lead_over(box.deployment, FaultyWay(simulator))
        yield stage
        await close_lines(box.deployment)
        stage.said = [record.getMessage() for record in caplog.records if record.name.startswith("duka")]
        try:
            await stage.check()
        finally:
            await box.close()


def _offered_by(registry: Registry, plugin: str, name: str = "") -> Gateway:
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


async def _account(box: Box, shop: str, gateway: Gateway, config: Mapping[str, Any], region: str) -> dict[str, Any]:
    """Switch the gateway on in its region, and open an account, both as people do it; the account as it is shown."""
    operator, owner = box.client("operator", shop), box.client("owner", shop)
    path = f"/api/v1/operating/payments/regions/{region}/{gateway.name}/test"
    switched = await operator.send("PUT", path, json={"is_on": True}, headers={"If-Match": '"0"'})
    assert switched.status_code in (200, 201), switched.text
    said = {"gateway": gateway.name, "label": "The kit's", "mode": "test", "config": dict(config)}
    made = await owner.post("/api/v1/payments/accounts", said)
    assert made.status_code == 201, made.text
    opened: dict[str, Any] = made.json()
    return opened
