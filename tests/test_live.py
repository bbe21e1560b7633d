"""What is done is told to who looks on: names of plugins alone, of those in which they hold a permission."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from kernel.auth.models import SignIn
from kernel.testing.box import Box
from kernel.web import streams
from kernel.work import Work
from kernel.work.commits import Commits
from plugins.catalog.testing import a_product
from plugins.console.services import watching
from tests.proving import ON_SQLITE
from tests.test_streams import listening

CHANGES = "/api/v1/console/changes"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LEAST_S", 0.01)
    monkeypatch.setattr(streams, "LONGEST_S", 60.0)


async def sell(box: Box) -> None:
    """A sale by the API, and what it needs."""
    soap = await a_product(box, sku=f"SOAP-{uuid.uuid4().hex[:6]}", price="100.00", track_stock=False)
    paid = {"payments": [{"method": "cash", "amount": "100.00"}]}
    cart = {"location_id": str(await box.location()), "lines": [{"product_id": str(soap)}]}
    sold = await box.client("cashier").post("/api/v1/sales/sales", cart | paid)
    assert sold.status_code == 201, sold.text


async def told_at_once(box: Box, role: str, since: dt.datetime, shop: str = "mama-njeri") -> list[str]:
    """What somebody is told who comes anew, and goes."""
    query = urlencode({"since": since.isoformat()})
    async with listening(box, CHANGES, role=role, shop=shop, query=query) as one:
        [(_, first)] = await one.told(1)
        return list(first["changed"])


async def test_a_sale_is_told_to_who_looks_on_and_no_place_is_held_meanwhile(box: Box) -> None:
    async with listening(box, CHANGES, role="owner") as one:
        [(name, first)] = await one.told(1)
        assert (name, first["changed"]) == ("changes", []), "what was done before is known"
        assert box.deployment.visitors.free == 6
        await sell(box)
        await one.until(lambda one: any("sales" in told["changed"] for _, told in one.events))
        assert "SOAP" not in one.text, "names of plugins, and nothing of what was done"


@ON_SQLITE
async def test_who_comes_back_is_told_what_they_missed_as_far_as_they_may(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = box.clock()
    box.clock.pass_by(minutes=1)
    await sell(box)
    owner = await told_at_once(box, "owner", before)
    assert "sales" in owner
    assert await told_at_once(box, "owner", before, "sharma-kirana") == []
    assert "sales" not in await told_at_once(box, "stock_keeper", before)
    now = box.clock() + dt.timedelta(seconds=30)
    assert await told_at_once(box, "owner", now) == await told_at_once(box, "owner", box.clock()), "the future is now"
    monkeypatch.setattr(watching, "_own", lambda work: {"sales"})  # the broken twin: whatever the role
    assert "sales" in await told_at_once(box, "stock_keeper", before)


@ON_SQLITE
async def test_a_deed_that_shows_late_is_told_and_none_is_told_twice(box: Box) -> None:
    trail = watching.Trail(box.clock())

    async def look(work: Work) -> list[str]:
        return (await trail.look(work)).changed

    await sell(box)
    assert "sales" in await box.look(look)
    assert await box.look(look) == []
    box.clock.pass_by(seconds=8)
    await sell(box)
    box.clock.pass_by(seconds=8)  # it bears the time of its beginning, before the last look from here on
    assert "sales" in await box.look(look)
    box.clock.pass_by(minutes=30)
    assert await box.look(look) == []


@ON_SQLITE
async def test_a_commit_between_a_look_and_the_wait_for_the_next_is_not_missed(database: str) -> None:
    commits, business = Commits(), uuid.uuid4()
    known = commits.count(business)
    commits.note(business)
    await asyncio.wait_for(commits.wait(business, 3600, beyond=known), 60)
    deaf = asyncio.create_task(commits.wait(business, 3600))  # the twin, who does not say what they know
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not deaf.done()
    commits.note(business)
    await asyncio.wait_for(deaf, 60)
    assert commits.waiting == 0


@pytest.mark.parametrize("within_s", [1.0, 600.0])
async def test_it_ends_with_the_sign_in_though_no_commit_and_no_look_comes(
    box: Box, within_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sign-in ends as if by another process: nothing wakes this one, and the next look would be far."""
    monkeypatch.setattr(watching, "WITHIN_S", within_s)
    monkeypatch.setattr(Commits, "note", lambda _self, _business: None)
    async with listening(box, CHANGES, role="owner") as one:
        await one.told(1)
        ended = sa.update(SignIn).where(SignIn.id == box.people["mama-njeri", "owner"].session_id)

        async def sign_out(work: Work) -> None:
            await work.execute(ended.values(revoked_at=work.now))

        await box.act(sign_out)
        name, told = (await one.told(2))[1]
        assert (name, told["code"]) == ("problem", "unauthenticated")
        await one.end()
