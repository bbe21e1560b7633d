"""Apply a plan: made again under the exclusive lock, and done only if it is still the one that was seen."""

from __future__ import annotations

from kernel.app.plans.draining import DRAIN, EVERY
from kernel.app.plans.making import make_plan
from kernel.app.plans.values import OnOpen, Plan, Switching
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
    work: Work, name: str, action: Switching, *, hash_: str | None, on_open: OnOpen = "refuse", reason: str = ""
) -> Plan:
    """Carry out a plan; returns it as it was carried out.

    hash_: that of the plan that was seen; None applies whatever the plan is now. Raises NotFound, PlanStale,
    PluginFault for what hinders it, StillOpenHere, Invalid without a reason for leaving obligations open.
    """
    plan = await make_plan(work, name, action, with_consequences=False)
    work.audit(subject=f"plugin:{name}", action=action, plan=plan.hash)
    if hash_ is not None and hash_ != plan.hash:
        raise PlanStale(f"It was {hash_[:12]}…, and is {plan.hash[:12]}… now")
    if plan.hindrances:
        raise PluginFault(hindering(plan))
    if plan.obligations and on_open == "wait":
        await switching.drain(work, name)
        work.later(DRAIN, {"plugin": name}, at=work.now + EVERY)
        return plan
    if plan.obligations:
        _face(work, plan, on_open, reason)
    await (switching.enable if action == "enable" else switching.disable)(work, name)
    return plan


def hindering(plan: Plan) -> str:
    """What hinders a plan, in one line, with the path that shows why."""
    ways = {one: f" ({' → '.join(one.path)})" if len(one.path) > 1 else "" for one in plan.hindrances}
    return "; ".join(f"{one.words}{way}" for one, way in ways.items())


def _face(work: Work, plan: Plan, on_open: OnOpen, reason: str) -> None:
    if on_open == "force":
        if not reason:
            raise Invalid.at("/reason", "Say why what is open is left behind")
        work.audit(reason=reason, left_open=[f"{one.name}: {one.count}" for one in plan.obligations])
        return
    faults = [Fault(f"/obligations/{one.name}", "still-open") for one in plan.obligations]
    said = "; ".join(f"{one.words}: {one.count}" for one in plan.obligations)
    raise StillOpenHere(said, faults=faults)
