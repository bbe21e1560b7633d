"""Failing: the provider is away, slow, wrong or busy; a process dies on the way; a gateway is switched off."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from kernel.auth.businesses.switching import disable
from kernel.db import Phase
from kernel.errors import DukaError
from kernel.work import Work, secret_names
from plugins.payments.models import Operation
from plugins.payments.testing.kit.stage import Stage
from plugins.payments.testing.simulator import Way


class Failing:
    """Cases 29 to 33, 37, 39 to 41, 63, 64, 74, 78 to 80."""

    async def test_29_nobody_is_there(self, stage: Stage) -> None:
        """Known as not sent: another request may be made at once."""
        payment = await stage.ask(way="nobody there")
        state, captured = await stage.state(payment)
        if state == "captured":  # sent again, which is safe: nothing had left
            await stage.agree()
            return
        assert (state, captured) in (("failed", 0), ("created", 0), ("unknown", 0))
        await stage.pass_by(minutes=3)
        await stage.agree()

    @pytest.mark.parametrize("way", ["answer lost", "error after", "broken answer", "empty answer"])
    async def test_30_31_33_it_is_done_and_nobody_hears(self, stage: Stage, way: Way) -> None:
        """Never sent again unasked; paid, it counts once, where the provider can tell."""
        payment = await stage.ask(way=way, word="never")
        await stage.pass_by(hours=25)
        state, captured = await stage.state(payment)
        assert len(stage.simulator.ledger) == 1, "the payer was asked twice"
        assert (state, captured) in (("captured", stage.amount), ("unknown", 0), ("pending", 0))
        if stage.gateway.capabilities.finds_by_reference:
            assert captured == stage.amount
        elif not captured:
            assert "unknown" in await stage.reviews()

    async def test_31_an_error_page_and_nothing_done(self, stage: Stage) -> None:
        """No crash, no money; it ends known or unknown, never paid."""
        payment = await stage.ask(way="error page")
        await stage.pass_by(minutes=10)
        state, captured = await stage.state(payment)
        assert captured == 0 or (state == "captured" and len(stage.simulator.ledger) == 1)

    async def test_39_the_key_is_wrong(self, stage: Stage) -> None:
        """Said as such; no second request, no loop."""
        config = await stage.config()
        secret = next(iter(stage.simulator.config()))
        owner = stage.box.client("owner", stage.shop)
        path = f"/api/v1/payments/accounts/{stage.account_id}"
        version = int((await owner.get(path)).headers["etag"].strip('"').partition(".")[0])
        assert getattr(config, secret) is not None
        changed = await owner.patch(path, {"config": {secret: "not-the-one-it-was"}}, version=version)
        assert changed.status_code == 200, changed.text
        payment = await stage.ask()
        await stage.pass_by(minutes=3)
        assert (await stage.state(payment))[1] == 0
        assert not stage.simulator.ledger
        assert len(stage.simulator.calls) < 60

    async def test_40_the_provider_is_busy(self, stage: Stage) -> None:
        """Known as not done, or done later; never twice."""
        payment = await stage.ask(way="busy")
        await stage.hear()
        await stage.pass_by(minutes=10)
        assert len(stage.simulator.ledger) <= 1
        assert (await stage.state(payment))[1] in (0, stage.amount)

    async def test_41_the_provider_is_away_for_an_hour(self, stage: Stage) -> None:
        """Calls stop after a few; what was paid meanwhile counts when it is back."""
        payment = await stage.ask(payer="waits", word="never")
        stage.simulator.decide(stage.last().id)
        before = len(stage.simulator.calls)
        for _ in range(12):
            stage.simulator.way = "nobody there"
            await stage.pass_by(minutes=5)
        stage.simulator.way = "good"
        assert len(stage.simulator.calls) - before < 60
        await stage.pass_by(hours=25)
        assert await stage.state(payment) == ("captured", stage.amount)
        await stage.agree()

    async def test_63_a_process_dies_while_it_asks(self, stage: Stage) -> None:
        """The request left, nobody heard; the sweeper alone finds out."""
        payment = await stage.ask(word="never", run=False)

        async def sent(work: Work) -> None:
            table = Operation.__table__
            here = sa.and_(table.c.business_id == work.business_id, table.c.attempt_id == payment)
            await work.execute(sa.update(Operation).where(here).values(state="sent", sent_at=work.now))

        await stage.box.act(sent, shop=stage.shop)
        await stage.run()
        if not stage.gateway.capabilities.retry_is_safe:
            assert not stage.simulator.ledger, "what was sent is sent again"
        await stage.pass_by(hours=25)
        assert len(stage.simulator.ledger) <= 1
        assert (await stage.state(payment))[1] in (0, stage.amount)
        await stage.agree()

    async def test_74_the_gateway_is_switched_off_with_payments_under_way(self, stage: Stage) -> None:
        """Nothing new begins; what was begun ends, and can be given back."""
        payment = await stage.ask(payer="waits", word="never")
        await stage.box.act(lambda work: disable(work, stage.plugin), shop=stage.shop, phase=Phase.SWITCH)
        with pytest.raises(DukaError):
            await stage.declare()
        stage.simulator.decide(stage.last().id)
        await stage.hear()
        await stage.pass_by(hours=25)
        assert await stage.state(payment) == ("captured", stage.amount)
        await stage.agree()

    async def test_80_secrets_are_never_shown(self, stage: Stage) -> None:
        """Not by the account, not by any list, not in the trail."""
        owner = stage.box.client("owner", stage.shop)
        config, names = await stage.config(), secret_names(stage.gateway.config)
        hidden = [str(getattr(config, name)) for name in names if getattr(config, name)]
        assert hidden
        for path in (f"accounts/{stage.account_id}", "accounts", "gateways", "payments"):
            said = (await owner.get(f"/api/v1/payments/{path}")).text
            assert not any(one in said for one in hidden), path
        said = (await owner.get("/api/v1/audit")).text
        assert not any(one in said for one in hidden)
