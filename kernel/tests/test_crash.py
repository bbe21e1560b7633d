"""A server killed at any point of a deed leaves all of it or nothing; the key settles which (P1, the kernel's part)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from kernel.auth.models import Location
from kernel.auth.secrets.tokens import Claims, make_access_token
from kernel.db.tables import Audit, Idempotency
from kernel.invariants import broken
from kernel.settings import Settings
from kernel.testing.box import Box
from kernel.testing.served import serving
from kernel.work import Work, system_clock
from kernel.work.crash import CRASHPOINTS

LASTING = CRASHPOINTS[CRASHPOINTS.index("deed.committed") :]
"""From here on the location is there when the process dies."""
OFTEN = ("deed.key_taken", "deed.flushed", "deed.before_commit", "deed.committed")
POINTS = [pytest.param(point, marks=() if point in OFTEN else pytest.mark.prove) for point in CRASHPOINTS]
BODY = {"code": "kisumu", "name": "Kisumu", "kind": "storefront"}


async def traces(box: Box) -> tuple[int, int, int]:
    """How many locations, audit rows and keys the deed has left."""

    async def count(work: Work) -> tuple[int, int, int]:
        found = []
        for model, mark in ((Location, Location.code == "kisumu"), (Audit, Audit.deed == "locations.add_location"),
                            (Idempotency, Idempotency.route == "POST /api/v1/locations")):  # fmt: skip
            counted: Any = sa.select(sa.func.count()).select_from(model).where(mark)
            found.append(int((await work.execute(counted)).scalar_one()))
        return found[0], found[1], found[2]

    return await box.look(count)


def token_of(box: Box) -> str:
    """The owner's token by the time of the server, which has no clock of ours."""
    owner = box.people["mama-njeri", "owner"]
    assert owner.id
    assert owner.session_id
    claims = Claims(owner.id, owner.session_id, box.shop.id)
    return make_access_token(claims, box.deployment.secret, system_clock(), dt.timedelta(hours=1))


@pytest.mark.parametrize("point", POINTS)
async def test_a_server_killed_in_a_deed_leaves_all_or_nothing(box: Box, box_settings: Settings, point: str) -> None:
    key, token = uuid.uuid4().hex, token_of(box)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    with serving(box_settings, 1, {"DUKA_TEST_CRASH_AT": point, "DUKA_JOBS": "off"}) as (server,):
        async with httpx.AsyncClient(base_url=server.url, timeout=120) as http:
            with pytest.raises(httpx.TransportError):
                await http.post("/api/v1/locations", json=BODY, headers=headers)
        assert server.has_died()
    assert await broken(box.deployment) == []
    assert await traces(box) == ((1, 1, 1) if point in LASTING else (0, 0, 0))
    answers = [await box.client("owner").post("/api/v1/locations", BODY, key=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201], answers[0].text
    assert answers[0].content == answers[1].content
    assert ("Idempotency-Replayed" in answers[0].headers) == (point in LASTING)
    assert "Idempotency-Replayed" in answers[1].headers
    assert await traces(box) == (1, 1, 1)
