"""Places for others: who sees them named, and what becomes of a page whose guests fail or take their time."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from plugins.console import listeners
from plugins.console.schemas import Action, Block, Refused, Seen
from plugins.console.services import rendering
from plugins.console.services.composing import Composed
from plugins.console.services.rendering import Rendering, environment_of, kinds_of

ENVIRONMENT = environment_of({"console": Path(listeners.__file__).parent})
GIVEN = {"product": {"id": "01a2", "name": "Rice", "is_active": True, "ext": {}}, "day": "2026-11-21"}


async def _failing(_seen: Seen, _given: Mapping[str, Any]) -> Mapping[str, Any]:
    raise ZeroDivisionError


async def _unseen(_seen: Seen, _given: Mapping[str, Any]) -> Mapping[str, Any]:
    raise Refused(403, {"title": "Forbidden"})


async def _unheard(*_: Any) -> Any:
    raise LookupError


async def _never(_seen: Seen, _given: Mapping[str, Any]) -> Mapping[str, Any]:
    await asyncio.Event().wait()
    return {}


def a_rendering(*blocks: Block, permissions: tuple[str, ...] = ("plugins.manage",), slots: str = "1") -> Rendering:
    composed = Composed.__new__(Composed)
    composed.blocks = [("probe", one) for one in blocks]
    composed.columns, composed.actions = [], [("probe", Action("catalog.product", "go", "Go", "/probe/{id}"))]
    me = {"business": None, "permissions": permissions, "is_operator": False, "plugins": ()}
    seen = Seen(me, {}, {"slots": slots}, "en", _unheard)
    now = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
    return Rendering(ENVIRONMENT, composed, seen, proof="", path="/catalog/products/01a2", now=now)


async def test_who_may_turn_apps_on_sees_places_by_name_with_what_they_give() -> None:
    drawn = a_rendering()
    shown = str(await drawn.slot("catalog.product", **GIVEN))
    assert "catalog.product</summary>" in shown
    assert "product.name: text" in shown
    assert "product.is_active: yes or no" in shown
    assert [action.title for action, _ in drawn.actions("catalog.product", id="01a2")] == ["Go", "catalog.product (id)"]
    assert [column.title for column, _ in await drawn.columns("catalog.products", [{}])] == ["catalog.products"]


@pytest.mark.parametrize(("permissions", "slots"), [(("catalog.see",), "1"), (("plugins.manage",), "")])
async def test_nobody_else_sees_them(permissions: tuple[str, ...], slots: str) -> None:
    drawn = a_rendering(permissions=permissions, slots=slots)
    assert str(await drawn.slot("catalog.product", **GIVEN)) == ""
    assert [action.title for action, _ in drawn.actions("catalog.product", id="01a2")] == ["Go"]
    assert await drawn.columns("catalog.products", [{}]) == []


def test_kinds_say_what_a_template_may_do_with_a_value() -> None:
    assert kinds_of({"day": {"total": "1.00", "count": 2, "note": None}, "rows": []}) == [
        ("day.total", "text"),
        ("day.count", "number"),
        ("day.note", "nothing just now"),
        ("rows", "list"),
    ]


async def guests(drawn: Rendering) -> str:
    """What a place shows, or that the page went down with it."""
    try:
        return str(await drawn.slot("catalog.product", **GIVEN))
    except ZeroDivisionError:
        return "the page is gone"


async def test_a_guest_that_fails_leaves_a_note_and_one_that_may_not_leaves_nothing() -> None:
    failing = Block("catalog.product", "bad", "outside.html", _failing)
    shown = await guests(a_rendering(failing, slots=""))
    assert "A part of probe could not be shown." in shown
    assert await guests(a_rendering(Block("catalog.product", "no", "outside.html", _unseen), slots="")) == ""


async def test_a_page_that_lets_its_guests_fail_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: nobody catches."""

    async def shown(_self: Rendering, _plugin: str, block: Block, given: Mapping[str, Any]) -> str:
        assert block.read is not None
        await block.read(a_rendering().seen, given)
        return ""

    monkeypatch.setattr(Rendering, "_shown", shown)
    assert await guests(a_rendering(Block("catalog.product", "bad", "outside.html", _failing))) == "the page is gone"


async def is_there_before_its_guest(drawn: Rendering, within_s: float) -> bool:
    """Whether a place is shown though its guest never comes."""
    task = asyncio.ensure_future(drawn.slot("catalog.product", **GIVEN))
    done, _ = await asyncio.wait([task], timeout=within_s)
    task.cancel()
    return bool(done) and "/console/block/probe/slow?product=01a2" in str(task.result())


async def test_a_guest_that_takes_its_time_loads_after_the_page_by_ids_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "SLOW_S", 0)
    assert await is_there_before_its_guest(a_rendering(Block("catalog.product", "slow", "outside.html", _never)), 60)


async def test_a_page_that_waits_for_its_guests_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: whoever is slow keeps everybody."""
    monkeypatch.setattr(rendering, "SLOW_S", None)
    assert not await is_there_before_its_guest(
        a_rendering(Block("catalog.product", "slow", "outside.html", _never)), 0.1
    )
