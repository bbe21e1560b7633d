"""The tables of payments."""

from plugins.payments.models.attempts import REFUNDABLE, Attempt, Event, Refund
from plugins.payments.models.gateways import (
    Account,
    Health,
    Money,
    Operation,
    ProviderNotice,
    RegionGateway,
    Review,
    SharedToken,
)

__all__ = [
    "REFUNDABLE",
    "Account",
    "Attempt",
    "Event",
    "Health",
    "Money",
    "Operation",
    "ProviderNotice",
    "Refund",
    "RegionGateway",
    "Review",
    "SharedToken",
]
