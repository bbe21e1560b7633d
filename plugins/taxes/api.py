"""What other plugins may use of taxes: the values of a tax treatment, how lines are treated, the one computation."""

from __future__ import annotations

from plugins.taxes.rules import tax
from plugins.taxes.schemas.values import ComponentTax, TaxableLine, TaxComponent, TaxedLine, TaxPolicy, Treatment
from plugins.taxes.services.packs import policy_of
from plugins.taxes.services.treatments import classes_by_code, known_classes, treatments

__all__ = [
    "ComponentTax",
    "TaxComponent",
    "TaxPolicy",
    "TaxableLine",
    "TaxedLine",
    "Treatment",
    "classes_by_code",
    "known_classes",
    "policy_of",
    "tax",
    "treatments",
]
