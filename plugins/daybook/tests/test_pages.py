"""Pages of the day book."""

from __future__ import annotations

import pytest

from kernel.testing.box import Box
from plugins.console.testing import Browser


@pytest.mark.parametrize("date", ["0001-01-01", "9999-12-31", "2026-02-30", "x"])
async def test_a_day_without_one_before_or_after_it_is_today(box: Box, date: str) -> None:
    page = await Browser(box).get(f"/daybook/days?date={date}")
    assert page.status == 200
    assert f"{box.clock():%Y-%m-%d}" in page.text or page.text.count("date=") >= 2
