"""Plan, then apply: what a change of plugins would do, seen before it is done, and done only as it was seen."""

from kernel.app.plans.applying import PlanStale, StillOpenHere, apply_plan
from kernel.app.plans.carrying import Carried, RevisionFailed, apart, carry_out_alone, carry_out_plan, servers_run
from kernel.app.plans.deploying import plan_deployment
from kernel.app.plans.draining import DRAIN, drain_plugin
from kernel.app.plans.making import make_plan
from kernel.app.plans.once import carry_out_once
from kernel.app.plans.rehearsing import NotedRehearsal, Rehearsal, hold_rehearsal, rehearsals_of, rehearse
from kernel.app.plans.values import Action, Deploying, OnOpen, Plan, Switching

__all__ = [
    "DRAIN",
    "Action",
    "Carried",
    "Deploying",
    "NotedRehearsal",
    "OnOpen",
    "Plan",
    "PlanStale",
    "Rehearsal",
    "RevisionFailed",
    "StillOpenHere",
    "Switching",
    "apart",
    "apply_plan",
    "carry_out_alone",
    "carry_out_once",
    "carry_out_plan",
    "drain_plugin",
    "hold_rehearsal",
    "make_plan",
    "plan_deployment",
    "rehearsals_of",
    "rehearse",
    "servers_run",
]
