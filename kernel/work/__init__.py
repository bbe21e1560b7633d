"""The unit of work: deeds, their effects, and the only place that commits."""

from kernel.work.alone import Identify, carry_out
from kernel.work.approvals import (
    ApprovalNotValid,
    ApprovalRequired,
    Ask,
    digest_of,
    in_micro,
    may_knowingly,
    need_approval,
    reaches,
)
from kernel.work.configuring import resealed, secret_names
from kernel.work.crash import crashpoint
from kernel.work.deeds import Answered, Deed, Key, as_told
from kernel.work.deployment import Clock, Deployment, system_clock
from kernel.work.effects import Number, Tally
from kernel.work.extensions import changed_ext, read_ext, reread_ext, stored_ext
from kernel.work.heeding import heed, heed_now
from kernel.work.registers import check_register
from kernel.work.sides import change_sides, sides_of, with_sides, write_sides
from kernel.work.standing import (
    NO_BUSINESS,
    SYSTEM,
    Actor,
    Epochs,
    Origin,
    Shop,
    Standing,
    business_date,
)
from kernel.work.trail import Done, done_since
from kernel.work.unit import Work

__all__ = [
    "NO_BUSINESS",
    "SYSTEM",
    "Actor",
    "Answered",
    "ApprovalNotValid",
    "ApprovalRequired",
    "Ask",
    "Clock",
    "Deed",
    "Deployment",
    "Done",
    "Epochs",
    "Identify",
    "Key",
    "Number",
    "Origin",
    "Shop",
    "Standing",
    "Tally",
    "Work",
    "as_told",
    "business_date",
    "carry_out",
    "change_sides",
    "changed_ext",
    "check_register",
    "crashpoint",
    "digest_of",
    "done_since",
    "heed",
    "heed_now",
    "in_micro",
    "may_knowingly",
    "need_approval",
    "reaches",
    "read_ext",
    "reread_ext",
    "resealed",
    "secret_names",
    "sides_of",
    "stored_ext",
    "system_clock",
    "with_sides",
    "write_sides",
]
