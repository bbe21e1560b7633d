"""The audit trail: its rows in one form, sealed into a chain per business, anchored daily, verified."""

from kernel.audit.anchors import Anchor, anchor_day, anchors_of, read_anchor_file, write_anchor
from kernel.audit.sealing import GRACE, Sealer, seal
from kernel.audit.verifier import Verifier
from kernel.audit.verifying import Report, Tampering, verify
from kernel.audit.watching import Trails, ask_to_verify, begin_watch, clear_fault, known_of, note_broken, trails

__all__ = [
    "GRACE",
    "Anchor",
    "Report",
    "Sealer",
    "Tampering",
    "Trails",
    "Verifier",
    "anchor_day",
    "anchors_of",
    "ask_to_verify",
    "begin_watch",
    "clear_fault",
    "known_of",
    "note_broken",
    "read_anchor_file",
    "seal",
    "trails",
    "verify",
    "write_anchor",
]
