"""What taxes answer to the kernel's hooks."""

from __future__ import annotations

from collections.abc import Sequence

from kernel.app.recording import Recording
from kernel.hooks import answers
from kernel.invariants import Rule
from kernel.work import Work
from plugins.taxes.services.packs import load_pack
from plugins.taxes.services.recording import record_classes


@answers
async def switched_on(work: Work) -> None:
    """Load the region's pack into a business that has no classes."""
    await load_pack(work)


@answers
async def recorded(work: Work, recording: Recording) -> None:
    """The tax classes of what was sold."""
    await record_classes(work, recording)


@answers
def invariants() -> Sequence[Rule]:
    """One default at most, and one rate for any day."""
    return (
        Rule(
            "a business has at most one default tax class",
            "SELECT business_id FROM taxes_class WHERE is_default GROUP BY business_id HAVING count(*) > 1",
        ),
        Rule(
            "the rates of a tax class never overlap in a region",
            "SELECT a.id FROM taxes_rate a JOIN taxes_rate b ON b.business_id = a.business_id"
            " AND b.class_id = a.class_id AND b.region = a.region AND b.valid_from > a.valid_from"
            " WHERE a.valid_to IS NULL OR a.valid_to >= b.valid_from",
        ),
        Rule(
            "no tax rate ends before it begins",
            "SELECT id FROM taxes_rate WHERE valid_to < valid_from",
        ),
    )
