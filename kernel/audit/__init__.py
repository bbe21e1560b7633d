"""The audit trail: its rows in one form, sealed into a chain per business, anchored daily, verified."""

from kernel.audit.anchors import Anchor, anchor_day, anchors_of, read_anchor_file, write_anchor
from kernel.audit.sealing import GRACE, Sealer, seal
from kernel.audit.verifying import Report, Tampering, verify

__all__ = [
    "GRACE",
    "Anchor",
    "Report",
    "Sealer",
    "Tampering",
    "anchor_day",
    "anchors_of",
    "read_anchor_file",
    "seal",
    "verify",
    "write_anchor",
]
