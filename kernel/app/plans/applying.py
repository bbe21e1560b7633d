"""Apply a plan: made again under the exclusive lock, and done only if it is still the one that was seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kernel.app.plans.draining import DRAIN, EVERY
from kernel.app.plans.making import make_plan
from kernel.app.plans.values import OnOpen, Plan, PlanObligation, Switching
from kernel.auth.businesses import switching
from kernel.errors import Conflict, Fault, Invalid, PluginFault
from kernel.work import Work


class PlanStale(Conflict):
    """What is on, or what the plugin brings, has changed since the plan was made."""

    code, title = "plan-stale", "The plan is out of date; make it again"


class StillOpenHere(Conflict):
    """The plugin has begun what only it can end."""

    code, title = "obligations-open", "Something the plugin has begun is still open"


async def apply_plan(
    work: Work,
    name: str,
    action: Switching,
    *,
    hash_: str | None,
    on_open: OnOpen = "refuse",
    reason: str = "",
    **which: Any,
) -> Plan:
    """Carry out a plan, of several plugins as a whole or not at all; returns it as it was carried out.

    hash_: that of the plan that was seen; None applies whatever the plan is now. which: `also` and `along` as of
    `make_plan`. Raises NotFound, PlanStale, PluginFault for what hinders it, StillOpenHere, Invalid without a reason
    for leaving obligations open.
    """
    plan = await make_plan(work, name, action, with_consequences=False, **which)
    work.audit(subject=f"plugin:{name}", action=action, plan=plan.hash)
    if plan.along:
        work.audit(along=[one.plugin for one in plan.along])
    if hash_ is not None and hash_ != plan.hash:
        raise PlanStale(f"It was {hash_[:12]}…, and is {plan.hash[:12]}… now")
    if plan.hindrances:
        raise PluginFault(hindering(plan))
    open_ = [one for part in plan.parts for one in part.obligations]
    if open_ and on_open == "wait":
        await switching.drain(work, *plan.turn)
        for one in plan.turn:
            if not work.is_draining(one):
                work.later(DRAIN, {"plugin": one}, at=work.now + EVERY)
        return plan
    if open_:
        _face(work, open_, on_open, reason)
    await (switching.enable if action == "enable" else switching.disable)(work, *plan.turn)
    work.audit(subject=f"plugin:{name}")
    return plan


def hindering(plan: Plan) -> str:
    """What hinders a plan, in one line, with the path that shows why."""
    ways = {one: f" ({' → '.join(one.path)})" if len(one.path) > 1 else "" for one in plan.hindrances}
    return "; ".join(f"{one.words}{way}" for one, way in ways.items())


def _face(work: Work, left_open: Sequence[PlanObligation], on_open: OnOpen, reason: str) -> None:
    if on_open == "force":
        if not reason:
            raise Invalid.at("/reason", "Say why what is open is left behind")
        work.audit(reason=reason, left_open=[f"{one.name}: {one.count}" for one in left_open])
        return
    faults = [Fault(f"/obligations/{one.name}", "still-open") for one in left_open]
    said = "; ".join(f"{one.words}: {one.count}" for one in left_open)
    raise StillOpenHere(said, faults=faults)
