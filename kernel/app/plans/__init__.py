"""Plan, then apply: what a change of plugins would do, seen before it is done, and done only as it was seen."""

from kernel.app.plans.applying import PlanStale, StillOpenHere, apply_plan
from kernel.app.plans.draining import DRAIN, drain_plugin
from kernel.app.plans.making import make_plan
from kernel.app.plans.rehearsing import Rehearsal, rehearse
from kernel.app.plans.values import Action, OnOpen, Plan

__all__ = [
    "DRAIN",
    "Action",
    "OnOpen",
    "Plan",
    "PlanStale",
    "Rehearsal",
    "StillOpenHere",
    "apply_plan",
    "drain_plugin",
    "make_plan",
    "rehearse",
]
