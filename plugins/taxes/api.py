"""What other plugins may use of taxes: the values of a tax treatment and the one computation."""

from __future__ import annotations

from plugins.taxes.rules import tax
from plugins.taxes.schemas import ComponentTax, TaxableLine, TaxComponent, TaxedLine, TaxPolicy, Treatment

__all__ = ["ComponentTax", "TaxComponent", "TaxPolicy", "TaxableLine", "TaxedLine", "Treatment", "tax"]
