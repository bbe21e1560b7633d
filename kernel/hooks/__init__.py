"""The hook bus: pluggy declares, checks and orders; one HookSet per set of enabled plugins.

Three kinds of hook, told apart by how they are called:

- **ask**: synchronous and pure; every answer is data.
- **tell**: asynchronous, inside the caller's transaction; an error undoes everything. Awaited one at a time, in order.
- **offer**: contributes objects, collected once per set.

The plugin that calls a hook owns its spec, in its `hooks.py`, and says there what a failing answer means and how long
an answer may take. Answers run in plan order: a plugin after those it stands on, then by name. Each answer comes back
with the name of the plugin that gave it.
"""

from kernel.hooks.bus import Answer, HookFault, HookSet, LeftOut, Meter, Pair, Spent
from kernel.hooks.own import (
    Invariant,
    catching_up,
    consequences,
    erasing_person,
    invariants,
    list_filters,
    location_added,
    obligations,
    recorded,
    register_known,
    rehearsed,
    resealing,
    seed_demo,
    started,
    switched_on,
)
from kernel.hooks.policies import Policy, answers, policy_of, spec
from kernel.hooks.strikes import Noted, Strikes, recent_of

__all__ = [
    "Answer",
    "HookFault",
    "HookSet",
    "Invariant",
    "LeftOut",
    "Meter",
    "Noted",
    "Pair",
    "Policy",
    "Spent",
    "Strikes",
    "answers",
    "catching_up",
    "consequences",
    "erasing_person",
    "invariants",
    "list_filters",
    "location_added",
    "obligations",
    "policy_of",
    "recent_of",
    "recorded",
    "register_known",
    "rehearsed",
    "resealing",
    "seed_demo",
    "spec",
    "started",
    "switched_on",
]
