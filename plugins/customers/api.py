"""What other plugins may use of customers."""

from __future__ import annotations

from plugins.customers.schemas import CustomerFacts, CustomerKind
from plugins.customers.services import customer

__all__ = ["CustomerFacts", "CustomerKind", "customer"]
