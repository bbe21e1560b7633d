"""A shop, a gateway and the simulator of its provider, joined without a network: what cases are played on."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from kernel.db.tables import Job
from kernel.money import exponent, format_amount
from kernel.testing.box import Box
from kernel.work import Work, secret_names
from plugins.payments.models import Account, Attempt, Refund, Review
from plugins.payments.schemas.capabilities import Span
from plugins.payments.schemas.gateways import Gateway, GatewayFact, Known, Line, Notice
from plugins.payments.schemas.requests import PaymentIn, RefundIn
from plugins.payments.schemas.told import Subject, Taken
from plugins.payments.services import read_payments, refund_one, take
from plugins.payments.services.accounts import opened_config
from plugins.payments.services.calling import known_of, way_of
from plugins.payments.services.hearing import hear
from plugins.payments.testing.builders import a_place
from plugins.payments.testing.simulator import Due, Pay, Payer, Simulator, Way, Word, path_of
from plugins.payments.testing.transport import FaultyWay


@dataclass
class Stage:
    """What a case is played on. Amounts in minor units."""

    box: Box
    shop: str
    plugin: str
    gateway: Gateway
    simulator: Simulator
    way: FaultyWay
    account_id: uuid.UUID = field(default_factory=uuid.uuid4)
    phones: list[str] = field(default_factory=list)
    """Of payers, as they were typed."""

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
        method = self.gateway.methods[0]
        if not same_payer:
            self.phones.append(self.simulator.phone(len(self.phones) + 1))
        phone = self.phones[-1] if method.takes_phone else None
        units = self._written(self.amount if amount is None else amount)
        place = await a_place(self.box, self.shop)
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
        """Let time go by, from one thing that falls due to the next; schedules are looked at in between, ever more
        seldom.
        """
        begin = self.box.clock.now
        end = begin + dt.timedelta(**length)
        while self.box.clock.now < end:
            rest = max(dt.timedelta(minutes=30), (self.box.clock.now - begin) / 2)
            soonest = min(await self._next_due() or end, self.box.clock.now + rest, end)
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

    async def way_to(self, payment_id: uuid.UUID) -> tuple[Line, Known]:
        """The line to a payment's provider, and what a gateway is told of the payment."""
        row = await self.payment(payment_id)

        async def find(work: Work) -> tuple[Line, Known]:
            return (await way_of(work, row)).line, await known_of(work, row, row.taken_at)

        return await self.box.look(find, shop=self.shop)

    async def hear_of(self, payment_id: uuid.UUID, facts: Sequence[GatewayFact]) -> None:
        """Let payments hear what the provider proved."""
        await self.box.act(lambda work: hear(work, payment_id, facts, "provider"), shop=self.shop)

    def notice(self, due: Due, body: bytes | None = None) -> Notice:
        """A notice as the gateway is given it. body: another than it has."""
        headers = {name.lower(): value for name, value in due.headers.items()}
        return Notice(
            method=due.method,
            headers=headers,
            query={},
            body=due.body if body is None else body,
            address="127.0.0.1",
            at=self.box.clock(),
            mode="test",
        )

    async def reviews(self) -> list[str]:
        """The kinds of questions that are open, in order."""
        return sorted(row.kind for row in await self.rows(Review) if row.state == "open")

    async def refund(self, payment_id: uuid.UUID, amount: int | None = None, *, run: bool = True) -> uuid.UUID:
        """Give money back, by the way it came; returns the refund's id."""
        said = None if amount is None else self._written(amount)
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

    async def change(self, config: Mapping[str, Any]) -> None:
        """Change what the business brought, as its owner does."""
        owner, path = self.box.client("owner", self.shop), f"/api/v1/payments/accounts/{self.account_id}"
        version = int((await owner.get(path)).headers["etag"].strip('"').partition(".")[0])
        changed = await owner.patch(path, {"config": dict(config)}, version=version)
        assert changed.status_code == 200, changed.text

    async def another_account(self) -> str:
        """An account of somebody else's at the same provider, with other secrets, that takes no payments before ours;
        returns where its notices are sent.
        """
        secrets = secret_names(self.gateway.config)
        own = self.simulator.config()
        config = {name: value[::-1] if name in secrets else value for name, value in own.items()}
        theirs = await self.open_account({"label": "Somebody else's", "position": 2, "config": config})
        return str(theirs["notify_url"])

    async def open_account(self, said: Mapping[str, Any]) -> Any:
        """Open an account in test mode, as its owner does; returns it as it is shown."""
        owner = self.box.client("owner", self.shop)
        made = await owner.post("/api/v1/payments/accounts", {"gateway": self.gateway.name, "mode": "test", **said})
        assert made.status_code == 201, made.text
        return made.json()

    async def rows(self, model: Any) -> list[Any]:
        """Every row of the shop in a table, oldest first."""

        async def read(work: Work) -> list[Any]:
            table = model.__table__
            found = sa.select(table).where(table.c.business_id == work.business_id).order_by(table.c.id)
            return list((await work.execute(found)).all())

        return await self.box.look(read, shop=self.shop)

    async def agree(self) -> None:
        """Provider and books agree to the last unit."""
        payments = [row for row in await self.rows(Attempt) if row.gateway]
        back = [row for row in await self.rows(Refund) if row.state == "done"]
        ours = sum(row.captured for row in payments) - sum(row.amount for row in back)
        assert ours == self.simulator.holds(), "the provider holds another sum"

    def _written(self, amount: int) -> str:
        return format_amount(amount, exponent(self.box.shops[self.shop].currency))
