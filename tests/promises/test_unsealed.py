"""P37: a deployment in which nobody seals the trails is warned of it."""

from __future__ import annotations

import datetime as dt
import random

import sqlalchemy as sa

from kernel.settings import Settings
from kernel.testing.box import Box
from kernel.tests.command_line import duka
from kernel.tests.trails import AUDIT, as_the_owner_of_the_database, made, sealer


async def test_the_check_warns_of_a_trail_that_nobody_seals(box: Box, box_settings: Settings) -> None:
    await sealer(box).seal_all()
    assert "without a seal" not in (await duka(box_settings, "check"))[1]
    row = made(box.shop.id, dt.datetime.now(dt.UTC) - dt.timedelta(hours=2), "forgotten", random.Random(37))
    async with as_the_owner_of_the_database(box) as connection:
        await connection.execute(sa.insert(AUDIT), [row])
    code, said = await duka(box_settings, "check")
    assert code == 0, said
    assert "! audit trails without a seal for up to 1" in said
    await sealer(box).seal_all()
