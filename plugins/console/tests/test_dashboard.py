"""A dashboard is its person's own: arranged by forms, kept for person and business, and nobody else's is touched."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.testing.box import Box
from plugins.console.testing import Browser

DASHBOARD = "/api/v1/console/dashboard"
ONE = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])


async def cards(box: Box, role: str = "owner", shop: str = "mama-njeri") -> list[dict[str, Any]]:
    """Somebody's cards, in their order."""
    answer = await box.client(role, shop).get(DASHBOARD)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["cards"])


def names(found: list[dict[str, Any]], **having: Any) -> list[str]:
    """The names of cards that are so."""
    return [one["card"] for one in found if having.items() <= one.items()]


async def test_somebody_arranges_their_dashboard_and_nobody_elses_is_touched(box: Box) -> None:
    browser, before = Browser(box), await cards(box)
    others = [("manager", "mama-njeri"), ("owner", "sharma-kirana")]
    theirs = [await cards(box, *one) for one in others]
    assert names(before)[0] == "analytics.today"
    form = (await browser.get("/arrange")).form("/console/dashboard")
    place = {one["card"]: number for number, one in enumerate(before)}
    low, hours = (place[one] for one in ("inventory.low", "analytics.hours"))
    told = {f"cards.{low}.size": "l", f"cards.{low}.place": "1", f"cards.{hours}.is_shown": "false"}
    shown = await browser.submit(form, told)
    assert shown.status == 200
    mine = await cards(box)
    assert names(mine)[:2] == ["inventory.low", "analytics.today"]
    assert names(mine, is_shown=False) == ["analytics.hours"]
    assert names(mine, size="l") == ["inventory.low", "analytics.today"]
    text = (await browser.get("/cards")).text
    assert 'hx-get="/console/card/analytics/hours"' not in text
    assert 'd-card-l" aria-label="Running low"' in text
    assert 'hx-get="/console/card/analytics/today"' in text
    assert [await cards(box, *one) for one in others] == theirs
    page = await browser.get("/arrange")
    await browser.submit(page.form("/console/dashboard"), {})  # the same again
    reset = next(one for one in (await browser.get("/arrange")).forms if "As it comes" in one.buttons)
    assert (await browser.submit(reset)).status == 200
    assert await cards(box) == before


@ONE
async def test_what_cannot_be_arranged_is_refused_and_changes_nothing(box: Box) -> None:
    owner, before = box.client("owner"), await cards(box)
    twice = {"cards": [{"card": "analytics.today"}, {"card": "analytics.today"}]}
    for body, tag, status in (
        (twice, '"0"', 422),
        ({"cards": [{"card": "no name"}]}, '"0"', 422),
        ({"cards": [{"card": "analytics.today", "size": "xl"}]}, '"0"', 422),
        ({"cards": []}, '"7"', 412),
        ({"cards": []}, None, 428),
    ):
        headers = {"If-Match": tag} if tag else {}
        assert (await owner.send("PUT", DASHBOARD, json=body, headers=headers)).status_code == status
    assert await cards(box) == before
    assert (await box.client(None).get(DASHBOARD)).status_code == 401


@ONE
async def test_a_dashboard_shows_what_its_reader_may_see_and_remembers_what_is_off(box: Box) -> None:
    assert {"analytics.today", "payments.reviews"} <= set(names(await cards(box)))
    assert "analytics.today" not in names(await cards(box, "cashier"))
    owner = box.client("owner")
    said = {"cards": [{"card": "loyalty.points", "is_shown": False}, {"card": "inventory.low"}]}
    done = await owner.send("PUT", DASHBOARD, json=said, headers={"If-Match": '"0"'})
    assert names(done.json()["cards"])[0] == "inventory.low", "a card that is not here is not shown"
    again = {"cards": [{"card": "payments.reviews"}]}
    done = await owner.send("PUT", DASHBOARD, json=again, headers={"If-Match": done.headers["etag"]})
    assert names(done.json()["cards"])[:2] == ["payments.reviews", "analytics.today"]
