"""Jobs: what a deed leaves to be done after it, declared by plugins, run once, by any number of processes."""

from kernel.jobs.handlers import Call, Handler, Then, forget_old_keys, handlers_in, handlers_of, job
from kernel.jobs.running import Backlog, Runner, backlog
from kernel.jobs.schedules import clear_schedules, complete_schedules, next_run, set_schedules

__all__ = [
    "Backlog",
    "Call",
    "Handler",
    "Runner",
    "Then",
    "backlog",
    "clear_schedules",
    "complete_schedules",
    "forget_old_keys",
    "handlers_in",
    "handlers_of",
    "job",
    "next_run",
    "set_schedules",
]
