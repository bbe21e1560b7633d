"""The first steps of a business: what of them is done is read from what there is; only what was left out is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from plugins.console.schemas import Block, Elsewhere, Page, Refused, Seen
from plugins.console.schemas.settings import Step
from plugins.console.services import setup_steps as steps

MANAGE: Final = "settings.manage"
STEPS: Final[tuple[str, ...]] = get_args(Step)
TITLES: Final[Mapping[str, str]] = {
    "business": "Business",
    "country": "Taxes",
    "apps": "Apps",
    "place": "Shop and till",
    "products": "Products",
    "people": "People",
}
"""Step → what it is called."""
NOTHING: Final[Mapping[str, Any]] = {"values": {"left_out": [], "is_put_away": False}}


async def begin(seen: Seen) -> Mapping[str, Any]:
    """Leads operators of a deployment that has no business from the dashboard to the first step."""
    if seen.business is None and seen.may("operator"):
        known = await seen.get("/operating/businesses", limit=1)
        if not known["items"]:
            raise Elsewhere("/setup")
    return {}


async def first(seen: Seen) -> Mapping[str, Any]:
    """Goes where one stands: the first step that is neither done nor left out."""
    _refuse_others(seen)
    if seen.business is None:
        raise Elsewhere("/setup/business")
    standing = await standing_of(seen, await _kept(seen))
    raise Elsewhere(f"/setup/{standing['next'] or 'done'}")


async def step(seen: Seen) -> Mapping[str, Any]:
    """One step, with all of them above it."""
    _refuse_others(seen)
    name = seen.path["step"]
    if name not in (*STEPS, "done"):
        raise Refused(404, {"title": "There is no such page"})
    if seen.business is None:
        if name != "business":
            raise Elsewhere("/setup/business")
        return {**await steps.new_business(seen), **_shown(name, nowhere())}
    kept, tag = await seen.get_tagged("/settings/console")
    standing, read = await asyncio.gather(standing_of(seen, kept), steps.READS[name](seen))
    return {**read, **_shown(name, standing), "tag_kept": tag, "kept": kept["values"]}


async def card(seen: Seen, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the dashboard says of it: how many of the steps are done, and which is next."""
    kept = await _kept(seen) if seen.business else NOTHING
    if kept["values"]["is_put_away"] or seen.business is None:
        return {"standing": None}
    _, tag = await seen.get_tagged("/settings/console")
    return {"standing": await standing_of(seen, kept), "tag_kept": tag}


async def standing_of(seen: Seen, kept: Mapping[str, Any]) -> dict[str, Any]:
    """How each step stands (done, left, open), how many are behind one, and which is next (None: none)."""
    done = await steps.done_in(seen)
    left = kept["values"]["left_out"]
    states = {name: "done" if done[name] else "left" if name in left else "open" for name in STEPS}
    return _counted(states)


def nowhere() -> dict[str, Any]:
    """How one stands who has no business yet."""
    return _counted(dict.fromkeys(STEPS, "open"))


def after(name: str) -> str:
    """The step after one; `done` after the last."""
    following: Sequence[str] = (*STEPS, "done")
    return following[min(following.index(name) + 1, len(STEPS))]


def _counted(states: Mapping[str, str]) -> dict[str, Any]:
    waiting = [name for name in STEPS if states[name] == "open"]
    rows = [(name, TITLES[name], states[name]) for name in STEPS]
    behind = len(STEPS) - len(waiting)
    return {"rows": rows, "behind": behind, "all": len(STEPS), "next": waiting[0] if waiting else None}


def _shown(name: str, standing: dict[str, Any]) -> dict[str, Any]:
    before = STEPS[STEPS.index(name) - 1] if name in STEPS[1:] else None
    states = {one: state for one, _, state in standing["rows"]}
    return {
        "step": name,
        "standing": standing,
        "state": states.get(name, ""),
        "before": before,
        "after": after(name) if name in STEPS else None,
        "part": f"console/setup/{name}.html",
        "title": "Set up your shop",
    }


async def _kept(seen: Seen) -> Mapping[str, Any]:
    found: Mapping[str, Any] = await seen.look("/settings/console") or NOTHING
    return found


def _refuse_others(seen: Seen) -> None:
    """For who may set a business up, and for operators who have none yet."""
    if not (seen.may(MANAGE) or (seen.business is None and seen.may("operator"))):
        raise Refused(404, {"title": "There is no such page"})


PAGES: Final = (
    Page("/setup", "setup/page.html", "Set up your shop", read=first),
    Page("/setup/{step}", "setup/page.html", "Set up your shop", read=step),
)
BLOCKS: Final = (Block("console.dashboard.top", "setup", "setup/card.html", card, MANAGE, order=0),)
