"""SQLite's write-ahead log does not grow without end."""

from __future__ import annotations

from pathlib import Path

import pytest

from kernel.settings import Settings
from kernel.testing.box import Box


async def test_tidying_cuts_the_write_ahead_log(box: Box, box_settings: Settings, database: str) -> None:
    await box.client("owner").post("/api/v1/locations", {"code": "west", "name": "Westlands", "kind": "storefront"})
    await box.deployment.database.tidy()
    if database == "sqlite":
        log = Path(box_settings.url.partition(":///")[2] + "-wal")
        assert log.stat().st_size == 0
    answer = await box.client("owner").get("/api/v1/locations")
    assert len(answer.json()["items"]) == 3


@pytest.mark.parametrize("database", ["sqlite"])
async def test_a_reader_does_not_stop_tidying_for_long_nor_is_it_disturbed(box: Box, database: str) -> None:
    async with box.deployment.database.reading(box.shop.id):
        await box.client("owner").post("/api/v1/locations", {"code": "west", "name": "Westlands", "kind": "storefront"})
        await box.deployment.database.tidy()
