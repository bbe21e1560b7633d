"""P37: readiness and figures tell of trails that nobody seals and of chains found broken, and selling goes on."""

from __future__ import annotations

import asyncio
import datetime as dt
import random

import pytest
import sqlalchemy as sa

from kernel.app import work_off
from kernel.app.figures import OUTBOX_KEPT_S
from kernel.app.routes.audit import VERIFIED_AN_HOUR
from kernel.audit import Verifier, begin_watch
from kernel.auth.identity import standing_of_business
from kernel.db.tables import AuditWatch, Business
from kernel.settings import Settings
from kernel.testing.box import Box
from kernel.tests.command_line import duka
from kernel.tests.trails import AUDIT, a_long_trail, as_the_owner_of_the_database, sealer
from kernel.work import NO_BUSINESS, Deployment, Work

TAKE = "/api/v1/probe_stock/take"


def verifier(box: Box) -> Verifier:
    return Verifier(box.deployment, standing_of_business)


async def told(box: Box) -> tuple[int, str]:
    """The status of readiness, and its word on the trails."""
    box.app.health._found_at = -10.0
    answer = await box.client(None).get("/health/ready")
    word: str = answer.json()["checks"]["audit"]
    return answer.status_code, word


async def figure(box: Box, name: str) -> float:
    box.app.figures._outbox_at = -OUTBOX_KEPT_S
    lines = (await box.client(None).get("/metrics")).text.splitlines()
    [found] = [line.rpartition(" ")[2] for line in lines if line.startswith(f"{name} ")]
    return float(found)


async def lie(box: Box) -> None:
    """Alter a row of a long trail, as somebody with the database in hand would."""
    trail = await a_long_trail(box, random.Random(37))
    async with as_the_owner_of_the_database(box) as connection:
        await connection.execute(sa.update(AUDIT).where(AUDIT.c.id == trail.row(7)["id"]).values(reason="as if"))


async def test_a_trail_that_nobody_seals_for_half_an_hour_is_told_and_one_that_is_sealed_is_not(box: Box) -> None:
    await sealer(box).go_round()
    assert await told(box) == (200, "ok")
    box.clock.pass_by(minutes=30)
    assert await told(box) == (200, "ok")
    box.clock.pass_by(minutes=1)
    assert await told(box) == (200, "late")
    assert await figure(box, "duka_audit_unsealed_seconds") == 31 * 60
    assert (await box.client("owner").get("/api/v1/locations")).status_code == 200
    await sealer(box).go_round()
    assert await told(box) == (200, "ok")
    assert await figure(box, "duka_audit_unsealed_seconds") == 0


async def test_a_deployment_in_which_nobody_ever_sealed_is_told_of_it(box: Box) -> None:
    """The box was made an hour ago, and no loop has run since."""
    assert await told(box) == (200, "late")


async def test_one_trail_that_cannot_be_sealed_is_told_though_the_others_are(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sealer(box).go_round()
    box.clock.pass_by(minutes=31)
    broken, honest = sealer(box), type(sealer(box)).seal_one

    async def but_one(self: object, business: object, **how: object) -> int:
        if business == box.shop.id:
            raise RuntimeError("not this one")
        return await honest(self, business, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(type(broken), "seal_one", but_one)
    await broken.go_round()
    assert await told(box) == (200, "late")


async def test_a_business_that_is_being_deleted_makes_nothing_late(box: Box) -> None:
    await sealer(box).go_round()

    async def give_up(work: Work) -> None:
        await begin_watch(work)
        await work.execute(sa.update(Business).where(Business.id == box.shop.id).values(deleting_at=work.now))

    await box.act(give_up)
    box.clock.pass_by(minutes=31)
    await sealer(box).go_round()
    assert await told(box) == (200, "ok")


async def test_a_broken_chain_is_found_within_the_day_told_and_keeps_nobody_from_selling(box: Box) -> None:
    await sealer(box).go_round()
    assert [one.first for one in await verifier(box).verify_due()] == [None] * 3
    await lie(box)
    assert await verifier(box).verify_due() == [], "their day is not over"
    assert await told(box) == (200, "ok")
    box.clock.pass_by(hours=24)
    await sealer(box).go_round()
    [found] = [one for one in await verifier(box).verify_due() if one.first]
    assert (found.business, found.first and found.first.kind) == ("mama-njeri", "altered")
    assert await told(box) == (200, "broken")
    assert await figure(box, "duka_audit_broken_chains") == 1
    assert await figure(box, 'duka_check_ok{check="audit"}') == 1
    assert (await box.client("owner").get("/api/v1/locations")).status_code == 200


async def test_who_may_read_the_trail_has_it_verified_at_once(box: Box) -> None:
    await sealer(box).go_round()
    await verifier(box).verify_due()
    await lie(box)
    await sealer(box).go_round()
    owner, path = box.client("owner"), "/api/v1/audit/verification"
    known = (await owner.get(path)).json()
    assert (known["is_asked"], known["fault"], known["sealed"] > 0) == (False, None, True)
    assert await verifier(box).verify_asked() == [], "nobody asked"
    asked = await owner.post(path)
    assert (asked.status_code, asked.json()["is_asked"]) == (200, True), asked.text
    [found] = await verifier(box).verify_asked()
    assert (found.business, found.first and found.first.kind) == ("mama-njeri", "altered")
    known = (await owner.get(path)).json()
    assert not known["is_asked"]
    assert "is not what was sealed" in known["fault"]
    assert (await box.client("owner", shop="sharma-kirana").get(path)).json()["fault"] is None
    assert (await box.client("cashier").post(path)).status_code == 403


async def test_a_trail_is_not_verified_all_day_long_because_somebody_asks_all_day_long(box: Box) -> None:
    owner, path = box.client("owner"), "/api/v1/audit/verification"
    said = [(await owner.post(path)).status_code for _ in range(VERIFIED_AN_HOUR + 1)]
    assert said == [200] * VERIFIED_AN_HOUR + [429]
    assert (await box.client("owner", shop="sharma-kirana").post(path)).status_code == 200
    box.clock.pass_by(hours=1)
    assert (await owner.post(path)).status_code == 200


async def test_a_verification_that_believes_the_seals_lets_the_lie_pass(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin works out no hash."""
    await sealer(box).go_round()
    await lie(box)
    async with as_the_owner_of_the_database(box) as connection:
        rows = (await connection.execute(sa.text("SELECT audit_id, hash FROM kernel_audit_seal"))).all()
    seals = {str(row.audit_id).replace("-", ""): bytes(row.hash) for row in rows}
    monkeypatch.setattr("kernel.audit.verifying.link", lambda _before, _number, _at, row: _stored(seals, row))
    assert [one.first for one in await verifier(box).verify_due()] == [None] * 3
    assert (await told(box))[1] == "ok"


def _stored(seals: dict[str, bytes], row: dict[str, object]) -> bytes:
    return seals[str(row["id"]).replace("-", "")]


async def test_a_fault_stays_until_somebody_has_verified_by_hand(box: Box, box_settings: Settings) -> None:
    await sealer(box).go_round()
    trail = await a_long_trail(box, random.Random(38))
    place = trail.row(3)

    async def alter(reason: str) -> None:
        async with as_the_owner_of_the_database(box) as connection:
            await connection.execute(sa.update(AUDIT).where(AUDIT.c.id == place["id"]).values(reason=reason))

    await alter("as if")
    assert (await duka(box_settings, "audit", "verify"))[0] == 1
    assert (await told(box))[1] == "broken"
    await alter(place["reason"])
    box.clock.now = dt.datetime.now(dt.UTC) + dt.timedelta(hours=24)  # the command line has no clock but the real one
    assert len(await verifier(box).verify_due()) == 3
    assert (await told(box))[1] == "broken", "it is whole again, and nobody has asked why"
    assert (await duka(box_settings, "audit", "verify"))[0] == 0
    await sealer(box).go_round()
    assert (await told(box))[1] == "ok"
    assert await figure(box, "duka_audit_broken_chains") == 0


async def test_of_two_processes_one_verifies_a_chain(box: Box) -> None:
    found = await asyncio.gather(verifier(box).verify_due(), verifier(box).verify_due())
    assert len([*found[0], *found[1]]) == 3


async def test_a_worker_verifies(box: Box) -> None:
    async def seen(work: Work) -> set[object]:
        here = sa.select(AuditWatch.business_id).where(AuditWatch.verified_at.is_not(None))
        return set((await work.execute(here)).scalars())

    stop, deployment = asyncio.Event(), box.deployment
    working = asyncio.create_task(work_off(deployment, stop, 1))
    for _ in range(1200):
        if await box.look(seen) == {NO_BUSINESS, box.shop.id, box.other.id}:
            break
        await asyncio.sleep(0.05)
    else:
        pytest.fail("not every chain was verified")
    stop.set()
    assert await working
    assert isinstance(deployment, Deployment)
