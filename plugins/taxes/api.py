"""What other plugins may use of taxes: how the lines of a document are taxed, and the one computation."""

from __future__ import annotations

from plugins.taxes.rules import buyer_in, tax
from plugins.taxes.schemas.circumstances import Buyer, Certificate, CustomerTax, Seller, Taxing, Terms
from plugins.taxes.schemas.values import (
    ComponentTax,
    TaxableLine,
    TaxComponent,
    TaxedLine,
    TaxPolicy,
    Treatment,
)
from plugins.taxes.services.packs import mrp_binds, policy_of
from plugins.taxes.services.sellers import seller_at
from plugins.taxes.services.treatments import classes_by_code, known_classes, taxing, treatments

__all__ = [
    "Buyer",
    "Certificate",
    "ComponentTax",
    "CustomerTax",
    "Seller",
    "TaxComponent",
    "TaxPolicy",
    "TaxableLine",
    "TaxedLine",
    "Taxing",
    "Terms",
    "Treatment",
    "buyer_in",
    "classes_by_code",
    "known_classes",
    "mrp_binds",
    "policy_of",
    "seller_at",
    "tax",
    "taxing",
    "treatments",
]
