"""What other plugins may use of customers."""

from __future__ import annotations

from plugins.customers.schemas import CustomerFacts, CustomerKind
from plugins.customers.services import customer, known_customers, known_groups

__all__ = ["CustomerFacts", "CustomerKind", "customer", "known_customers", "known_groups"]
